"""Doors for gateways that ask before they let a request through."""

"""Gatepass: access tokens for any API."""

__version__ = "0.1.0"

"""The verify listener: a door of its own for gateways. It needs httptools and uvloop, its package does not."""

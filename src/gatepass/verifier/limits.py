"""Limits on requests and connections, the same at every door. Sizes in bytes, times in seconds."""

REQUEST_LINE_BYTES = 8 * 1024
HEADER_BYTES = 16 * 1024
HEADER_FIELDS = 100
HEADER_SECONDS = 5
BODY_BYTES = 64 * 1024
BODY_SECONDS = 10
KEEP_ALIVE_SECONDS = 30
CONNECTIONS = 1000
"""Of one process."""
DROPPED_BYTES = 4 * 1024 * 1024
DROPPED_SECONDS = 2
"""What is refused and already on its way is read and dropped, so that the client gets to see the answer."""
STOP_SECONDS = 10
"""What a request that has begun may take to end when the process stops."""

"""How one process that follows changes is told from all others."""

import os
import secrets
import socket


def instance_name() -> str:
    """Return a new name: host and process for whoever reads it, and what makes it the only one.

    At most 64 letters, digits and dashes, in ASCII.
    """
    host = "".join(each if each.isascii() and each.isalnum() else "-" for each in socket.gethostname())[:32]
    return f"{host or 'host'}-{os.getpid()}-{secrets.token_hex(4)}"

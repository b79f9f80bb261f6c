"""Addresses of servers: what is one, and whether it stays on this machine."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_origin(url: str) -> bool:
    """Tell whether `url` is the address of a server and nothing more: no user, path, query or fragment."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
        return bool(usable and parts.path in {"", "/"} and parts.username is None and (parts.port or 1) > 0)
    except ValueError:
        return False

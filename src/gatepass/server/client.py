"""Where a request comes from: the peer, or what a trusted proxy says of it."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Who may say `X-Forwarded-For`. Nobody by default, loopback included."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take addresses, networks, and `unix` for peers on a unix socket."""
        self._unix = "unix" in names
        self._networks: list[Network] = [ipaddress.ip_network(name) for name in names if name != "unix"]

    def address_of(self, request: HTTPConnection) -> str | None:
        """Return the client's address: the rightmost one that is not a trusted proxy's own.

        What cannot be read as an address counts as the proxy that said it. None on a unix socket
        without a trusted proxy.
        """
        address = request.client.host if request.client and request.client.host else None
        if not self._trusts(address):
            return address
        said = [part.strip() for value in request.headers.getlist("x-forwarded-for") for part in value.split(",")]
        for hop in reversed(said):
            if not _is_address(hop):
                break
            address = hop
            if not self._trusts(hop):
                break
        return address

    def _trusts(self, address: str | None) -> bool:
        if address is None:
            return self._unix
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

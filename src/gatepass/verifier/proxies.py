"""Where a request comes from: the peer, or what a trusted proxy says of it."""

import ipaddress
from collections.abc import Sequence

UNIX = "unix"


class TrustedProxies:
    """Who may say `X-Forwarded-For`. Nobody by default, loopback included."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take addresses, networks, and `unix` for peers on a unix socket."""
        self._unix = UNIX in names
        self._networks = [ipaddress.ip_network(name) for name in names if name != UNIX]

    def address_behind(self, peer: str | None, forwarded: Sequence[str]) -> str | None:
        """Return the client's address: the rightmost one that is not a trusted proxy's own.

        `peer` is None on a unix socket, `forwarded` are the values of all X-Forwarded-For headers. What
        cannot be read as an address counts as the proxy that said it. None on a unix socket without a
        trusted proxy.
        """
        address = peer
        if not self._trusts(address):
            return address
        said = [part.strip() for value in forwarded for part in value.split(",")]
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

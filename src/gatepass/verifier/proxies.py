"""Where a request comes from: the peer, or what a trusted proxy says of it."""

import ipaddress
from collections.abc import Sequence

from gatepass.model.network import Address, contains, parse_address

UNIX = "unix"


class TrustedProxies:
    """Who may say `X-Forwarded-For`. Nobody by default, loopback included.

    An IPv4-mapped IPv6 address is the IPv4 one everywhere: a listener on `[::]` sees IPv4 peers so.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Take addresses, networks, and `unix` for peers on a unix socket."""
        self._unix = UNIX in names
        self._networks = [ipaddress.ip_network(name) for name in names if name != UNIX]

    def address_behind(self, peer: str | None, forwarded: Sequence[str]) -> str | None:
        """Return whom to count and to log: the rightmost address that is not a trusted proxy's own.

        `peer` is None on a unix socket, `forwarded` are the values of all X-Forwarded-For headers. What
        cannot be read as an address counts as the proxy that said it. None on a unix socket without a
        trusted proxy.
        """
        found = self._walk(peer, forwarded)[0]
        return peer if found is None else str(found)

    def client_behind(self, peer: str | None, forwarded: Sequence[str]) -> Address | None:
        """Return where the client is, for what may be done from there only; None if that is not told.

        A trusted proxy that names nobody, or something that is no address, is not the client.
        """
        found, is_unclear = self._walk(peer, forwarded)
        return None if is_unclear else found

    def _walk(self, peer: str | None, forwarded: Sequence[str]) -> tuple[Address | None, bool]:
        """Return the last address that can be believed, and whether it may be another's than the client's."""
        address = parse_address(peer)
        if not self._trusts(peer, address):
            return address, False
        said = [part.strip() for value in forwarded for part in value.split(",")]
        for hop in reversed(said):
            plain, zone, _ = hop.partition("%")
            parsed = parse_address(plain)
            if parsed is None:
                return address, True
            address = parsed
            if not self._trusts(hop, parsed):
                return address, bool(zone)  # with a zone it is the address of another network than ours
        return address, True

    def _trusts(self, text: str | None, address: Address | None) -> bool:
        if text is None:
            return self._unix
        return address is not None and contains(self._networks, address)

"""Networks that a token may be used from, in CIDR notation (RFC 4632, RFC 4291)."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gatepass.errors import InvalidInput

MOST_NETWORKS = 64
"""How many networks one token may name."""

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def check_networks(texts: Sequence[str], *, field: str = "allowedNetworks") -> tuple[Network, ...]:
    """Read networks, each once; raise InvalidInput naming `field` for none at all or for a bad one.

    A network must be its own base address (`10.0.0.0/8`, not `10.1.2.3/8`): what is stored is what
    was meant. A lone address is a network of one.
    """
    if not texts:
        raise InvalidInput(field, "names no network; leave it out for a token that works from anywhere")
    if len(texts) > MOST_NETWORKS:
        raise InvalidInput(field, f"names {len(texts)} networks, at most {MOST_NETWORKS} are allowed")
    return tuple(dict.fromkeys(_network(text, field) for text in texts))


def _network(text: str, field: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise InvalidInput(field, f"{text[:100]!r} is not a network, as 10.0.0.0/8 or 2001:db8::/32 is") from None
    if isinstance(network, IPv6Network) and (network.network_address.ipv4_mapped or network.network_address.scope_id):
        # SECURITY: a mapped network would look like a restriction to IPv4 clients and match none of them.
        raise InvalidInput(field, f"{text[:100]!r}: write an IPv4 network as such, and IPv6 ones without a zone")
    return network


def parse_address(text: str | None) -> Address | None:
    """Read a client's address; None if it is none. An IPv4-mapped IPv6 address is the IPv4 one."""
    try:
        address = ip_address(text) if text else None
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Tell whether the address lies in one of the networks."""
    return any(address in network for network in networks)


def within(inner: Network, outer: Iterable[Network]) -> bool:
    """Tell whether one of the outer networks holds all of the inner one."""
    return any(
        (isinstance(inner, IPv4Network) and isinstance(each, IPv4Network) and inner.subnet_of(each))
        or (isinstance(inner, IPv6Network) and isinstance(each, IPv6Network) and inner.subnet_of(each))
        for each in outer
    )

"""Whom a trusted proxy speaks for, and whom nobody spoke for."""

import pytest

from gatepass.model.network import parse_address
from gatepass.verifier.proxies import TrustedProxies

PROXY, CLIENT = "10.0.0.1", "203.0.113.9"
TRUSTED = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (PROXY, [CLIENT], CLIENT),
        (PROXY, [f"198.51.100.1, {CLIENT}"], CLIENT),
        (PROXY, [CLIENT, "10.0.0.5"], CLIENT),
        (f"::ffff:{PROXY}", [CLIENT], CLIENT),
        (PROXY, [f"{CLIENT}, ::ffff:10.0.0.5"], CLIENT),
        (PROXY, [f"::ffff:{CLIENT}"], CLIENT),
        (PROXY, ["2001:db9::7"], "2001:db9::7"),
        (CLIENT, ["10.0.0.5"], CLIENT),
        (f"::ffff:{CLIENT}", [], CLIENT),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxys(peer: str, forwarded: list[str], client: str) -> None:
    assert TRUSTED.client_behind(peer, forwarded) == parse_address(client)
    assert TRUSTED.address_behind(peer, forwarded) == client


@pytest.mark.parametrize(
    "forwarded", [[], [""], ["unknown"], [f"{CLIENT}:51234"], ["[2001:db9::7]:443"], ["fe80::1%eth0"], ["10.0.0.7"]]
)
def test_a_proxy_that_names_nobody_is_not_the_client(forwarded: list[str]) -> None:
    """A token for the proxy's network would otherwise work from anywhere behind it."""
    assert TRUSTED.client_behind(PROXY, forwarded) is None
    assert TRUSTED.address_behind(PROXY, forwarded) in {PROXY, "10.0.0.7", "fe80::1"}


def test_on_a_unix_socket_there_is_a_client_only_if_the_proxy_is_trusted() -> None:
    assert TRUSTED.client_behind(None, [CLIENT]) is None
    assert TRUSTED.address_behind(None, [CLIENT]) is None
    unix = TrustedProxies(["unix"])
    assert unix.client_behind(None, [CLIENT]) == parse_address(CLIENT)
    assert unix.client_behind(None, []) is None

"""Where a request to this server comes from."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from gatepass.model.network import Address
from gatepass.verifier.proxies import TrustedProxies


def address_of(proxies: TrustedProxies, request: HTTPConnection) -> str | None:
    """Return whom to count and to log."""
    return proxies.address_behind(_peer(request), request.headers.getlist("x-forwarded-for"))


def client_of(proxies: TrustedProxies, request: HTTPConnection) -> Address | None:
    """Return where the client is; None if that is not known."""
    return proxies.client_behind(_peer(request), request.headers.getlist("x-forwarded-for"))


def certified_in(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """Return to whom a client's certificate is made out (as `ssl.SSLSocket.getpeercert` gives it); nobody without one.

    Its DNS and URI names, and only where it has none of any kind its common name (RFC 6125, 6.4.4).
    """
    told = certificate or {}
    names = told.get("subjectAltName")
    if names:
        return frozenset(name for kind, name in names if kind in {"DNS", "URI"})
    return frozenset(name for part in told.get("subject", ()) for kind, name in part if kind == "commonName")


def _peer(request: HTTPConnection) -> str | None:
    return request.client.host if request.client and request.client.host else None

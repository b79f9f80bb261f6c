"""Where a request to this server comes from."""

from starlette.requests import HTTPConnection

from gatepass.model.network import Address
from gatepass.verifier.proxies import TrustedProxies


def address_of(proxies: TrustedProxies, request: HTTPConnection) -> str | None:
    """Return whom to count and to log."""
    return proxies.address_behind(_peer(request), request.headers.getlist("x-forwarded-for"))


def client_of(proxies: TrustedProxies, request: HTTPConnection) -> Address | None:
    """Return where the client is; None if that is not known."""
    return proxies.client_behind(_peer(request), request.headers.getlist("x-forwarded-for"))


def _peer(request: HTTPConnection) -> str | None:
    return request.client.host if request.client and request.client.host else None

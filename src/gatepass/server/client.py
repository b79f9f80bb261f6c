"""Where a request to this server comes from."""

from starlette.requests import HTTPConnection

from gatepass.verifier.proxies import TrustedProxies


def address_of(proxies: TrustedProxies, request: HTTPConnection) -> str | None:
    """Return the client's address as `proxies` tell it."""
    peer = request.client.host if request.client and request.client.host else None
    return proxies.address_behind(peer, request.headers.getlist("x-forwarded-for"))

"""Sign-in by a reverse proxy: it vouches for people in a signed assertion (JWT) that it adds to each request.

As Google's and other identity-aware proxies, access gateways and oauth2-proxy send it. Without a signature a header is
believed only where nobody but the proxy can have sent it: on a unix socket, or over TLS with the proxy's certificate.
"""

import re

from gatepass.errors import BadConfiguration
from gatepass.identity.trusted_proxy.options import Options
from gatepass.interfaces import Clock, ProxyProvider

_HEADER = re.compile(r"\A[A-Za-z][A-Za-z0-9-]{0,60}\Z", re.ASCII)
_NEVER = frozenset({"authorization", "cookie", "host", "forwarded", "proxy-authorization"})
_MODES = ("assertion", "name")

__all__ = ["Options", "build"]


def build(options: Options, *, provider_id: str, clock: Clock) -> ProxyProvider:
    """Return the provider. Raises BadConfiguration, and ImportError without the packages it needs."""
    section = f"providers.{provider_id}"
    name = options.header.lower()
    # SECURITY: Authorization belongs to tokens and passwords, and is never read together with this.
    if not _HEADER.match(options.header) or name in _NEVER or name.startswith(("x-forwarded-for", "sec-")):
        raise BadConfiguration(f"{section}.header", f"must be a header that the proxy adds, not {options.header!r}")
    if options.trust not in _MODES:
        raise BadConfiguration(f"{section}.trust", f"must be assertion or name, not {options.trust!r}")
    if options.trust == "name":
        from gatepass.identity.trusted_proxy.named import NamedHeader  # noqa: PLC0415

        return NamedHeader(name, provider_id, certificate=options.certificate)
    if options.certificate:
        raise BadConfiguration(f"{section}.certificate", "is for a plain name; an assertion is proven by its signature")
    from gatepass.identity.trusted_proxy.assertion import SignedAssertion  # noqa: PLC0415  it brings libraries

    return SignedAssertion(options, name, provider_id, clock)

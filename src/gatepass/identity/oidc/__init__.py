"""OpenID Connect: the browser is sent to the company's provider, and a signed id token says who came back.

Code flow with PKCE (RFC 7636, S256), `state`, `nonce` and `iss` (RFC 9207); nothing of it is optional. The
subject is `sub` and the issuer: two issuers never share a person, whatever address or name they tell.
"""

from gatepass.identity.oidc.options import Options
from gatepass.interfaces import Clock, RedirectProvider

__all__ = ["Options", "build"]


def build(options: Options, *, provider_id: str, clock: Clock) -> RedirectProvider:
    """Return the provider. Raises BadConfiguration, and ImportError without the packages it needs."""
    from gatepass.identity.oidc.provider import OidcProvider  # noqa: PLC0415  it brings the libraries

    return OidcProvider(options, provider_id, clock)

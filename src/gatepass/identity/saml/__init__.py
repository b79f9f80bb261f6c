"""SAML 2.0: a service provider whose sign-ins begin here, with answers that the provider's page posts.

What an answer is believed for is decided in this order, and each step sees the same bytes: `document` (one text, one
tree), `shape` (what may stand where), `toolkit` (python3-saml), `signed` (signxml; what it returns is all that is read
on), `assertion` (for whom, by whom, until when), `people` (who it is).
"""

from gatepass.identity.saml.options import Options
from gatepass.interfaces import Clock, IdentityProvider

__all__ = ["Options", "build"]


def build(options: Options, *, provider_id: str, clock: Clock) -> IdentityProvider:
    """Return the provider. Reads files; asks nobody anything yet. Raises BadConfiguration naming the option."""
    from gatepass.identity.saml.provider import build_saml  # noqa: PLC0415  it brings lxml, python3-saml and signxml

    return build_saml(options, provider_id=provider_id, clock=clock)

"""Keys of the configuration of a trusted proxy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Keys of a provider of kind `trusted_proxy`."""

    header: str = ""
    """The header that the proxy sets, and removes from what clients send."""
    trust: str = "assertion"
    """`assertion`: the header is a signed token; `name`: a plain name, taken from nobody but the proxy."""
    certificate: str = ""
    """With a plain name over TLS: to whom the proxy's client certificate is made out (DNS or URI name, else CN)."""
    issuer: str = ""
    """Who signs."""
    audience: str = ""
    """What the proxy calls this site."""
    jwks: str = ""
    """The https address of the signer's keys."""
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    login_claim: str = "email"
    groups_claim: str = "groups"
    emails_are_verified: bool = False
    """Whether addresses are vouched for by the signer without `email_verified`."""
    max_age_seconds: int = 0
    """How old an assertion may be; 0: until it ends by itself."""
    tls_ca: str = ""
    """A file with the authorities to trust instead of the system's."""
    proxy: str = ""
    """The address of a proxy on the way to the keys."""

"""Keys of the configuration of an OpenID provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """Keys of a provider of kind `oidc`."""

    issuer: str = ""
    """Its address, to the letter as its discovery document has it."""
    client_id: str = ""
    client_secret: str = field(default="", metadata={"secret": True})
    """Empty for a public client, which has PKCE alone."""
    client_auth: str = ""
    """How the secret is sent: `basic` or `post`; empty: `basic` where the provider takes it."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    subject_claim: str = "sub"
    """What a person keeps for ever and nobody else gets; `oid` at Entra ID, whose `sub` no directory pushes."""
    groups_claim: str = "groups"
    """Where groups stand, in the id token or in what the provider tells of the user; `a.b` is `b` inside of `a`."""
    userinfo: bool = True
    """Whether the provider is asked for what the id token lacks."""
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    """How an id token may be signed."""
    prompt: str = ""
    """What the provider is to ask each time, such as `login` or `select_account`."""
    max_age_seconds: int = 0
    """How long ago people may have typed their password there; 0: as the provider has it."""
    sign_out_there: bool = False
    """Whether signing out here goes on to sign out at the provider."""
    tls_ca: str = ""
    """A file with the authorities to trust instead of the system's."""
    proxy: str = ""
    """The address of a proxy on the way to the provider."""

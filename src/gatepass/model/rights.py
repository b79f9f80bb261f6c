"""What a token carries of restrictions: scopes, networks and audience. They never change.

They belong to the token, so a cached verdict carries them too; whether one request keeps within
them is checked after the cache, in `verifier/requirements.py`.
"""

from collections.abc import Sequence

from gatepass.errors import InvalidInput, NotAllowed
from gatepass.model.network import Network, check_networks, within
from gatepass.model.scope import check_scopes, covers_all
from gatepass.model.value import Value

MOST_AUDIENCES = 16
_AUDIENCE_LENGTH = 200


class Rights(Value):
    """What one token may do, from where, and with whom; None means: not restricted."""

    __slots__ = ("audience", "networks", "scopes")

    def __init__(
        self,
        scopes: tuple[str, ...] | None = None,
        networks: tuple[Network, ...] | None = None,
        audience: tuple[str, ...] | None = None,
    ) -> None:
        """Restrict a token to scopes (none at all: empty), to networks, and to services.

        A service that is not named in the audience must refuse the token (as `aud`, RFC 7519 4.1.3).
        """
        self.scopes = scopes
        self.networks = networks
        self.audience = audience

    @property
    def scope(self) -> str:
        """The scopes in one text, as gateways and introspection say them: `*` for full access, empty for none."""
        return "*" if self.scopes is None else " ".join(self.scopes)

    def lists(self) -> dict[str, list[str] | None]:
        """Return the three as lists of texts, by the names records and answers have for them."""
        named = {"scopes": self.scopes, "allowed_networks": self.networks, "audience": self.audience}
        return {name: None if values is None else [str(value) for value in values] for name, values in named.items()}


FULL_ACCESS = Rights()


def check_rights(
    scopes: Sequence[str] | None, allowed_networks: Sequence[str] | None, audience: Sequence[str] | None
) -> Rights:
    """Read what somebody asks for a token; raise InvalidInput naming the field."""
    return Rights(
        None if scopes is None else check_scopes(scopes),
        None if allowed_networks is None else check_networks(allowed_networks),
        None if audience is None else check_audience(audience),
    )


def check_audience(audience: Sequence[str], *, field: str = "audience") -> tuple[str, ...]:
    """Return names of services, each once; raise InvalidInput naming `field`."""
    if not audience:
        raise InvalidInput(field, "names no service; leave it out for a token that all of them take")
    if len(audience) > MOST_AUDIENCES:
        raise InvalidInput(field, f"names {len(audience)} services, at most {MOST_AUDIENCES} are allowed")
    for name in audience:
        if not (0 < len(name) <= _AUDIENCE_LENGTH and name.isascii() and name.isprintable() and " " not in name):
            raise InvalidInput(field, f"{name[:100]!r} is not a name of 1 to 200 printable characters without spaces")
    return tuple(dict.fromkeys(audience))


def child_rights(parent: Rights, asked: Rights) -> Rights:
    """Return the rights of a token made with another one: what is asked, within the parent's.

    What is not asked for is as the parent has it. Raises NotAllowed, naming what goes beyond.
    """
    scopes = parent.scopes if asked.scopes is None else asked.scopes
    networks = parent.networks if asked.networks is None else asked.networks
    audience = parent.audience if asked.audience is None else asked.audience
    for scope in scopes or ():
        if not covers_all(parent.scopes, [scope]):
            raise NotAllowed(f"scopes: the token used here does not have {scope!r}, so it cannot give it")
    for network in networks or ():
        if parent.networks is not None and not within(network, parent.networks):
            raise NotAllowed(f"allowedNetworks: the token used here does not work from all of '{network}'")
    for name in audience or ():
        if parent.audience is not None and name not in parent.audience:
            raise NotAllowed(f"audience: the token used here is not meant for {name!r}")
    return Rights(scopes, networks, audience)

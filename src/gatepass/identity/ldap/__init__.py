"""LDAP directories: OpenLDAP and its kin, and Active Directory. Passwords, groups within groups, people who leave."""

from dataclasses import dataclass, field

from gatepass.errors import BadConfiguration
from gatepass.identity.ldap.names import normal_dn
from gatepass.interfaces import Clock, IdentityProvider


@dataclass(frozen=True, slots=True)
class Options:
    """The keys of `kind = "ldap"`. Empty texts take what `flavour` says (`flavours.py`)."""

    urls: tuple[str, ...] = ()
    """`ldaps://HOST[:PORT]`, or `ldap://…` with StartTLS; the next one is asked if one is out of reach."""
    flavour: str = "openldap"
    """`openldap` or `ad`."""
    tls_ca: str = ""
    """A PEM file of authorities; empty: the system's."""
    tls_verify: bool = True
    """Whether the certificate is checked. Without that anybody on the way can read every password."""
    bind_dn: str = ""
    """The account that searches. A DN, in Active Directory also `name@domain`."""
    bind_password: str = field(default="", metadata={"secret": True})
    direct_bind: str = ""
    """In place of `bind_dn`: whom to bind as, with `{login}` in it. Then nobody can be read who does not sign in."""
    base: str = ""
    """Where people are."""
    user_filter: str = ""
    """What is a person, in parentheses."""
    login_attributes: tuple[str, ...] = ()
    """What a typed name is compared with."""
    domains: tuple[str, ...] = ()
    """Domains that may stand before the name (`DOMAIN\\name`)."""
    subject_attribute: str = ""
    """What an entry keeps for ever and no other gets."""
    name_attribute: str = ""
    email_attribute: str = "mail"
    trust_email: bool = False
    """Whether nobody can write their own address there, so that it may name them here."""
    group_base: str = ""
    """Where groups are; empty: as `base`."""
    group_filter: str = ""
    """What is a group, in parentheses."""
    member_attributes: tuple[str, ...] = ("member",)
    """What of a group names the DNs of its members."""
    nested_groups: bool = True
    """Whether members of a group within a group are members."""
    connect_seconds: int = 3
    answer_seconds: int = 5


def build(options: Options, *, provider_id: str, clock: Clock) -> IdentityProvider:
    """Return the provider. Raises BadConfiguration naming the option; connects to nothing yet."""
    from gatepass.identity.ldap.flavours import settled  # noqa: PLC0415  these bring ldap3
    from gatepass.identity.ldap.provider import DirectLdapProvider, LdapProvider  # noqa: PLC0415

    directory = settled(options, provider_id)
    kind = DirectLdapProvider if options.direct_bind else LdapProvider
    return kind(directory, provider_id=provider_id, clock=clock)


def group_key(name: str) -> str:
    """Return the DN of a group in the form in which they are compared. Raises BadConfiguration if it is none."""
    try:
        return normal_dn(name)
    except ValueError as error:
        raise BadConfiguration("groups", f"{name!r} is no DN of a group: {error}") from None

"""The keys of `kind = "ldap"` in the configuration."""

from dataclasses import dataclass, field


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

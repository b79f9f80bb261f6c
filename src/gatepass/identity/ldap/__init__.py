"""LDAP directories: OpenLDAP and its kin, and Active Directory. Passwords, groups within groups, people who leave."""

from gatepass.errors import BadConfiguration
from gatepass.identity.ldap.names import normal_dn
from gatepass.identity.ldap.options import Options
from gatepass.interfaces import Clock, IdentityProvider


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


__all__ = ["Options", "build", "group_key"]

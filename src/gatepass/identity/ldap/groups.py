"""The groups somebody is in, also through other groups."""

from collections.abc import Iterable

from gatepass.errors import Unavailable
from gatepass.identity.ldap.connections import Entry, Session
from gatepass.identity.ldap.flavours import Directory
from gatepass.identity.ldap.names import any_of, filter_value, normal_dn
from gatepass.model.identity import printable

MOST_GROUPS = 2000
DEEPEST = 10
"""How many groups within each other are walked. What is further away does not count."""
_AT_ONCE = 50
"""Members that one search asks for."""
_IN_CHAIN = "member:1.2.840.113556.1.4.1941:"
"""Members of groups within a group too: `LDAP_MATCHING_RULE_IN_CHAIN` of MS-ADTS 3.1.1.3.4.4.3."""
_FOR_SECURITY = "(groupType:1.2.840.113556.1.4.803:=2147483648)"
"""Groups that are no list for mail; `tokenGroups` has no others."""


def groups_of(session: Session, directory: Directory, person: Entry) -> frozenset[str]:
    """Return the DNs of somebody's groups, as `normal_dn` writes them. Raises Unavailable if not all are known."""
    if directory.is_ad and directory.options.nested_groups:
        found = _by_sid(session, directory, person)
    else:
        found = _by_member(session, directory, person)
    return printable(found)


def _by_sid(session: Session, directory: Directory, person: Entry) -> set[str]:
    """Ask Active Directory, which knows the groups of an entry, for their SIDs, and for the names of those."""
    shown = session.find(
        person.dn, "(objectClass=*)", ["tokenGroups", "objectSid", "primaryGroupID"], whole=False, most=1
    )
    sids = list(shown[0].attributes.get("tokengroups", ())) if shown else []
    if not sids:
        # SECURITY: everybody has a primary group at least, so none means that they are hidden, not that there are none.
        return _in_chain(session, directory, person.dn, _primary_group(session, shown))
    found: set[str] = set()
    for part in _parts(sids):
        wanted = "".join(f"(objectSid={filter_value(sid)})" for sid in part)
        found |= _names(session, directory, f"(|{wanted})")
    return found


def _in_chain(session: Session, directory: Directory, dn: str, primary: str) -> set[str]:
    """Let Active Directory walk the members of its groups; a primary group has none, and is in groups itself."""
    members = "".join(f"({_IN_CHAIN}={filter_value(each)})" for each in (dn, primary))
    wanted = f"(|(distinguishedName={filter_value(primary)}){members})"
    return _names(session, directory, f"(&{_FOR_SECURITY}{wanted})")


def _primary_group(session: Session, shown: list[Entry]) -> str:
    """Return the DN of an entry's primary group, wherever that is. Raises Unavailable if it is not shown.

    Its SID is of the same domain as the entry's own (MS-DTYP 2.4.2.2), and finds it (MS-ADTS 3.1.1.3.1.2.4).
    """
    try:
        attributes = shown[0].attributes
        sid = attributes["objectsid"][0][:-4] + int(attributes["primarygroupid"][0]).to_bytes(4, "little")
        return session.find(f"<SID={sid.hex()}>", "(objectClass=group)", [], whole=False, most=1)[0].dn
    except (LookupError, ValueError, OverflowError):
        raise Unavailable(
            "the directory does not show the groups of an entry",
            hint="let the searching account read tokenGroups, or objectSid and primaryGroupID",
        ) from None


def _by_member(session: Session, directory: Directory, person: Entry) -> set[str]:
    """Walk from groups to the groups that they are in, level by level."""
    found: set[str] = set()
    level = [person.dn]
    for _ in range(DEEPEST if directory.options.nested_groups else 1):
        above: set[str] = set()
        for part in _parts(level):
            wanted = "".join(any_of(directory.options.member_attributes, dn) for dn in part)
            above |= _names(session, directory, f"(|{wanted})")
        level = sorted(above - found)
        found |= above
        if not level:
            break
    return found


def _names(session: Session, directory: Directory, wanted: str) -> set[str]:
    entries = session.find_all(directory.group_base, f"(&{directory.group_filter}{wanted})", [], most=MOST_GROUPS)
    return {normal_dn(each.dn) for each in entries}


def _parts(values: list[str] | list[bytes]) -> Iterable[list[str] | list[bytes]]:
    return (values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE))

"""The groups somebody is in, also through other groups."""

from collections.abc import Iterable

from gatepass.identity.ldap.connections import Entry, Session
from gatepass.identity.ldap.flavours import Directory
from gatepass.identity.ldap.names import any_of, filter_value, normal_dn
from gatepass.model.identity import printable

MOST_GROUPS = 2000
DEEPEST = 10
"""How many groups within each other are walked. What is further away does not count."""
_AT_ONCE = 50
"""Members that one search asks for."""


def groups_of(session: Session, directory: Directory, person: Entry) -> frozenset[str]:
    """Return the DNs of somebody's groups, as `normal_dn` writes them. Raises Unavailable if not all are known."""
    if directory.is_ad and directory.options.nested_groups:
        found = _by_sid(session, directory, person)
    else:
        found = _by_member(session, directory, person)
    return printable(found)


def _by_sid(session: Session, directory: Directory, person: Entry) -> set[str]:
    """Ask Active Directory, which knows the groups of an entry, for their SIDs, and for the names of those."""
    entries = session.find(person.dn, "(objectClass=*)", ["tokenGroups"], whole=False, most=1)
    sids = list(entries[0].attributes.get("tokengroups", ())) if entries else []
    found: set[str] = set()
    for part in _parts(sids):
        wanted = "".join(f"(objectSid={filter_value(sid)})" for sid in part)
        found |= _names(session, directory, f"(|{wanted})")
    return found


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

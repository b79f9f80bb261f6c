"""Names on their way into a directory: filters (RFC 4515), DNs (RFC 4514), and what people type."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

_PLAIN_IN_DN = frozenset("-_.@/:'()&! *$%")
_ATTRIBUTE = re.compile(r"\A[A-Za-z][A-Za-z0-9-]*\Z", re.ASCII)
_LONGEST_LOGIN = 256


def filter_value(value: str | bytes) -> str:
    r"""Return a value for a filter: every byte that is no ASCII letter or digit as `\\xx`."""
    # SECURITY: what stays as it is has no meaning in any filter, so nothing typed can get one.
    raw = value.encode() if isinstance(value, str) else value
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\{byte:02x}" for byte in raw)


def any_of(attributes: Sequence[str], value: str | bytes) -> str:
    """Return the filter for entries where one of `attributes` has that value."""
    found = [f"({name}={filter_value(value)})" for name in attributes]
    return found[0] if len(found) == 1 else f"(|{''.join(found)})"


def dn_value(value: str) -> str:
    r"""Return a value for a DN: every byte that is no ASCII letter or digit as `\\xx`."""
    return filter_value(value)


def is_attribute(name: str) -> bool:
    """Tell whether `name` is one of an attribute."""
    return _ATTRIBUTE.match(name) is not None


def usable_login(login: str) -> str | None:
    """Return a typed name without spaces around it; None for what no directory has as a name."""
    text = login.strip()
    refused = any(unicodedata.category(each) in {"Cc", "Cs", "Cf", "Zl", "Zp"} for each in text)
    return text if text and len(text) <= _LONGEST_LOGIN and not refused else None


def without_domain(login: str, domains: Iterable[str]) -> str | None:
    r"""Return the name after `DOMAIN\\`, if that is one of `domains`; None for another domain."""
    domain, slash, name = login.rpartition("\\")
    if not slash:
        return login
    known = domain.casefold() in {each.casefold() for each in domains}
    return name if known and name else None


def normal_dn(dn: str) -> str:
    """Return the form in which DNs are compared: without case, needless spaces and other ways to escape.

    Raises ValueError for what is no DN.
    """
    return ",".join("+".join(f"{name}={_shown(value)}" for name, value in sorted(rdn)) for rdn in _rdns(dn))


def is_within(dn: str, base: str) -> bool:
    """Tell whether an entry is below `base`, or is it."""
    inner, outer = normal_dn(dn), normal_dn(base)
    return inner == outer or inner.endswith(f",{outer}")


def guid_text(raw: bytes) -> str:
    """Return an `objectGUID` as it is usually written. Raises ValueError if it has not 16 bytes."""
    return str(UUID(bytes_le=raw))


def guid_bytes(text: str) -> bytes:
    """Return the bytes of an `objectGUID`. Raises ValueError."""
    return UUID(text).bytes_le


def _rdns(dn: str) -> Iterator[list[tuple[str, str]]]:
    rdn: list[tuple[str, str]] = []
    name, value, in_value = "", bytearray(), False
    for special, raw in [*_units(dn), (",", b"")]:
        if special == "=" and not in_value:
            name, value, in_value = value.decode().strip().lower(), bytearray(), True
        elif special in {",", "+"}:
            if not in_value or not is_attribute(name):
                raise ValueError("a part is not like cn=name")
            rdn.append((name, " ".join(value.decode().lower().split())))
            value, in_value = bytearray(), False
            if special == ",":
                yield rdn
                rdn = []
        else:
            value += raw


def _units(dn: str) -> Iterator[tuple[str, bytes]]:
    """Return the bytes of a DN one after the other, each with the separator that it is, if it is one."""
    index = 0
    while index < len(dn):
        each = dn[index]
        if each != "\\":
            yield (each if each in ",+=" else ""), each.encode()
            index += 1
        elif re.match(r"[0-9A-Fa-f]{2}", dn[index + 1 : index + 3]):
            yield "", bytes.fromhex(dn[index + 1 : index + 3])
            index += 3
        elif index + 1 < len(dn):
            yield "", dn[index + 1].encode()
            index += 2
        else:
            raise ValueError("it ends in a backslash")


def _shown(value: str) -> str:
    return "".join(
        each if each.isalnum() or each in _PLAIN_IN_DN else "".join(f"\\{byte:02x}" for byte in each.encode())
        for each in value
    )

"""What directories of a kind have in common, and the options of one, checked and filled up with that."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ldap3.core.exceptions import LDAPInvalidFilterError
from ldap3.operation.search import parse_filter

from gatepass.errors import BadConfiguration
from gatepass.identity.ldap.names import is_attribute, is_within, normal_dn
from gatepass.identity.ldap.options import Options

_PORTS = {"ldap": 389, "ldaps": 636}
_LOGIN = "{login}"
_LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class Flavour:
    """What is usual in directories of one kind."""

    user_filter: str
    login_attributes: tuple[str, ...]
    subject_attribute: str
    name_attribute: str
    group_filter: str


FLAVOURS = {
    "openldap": Flavour(
        user_filter="(objectClass=inetOrgPerson)",
        login_attributes=("uid",),
        subject_attribute="entryUUID",
        name_attribute="cn",
        group_filter="(objectClass=groupOfNames)",
    ),
    "ad": Flavour(
        user_filter="(&(objectCategory=person)(objectClass=user))",
        login_attributes=("sAMAccountName", "userPrincipalName"),
        subject_attribute="objectGUID",
        name_attribute="displayName",
        group_filter="(objectClass=group)",
    ),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where one server is."""

    host: str
    port: int
    tls_first: bool
    """Whether TLS begins with the connection; else StartTLS comes before anything that matters."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The options of one directory, with nothing left open."""

    addresses: tuple[Address, ...]
    options: Options
    is_ad: bool
    user_filter: str
    login_attributes: tuple[str, ...]
    subject_attribute: str
    name_attribute: str
    group_base: str
    group_filter: str


def settled(options: Options, provider_id: str) -> Directory:
    """Return the options with what the flavour says for those that are empty. Raises BadConfiguration."""
    here = f"providers.{provider_id}"
    if options.flavour not in FLAVOURS:
        raise BadConfiguration(f"{here}.flavour", f"must be {' or '.join(FLAVOURS)}, not {options.flavour!r}")
    usual = FLAVOURS[options.flavour]
    made = Directory(
        addresses=tuple(_address(url, here) for url in options.urls),
        options=options,
        is_ad=options.flavour == "ad",
        user_filter=options.user_filter or usual.user_filter,
        login_attributes=options.login_attributes or usual.login_attributes,
        subject_attribute=options.subject_attribute or usual.subject_attribute,
        name_attribute=options.name_attribute or usual.name_attribute,
        group_base=options.group_base or options.base,
        group_filter=options.group_filter or usual.group_filter,
    )
    _check(made, here)
    return made


def _address(url: str, here: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port, scheme = parts.hostname, parts.port, parts.scheme
        extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    except ValueError:
        host, port, scheme, extra = None, None, "", ""
    if scheme not in _PORTS or not host or extra:
        raise BadConfiguration(f"{here}.urls", f"must be like ldaps://ldap.example.com, not {url!r}")
    return Address(host, port or _PORTS[scheme], scheme == "ldaps")


def _check(made: Directory, here: str) -> None:
    options = made.options
    if not made.addresses:
        raise BadConfiguration(f"{here}.urls", "must name a server, like ldaps://ldap.example.com")
    if bool(options.bind_dn) == bool(options.direct_bind):
        raise BadConfiguration(f"{here}.bind_dn", "must be given, or direct_bind in its place")
    if options.bind_dn and not options.bind_password:
        # SECURITY: servers take a name without a password for a bind as nobody, and say that it succeeded.
        raise BadConfiguration(f"{here}.bind_password", "must be given with bind_dn")
    if options.direct_bind and options.direct_bind.count(_LOGIN) != 1:
        raise BadConfiguration(f"{here}.direct_bind", f"must have {_LOGIN} in it once")
    if options.tls_ca and not Path(options.tls_ca).is_file():
        raise BadConfiguration(f"{here}.tls_ca", f"{options.tls_ca!r} is no file")
    _check_forms(made, here)


def _check_forms(made: Directory, here: str) -> None:
    options = made.options
    for name in ("connect_seconds", "answer_seconds"):
        if not 1 <= getattr(options, name) <= _LONGEST_WAIT:
            raise BadConfiguration(f"{here}.{name}", f"must be 1 to {_LONGEST_WAIT}")
    for name in ("base", "group_base"):
        _check_dn(getattr(made if name == "group_base" else options, name), f"{here}.{name}")
    for name in ("user_filter", "group_filter"):
        _check_filter(getattr(made, name), f"{here}.{name}")
    attributes = (*made.login_attributes, made.subject_attribute, made.name_attribute, options.email_attribute)
    for attribute in (*attributes, *options.member_attributes):
        if not is_attribute(attribute):
            raise BadConfiguration(here, f"{attribute!r} is no name of an attribute")


def _check_dn(text: str, key: str) -> None:
    try:
        is_within(text, normal_dn(text))
    except ValueError as error:
        raise BadConfiguration(key, f"must be like dc=example,dc=com, not {text!r}: {error}") from None


def _check_filter(text: str, key: str) -> None:
    try:
        if not (text.startswith("(") and text.endswith(")")):
            raise BadConfiguration(key, f"must stand in parentheses, like (objectClass=person), not {text!r}")
        parse_filter(text, None, None, None, None, None)
    except LDAPInvalidFilterError:
        raise BadConfiguration(key, f"{text!r} is no filter (RFC 4515)") from None

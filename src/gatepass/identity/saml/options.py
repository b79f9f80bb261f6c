"""The keys of `kind = "saml"`."""

from dataclasses import dataclass, field

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT = "http://schemas.microsoft.com/"


@dataclass(frozen=True, slots=True)
class Options:
    """What can be set."""

    metadata: str = ""
    """What the identity provider says of itself: a file, or an address that begins with `https://`."""
    tls_ca: str = ""
    """A PEM file of authorities for that address; empty: the system's."""
    idp_entity_id: str = ""
    """The name of the identity provider. Needed if the metadata have several; otherwise it holds them to one."""
    entity_id: str = ""
    """Our own name; empty: the address of our metadata."""
    subject_attribute: str = ""
    """The attribute that a person keeps for ever and nobody else gets; empty: a persistent NameID."""
    login_attributes: tuple[str, ...] = ("uid", "urn:oid:0.9.2342.19200300.100.1.1", _CLAIMS + "upn", _CLAIMS + "name")
    name_attributes: tuple[str, ...] = (
        "displayName",
        "urn:oid:2.16.840.1.113730.3.1.241",
        _MICROSOFT + "identity/claims/displayname",
        "cn",
        "name",
    )
    email_attributes: tuple[str, ...] = (
        "mail",
        "email",
        "urn:oid:0.9.2342.19200300.100.1.3",
        _CLAIMS + "emailaddress",
    )
    group_attributes: tuple[str, ...] = (
        "groups",
        "memberOf",
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        _MICROSOFT + "ws/2008/06/identity/claims/groups",
        "http://schemas.xmlsoap.org/claims/Group",
    )
    trust_email: bool = False
    """Whether nobody can write their own address there, so that it may name them here."""
    certificate: str = ""
    """A PEM file with our own certificate. With it and `key`, requests are signed."""
    key: str = field(default="", metadata={"secret": True})
    """The private key of `certificate`, PEM, RSA of at least 2048 bits."""
    encrypted: bool = False
    """Whether assertions have to be encrypted for `certificate`: by AES-GCM, the key of that by RSA-OAEP."""

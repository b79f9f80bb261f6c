"""What we say: the request that a browser carries to the identity provider, and our metadata."""

import base64
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from lxml import etree

from gatepass.identity.saml.idp import Idp
from gatepass.identity.saml.names import (
    ASSERTIONS,
    DSIG,
    GCM,
    METADATA,
    OAEP,
    PERSISTENT,
    POST,
    PROTOCOL,
    RSA_SHA256,
)
from gatepass.identity.saml.own_key import OwnKey
from gatepass.model.instant import iso
from gatepass.model.secret import generate_key


@dataclass(frozen=True, slots=True)
class Self:
    """How this service shows itself to an identity provider."""

    entity_id: str
    callback: str
    own_key: OwnKey | None
    encrypted: bool
    persistent: bool
    """Whether a persistent NameID is asked for."""


def new_request_id() -> str:
    """Return an id of 256 random bits."""
    return "_" + generate_key().hex()


def request_url(me: Self, idp: Idp, *, request_id: str, now: datetime) -> str:
    """Return where the browser goes: the request deflated into the query, signed if we have a key (bindings 3.4)."""
    request = _request(me, idp, request_id, now)
    deflated = zlib.compress(request, wbits=-15)
    query = {"SAMLRequest": base64.b64encode(deflated).decode()}
    if me.own_key:
        query["SigAlg"] = RSA_SHA256
        query["Signature"] = base64.b64encode(me.own_key.sign(urlencode(query).encode())).decode()
    return idp.sign_in_url + ("&" if urlsplit(idp.sign_in_url).query else "?") + urlencode(query)


def _request(me: Self, idp: Idp, request_id: str, now: datetime) -> bytes:
    root = etree.Element(
        f"{{{PROTOCOL}}}AuthnRequest",
        nsmap={"samlp": PROTOCOL, "saml": ASSERTIONS},
        ID=request_id,
        Version="2.0",
        IssueInstant=iso(now),
        Destination=idp.sign_in_url,
        ProtocolBinding=POST,
        AssertionConsumerServiceURL=me.callback,
    )
    etree.SubElement(root, f"{{{ASSERTIONS}}}Issuer").text = me.entity_id
    if me.persistent:
        etree.SubElement(root, f"{{{PROTOCOL}}}NameIDPolicy", Format=PERSISTENT, AllowCreate="true")
    return bytes(etree.tostring(root))


def own_metadata(me: Self) -> bytes:
    """Return what an identity provider has to know of us."""
    root = etree.Element(f"{{{METADATA}}}EntityDescriptor", nsmap={"md": METADATA, "ds": DSIG}, entityID=me.entity_id)
    role = etree.SubElement(
        root,
        f"{{{METADATA}}}SPSSODescriptor",
        protocolSupportEnumeration=PROTOCOL,
        AuthnRequestsSigned="true" if me.own_key else "false",
        WantAssertionsSigned="true",
    )
    if me.own_key:
        _add_key(role, "signing", me.own_key)
        if me.encrypted:
            descriptor = _add_key(role, "encryption", me.own_key)
            for algorithm in (*reversed(GCM), OAEP):
                etree.SubElement(descriptor, f"{{{METADATA}}}EncryptionMethod", Algorithm=algorithm)
    if me.persistent:
        etree.SubElement(role, f"{{{METADATA}}}NameIDFormat").text = PERSISTENT
    etree.SubElement(
        role,
        f"{{{METADATA}}}AssertionConsumerService",
        Binding=POST,
        Location=me.callback,
        index="0",
        isDefault="true",
    )
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _add_key(role: Any, use: str, own_key: OwnKey) -> Any:
    descriptor = etree.SubElement(role, f"{{{METADATA}}}KeyDescriptor", use=use)
    info = etree.SubElement(descriptor, f"{{{DSIG}}}KeyInfo")
    data = etree.SubElement(info, f"{{{DSIG}}}X509Data")
    etree.SubElement(data, f"{{{DSIG}}}X509Certificate").text = own_key.certificate
    return descriptor

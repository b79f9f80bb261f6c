"""Encrypted assertions: opened before anything of them is looked at, and then held to all that a plain one is."""

import base64
import binascii
from typing import Any

from lxml import etree

from gatepass.identity.saml.document import Document, read_document
from gatepass.identity.saml.names import ASSERTION, DSIG, GCM, OAEP, SIGNATURE, XENC, NotProven
from gatepass.identity.saml.own_key import OwnKey
from gatepass.identity.saml.shape import Shape

_NS = {"xenc": XENC, "ds": DSIG}


def open_assertion(shape: Shape, own_key: OwnKey) -> Document:
    """Return the response with its assertion in plain, without the response's own signature. Raises NotProven.

    That signature is over the encrypted one, and has been verified before.
    """
    data = _one(shape.assertion, "xenc:EncryptedData")
    cipher = _one(data, "xenc:EncryptionMethod").get("Algorithm")
    key = _one(_one(data, "ds:KeyInfo"), "xenc:EncryptedKey")
    wrapping = _one(key, "xenc:EncryptionMethod").get("Algorithm")
    # SECURITY: other algorithms would make us an oracle that decrypts one question after the other.
    if cipher not in GCM or wrapping != OAEP:
        raise NotProven(f"is encrypted by {cipher!r} with a key wrapped by {wrapping!r}")
    plain = read_document(own_key.decrypt(_value(key), _value(data), length=GCM[cipher]))
    if plain.root.tag != ASSERTION:
        raise NotProven("has something else than an assertion encrypted")
    root = shape.root
    root.replace(shape.assertion, plain.root)
    for signature in root.findall(SIGNATURE):
        root.remove(signature)
    return read_document(etree.tostring(root))


def _one(element: Any, path: str) -> Any:
    found = element.findall(path, _NS)
    if len(found) != 1:
        raise NotProven(f"has {len(found)} times {path}, not one")
    return found[0]


def _value(element: Any) -> bytes:
    text = _one(_one(element, "xenc:CipherData"), "xenc:CipherValue").text or ""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise NotProven("has a cipher value that is no base64") from None

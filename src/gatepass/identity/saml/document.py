"""One text, one tree: what is checked, verified and read is the same bytes, so that nobody sees two documents."""

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gatepass.identity.saml.names import NotProven

_DECLARATION = re.compile(
    r"""\A\s*<\?xml\s+version=["']1\.0["'](?:\s+encoding=["'](?i:utf-8)["'])?(?:\s+standalone=["'](?:yes|no)["'])?\s*\?>"""
)
_DECLARES = re.compile(r"<!(?!--|\[CDATA\[)")


@dataclass(frozen=True, slots=True)
class Document:
    """Well-formed XML without anything that is read in two ways."""

    raw: bytes
    """UTF-8 without a declaration."""
    root: Any
    """The lxml element."""


def read_document(raw: bytes) -> Document:
    """Read what a stranger sent. Raises NotProven.

    SECURITY: `<` starts nothing but elements. Without `<!` there is no DOCTYPE, no entity, no CDATA and no comment
    that splits a text for some readers; without `<?` no instruction and no other encoding.
    """
    text = _text_of(raw)
    if "<!" in text or "<?" in text:
        raise NotProven("has a comment, a document type, an instruction or marked text")
    return _parsed(text)


def read_metadata_document(raw: bytes, *, most: int) -> Document:
    """Read what a site trusts: comments may stand in it, declarations may not. Raises NotProven."""
    if len(raw) > most:
        raise NotProven(f"have more than {most} bytes")
    text = _text_of(raw.removeprefix(b"\xef\xbb\xbf"))
    if _DECLARES.search(text):
        raise NotProven("has a document type or an entity")
    return _parsed(text)


def _text_of(raw: bytes) -> str:
    try:
        text = _DECLARATION.sub("", raw.decode("utf-8"), count=1)
    except UnicodeDecodeError:
        raise NotProven("is not UTF-8") from None
    # An XML parser takes U+0000 for a sign of UTF-16.
    if "\0" in text:
        raise NotProven("has U+0000")
    return text


def _parsed(text: str) -> Document:
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=False,
    )
    raw = text.strip().encode()
    try:
        return Document(raw, etree.fromstring(raw, parser))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotProven(f"is no XML: {error}") from None

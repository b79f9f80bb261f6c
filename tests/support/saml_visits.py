"""Signing in by SAML with a browser without a screen: away to the provider `corp`, and back with an answer."""

import base64
import re
import zlib
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from support.saml_idp import Answer
from support.server import Reply
from support.visitor import Visitor


def begin(visitor: Visitor) -> Answer:
    """Press the button; return an answer that fits what the browser was sent away with."""
    return answer_to(visitor.submit("/sign-in", "/sign-in/corp"))


def answer_to(reply: Reply) -> Answer:
    """Return an answer that fits the page that leads away."""
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.body.decode())
    assert found
    raw = parse_qs(urlsplit(unescape(found[1])).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(raw), -15))
    callback = request.get("AssertionConsumerServiceURL")
    audience = callback.removesuffix("/callback") + "/metadata"
    now = datetime.now(UTC).replace(microsecond=0)
    return Answer(request.get("ID"), now, destination=callback, recipient=callback, audience=audience)


def post(visitor: Visitor, text: str) -> Reply:
    """Come back with an answer."""
    # What a form of the provider's page comes with.
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://idp.example.org"}
    return visitor.post("/sign-in/corp/callback", {"SAMLResponse": text, "RelayState": ""}, headers)

"""Signing in by SAML at a real server: metadata, the request, the posted answer, and what of it is refused."""

import base64
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

from support.saml_corpus import CASES
from support.saml_idp import Answer, encoded, make_pair, metadata, signed
from support.server import Server, gatepass, make_installation
from support.visitor import Visitor

PAIR = make_pair("idp")
CONFIG = """
[providers.corp]
kind = "saml"
name = "Example Corp"
metadata = "{metadata}"
admin_groups = ["token-admins"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("saml")
    (folder / "idp.xml").write_text(metadata(PAIR))
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(CONFIG.format(metadata=folder / "idp.xml"))
    with Server(folder / "data") as running:
        yield running


def begin(visitor: Visitor) -> Answer:
    """Press the button; return an answer that fits what the browser was sent away with."""
    reply = visitor.submit("/sign-in", "/sign-in/corp")
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.body.decode())
    assert found
    raw = parse_qs(urlsplit(unescape(found[1])).query)["SAMLRequest"][0]
    request = etree.fromstring(zlib.decompress(base64.b64decode(raw), -15))
    callback = request.get("AssertionConsumerServiceURL")
    audience = callback.removesuffix("/callback") + "/metadata"
    now = datetime.now(UTC).replace(microsecond=0)
    return Answer(request.get("ID"), now, destination=callback, recipient=callback, audience=audience)


def post(visitor: Visitor, text: str):
    # What a form of the provider's page comes with.
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://idp.example.org"}
    return visitor.post("/sign-in/corp/callback", {"SAMLResponse": text, "RelayState": ""}, headers)


def test_whoever_comes_back_is_signed_in_and_has_their_rights(server: Server) -> None:
    visitor = Visitor(server)
    reply = post(visitor, encoded(signed(begin(visitor), PAIR)))
    assert (reply.status, reply.headers["location"]) == (303, "/settings/access-tokens")
    assert b"anna@corp" in visitor.get("/settings/profile").body
    assert visitor.get("/admin/people").status == 200


def test_an_answer_is_taken_once_and_in_one_browser(server: Server) -> None:
    visitor, thief = Visitor(server), Visitor(server)
    text = encoded(signed(begin(visitor), PAIR))
    flow = visitor.cookies["gatepass-corp"]
    begin(thief)
    assert post(thief, text).status == 401
    assert post(visitor, text).status == 303
    visitor.cookies["gatepass-corp"] = flow
    assert post(visitor, text).status == 401
    assert thief.get("/settings/profile").status == 303


@pytest.mark.parametrize("name", ["nothing signed", "wrapping 3, assertion signed", "DOCTYPE", "no base64"])
def test_a_wrong_answer_gets_the_page_of_all_refusals(server: Server, name: str) -> None:
    visitor = Visitor(server)
    reply = post(visitor, CASES[name](begin(visitor), PAIR))
    assert reply.status == 401
    assert b"That did not work" in reply.body


def test_the_log_says_why_and_the_page_does_not(server: Server) -> None:
    visitor = Visitor(server)
    reply = post(visitor, encoded(signed(begin(visitor).changed(audience="https://other.example.com"), PAIR)))
    assert b"audience" not in reply.body
    lines = [line for line in server.log.read_text().splitlines() if "sign-in elsewhere" in line]
    assert "is not a valid audience" in lines[-1]


def test_our_metadata_are_at_an_address(server: Server) -> None:
    reply = Visitor(server).get("/sign-in/corp/metadata")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/samlmetadata+xml")
    assert etree.fromstring(reply.body).get("entityID") == f"{server.url}/sign-in/corp/metadata"
    assert Visitor(server).get("/sign-in/nobody/metadata").status == 404


def test_more_than_256_kib_are_not_read(server: Server) -> None:
    visitor = Visitor(server)
    begin(visitor)
    assert post(visitor, "A" * 256 * 1024).status == 413


def test_the_provider_is_tried_on_the_console(server: Server) -> None:
    done = gatepass("idp", "test", "corp", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    assert "https://idp.example.org/metadata, sign-in at https://idp.example.org/sso" in done.stdout
    (server.data.parent / "idp.xml").rename(server.data.parent / "kept.xml")
    try:
        done = gatepass("idp", "test", "corp", "--data", str(server.data))
        assert done.returncode != 0
        assert "providers.corp.metadata" in done.stderr
    finally:
        (server.data.parent / "kept.xml").rename(server.data.parent / "idp.xml")

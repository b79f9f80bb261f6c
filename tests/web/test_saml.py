"""Signing in by SAML at a real server: metadata, the request, the posted answer, and what of it is refused."""

from collections.abc import Iterator

import pytest
from lxml import etree

from support.saml_corpus import CASES
from support.saml_idp import encoded, make_pair, metadata, signed
from support.saml_visits import answer_to, begin, post
from support.server import PASSWORD, Server, gatepass, make_installation
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


def test_an_account_moves_to_the_provider(server: Server) -> None:
    before = server.create_person("mover@example.com")["id"]
    visitor, page = Visitor(server).sign_in("mover@example.com"), "/settings/profile/move/corp"
    answer = answer_to(visitor.submit(page, page, password=PASSWORD)).changed(name_id="u-mover")
    assert post(visitor, encoded(signed(answer, PAIR))).headers["location"] == f"{page}/confirm"
    assert visitor.submit(f"{page}/confirm", f"{page}/confirm").headers["location"] == "/settings/profile?done=moved"
    assert server.admin("GET", f"/v4/people/{before}").json["provider"] == "corp"
    assert server.request("GET", "/v4/people/current", basic=("mover@example.com", PASSWORD)).status == 401


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

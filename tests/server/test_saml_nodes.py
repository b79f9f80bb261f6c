"""Signing in by SAML at two servers on one PostgreSQL database: an assertion that one of them took, the other refuses."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from support.postgres import PostgresServer
from support.saml_idp import encoded, make_pair, metadata, signed
from support.saml_visits import begin, post
from support.server import EMAIL, PASSWORD, Server, gatepass
from support.visitor import Visitor

pytestmark = pytest.mark.xdist_group("postgres")
PAIR = make_pair("idp")
CONFIG = """
[server]
public_url = "https://tokens.example.com"
[providers.corp]
kind = "saml"
name = "Example Corp"
metadata = "{metadata}"
"""


@dataclass
class Nodes:
    """Two servers behind one address."""

    first: Server
    second: Server

    def last_refusal(self) -> tuple[str, str]:
        events = self.second.admin("GET", "/v4/auditEvents").json["data"]
        details = [each["details"] for each in events if each["action"] == "sign-in.refused"][-1]
        return details["provider"], details["reason"]


def moved(visitor: Visitor, server: Server, cookies: dict[str, str] | None = None) -> Visitor:
    """Return the same browser as the balancer leads it to another server."""
    made = Visitor(server)
    made.cookies = dict(visitor.cookies if cookies is None else cookies)
    return made


@pytest.fixture(scope="module")
def nodes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("saml-nodes")
    (folder / "idp.xml").write_text(metadata(PAIR))
    data, other = folder / "data", folder / "other"
    place = ["--data", str(data), "--database", postgres.create_database()]
    init = gatepass("init", *place, "--email", EMAIL, "--password-file", "-", stdin=PASSWORD)
    assert init.returncode == 0, init.stderr
    (data / "gatepass.toml").write_text(CONFIG.format(metadata=folder / "idp.xml"))
    shutil.copytree(data, other)
    with ExitStack() as stack:
        yield Nodes(*(stack.enter_context(Server(each, *place[2:])) for each in (data, other)))


def test_an_answer_to_one_server_is_taken_by_the_other(nodes: Nodes) -> None:
    visitor = Visitor(nodes.first)
    answer = begin(visitor)
    assert post(moved(visitor, nodes.second), encoded(signed(answer, PAIR))).status == 303


def test_an_assertion_that_one_server_took_is_refused_by_the_other(nodes: Nodes) -> None:
    visitor = Visitor(nodes.first)
    text = encoded(signed(begin(visitor), PAIR))
    before = dict(visitor.cookies)
    assert post(visitor, text).status == 303
    for server in (nodes.second, nodes.first):
        again = moved(visitor, server, before)
        assert post(again, text).status == 401
        assert nodes.last_refusal() == ("corp", "replayed")
        assert again.get("/settings/profile").status == 303

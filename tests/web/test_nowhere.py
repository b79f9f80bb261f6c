"""Addresses where nothing is, and errors: what whoever is signed in sees, and what a stranger does not."""

import re

import pytest

from support.server import PASSWORD, Server
from support.visitor import Visitor

NOWHERE = "/settings/nowhere"


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return Visitor(server).sign_in()


def test_who_is_signed_in_keeps_the_side_bar(visitor: Visitor) -> None:
    page = visitor.get(NOWHERE)
    assert page.status == 404
    assert b"Nothing is at this address. It may have moved, or the link is incomplete." in page.body
    assert b'href="/admin/people"' in page.body
    assert b'href="/sign-in"' not in page.body


def test_the_way_back_leads_to_where_the_link_was(server: Server, visitor: Visitor) -> None:
    came_from = "/settings/access-tokens?status=active"
    page = visitor.get(NOWHERE, {"Referer": f"{server.url}{came_from}"}).body
    assert f'href="{came_from}">Go back'.encode() in page


@pytest.mark.parametrize("referer", ["https://evil.example/settings/profile", "//[", "{url}//evil.example", "{url}/v4"])
def test_the_way_back_leads_to_no_other_site(server: Server, visitor: Visitor, referer: str) -> None:
    page = visitor.get(NOWHERE, {"Referer": referer.format(url=server.url)}).body
    assert b"Go to your access tokens" in page
    assert b"evil" not in page


def test_a_stranger_learns_nothing(server: Server) -> None:
    ended = Visitor(server).sign_in()
    ended.submit("/settings/profile", "/sign-out")
    for who in (Visitor(server), ended):
        page = who.get(NOWHERE)
        assert page.status == 404
        assert b"There is no such route." in page.body
        assert b"/admin" not in page.body
    assert "set-cookie" not in Visitor(server).get(NOWHERE).headers


def test_a_session_beside_another_credential_is_not_looked_at(server: Server, visitor: Visitor) -> None:
    assert b"There is no such route." in visitor.get(NOWHERE, {"Authorization": "Bearer nonsense"}).body


@pytest.mark.parametrize("path", ["/v4", "/v4/nowhere", "/V4/nowhere", "/v4x"])
def test_rest_answers_in_json_to_whoever_is_signed_in(visitor: Visitor, path: str) -> None:
    reply = visitor.get(path)
    assert reply.status == 404
    assert reply.error == "RouteNotFoundException"


@pytest.mark.parametrize(("method", "path"), [("POST", "/static/gatepass.css"), ("DELETE", "/settings/profile")])
def test_an_address_for_other_methods_is_not_nowhere(server: Server, method: str, path: str) -> None:
    assert server.request(method, path).status == 405


def test_an_error_keeps_the_side_bar(server: Server) -> None:
    person = server.create_person("meets-errors@example.com")
    visitor = Visitor(server).sign_in(person["email"], PASSWORD)
    for path, status in (("/admin/people", 403), ("/settings/access-tokens?q=1&q=2", 400)):
        page = visitor.get(path)
        assert page.status == status
        assert re.search(rb'<nav class="nav".*<main.*<h1>', page.body, re.DOTALL)

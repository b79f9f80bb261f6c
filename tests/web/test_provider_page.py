"""The page Sign-in: administrators see the providers and try them, whether or not anybody can sign in by them."""

import json
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from support.server import PASSWORD, Reply, Server, make_installation
from support.visitor import Visitor, forms_of

PAGE = "/admin/sign-in"
CONFIG = """
[providers.corp]
kind = "toy"
name = "Company & Co"
people = "{people}"
key = "the secret of the toy"
sign_in_groups = ["staff"]
admin_groups = ["heads"]
read_every_seconds = 30
[providers.later]
kind = "toy"
people = "{missing}"
enabled = false
"""
PEOPLE = {
    "s-anna": {"login": "anna", "password": "winter", "groups": ["staff", "heads"], "email": "anna@example.com"},
    "s-zoe": {"login": "zoe", "password": "summer", "groups": ["<others>"]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("providers")
    people = folder / "people.json"
    people.write_text(json.dumps(PEOPLE))
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(CONFIG.format(people=people, missing=folder / "none.json"))
    made = Server(folder / "data")
    made.program = [sys.executable, str(Path(__file__).parents[1] / "support" / "with_toy.py")]
    with made as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Visitor:
    visitor = Visitor(server)
    visitor.sign_in()
    return visitor


def text(reply: Reply) -> str:
    assert reply.status == 200, reply.body
    return unescape(reply.body.decode())


def test_each_provider_is_shown_with_its_rules_and_without_its_secrets(admin: Visitor) -> None:
    reply = admin.get(PAGE)
    shown = text(reply)
    assert "Company & Co" in shown
    assert "<code>staff</code>" in shown
    assert "<code>heads</code>" in shown
    assert "read every 30 seconds" in shown
    assert "the secret of the toy" not in shown
    assert {f"{PAGE}/corp", f"{PAGE}/later"} <= forms_of(reply).keys()


def test_a_provider_is_tried_and_somebody_there_looked_up(admin: Visitor) -> None:
    shown = text(admin.submit(PAGE, f"{PAGE}/corp", login=" anna "))
    for words in ("It works", "2 people found", "anna@example.com", "<code>s-anna</code>", "<dd>Yes</dd>"):
        assert words in shown


def test_it_says_why_somebody_would_not_be_let_in(admin: Visitor) -> None:
    reply = admin.submit(PAGE, f"{PAGE}/corp", login="zoe")
    assert "They are in none of the groups that may sign in." in text(reply)
    assert b"&lt;others&gt;" in reply.body
    assert "Unknown." in text(admin.submit(PAGE, f"{PAGE}/corp", login="nobody"))


def test_nobody_is_made_by_looking_them_up(admin: Visitor, server: Server) -> None:
    admin.submit(PAGE, f"{PAGE}/corp", login="anna")
    assert [each["email"] for each in server.admin("GET", "/v4/people").json["data"]] == ["admin@example.com"]


def test_a_provider_that_is_switched_off_is_tried_but_lets_nobody_in(admin: Visitor, server: Server) -> None:
    shown = text(admin.submit(PAGE, f"{PAGE}/later", login="anna"))
    for words in ("Switched off", "Something is wrong", "The toy is out of reach.", "Write the file."):
        assert words in shown
    assert "/sign-in/later" not in forms_of(Visitor(server).get("/sign-in"))
    assert Visitor(server).get("/sign-in/later/callback?state=x").status == 404


def test_only_administrators_see_or_try_providers(server: Server) -> None:
    person = server.create_person("ordinary@example.com")
    visitor = Visitor(server)
    visitor.sign_in(person["email"], PASSWORD)
    assert visitor.get(PAGE).status == 403
    csrf = visitor.form("/settings/profile", "/settings/profile/password")["csrf"]
    for provider in ("corp", "nowhere"):
        assert visitor.post(f"{PAGE}/{provider}", {"csrf": csrf, "login": "anna"}).status == 403

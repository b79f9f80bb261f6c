"""What works once or a few times only: one-time links, and guesses at a password wherever it is asked for."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation
from support.visitor import Visitor

HOME, GENERATE = "/settings/access-tokens", "/settings/access-tokens/generate"
PROFILE = "/settings/profile"
NEW = "another good sentence"
LIMITS = {"GATEPASS_SIGN_IN__FREE_FAILURES_PER_ACCOUNT": "5"}  # those of the address would hide these


def link_of(server: Server, email: str) -> str:
    made = server.admin("POST", "/v4/people", {"email": email}).json
    return re.search(r"link=([\w-]+)", made["setPasswordUrl"])[1]


def signs_in(server: Server, email: str, password: str) -> bool:
    return server.request("GET", "/v4/people/current", basic=(email, password)).status == 200


def test_of_20_uses_of_a_link_at_once_exactly_one_succeeds(server: Server) -> None:
    link = link_of(server, "raced@example.com")
    visitors = [Visitor(server) for _ in range(20)]
    forms = [visitor.form(f"/set-password?link={link}", "/set-password") for visitor in visitors]
    passwords = [f"chosen by browser number {number}" for number in range(20)]

    def use(number: int) -> int:
        fields = {"password": passwords[number], "again": passwords[number]}
        return visitors[number].post("/set-password", {**forms[number], **fields}).status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(use, range(20)))
    assert (statuses.count(303), statuses.count(404)) == (1, 19)
    good = [password for password in passwords if signs_in(server, "raced@example.com", password)]
    assert good == [passwords[statuses.index(303)]]


@pytest.mark.parametrize("link", [None, "", "nonsense", "A" * 43, "é", EMAIL])
def test_without_a_good_link_no_password_is_set(server: Server, link: str | None) -> None:
    pending = link_of(server, f"pending-{abs(hash(link))}@example.com")
    visitor = Visitor(server)
    form = {"csrf": visitor.form("/sign-in", "/sign-in")["csrf"], "password": NEW, "again": NEW, "email": EMAIL}
    reply = visitor.post("/set-password", form if link is None else {**form, "link": link})
    assert reply.status == 404
    assert signs_in(server, EMAIL, PASSWORD)
    assert Visitor(server).get(f"/set-password?link={pending}").status == 200


def test_signing_in_again_in_the_same_browser_ends_the_session_before(server: Server) -> None:
    person = server.create_person("again@example.com")
    visitor = Visitor(server).sign_in(person["email"], PASSWORD)
    form, old = {"csrf": visitor.form(HOME, "/sign-out")["csrf"]}, dict(visitor.cookies)
    other = Visitor(server).sign_in(person["email"], PASSWORD)
    reply = visitor.post("/sign-in", {**form, "email": EMAIL, "password": PASSWORD})
    assert reply.status == 303
    assert visitor.get(HOME).status == other.get(HOME).status == 200
    visitor.cookies = old
    assert visitor.get(HOME).status == 303


@pytest.fixture
def strict(tmp_path: Path):
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", env=LIMITS) as server:
        yield server


def by_basic(server: Server, visitor: Visitor, password: str) -> str:
    status = server.request("GET", "/v4/people/current", basic=(EMAIL, password)).status
    return {200: "right", 401: "wrong", 429: "wait"}[status]


def by_sign_in(server: Server, visitor: Visitor, password: str) -> str:
    other = Visitor(server)
    form = other.form("/sign-in", "/sign-in")
    return {303: "right", 401: "wrong", 429: "wait"}[
        other.post("/sign-in", {**form, "email": EMAIL.upper(), "password": password}).status
    ]


def by_generating(server: Server, visitor: Visitor, password: str) -> str:
    page = visitor.submit(GENERATE, GENERATE, lifetimeDays="1", password=password)
    if page.status == 200:
        return "right"
    return "wait" if "too many tries" in page.body.decode().lower() else "wrong"


def by_changing(server: Server, visitor: Visitor, password: str) -> str:
    page = visitor.submit(PROFILE, f"{PROFILE}/password", current=password, new=NEW, again=NEW)
    return {303: "right", 400: "wrong", 429: "wait"}[page.status]


WAYS = [by_basic, by_sign_in, by_generating, by_changing]


@pytest.mark.parametrize("first", WAYS)
def test_guesses_count_together_wherever_the_password_is_asked_for(strict: Server, first) -> None:
    visitor = Visitor(strict).sign_in()
    del visitor.cookies["gatepass_device"]
    with closing(apsw.Connection(str(strict.data / "gatepass.db"))) as database:
        database.execute("UPDATE sessions SET proven_at = proven_at - 900000")
        assert [first(strict, visitor, "wrong") for _ in range(5)] == ["wrong"] * 5
        for way in WAYS:
            # The wait of a second must not be over before this is asked.
            database.execute("UPDATE failures SET at = at + 600000")
            assert way(strict, visitor, PASSWORD) == "wait", way

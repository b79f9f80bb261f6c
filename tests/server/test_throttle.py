"""The sign-in throttle over HTTP: page and Basic together, known and unknown names alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation
from support.visitor import Visitor

DEFAULTS = {f"GATEPASS_SIGN_IN__FREE_FAILURES_PER_{name}": "5" for name in ("ACCOUNT", "ADDRESS")}
TRUSTED = {"GATEPASS_SERVER__TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture
def strict(tmp_path):
    """A server with the limits of the contract, where a test chooses its address."""
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", env={**DEFAULTS, **TRUSTED}) as server:
        yield server


def attempt(server: Server, email: str, password: str, address: str):
    return server.request("GET", "/v4/people/current", basic=(email, password), headers={"X-Forwarded-For": address})


def told(reply) -> tuple[int, str | None]:
    return reply.status, reply.headers["retry-after"]


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com", "no address at all"])
def test_five_failures_are_401_then_429_for_known_and_unknown_names(strict: Server, email: str) -> None:
    seen = [told(attempt(strict, email, "wrong", f"203.0.113.{number}")) for number in range(7)]
    assert seen[:5] == [(401, None)] * 5
    assert seen[5:] == [(429, "1")] * 2


def test_a_429_says_what_and_when_and_nothing_else(strict: Server) -> None:
    for _ in range(5):
        attempt(strict, EMAIL, "wrong", "203.0.113.1")
    reply = attempt(strict, EMAIL, PASSWORD, "203.0.113.1")
    assert (reply.status, reply.error) == (429, "TooManyRequestsException")
    assert EMAIL not in reply.body.decode()


def test_an_address_is_counted_over_all_names_and_others_go_on(strict: Server) -> None:
    for number in range(5):
        assert attempt(strict, f"name{number}@example.com", "wrong", "203.0.113.1").status == 401
    assert attempt(strict, EMAIL, PASSWORD, "203.0.113.1").status == 429
    assert attempt(strict, EMAIL, PASSWORD, "203.0.113.2").status == 200


def test_page_and_basic_share_their_counters(strict: Server) -> None:
    visitor = Visitor(strict)
    form = visitor.form("/sign-in", "/sign-in")
    for _ in range(5):
        assert visitor.post("/sign-in", {**form, "email": EMAIL, "password": "wrong"}).status == 401
    page = visitor.post("/sign-in", {**form, "email": EMAIL, "password": PASSWORD})
    assert told(page) == (429, "1")
    assert b"Try again in 1 second." in page.body
    assert attempt(strict, EMAIL, PASSWORD, "203.0.113.9").status == 429


def test_changing_a_password_counts_wrong_guesses_at_the_old_one(strict: Server) -> None:
    visitor = Visitor(strict).sign_in()
    del visitor.cookies["gatepass_device"]
    form = visitor.form("/settings/profile", "/settings/profile/password")
    guess = {**form, "current": "wrong", "new": "another good sentence", "again": "another good sentence"}
    statuses = [visitor.post("/settings/profile/password", guess).status for _ in range(6)]
    assert statuses == [400] * 5 + [429]


def test_only_failures_count(strict: Server) -> None:
    assert {attempt(strict, EMAIL, PASSWORD, "203.0.113.1").status for _ in range(12)} == {200}


def test_a_restart_forgets_no_failure(strict: Server) -> None:
    for _ in range(5):
        attempt(strict, EMAIL, "wrong", "203.0.113.1")
    for _ in range(3):  # the waits of 1 and 2 seconds may pass while it starts
        strict.kill()
        strict.start()
        attempt(strict, EMAIL, "wrong", "203.0.113.1")
    assert attempt(strict, EMAIL, PASSWORD, "203.0.113.1").status == 429


def test_of_200_guesses_at_once_at_most_five_are_judged(strict: Server) -> None:
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda n: attempt(strict, EMAIL, "wrong", f"203.0.{n // 100}.{n}"), range(200)))
    statuses = [reply.status for reply in replies]
    assert statuses.count(401) <= 7  # five, and what the waits of 1 and 2 seconds let through meanwhile
    assert statuses.count(401) + statuses.count(429) == 200


def test_tokens_are_verified_while_sign_ins_wait(strict: Server) -> None:
    value, _ = strict.create_token()
    with ThreadPoolExecutor(80) as pool:
        flood = [pool.submit(attempt, strict, f"n{n}@example.com", "wrong", f"198.51.100.{n}") for n in range(160)]
        verified = [strict.request("GET", "/verify", bearer=value).status for _ in range(50)]
        statuses = {future.result().status for future in flood}
    assert set(verified) == {200}
    assert statuses <= {401, 429}


def test_failures_of_all_kinds_are_answered_alike(strict: Server) -> None:
    person = strict.create_person("disabled@example.com")
    strict.admin("PATCH", f"/v4/people/{person['id']}", {"isDisabled": True})
    linked = strict.admin("POST", "/v4/people", {"email": "linked@example.com"})
    assert linked.status == 201
    tries = [
        ("nobody@example.com", PASSWORD),
        (EMAIL, "wrong"),
        (EMAIL, ""),
        (EMAIL, "x" * 2000),
        (person["email"], PASSWORD),
        ("linked@example.com", PASSWORD),
        ("adm\u0131n@example.com", PASSWORD),
    ]
    answers = set()
    for number, (email, password) in enumerate(tries):
        reply = attempt(strict, email, password, f"203.0.113.{number}")
        kept = tuple((name, text) for name, text in reply.headers.items() if name not in {"date", "x-request-id"})
        answers.add((reply.status, reply.body, kept))
    assert len(answers) == 1

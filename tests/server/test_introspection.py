"""`/oauth2/introspect` (RFC 7662): who learns what of a token, and what everybody else hears."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from support.oauth import (
    ADMIN,
    BOB,
    INACTIVE,
    INTROSPECT,
    MARIA,
    UNKNOWN,
    Scene,
    add_verifier,
    ask,
    basic_of,
    digest_of,
    set_up,
)
from support.server import EMAIL, Reply, Server, environment, gatepass, make_installation
from support.visitor import Visitor
from support.waiting import poll


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("scene") / "data")


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    yield from set_up(tmp_path / "data")


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


# What a good token is


def test_a_verifier_learns_what_a_good_token_is(scene: Scene) -> None:
    reply = scene.ask()
    assert (reply.status, reply.headers["content-type"], reply.headers["cache-control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert reply.json == {
        "active": True,
        "token_type": "Bearer",
        "scope": "*",
        "sub": scene.maria_id,
        "username": MARIA[0],
        "jti": scene.info["tokenId"],
        "exp": seconds(scene.info["expiredAt"]),
        "iat": seconds(scene.info["createdAt"]),
        "iss": scene.server.url,
    }


def test_a_token_that_never_expires_has_no_exp(scene: Scene) -> None:
    value, _ = scene.server.create_token(basic=MARIA, lifetimeSeconds=-1)
    assert "exp" not in scene.ask(value).json


def test_a_digest_does_in_place_of_the_token(scene: Scene) -> None:
    fields = {"token_id": scene.info["tokenId"], "token_digest": digest_of(scene.value)}
    assert ask(scene.server, INTROSPECT, fields, bearer=scene.credential).body == scene.ask().body


def test_a_wrong_digest_of_a_right_id_is_inactive(scene: Scene) -> None:
    fields = {"token_id": scene.info["tokenId"], "token_digest": digest_of(UNKNOWN)}
    assert ask(scene.server, INTROSPECT, fields, bearer=scene.credential).body == INACTIVE


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_hint_changes_nothing(scene: Scene, hint: str) -> None:
    assert scene.ask(token_type_hint=hint).body == scene.ask().body


def test_unknown_parameters_are_ignored_and_empty_ones_count_as_left_out(scene: Scene) -> None:
    assert scene.ask(colour="blue", scope="", audience="", client_address="", token_id="").body == scene.ask().body


def test_a_token_without_restrictions_fits_every_demand(scene: Scene) -> None:
    reply = scene.ask(scope="jobs:read files:*", audience="orders", client_address="2001:db8::1")
    assert reply.body == scene.ask().body


# What everybody else hears, and every token that is not good


@pytest.mark.parametrize(
    "text", [UNKNOWN, "nonsense", "gpat_", " ", "é", "x" * 5000, "gpvf_" + UNKNOWN[5:]], ids=lambda text: text[:10]
)
def test_what_is_no_token_is_inactive_and_nothing_else(scene: Scene, text: str) -> None:
    reply = scene.ask(text)
    assert (reply.status, reply.body) == (200, INACTIVE)


def test_the_verifiers_own_credential_is_no_token(scene: Scene) -> None:
    assert scene.ask(scene.credential).body == INACTIVE


def test_a_value_near_a_good_token_is_inactive(scene: Scene) -> None:
    value = scene.value
    for near in (f" {value}", f"{value}\n", value[:-1], value + "0", value.swapcase(), f"Bearer {value}"):
        assert scene.ask(near).body == INACTIVE


def test_introspection_agrees_with_verify_after_every_ending(own_scene: Scene) -> None:
    server = own_scene.server
    endings = {
        "deleted": lambda info: server.request("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA),
        "disabled": lambda _: server.admin("PATCH", f"/v4/people/{own_scene.maria_id}", {"isDisabled": True}),
        "off": lambda _: server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False}),
    }
    undo = {
        "disabled": lambda: server.admin("PATCH", f"/v4/people/{own_scene.maria_id}", {"isDisabled": False}),
        "off": lambda: server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": True}),
    }
    for name, end in endings.items():
        value, info = server.create_token(basic=MARIA)
        assert (own_scene.ask(value).json["active"], server.request("GET", "/verify", bearer=value).status) == (
            True,
            200,
        )
        end(info)
        assert (own_scene.ask(value).body, server.request("GET", "/verify", bearer=value).status) == (INACTIVE, 401)
        fields = {"token_id": info["tokenId"], "token_digest": digest_of(value)}
        assert ask(server, INTROSPECT, fields, bearer=own_scene.credential).body == INACTIVE
        if name in undo:
            undo[name]()
            assert own_scene.ask(value).json["active"] is True
    value, _ = server.create_token(basic=MARIA, lifetimeSeconds=1)
    assert poll(lambda: own_scene.ask(value).body == INACTIVE)
    value, _ = server.create_token(basic=MARIA)
    server.admin("DELETE", f"/v4/people/{own_scene.maria_id}")
    assert own_scene.ask(value).body == INACTIVE


# Who may ask


def test_a_person_sees_their_own_tokens_with_a_password_or_a_token(scene: Scene) -> None:
    expected = scene.ask().body
    assert ask(scene.server, INTROSPECT, {"token": scene.value}, basic=MARIA).body == expected
    assert ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=scene.value).body == expected


def test_an_administrator_sees_everybodys_tokens(scene: Scene) -> None:
    value, _ = scene.server.create_token()
    expected = scene.ask().body
    assert ask(scene.server, INTROSPECT, {"token": scene.value}, basic=ADMIN).body == expected
    assert ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=value).body == expected


def test_somebody_elses_token_is_inactive(scene: Scene) -> None:
    value, _ = scene.server.create_token(basic=BOB)
    for how in ({"basic": BOB}, {"bearer": value}):
        reply = ask(scene.server, INTROSPECT, {"token": scene.value}, **how)
        assert (reply.status, reply.body) == (200, INACTIVE)


@pytest.mark.parametrize("who", ["basic", "bearer"])
def test_a_digest_is_taken_from_verifiers_only_administrators_included(scene: Scene, who: str) -> None:
    how = {"basic": ADMIN} if who == "basic" else {"bearer": scene.server.create_token()[0]}
    fields = {"token_id": scene.info["tokenId"], "token_digest": digest_of(scene.value)}
    reply = ask(scene.server, INTROSPECT, fields, **how)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_a_digest_is_no_credential_anywhere(scene: Scene) -> None:
    for digest in (digest_of(scene.value), digest_of(scene.credential)):
        assert ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=digest).status == 401
        assert scene.server.request("GET", "/verify", bearer=digest).status == 401
        assert scene.ask(digest).body == INACTIVE


def test_a_verifier_comes_by_basic_with_its_name_or_id_too(scene: Scene) -> None:
    name = "Orders & more"
    for user in (name, name.upper(), quote_plus(name), "Orders%20%26%20more", scene.verifier_id):
        reply = ask(scene.server, INTROSPECT, {"token": scene.value}, headers=basic_of(user, scene.credential))
        assert reply.body == scene.ask().body, user


def test_a_credential_under_another_name_is_refused(scene: Scene) -> None:
    for user in ("orders", EMAIL, "018f0000-0000-7000-8000-000000000000"):
        reply = ask(scene.server, INTROSPECT, {"token": scene.value}, headers=basic_of(user, scene.credential))
        assert (reply.status, reply.json) == (401, {"error": "invalid_client"})


def refused(reply: Reply) -> None:
    assert (reply.status, reply.json) == (401, {"error": "invalid_client"})
    assert re.match(r"(Bearer|Basic) ", reply.headers["www-authenticate"])
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer",
        "Bearer nonsense",
        f"Bearer {UNKNOWN}",
        "Bearer gpvf_nonsense",
        "Basic !",
        "Digest x",
        "Basic " + base64.b64encode(f"{EMAIL}:wrong password".encode()).decode(),
        "Basic " + base64.b64encode(b"Orders & more:gpvf_nonsense").decode(),
    ],
)
def test_whoever_proves_nothing_is_401_whatever_they_ask(scene: Scene, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for fields in ({"token": scene.value}, {"token": UNKNOWN}, {}):
        refused(ask(scene.server, INTROSPECT, fields, headers=headers))


def test_a_credential_changed_in_one_place_is_401(scene: Scene) -> None:
    for near in (scene.credential[:-1], scene.credential + "0", scene.credential.swapcase(), f"{scene.credential} "):
        refused(ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=near))
    refused(ask(scene.server, INTROSPECT, {"token": scene.value}, bearer="gpat_" + scene.credential[5:]))


def test_a_session_is_no_caller(scene: Scene) -> None:
    visitor = Visitor(scene.server).sign_in()
    reply = visitor.post(INTROSPECT, {"token": scene.value})
    refused(reply)
    assert "Basic" not in reply.headers["www-authenticate"]


def test_a_dead_token_of_an_administrator_is_no_caller(scene: Scene) -> None:
    value, info = scene.server.create_token()
    scene.server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
    refused(ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=value))


def test_a_verifiers_credential_opens_nothing_else(scene: Scene) -> None:
    for method, path in (
        ("GET", "/v4/people/current"),
        ("GET", "/v4/apiAccessTokens"),
        ("GET", "/v4/settings"),
        ("GET", "/verify"),
    ):
        assert scene.server.request(method, path, bearer=scene.credential).status == 401
        reply = scene.server.request(method, path, headers=basic_of("Orders & more", scene.credential))
        assert reply.status == 401


def test_a_removed_verifier_is_refused_at_once(scene: Scene) -> None:
    verifier_id, credential = add_verifier(scene.server, "short-lived")
    assert ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=credential).json["active"] is True
    done = gatepass("verifiers", "remove", verifier_id, "--data", str(scene.server.data))
    assert done.returncode == 0
    refused(ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=credential))


# Outages, limits, uses, logs


def test_an_outage_is_503_never_an_answer(own_scene: Scene) -> None:
    server = own_scene.server
    server.stop()
    server.start()
    database = server.data / "gatepass.db"
    database.write_bytes(os.urandom(database.stat().st_size))
    for token in (own_scene.value, UNKNOWN):
        for how in ({"bearer": own_scene.credential}, {"basic": ADMIN}, {"bearer": own_scene.value}):
            reply = ask(server, INTROSPECT, {"token": token}, **how)
            assert (reply.status, reply.json) == (503, {"error": "temporarily_unavailable"})
            assert reply.headers["retry-after"]


def test_bad_credentials_are_slowed_down_and_good_ones_never_feel_it(tmp_path: Path) -> None:
    for scene in set_up(tmp_path / "data", GATEPASS_SIGN_IN__UNKNOWN_TOKENS_PER_MINUTE="3"):
        bad = "gpvf_" + UNKNOWN[5:]
        statuses = [ask(scene.server, INTROSPECT, {"token": UNKNOWN}, bearer=bad).status for _ in range(9)]
        assert set(statuses) == {401, 429}
        reply = ask(scene.server, INTROSPECT, {"token": UNKNOWN}, bearer=bad)
        if reply.status == 429:  # unless a new minute began just now
            assert reply.json == {"error": "temporarily_unavailable"}
            assert 1 <= int(reply.headers["retry-after"]) <= 60
        assert {scene.ask().status for _ in range(9)} == {200}
        assert {scene.ask(UNKNOWN).body for _ in range(9)} == {INACTIVE}  # it passes on what strangers send
        asked = [ask(scene.server, INTROSPECT, {"token": UNKNOWN}, bearer=scene.value).status for _ in range(9)]
        assert 429 in asked
        assert ask(scene.server, INTROSPECT, {"token": scene.value}, bearer=scene.value).status == 200


def test_wrong_passwords_are_throttled_as_everywhere(tmp_path: Path) -> None:
    for scene in set_up(tmp_path / "data", GATEPASS_SIGN_IN__FREE_FAILURES_PER_ACCOUNT="2"):
        wrong = (BOB[0], "wrong password, really")
        statuses = [ask(scene.server, INTROSPECT, {"token": UNKNOWN}, basic=wrong).status for _ in range(4)]
        assert statuses[:2] == [401, 401]
        assert 429 in statuses
        assert scene.server.request("GET", "/v4/people/current", basic=wrong).status == 429


def last_used(scene: Scene, info: dict) -> str | None:
    return scene.server.request("GET", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA).json["lastUsed"]


def test_a_verifiers_question_counts_as_use_and_a_persons_does_not(scene: Scene) -> None:
    used, looked_at = scene.server.create_token(basic=MARIA), scene.server.create_token(basic=MARIA)
    assert ask(scene.server, INTROSPECT, {"token": looked_at[0]}, basic=MARIA).json["active"] is True
    assert scene.ask(used[0]).json["active"] is True
    assert poll(lambda: last_used(scene, used[1]))
    assert last_used(scene, looked_at[1]) is None


def test_logs_and_metrics_have_the_true_reason_and_no_secret(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", "--metrics-listen", metrics, env={"GATEPASS_LOG__LEVEL": "debug"}) as server:
        verifier_id, credential = add_verifier(server, "reports")
        value, info = server.create_token()
        other = add_verifier(server, "other")[1]
        gatepass("verifiers", "remove", "other", "--data", str(server.data))
        for token in (value, UNKNOWN, "nonsense"):
            for path in (INTROSPECT, f"{INTROSPECT}?token={token}"):
                ask(server, path, {"token": token}, bearer=credential)
                ask(server, path, {"token": token}, headers=basic_of("reports", credential))
                ask(server, path, {"token": token}, bearer=other)
                ask(server, path, {token: token, "scope": token}, bearer=credential)
        server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
        ask(server, INTROSPECT, {"token": value}, bearer=credential)
        counted = server.metrics(f"http://{metrics}/metrics")
        log = server.log.read_text()
    for result in ("accepted", "unknown", "malformed", "deleted"):
        assert f'gatepass_verifications_total{{door="introspect",result="{result}"}}' in counted
    for result in ("ok", "refused"):
        assert f'gatepass_sign_ins_total{{door="verifier",result="{result}"}}' in counted
    assert '"refusal": "deleted"' in log
    assert '"reason": "deleted"' in log
    assert verifier_id in log
    assert '"route": "/oauth2/introspect"' in log
    kept = [log, counted, *(path.read_bytes().decode("latin-1") for path in server.data.iterdir())]
    for secret in (value, credential, other):
        for piece in (secret, secret[28:60], digest_of(secret), secret[::-1]):
            assert not [text for text in kept if piece in text]


def test_the_making_of_answers_needs_no_web_framework() -> None:
    """Another listener answers with the same bytes."""
    program = (
        "import sys, gatepass.server.oauth.introspect, gatepass.server.oauth.revoke;"
        "print(sorted({'starlette', 'uvicorn', 'jinja2'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

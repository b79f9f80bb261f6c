"""`/oauth2/revoke` (RFC 7009): every 200 is proven by a verification, never by itself."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.oauth import (
    ADMIN,
    BOB,
    FORM,
    INACTIVE,
    MARIA,
    REVOKE,
    UNKNOWN,
    Scene,
    add_verifier,
    ask,
    basic_of,
    digest_of,
    set_up,
)
from support.server import EMAIL, Reply, Server, make_installation
from support.visitor import Visitor


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("scene") / "data")


@pytest.fixture
def own_scene(tmp_path: Path) -> Iterator[Scene]:
    yield from set_up(tmp_path / "data")


def done(reply: Reply) -> None:
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert reply.headers["cache-control"] == "no-store"


def works(scene: Scene, value: str) -> bool:
    """Ask every door, which have to agree."""
    found = {scene.server.request("GET", "/verify", bearer=value).status == 200, scene.ask(value).json["active"]}
    assert len(found) == 1
    return found.pop()


def revoke(scene: Scene, value: str, **how: object) -> Reply:
    return ask(scene.server, REVOKE, {"token": value}, **how)


# Who may


@pytest.mark.parametrize("who", ["owner by password", "owner by token", "the token itself", "administrator", "admin's"])
def test_owner_administrator_and_the_token_itself_may_revoke(scene: Scene, who: str) -> None:
    value, info = scene.server.create_token(basic=MARIA)
    how = {
        "owner by password": lambda: {"basic": MARIA},
        "owner by token": lambda: {"bearer": scene.value},
        "the token itself": lambda: {"bearer": value},
        "administrator": lambda: {"basic": ADMIN},
        "admin's": lambda: {"bearer": scene.server.create_token()[0]},
    }[who]()
    assert works(scene, value)
    done(revoke(scene, value, **how))
    assert not works(scene, value)
    reply = scene.server.request("GET", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA)
    assert reply.status == 410
    assert works(scene, scene.value)


def test_a_revocation_is_in_the_audit_log_once(scene: Scene) -> None:
    value, info = scene.server.create_token(basic=MARIA, description="on record")
    for _ in range(3):
        done(revoke(scene, value, basic=MARIA))
    events = [
        event
        for event in scene.server.admin("GET", "/v4/auditEvents").json["data"]
        if event["action"] == "token.deleted" and event["subjectId"] == info["tokenId"]
    ]
    assert [(event["actorEmail"], event["credential"]) for event in events] == [(MARIA[0], "password")]


def test_somebody_elses_token_is_refused_and_goes_on_working(scene: Scene) -> None:
    value, _ = scene.server.create_token(basic=BOB)
    for how in ({"basic": BOB}, {"bearer": value}):
        reply = revoke(scene, scene.value, **how)
        assert (reply.status, reply.json["error"]) == (400, "unauthorized_client")
    assert works(scene, scene.value)


def test_a_verifier_may_not_revoke(scene: Scene) -> None:
    for how in ({"bearer": scene.credential}, {"headers": basic_of(scene.verifier_id, scene.credential)}):
        for value in (scene.value, UNKNOWN, "nonsense"):
            reply = revoke(scene, value, **how)
            assert (reply.status, reply.json["error"]) == (400, "unauthorized_client")
    assert works(scene, scene.value)


def test_a_verifiers_credential_is_not_revoked_here(scene: Scene) -> None:
    reply = revoke(scene, scene.credential, basic=ADMIN)
    assert (reply.status, reply.json["error"]) == (400, "unsupported_token_type")
    assert scene.ask().json["active"] is True


def refused(reply: Reply) -> None:
    assert (reply.status, reply.json) == (401, {"error": "invalid_client"})
    assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_nobody_revokes_without_credentials(scene: Scene) -> None:
    for how in (
        {},
        {"bearer": "nonsense"},
        {"bearer": UNKNOWN},
        {"bearer": digest_of(scene.value)},
        {"basic": (MARIA[0], "wrong password")},
        {"bearer": "gpvf_nonsense"},
    ):
        refused(revoke(scene, scene.value, **how))
        refused(revoke(scene, UNKNOWN, **how))
    refused(Visitor(scene.server).sign_in().post(REVOKE, {"token": scene.value}))
    assert works(scene, scene.value)


def test_a_token_that_revoked_itself_is_no_credential_any_more(scene: Scene) -> None:
    value, _ = scene.server.create_token(basic=MARIA)
    done(revoke(scene, value, bearer=value))
    refused(revoke(scene, value, bearer=value))


# What is revoked


@pytest.mark.parametrize("text", [UNKNOWN, "nonsense", " ", "é", "x" * 5000])
def test_what_is_no_token_is_200_as_well(scene: Scene, text: str) -> None:
    done(revoke(scene, text, basic=MARIA))


def test_a_right_id_with_another_secret_revokes_nothing(scene: Scene) -> None:
    from uuid import UUID

    from gatepass.model.secret import Secret
    from gatepass.model.token import TokenKind, write_token

    forged = write_token(TokenKind.PERSONAL, UUID(scene.info["tokenId"]), Secret("0" * 32)).reveal()
    done(revoke(scene, forged, basic=MARIA))
    done(revoke(scene, forged, basic=ADMIN))
    assert works(scene, scene.value)


def test_somebody_elses_deleted_token_looks_like_an_unknown_one(scene: Scene) -> None:
    value, _ = scene.server.create_token(basic=MARIA)
    done(revoke(scene, value, basic=MARIA))
    done(revoke(scene, value, basic=BOB))


def test_a_token_of_a_disabled_person_is_revoked_for_good(own_scene: Scene) -> None:
    server = own_scene.server
    server.admin("PATCH", f"/v4/people/{own_scene.maria_id}", {"isDisabled": True})
    done(revoke(own_scene, own_scene.value, basic=ADMIN))
    server.admin("PATCH", f"/v4/people/{own_scene.maria_id}", {"isDisabled": False})
    assert not works(own_scene, own_scene.value)


def test_while_tokens_are_off_nothing_claims_to_be_revoked(own_scene: Scene) -> None:
    server = own_scene.server
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False})
    reply = revoke(own_scene, own_scene.value, basic=MARIA)
    assert (reply.status, reply.json["error"]) == (400, "unsupported_token_type")
    refused(revoke(own_scene, own_scene.value, bearer=own_scene.value))
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": True})
    assert works(own_scene, own_scene.value)
    done(revoke(own_scene, own_scene.value, basic=MARIA))
    assert not works(own_scene, own_scene.value)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_wrong_hint_does_not_save_a_token(scene: Scene, hint: str) -> None:
    value, _ = scene.server.create_token(basic=MARIA)
    done(ask(scene.server, REVOKE, {"token": value, "token_type_hint": hint}, basic=MARIA))
    assert not works(scene, value)


# Requests that cannot be read


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"token_id": "018f0000-0000-7000-8000-000000000000", "token_digest": "0" * 64}, "token"),
        ([("token", "a"), ("token", "b")], "form"),
    ],
)
def test_a_bad_parameter_is_named(scene: Scene, fields: dict[str, str], field: str) -> None:
    reply = ask(scene.server, REVOKE, fields, basic=ADMIN)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert reply.json["error_description"].partition(":")[0] == field


def test_a_token_in_the_query_string_is_never_read(scene: Scene) -> None:
    path = f"{REVOKE}?token={scene.value}"
    reply = scene.server.request("POST", path, raw=b"", headers={"Content-Type": FORM}, basic=MARIA)
    assert reply.status == 400
    assert works(scene, scene.value)


def test_another_media_type_is_415(scene: Scene) -> None:
    assert scene.server.request("POST", REVOKE, {"token": scene.value}, basic=MARIA).status == 415
    assert works(scene, scene.value)


def test_more_than_64_kib_is_413(scene: Scene) -> None:
    reply = ask(scene.server, REVOKE, {"token": scene.value, "x": "x" * 70_000}, basic=MARIA)
    assert (reply.status, reply.json["error"]) == (413, "invalid_request")
    assert works(scene, scene.value)


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_other_methods_are_405_with_allow(scene: Scene, method: str) -> None:
    reply = scene.server.request(method, REVOKE, basic=MARIA)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


# Outages and logs


def test_an_outage_is_503_and_the_token_may_be_alive(own_scene: Scene) -> None:
    server = own_scene.server
    server.stop()
    server.start()
    database = server.data / "gatepass.db"
    kept = database.read_bytes()
    wal = server.data / "gatepass.db-wal"
    log = wal.read_bytes() if wal.exists() else b""
    database.write_bytes(os.urandom(len(kept)))
    for how in ({"basic": MARIA}, {"bearer": own_scene.value}):
        reply = revoke(own_scene, own_scene.value, **how)
        assert (reply.status, reply.json, bool(reply.headers["retry-after"])) == (
            503,
            {"error": "temporarily_unavailable"},
            True,
        )
    server.kill()
    database.write_bytes(kept)
    wal.write_bytes(log)
    server.start()
    assert works(own_scene, own_scene.value)


def test_no_secret_gets_into_log_metrics_or_files(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    make_installation(tmp_path / "data")
    with Server(tmp_path / "data", "--metrics-listen", metrics, env={"GATEPASS_LOG__LEVEL": "debug"}) as server:
        _, credential = add_verifier(server, "reports")
        value, _ = server.create_token()
        other, _ = server.create_token()
        for path in (REVOKE, f"{REVOKE}?token={value}", f"{REVOKE}/{value}"):
            for token in (credential, UNKNOWN, value, value):
                ask(server, path, {"token": token}, bearer=credential)
                ask(server, path, {"token": token}, basic=(EMAIL, value))
                ask(server, path, {"token": token, token: token}, bearer=other)
        counted = server.metrics(f"http://{metrics}/metrics")
        assert server.request("GET", "/verify", bearer=value).status == 401
        kept = [server.log.read_text(), counted]
        kept += [path.read_bytes().decode("latin-1") for path in server.data.iterdir()]
    for result in ("accepted", "unknown", "deleted"):
        assert f'gatepass_verifications_total{{door="revoke",result="{result}"}}' in counted
    assert '"refusal": "unknown"' in kept[0]
    for secret in (value, other, credential):
        for piece in (secret, secret[28:60], digest_of(secret), secret[::-1]):
            assert not [text for text in kept if piece in text]


def test_a_revoked_token_is_inactive_for_a_digest_too(scene: Scene) -> None:
    value, info = scene.server.create_token(basic=MARIA)
    done(revoke(scene, value, bearer=value))
    fields = {"token_id": info["tokenId"], "token_digest": digest_of(value)}
    assert ask(scene.server, "/oauth2/introspect", fields, bearer=scene.credential).body == INACTIVE

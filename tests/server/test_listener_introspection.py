"""The verify listener answers introspection with the bytes of `serve`, for whoever needs no password."""

import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import pytest

from support.listener import Listener
from support.oauth import ADMIN, INACTIVE, INTROSPECT, MARIA, UNKNOWN, Scene, basic_of, digest_of, set_up
from support.waiting import poll

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("scene") / "data")


@pytest.fixture(scope="module")
def listener(scene: Scene) -> Iterator[Listener]:
    with Listener(scene.server.data, env={"GATEPASS_SERVER__PUBLIC_URL": scene.server.url}) as made:
        yield made


def ask(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, str | None, str | None]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=15)
    connection.request("POST", INTROSPECT, body, headers)
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    return answer.status, found, answer.headers["content-type"], answer.headers["www-authenticate"]


def both(scene: Scene, listener: Listener, body: object, **headers: str) -> tuple[int, bytes]:
    """Ask the server and the listener; they must agree to the letter."""
    sent = urlencode(body).encode() if isinstance(body, dict) else body
    told = {"Content-Type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    expected = ask(scene.server.url, sent, told)
    assert ask(listener.url, sent, told) == expected
    return expected[:2]


def test_every_question_of_a_registered_verifier_is_answered_as_the_server_does(
    scene: Scene, listener: Listener
) -> None:
    restricted, _ = scene.server.create_token(
        basic=MARIA, scopes=["jobs:read"], allowedNetworks=["10.0.0.0/8"], audience=["orders"]
    )
    by_digest = {"token_id": scene.info["tokenId"], "token_digest": digest_of(scene.value)}
    bearer = f"Bearer {scene.credential}"
    for body in (
        {"token": scene.value},
        {"token": scene.value, "token_type_hint": "access_token"},
        {"token": restricted},
        {"token": restricted, "scope": "jobs:read", "audience": "orders", "client_address": "10.1.2.3"},
        {"token": restricted, "scope": "jobs:write"},
        {"token": restricted, "audience": "other"},
        {"token": restricted, "client_address": "11.0.0.1"},
        by_digest,
        {**by_digest, "token_digest": digest_of(UNKNOWN)},
        {"token": UNKNOWN},
        {"token": "nonsense"},
        {"token": scene.credential},
        {},
        {"token": scene.value, **by_digest},
        {"token": scene.value, "scope": "nonsense"},
        {"token": scene.value, "client_address": "nonsense"},
        [("token", scene.value), ("token", scene.value)],
        b"token=%ff",
        b"\xff",
    ):
        sent = urlencode(body).encode() if isinstance(body, list) else body
        both(scene, listener, sent, Authorization=bearer)
    assert both(scene, listener, {"token": scene.value}, Authorization=bearer)[1].startswith(b'{"active":true')


def test_who_may_ask_is_the_same_as_at_the_server(scene: Scene, listener: Listener) -> None:
    own, _ = scene.server.create_token(basic=MARIA)
    others, _ = scene.server.create_token()
    scoped, _ = scene.server.create_token(basic=MARIA, scopes=["jobs:read"])
    elsewhere, _ = scene.server.create_token(basic=MARIA, audience=["orders"])
    statuses = {}
    for name, authorization in {
        "verifier by name": basic_of("Orders & more", scene.credential)["Authorization"],
        "verifier by another name": basic_of("other", scene.credential)["Authorization"],
        "its owner": f"Bearer {own}",
        "an administrator": f"Bearer {others}",
        "a token without the scope": f"Bearer {scoped}",
        "a token for another service": f"Bearer {elsewhere}",
        "an unknown token": f"Bearer {UNKNOWN}",
        "a credential with an end": f"Bearer {scene.credential}x",
        "another scheme": f"Digest {scene.credential}",
        "no text": "Bearer ",
        "nonsense": "Basic !!!",
    }.items():
        statuses[name] = both(scene, listener, {"token": scene.value}, Authorization=authorization)[0]
    assert statuses.pop("a token without the scope") == 400
    assert [name for name, status in statuses.items() if status == 200] == [
        "verifier by name",
        "its owner",
        "an administrator",
    ]
    assert both(scene, listener, {"token": others}, Authorization=f"Bearer {own}") == (200, INACTIVE)
    assert both(scene, listener, {"token": scene.value})[0] == 401


def test_a_password_is_not_taken_here(scene: Scene, listener: Listener) -> None:
    headers = {"Content-Type": FORM, **basic_of(*ADMIN)}
    status, _, _, challenge = ask(listener.url, b"token=x", headers)
    assert (status, str(challenge).partition(",")[0]) == (401, 'Bearer realm="gatepass"')


def test_another_kind_of_body_is_refused(scene: Scene, listener: Listener) -> None:
    bearer = f"Bearer {scene.credential}"
    assert both(scene, listener, b"{}", Content_Type="application/json", Authorization=bearer)[0] == 415


def test_a_token_that_ended_is_inactive_at_once_and_a_use_is_counted(scene: Scene, listener: Listener) -> None:
    value, info = scene.server.create_token(basic=MARIA)
    headers = {"Content-Type": FORM, "Authorization": f"Bearer {scene.credential}"}
    body = urlencode({"token": value}).encode()
    path = f"/v4/apiAccessTokens/{info['tokenId']}"
    assert ask(listener.url, body, headers)[1].startswith(b'{"active":true')
    assert poll(lambda: scene.server.request("GET", path, basic=MARIA).json["lastUsed"])
    assert scene.server.request("DELETE", path, basic=MARIA).status == 204
    assert ask(listener.url, body, headers)[1] == INACTIVE

"""`/oauth2/introspect`: questions that cannot be read are told what is wrong, and never the token."""

import http.client
import re
from collections.abc import Iterator

import pytest

from support.oauth import FORM, INTROSPECT, Scene, ask, set_up


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("scene") / "data")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"token_type_hint": "access_token"}, "token"),
        ([("token", "a"), ("token", "a")], "form"),
        ([("token", "a"), ("x", "1"), ("x", "2")], "form"),
        ({"token": "a", "token_id": "018f0000-0000-7000-8000-000000000000"}, "token"),
        ({"token": "a", "token_digest": "0" * 64}, "token"),
        ({"token_id": "018f0000-0000-7000-8000-000000000000"}, "token_digest"),
        ({"token_digest": "0" * 64}, "token_id"),
        ({"token_id": "018F0000-0000-7000-8000-000000000000", "token_digest": "a" * 64}, "token_id"),
        ({"token_id": "018f0000000070008000000000000000", "token_digest": "a" * 64}, "token_id"),
        ({"token_id": "018f0000-0000-7000-8000-000000000000", "token_digest": "A" * 64}, "token_digest"),
        ({"token_id": "018f0000-0000-7000-8000-000000000000", "token_digest": "a" * 63}, "token_digest"),
        ({"token_id": "018f0000-0000-7000-8000-000000000000", "token_digest": "a" * 64 + "\n"}, "token_digest"),
        ({"token": "a", "scope": "JOBS"}, "scope"),
        ({"token": "a", "scope": "a:b  c:d"}, "scope"),
        ({"token": "a", "scope": "a:b "}, "scope"),
        ({"token": "a", "scope": " ".join(f"a{number}:b" for number in range(65))}, "scope"),
        ({"token": "a", "audience": "two words"}, "audience"),
        ({"token": "a", "audience": "x" * 201}, "audience"),
        ({"token": "a", "client_address": "10.0.0.0/8"}, "client_address"),
        ({"token": "a", "client_address": "here"}, "client_address"),
        ({"token": "a", "client_address": "fe80::1%eth0"}, "client_address"),
    ],
)
def test_a_bad_parameter_is_named(scene: Scene, fields: dict[str, str], field: str) -> None:
    reply = ask(scene.server, INTROSPECT, fields, bearer=scene.credential)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert reply.json["error_description"].partition(":")[0] == field
    # RFC 6749 section 5.2 has no other characters in there.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", reply.json["error_description"])


@pytest.mark.parametrize("raw", [b"token=%ff", b"token=\xff", b"&".join(b"a%d=1" % n for n in range(60))])
def test_a_form_that_cannot_be_read_is_400(scene: Scene, raw: bytes) -> None:
    headers = {"Content-Type": FORM}
    reply = scene.server.request("POST", INTROSPECT, raw=raw, headers=headers, bearer=scene.credential)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_a_mistake_does_not_repeat_what_was_sent(scene: Scene) -> None:
    for field in ("scope", "audience", "client_address", "token_id", "token_digest"):
        fields = {field: f"{scene.value} x", **({} if field.startswith("token_") else {"token": "a"})}
        reply = ask(scene.server, INTROSPECT, fields, bearer=scene.credential)
        assert reply.status == 400
        assert scene.value[-38:] not in reply.body.decode()


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_another_media_type_is_415(scene: Scene, kind: str) -> None:
    raw = f"token={scene.value}".encode()
    reply = scene.server.request("POST", INTROSPECT, raw=raw, headers={"Content-Type": kind}, bearer=scene.credential)
    assert (reply.status, reply.json["error"]) == (415, "invalid_request")


def test_a_token_in_the_query_string_is_never_read(scene: Scene) -> None:
    headers = {"Content-Type": FORM}
    path = f"{INTROSPECT}?token={scene.value}"
    reply = scene.server.request("POST", path, raw=b"", headers=headers, bearer=scene.credential)
    assert (reply.status, reply.json["error_description"]) == (400, "token: is required")
    reply = ask(scene.server, f"{INTROSPECT}?access_token={scene.value}", {"token": scene.value})
    assert reply.status == 401


def test_more_than_64_kib_is_413(scene: Scene) -> None:
    reply = ask(scene.server, INTROSPECT, {"token": "x" * 70_000}, bearer=scene.credential)
    assert (reply.status, reply.json["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_405_with_allow(scene: Scene, method: str) -> None:
    reply = scene.server.request(method, f"{INTROSPECT}?token={scene.value}", bearer=scene.credential)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/oauth2", "/oauth2/", "/oauth2/token", "/oauth2/introspect/", "/OAuth2/introspect"])
def test_other_paths_are_404_in_the_words_of_oauth(scene: Scene, path: str) -> None:
    reply = ask(scene.server, path, {"token": scene.value}, bearer=scene.credential)
    assert (reply.status, reply.json) == (404, {"error": "invalid_request"})


def test_two_authorization_headers_are_400(scene: Scene) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=10)
    body = f"token={scene.value}".encode()
    connection.putrequest("POST", INTROSPECT)
    connection.putheader("Content-Type", FORM)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Authorization", f"Bearer {scene.credential}")
    connection.putheader("Authorization", "Bearer nonsense")
    connection.endheaders(body)
    assert connection.getresponse().status == 400
    connection.close()

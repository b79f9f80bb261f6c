"""/verifiers/v1: what registered verifiers on other hosts ask, and what nobody else learns there."""

import hashlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from support.oauth import MARIA, UNKNOWN, Scene, set_up
from support.server import Reply

FOLLOW, VERDICTS, USES = "/verifiers/v1/follow", "/verifiers/v1/verdicts", "/verifiers/v1/uses"
POLL = {"instance": "test-1", "after": 0, "epoch": "", "wait": 0}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    yield from set_up(tmp_path_factory.mktemp("doors") / "data")


def ask(scene: Scene, path: str, body: Any, **how: Any) -> Reply:
    return scene.server.request("POST", path, body, **({"bearer": scene.credential} | how))


def asked(value: str, token_id: str) -> dict[str, Any]:
    return {"tokens": [{"id": token_id, "digest": hashlib.sha256(value.encode()).hexdigest()}]}


def poll(scene: Scene, **more: Any) -> dict[str, Any]:
    found = ask(scene, FOLLOW, POLL | more)
    assert found.status == 200, found.body
    return found.json


def test_the_first_poll_is_answered_at_once_with_where_the_source_stands(scene: Scene) -> None:
    found = poll(scene, wait=60)
    assert found["changes"] is None
    assert found["bound"] == 5.0
    assert found["head"] > 0


def test_what_changed_since_is_told_and_nothing_more_of_it_than_kind_and_subject(scene: Scene) -> None:
    first = poll(scene)
    _, info = scene.server.create_token(basic=MARIA)
    assert scene.server.request("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA).status == 204
    found = poll(scene, after=first["head"], epoch=first["epoch"], wait=60)
    assert found["changes"] == [[first["head"] + 1, "token", info["tokenId"]]]
    assert found["head"] == first["head"] + 1


def test_a_poll_waits_for_a_change_and_is_answered_when_there_is_one(scene: Scene) -> None:
    scene.server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})  # it would wait for 12 seconds
    first = poll(scene)
    got: list[tuple[float, dict]] = []

    def wait() -> None:
        found = poll(scene, after=first["head"], epoch=first["epoch"], wait=60)
        got.append((time.monotonic(), found))

    waiting = threading.Thread(target=wait)
    waiting.start()
    _, info = scene.server.create_token(basic=MARIA)
    scene.server.request("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA)
    deleted_at = time.monotonic()
    waiting.join(30)
    scene.server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 5})
    [(answered_at, found)] = got
    assert found["changes"] == [[first["head"] + 1, "token", info["tokenId"]]]
    assert answered_at - deleted_at < 5


def test_a_poll_for_which_nothing_happens_ends_after_a_part_of_the_bound(scene: Scene) -> None:
    first = poll(scene)
    began = time.monotonic()
    found = poll(scene, after=first["head"], epoch=first["epoch"], wait=60)
    assert found["changes"] == []
    assert 0.9 < time.monotonic() - began < 15


def test_what_lies_ahead_or_is_of_another_epoch_is_to_be_forgotten(scene: Scene) -> None:
    first = poll(scene)
    for more in ({"after": first["head"] + 1, "epoch": first["epoch"]}, {"after": first["head"], "epoch": "0.0"}):
        assert poll(scene, **more, wait=60)["changes"] is None


def test_a_grace_is_given_as_far_as_the_setting_goes(scene: Scene) -> None:
    assert poll(scene, grace=30)["bound"] == 5.0
    scene.server.admin("PATCH", "/v4/settings", {"verifiers.graceSeconds": 10})
    assert poll(scene, grace=30)["bound"] == 15.0
    assert poll(scene, grace=3)["bound"] == 8.0
    assert poll(scene)["bound"] == 5.0


def test_a_good_token_is_told_by_its_digest_with_all_that_it_may(scene: Scene) -> None:
    rights = {"scopes": ["orders:read"], "allowedNetworks": ["10.0.0.0/8"], "audience": ["orders"]}
    value, info = scene.server.create_token(basic=MARIA, **rights)
    found = ask(scene, VERDICTS, asked(value, info["tokenId"])).json
    [verdict] = found["verdicts"]
    accepted = verdict["accepted"]
    assert accepted.pop("expiresAt") > time.time() * 1000
    assert accepted == {
        "tokenId": info["tokenId"],
        "ownerId": scene.maria_id,
        "ownerName": MARIA[0],
        **rights,
    }
    assert (found["revision"], found["epoch"]) == (poll(scene)["head"], poll(scene)["epoch"])


def test_the_id_alone_is_not_enough(scene: Scene) -> None:
    _, info = scene.server.create_token(basic=MARIA)
    assert ask(scene, VERDICTS, asked(UNKNOWN, info["tokenId"])).json["verdicts"] == [{"rejected": "unknown"}]


def test_a_deleted_token_is_told_as_of_a_revision_that_has_it(scene: Scene) -> None:
    value, info = scene.server.create_token(basic=MARIA)
    before = ask(scene, VERDICTS, asked(value, info["tokenId"])).json
    scene.server.request("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}", basic=MARIA)
    after = ask(scene, VERDICTS, asked(value, info["tokenId"])).json
    assert after["verdicts"] == [{"rejected": "deleted", "token": info["tokenId"]}]
    assert after["revision"] == before["revision"] + 1


@pytest.mark.parametrize("path", [FOLLOW, VERDICTS, USES])
@pytest.mark.parametrize("who", ["nobody", "a token", "a password", "a removed end"])
def test_nobody_else_may_ask(scene: Scene, path: str, who: str) -> None:
    end = "0" if scene.credential[-1] != "0" else "1"
    how: dict[str, Any] = {
        "nobody": {"bearer": None},
        "a token": {"bearer": scene.value},
        "a password": {"bearer": None, "basic": MARIA},
        "a removed end": {"bearer": scene.credential[:-1] + end},
    }[who]
    found = ask(scene, path, {"nonsense": 1}, **how)
    assert (found.status, found.error) == (401, "MissingPersonException")
    assert found.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (FOLLOW, {}, "instance"),
        (FOLLOW, POLL | {"instance": "a b"}, "instance"),
        (FOLLOW, POLL | {"after": -1}, "after"),
        (FOLLOW, POLL | {"after": "1"}, "after"),
        (FOLLOW, POLL | {"wait": -1}, "wait"),
        (FOLLOW, POLL | {"wait": 1e9}, "wait"),
        (FOLLOW, POLL | {"epoch": None}, "epoch"),
        (FOLLOW, POLL | {"more": 1}, "more"),
        (VERDICTS, {"tokens": []}, "tokens"),
        (VERDICTS, {"tokens": [{"id": "x", "digest": "0" * 64}]}, "tokens[0].id"),
        (
            VERDICTS,
            {"tokens": [{"id": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "digest": "F" * 64}]},
            "tokens[0].digest",
        ),
        (VERDICTS, {"tokens": [{"id": "x"}]}, "digest"),
        (USES, {"uses": [{"token": "x", "hour": 1, "reason": None, "count": 1}]}, "uses[0].token"),
        (USES, {"uses": [{"token": "x", "hour": 1, "reason": "nice", "count": 1}]}, "reason"),
    ],
)
def test_what_cannot_be_read_names_its_field(scene: Scene, path: str, body: Any, named: str) -> None:
    found = ask(scene, path, body)
    assert (found.status, found.error) == (400, "ValidationFailed")
    assert named in found.details


def test_too_many_tokens_at_once_are_refused(scene: Scene) -> None:
    one = asked(UNKNOWN, scene.info["tokenId"])["tokens"]
    assert ask(scene, VERDICTS, {"tokens": one * 257}).status == 400
    assert len(ask(scene, VERDICTS, {"tokens": one * 256}).json["verdicts"]) == 256


def test_other_methods_and_media_types_are_told(scene: Scene) -> None:
    found = scene.server.request("GET", FOLLOW, bearer=scene.credential)
    assert (found.status, found.headers["allow"]) == (405, "POST")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert scene.server.request("POST", FOLLOW, raw=b"a=b", headers=form, bearer=scene.credential).status == 415
    assert scene.server.request("POST", "/verifiers/v1/nothing", {}, bearer=scene.credential).status == 404


def test_uses_never_lie_ahead_of_the_servers_clock(scene: Scene) -> None:
    _, info = scene.server.create_token(basic=MARIA)
    use = {"token": info["tokenId"], "hour": 2**40, "reason": None, "count": 3, "lastUsed": 2**50}
    assert ask(scene, USES, {"uses": [use]}).json == {"noted": 1}
    path = f"/v4/apiAccessTokens/{info['tokenId']}"
    used = scene.server.request("GET", path, basic=MARIA).json["lastUsed"]
    assert used[:4] == time.strftime("%Y", time.gmtime())


def test_polls_leave_no_line_in_the_log_and_a_refused_one_does(scene: Scene) -> None:
    poll(scene)
    ask(scene, FOLLOW, POLL, bearer=None)
    lines = [json.loads(line) for line in scene.server.log.read_text().splitlines() if line.startswith("{")]
    statuses = {line["status"] for line in lines if line.get("route") == FOLLOW}
    assert 200 not in statuses
    assert 401 in statuses


def test_administrators_see_what_is_connected_and_others_do_not(scene: Scene) -> None:
    poll(scene, instance="worker-7")
    found = scene.server.admin("GET", "/v4/verifiers").json["data"]
    [verifier] = [each for each in found if each["id"] == scene.verifier_id]
    [instance] = [each for each in verifier["instances"] if each["instance"] == "worker-7"]
    assert instance["isConnected"]
    assert 0 < instance["leaseMs"] <= instance["boundMs"] == 5_000
    assert scene.server.request("GET", "/v4/verifiers", basic=MARIA).status == 403


def test_waiting_polls_do_not_hold_up_the_end_of_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    scenes = set_up(tmp_path_factory.mktemp("ending") / "data")
    scene = next(scenes)
    with closing(scenes):
        scene.server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})
        first = poll(scene)
        connection = http.client.HTTPConnection("127.0.0.1", scene.server.port, timeout=30)
        body = json.dumps(POLL | {"after": first["head"], "epoch": first["epoch"], "wait": 60})
        headers = {"Authorization": f"Bearer {scene.credential}", "Content-Type": "application/json"}
        connection.request("POST", FOLLOW, body, headers)
        ended = threading.Thread(target=lambda: (connection.getresponse().read(), connection.close()))
        ended.start()
        while not scene.server.admin("GET", "/v4/verifiers").json["data"][0]["instances"]:
            pass
        began = time.monotonic()
        scene.server.stop()
        assert time.monotonic() - began < 8  # a poll may wait for 12
        ended.join(10)

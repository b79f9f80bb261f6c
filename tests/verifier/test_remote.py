"""What a server replies is read strictly: whatever is not as it should be is an outage, never a verdict."""

import os
from typing import Any
from uuid import UUID

import pytest

from gatepass.connect import open_verifier
from gatepass.errors import BadConfiguration, Unavailable
from gatepass.model.change import ChangeKind
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import FULL_ACCESS
from gatepass.model.secret import Secret
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.verifier.follower import Follower
from gatepass.verifier.lease import Lease
from gatepass.verifier.remote import RemoteSource, Upstream
from gatepass.verifier.replies import read_followed, read_verdicts

TOKEN, OTHER = UUID(int=1), UUID(int=2)
ASKED = [PresentedToken(TOKEN, b"d" * 32)]
ACCEPTED = {
    "tokenId": str(TOKEN),
    "ownerId": str(OTHER),
    "ownerName": "maria@example.com",
    "expiresAt": None,
    "scopes": None,
    "allowedNetworks": None,
    "audience": None,
}
FOLLOWED = {"epoch": "e", "head": 7, "changes": [[7, "token", str(TOKEN)]], "bound": 5, "now": 1500}


def verdicts(*told: Any, **more: Any) -> dict[str, Any]:
    return {"epoch": "e", "revision": 7, "verdicts": list(told)} | more


def test_verdicts_are_read_as_they_are_told() -> None:
    [[found], epoch, revision] = read_verdicts(verdicts({"accepted": ACCEPTED, "new": 1}), ASKED)
    assert (found, epoch, revision) == (Accepted(TOKEN, OTHER, "maria@example.com", None), "e", 7)
    assert found.rights is FULL_ACCESS
    restricted = ACCEPTED | {"scopes": [], "allowedNetworks": ["10.0.0.0/8"], "audience": ["orders"], "expiresAt": 1500}
    [[found], *_] = read_verdicts(verdicts({"accepted": restricted}), ASKED)
    assert (found.rights.scope, found.ends) == ("", 1.5)
    assert found.rights.lists()["allowed_networks"] == ["10.0.0.0/8"]
    [[found], *_] = read_verdicts(verdicts({"rejected": "deleted", "token": str(TOKEN)}), ASKED)
    assert found == Rejected(Reason.DELETED, TOKEN)


def test_a_reason_that_is_new_refuses_all_the_same() -> None:
    [[found], *_] = read_verdicts(verdicts({"rejected": "eaten"}), ASKED)
    assert found == Rejected(Reason.UNKNOWN)


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {},
        verdicts(),
        verdicts({"rejected": "deleted"}, {"rejected": "deleted"}),
        verdicts({}),
        verdicts({"rejected": None}),
        verdicts({"accepted": True}),
        verdicts({"accepted": ACCEPTED | {"tokenId": str(OTHER)}}),
        verdicts({"accepted": {**ACCEPTED, "scopes": 1}}),
        verdicts({"accepted": {**ACCEPTED, "allowedNetworks": ["10.0.0.1/8"]}}),
        verdicts({"accepted": {**ACCEPTED, "expiresAt": 10**30}}),
        verdicts({"accepted": {name: ACCEPTED[name] for name in ACCEPTED if name != "scopes"}}),
        verdicts({"rejected": "deleted"}, revision=None),
        verdicts({"rejected": "deleted"}, epoch=None) | {"revision": "x"},
    ],
)
def test_what_is_no_reply_is_an_outage(reply: Any) -> None:
    with pytest.raises(Unavailable, match="does not answer as Gatepass does"):
        read_verdicts(reply, ASKED)


def test_changes_are_read_as_they_are_told_and_new_kinds_concern_everything() -> None:
    found = read_followed(FOLLOWED | {"changes": [[6, "moon", str(OTHER)], [7, "token", str(TOKEN)]]})
    assert [(each.revision, each.kind, each.subject_id) for each in found.changes or ()] == [
        (6, ChangeKind.EVERYTHING, OTHER),
        (7, ChangeKind.TOKEN, TOKEN),
    ]
    assert read_followed(FOLLOWED | {"changes": None}).changes is None
    assert (found.bound, found.now) == (5.0, 1.5)


@pytest.mark.parametrize(
    "more",
    [
        {"bound": 0},
        {"bound": -1},
        {"bound": float("nan")},
        {"bound": 1e9},
        {"changes": [[7]]},
        {"changes": 7},
        {"head": "x"},
        {"now": None},
    ],
)
def test_what_is_no_progress_is_an_outage(more: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="does not answer as Gatepass does"):
        read_followed(FOLLOWED | more)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://tokens.example.com", "is plain HTTP to another machine"),
        ("https://user:secret@tokens.example.com", "must be like https://tokens.example.com"),
        ("https://tokens.example.com/path", "must be like https://tokens.example.com"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_and_not_shown(url: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=said) as caught:
        open_verifier(url, credential="gpvf_x")
    assert "secret" not in str(caught.value)


def test_a_url_needs_a_credential_and_a_directory_has_none() -> None:
    with pytest.raises(BadConfiguration, match="credential: is required"):
        open_verifier("https://tokens.example.com")
    with pytest.raises(BadConfiguration, match="credential: belongs to a URL"):
        open_verifier("/var/lib/gatepass", credential="gpvf_x")


def test_certificates_that_cannot_be_read_are_told() -> None:
    with pytest.raises(BadConfiguration, match="ca_file"):
        Upstream("https://tokens.example.com", Secret("x"), ca_file="/nonexistent")


def test_a_process_that_was_forked_asks_nothing_on_the_connections_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = RemoteSource(Upstream("http://127.0.0.1:1", Secret("x")), Follower(Lease()))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(Unavailable, match="forked"):
        source.fetch(ASKED)


def test_a_machine_whose_clock_is_wrong_asks_about_no_token() -> None:
    follower = Follower(Lease())
    follower.clocks_agree = False
    source = RemoteSource(Upstream("http://127.0.0.1:1", Secret("x")), follower)
    with pytest.raises(Unavailable, match="clock differs"):
        source.fetch(ASKED)


def test_no_credential_is_in_what_can_be_printed() -> None:
    upstream = Upstream("http://127.0.0.1:1", Secret("gpvf_secret"))
    source = RemoteSource(upstream, Follower(Lease()))
    with pytest.raises(Unavailable) as caught:
        source.fetch(ASKED)
    shown = f"{upstream!r} {source!r} {source.instance} {caught.value!r} {vars(upstream)}"
    assert "gpvf_secret" not in shown

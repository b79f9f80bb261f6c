"""The listener under hostile requests: in seconds here, in full with `make soak`."""

import os

import pytest

from soak.fuzz_listener import fuzz
from soak.hostile_listener import MOST_GROWTH, soak
from support.listener import Listener
from support.server import Server

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
FUZZ_SECONDS = 20 * 60 if SOAK else 5
HOSTILE_SECONDS = 10 * 60 if SOAK else 5


@pytest.mark.soak
def test_mutated_requests_split_anywhere_find_nothing() -> None:
    for seed in range(4 if SOAK else 1):
        assert fuzz(FUZZ_SECONDS / (4 if SOAK else 1), seed) > 100


@pytest.mark.soak
def test_hostile_requests_are_answered_as_documented_with_flat_memory(server: Server) -> None:
    token, _ = server.create_token()
    with Listener(server.data) as listener:
        came = soak(listener, token, HOSTILE_SECONDS)
    assert came.wrong == []
    assert not SOAK or came.growth <= MOST_GROWTH

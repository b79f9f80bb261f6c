"""A service far away that says when it refused: `python -m benchmarks.watching URL`, its credential as the first line.

Then lines of JSON, each answered with one: `{"warm": [token, …]}` looks tokens up, and is answered with `true`;
`{"watch": [token, …], "ask": [token, …]}` is answered with `true` if each of the watched is accepted from memory, and
once none of them is any more with the moments of each: when the last look that accepted it began, and when the first
that did not had ended. Nanoseconds of CLOCK_MONOTONIC, which the processes of a host share. Those of `ask` are judged
as requests are, so the server is asked why; of the others only the memory is looked at, as 20 questions for each
deletion would be the load that is measured.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from gatepass.connect import open_verifier
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.verdict import Accepted
from gatepass.verifier.verifier import Verifier

PAUSE = 0.005
"""Seconds between two looks: how late a refusal may be seen."""
_AT_ONCE = 256


def main(url: str, lines: TextIO) -> None:
    """Answer line by line."""
    with open_verifier(url, credential=lines.readline().strip()) as verifier:
        _say(True)
        for line in lines:
            question = json.loads(line)
            for answer in _warm(verifier, question["warm"]) if "warm" in question else _watch(verifier, **question):
                _say(answer)


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def _warm(verifier: Verifier, tokens: Sequence[str]) -> Iterator[bool]:
    presented = [_parsed(token) for token in tokens]
    for at in range(0, len(presented), _AT_ONCE):
        verifier.fetch(presented[at : at + _AT_ONCE])
    yield True


def _parsed(token: str) -> PresentedToken:
    found = parse_token(token)
    if found is None:
        raise ValueError("a text that is no token")
    return found


def _watch(verifier: Verifier, watch: Sequence[str], ask: Sequence[str]) -> Iterator[bool | list[tuple[int, int]]]:
    yield all(_is_remembered(verifier, token) for token in watch)
    accepted = dict.fromkeys(watch, 0)
    refused: dict[str, int] = {}
    while len(refused) < len(watch):
        time.sleep(PAUSE)  # noqa: TID251  how often it looks
        for token in accepted.keys() - refused.keys():
            began = time.monotonic_ns()
            is_good = isinstance(verifier.verify(token), Accepted) if token in ask else _is_remembered(verifier, token)
            if is_good:
                accepted[token] = began
            else:
                refused[token] = time.monotonic_ns()
    yield [(accepted[token], refused[token]) for token in watch]


def _is_remembered(verifier: Verifier, token: str) -> bool:
    return isinstance(verifier.recall(token.encode()), Accepted)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin)

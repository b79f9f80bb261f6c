"""The verifier inside a service: a warm `verify` over the bare hash of the token, and what importing it costs.

Verification is measured in one process, a thousand tokens at a time, in turn. The import is measured in processes of
their own over ones that import nothing, with all bytecode written before, as it is in an installed package.
"""

import hashlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.contestants.contestant import PRESENTED, TOKENS, altered
from benchmarks.contestants.seeding import seeded
from benchmarks.rounds import interleaved, median_of_ratios, timed
from gatepass.connect import StoreSource
from gatepass.interfaces import Fetched
from gatepass.model.network import check_networks, parse_address
from gatepass.model.presented import PresentedToken
from gatepass.model.rights import Rights
from gatepass.model.verdict import Accepted, Verdict
from gatepass.server.installation import DATABASE, KEYS
from gatepass.stores.keyfile import KeyFile
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.verifier.requirements import NOTHING, Requirements
from gatepass.verifier.verifier import Verifier
from support.server import environment

ROUNDS, TIMES, IMPORTS = 500, 1, 60
# Turns of about a millisecond: other work on the machine breaks into a long one more often than into a short one.
IMPORT = "from gatepass.verifier import Verifier"
RIGHTS = Rights(("orders:read", "invoices:*"), check_networks(["203.0.113.0/24"]))
REQUIREMENTS = Requirements(scopes=("orders:read",), client=parse_address("203.0.113.7"))


def measure(*, quick: bool) -> list[Bar]:
    """Return the bars of a warm verify and of the import."""
    return [_verify(quick=quick), _import(quick=quick)]


def _verify(*, quick: bool) -> Bar:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        seed = seeded(Path(folder), None, real=TOKENS)
        store = SqliteStore(seed.data / DATABASE)
        stack.callback(store.close)
        source = StoreSource(store, KeyFile(seed.data / KEYS))
        plain, restricted = Verifier(source, store), Verifier(_Restricted(source), store)
        for token in seed.tokens:
            if not (plain.verify(token) and isinstance(restricted.verify(token, REQUIREMENTS), Accepted)):
                raise RuntimeError("a live token is refused")
        presented = seed.tokens[:: TOKENS // PRESENTED]
        wrong = [altered(token) for token in presented]
        turns = {
            "sha256": _hashes([token.encode() for token in presented]),
            "verify": _verdicts(plain, presented),
            "with scope and network": _verdicts(restricted, presented, requirements=REQUIREMENTS),
            "wrong checksum": _verdicts(plain, wrong),
        }
        figures = interleaved(turns, rounds=100 if quick else ROUNDS)
    note = ", ".join(f"{name} {statistics.median(many) * 1e6:.2f} µs" for name, many in figures.items())
    ratio = median_of_ratios(figures["verify"], figures["sha256"])
    return Bar("library verify, warm / bare sha256 of the token", ratio, must=3, aim=2, note=note, raw=figures)


class _Restricted:
    """The tokens of a source, each with RIGHTS."""

    def __init__(self, source: StoreSource) -> None:
        self._source = source

    def peek(self, presented: PresentedToken) -> Verdict:
        found = self._source.peek(presented)
        if not isinstance(found, Accepted):
            return found
        return Accepted(found.token_id, found.owner_id, found.owner_name, found.expires_at, RIGHTS)

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        return Fetched([self.peek(each) for each in presented], None)


# Each loop calls what it measures directly: a function in between would cost a tenth of it.


def _hashes(tokens: list[bytes]) -> Callable[[], float]:
    def work() -> None:
        sha256 = hashlib.sha256
        for token in tokens:
            sha256(token).digest()

    return _for_one(work, len(tokens))


def _verdicts(verifier: Verifier, tokens: list[str], *, requirements: Requirements = NOTHING) -> Callable[[], float]:
    def bare() -> None:
        verify = verifier.verify
        for token in tokens:
            verify(token)

    def demanding() -> None:
        verify = verifier.verify
        for token in tokens:
            verify(token, requirements)

    return _for_one(bare if requirements is NOTHING else demanding, len(tokens))


def _for_one(work: Callable[[], None], count: int) -> Callable[[], float]:
    measure = timed(work, times=TIMES)
    return lambda: measure() / count


def _import(*, quick: bool) -> Bar:
    with tempfile.TemporaryDirectory() as folder:
        # A source tree may keep no bytecode. What is compiled in the first round, which is dropped, is kept here.
        env = environment({"PYTHONPYCACHEPREFIX": folder})
        env.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(code: str) -> Callable[[], float]:
            return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True, env=env))

        figures = interleaved({"import": run(IMPORT), "bare": run("pass")}, rounds=20 if quick else IMPORTS)
    pairs = zip(figures["import"], figures["bare"], strict=True)
    gap = statistics.median(one - other for one, other in pairs) * 1000
    note = f"bare Python {statistics.median(figures['bare']) * 1000:.0f} ms"
    return Bar("import gatepass.verifier, over bare Python", gap, must=25, aim=12, unit="ms", note=note, raw=figures)

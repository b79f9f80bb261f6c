"""Whether the time of a refused sign-in tells which names exist: wrong passwords, interleaved."""

import math
import statistics
import tempfile
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.rounds import interleaved, timed
from support.server import Server, make_installation

ROUNDS = 300
KNOWN, DISABLED, UNKNOWN = "known@example.com", "disabled@example.com", "nobody@example.com"


def measure(*, quick: bool) -> list[Bar]:
    """Return how far apart known, disabled and unknown names lie in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_installation(data)
        with Server(data) as server:
            server.create_person(KNOWN)
            disabled = server.create_person(DISABLED)
            server.admin("PATCH", f"/v4/people/{disabled['id']}", {"isDisabled": True})

            def refused(name: str) -> None:
                reply = server.request("GET", "/v4/people/current", basic=(name, "not the password of anyone"))
                if reply.status != 401:
                    raise RuntimeError(reply.body)

            contestants = {
                name: timed(lambda name=name: refused(name))
                for name in (KNOWN, UNKNOWN, DISABLED)  # type: ignore[misc]
            }
            figures = interleaved(contestants, rounds=40 if quick else ROUNDS)
    bars = []
    for name in (KNOWN, DISABLED):
        gap = abs(statistics.median(figures[name]) - statistics.median(figures[UNKNOWN])) * 1000
        p = _mann_whitney(figures[name], figures[UNKNOWN])
        raw = {name: figures[name], UNKNOWN: figures[UNKNOWN]}
        about = f"Mann-Whitney p = {p:.2f}"
        bars.append(
            Bar(f"sign-in of a {name.split('@')[0]} and an unknown name", gap, 1.0, 0.5, "ms", note=about, raw=raw)
        )
    return bars


def _mann_whitney(one: list[float], other: list[float]) -> float:
    """Return the two-sided p of the rank-sum test, by its normal approximation."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, group) in enumerate(ranked, 1) if group == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))

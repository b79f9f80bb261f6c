"""Whether the time of a refused sign-in tells which names exist: wrong passwords, interleaved.

Each bar is the difference between the medians of a name that exists and of one that does not. It counts only where the
two distributions differ (Mann-Whitney, p < 0.01); else the medians lie apart by chance, and the bar is 0. So it is
missed only by a difference that is both above the bound and no noise; the note says what was measured, and p.
"""

import math
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.rounds import interleaved, timed
from support.server import Server, make_installation
from support.slapd import BASE, SEARCHER, Slapd

ROUNDS, DIRECTORY_ROUNDS, QUICK_ROUNDS = 120, 80, 20
LIKELY_CHANCE = 0.01
"""From which p on two distributions count as one."""
KNOWN, DISABLED, UNKNOWN = "known@example.com", "disabled@example.com", "nobody@example.com"
ABSENT, THERE = "nobody", "alice"
"""Names as people of a directory type them."""
_CONFIG = """
[providers.corp]
kind = "ldap"
urls = ["{url}"]
tls_ca = "{authority}"
bind_dn = "{dn}"
bind_password = "{password}"
base = "{base}"
"""


def measure(*, quick: bool) -> list[Bar]:
    """Return how far apart names that exist and names that do not lie, in milliseconds; with a directory too."""
    return [
        *_without_directory(QUICK_ROUNDS if quick else ROUNDS),
        *_with_directory(QUICK_ROUNDS if quick else DIRECTORY_ROUNDS),
    ]


def _without_directory(rounds: int) -> list[Bar]:
    with _serving("") as server:
        figures = _figures(server, (KNOWN, UNKNOWN, DISABLED), rounds)
    return [
        bar("sign-in of a known and an unknown name", figures[KNOWN], figures[UNKNOWN]),
        bar("sign-in of a disabled and an unknown name", figures[DISABLED], figures[UNKNOWN]),
    ]


def _with_directory(rounds: int) -> list[Bar]:
    """Compare a name that only a directory has, and a local one, with nobody's, where a directory is asked."""
    titles = {
        THERE: "sign-in of a name in the directory and an unknown one",
        KNOWN: "sign-in of a known and an unknown name beside a directory",
    }
    if not Path("/usr/sbin/slapd").exists() or shutil.which("openssl") is None:
        return [Bar(title, 0, 1.0, 0.5, "ms", missing="slapd is not installed") for title in titles.values()]
    with closing(Slapd()) as slapd:
        config = _CONFIG.format(
            url=slapd.urls[0], authority=slapd.authority, dn=SEARCHER[0], password=SEARCHER[1], base=BASE
        )
        with _serving(config) as server:
            figures = _figures(server, (THERE, ABSENT, KNOWN), rounds)
    return [bar(title, figures[name], figures[ABSENT]) for name, title in titles.items()]


@contextmanager
def _serving(config: str) -> Iterator[Server]:
    """Run a server where a known and a disabled person are."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_installation(data)
        (data / "gatepass.toml").write_text(config)
        with Server(data) as server:
            server.create_person(KNOWN)
            disabled = server.create_person(DISABLED)
            server.admin("PATCH", f"/v4/people/{disabled['id']}", {"isDisabled": True})
            yield server


def _figures(server: Server, names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of refused sign-ins, a list for each name."""

    def refused(name: str) -> None:
        reply = server.request("GET", "/v4/people/current", basic=(name, "not the password of anyone"))
        if reply.status != 401:
            raise RuntimeError(reply.body)

    contestants = {
        name: timed(lambda name=name: refused(name))  # type: ignore[misc]
        for name in names
    }
    return interleaved(contestants, rounds=rounds)


def bar(title: str, there: list[float], absent: list[float]) -> Bar:
    """Return the bar for the seconds of a name that exists and of one that does not."""
    gap = abs(statistics.median(there) - statistics.median(absent)) * 1000
    p = mann_whitney(there, absent)
    note = f"medians {gap:.2f} ms apart, Mann-Whitney p = {p:.2g}"
    raw = {"there": there, "absent": absent}
    return Bar(title, gap if p < LIKELY_CHANCE else 0.0, 1.0, 0.5, "ms", note=note, raw=raw)


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p of the rank-sum test, by its normal approximation."""
    n, m = len(one), len(other)
    u = sum((above > below) + (above == below) / 2 for above in one for below in other)
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))

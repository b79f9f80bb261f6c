"""The ratios in README.md: a block between two comments that a full run writes, and nothing else does."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks import contestants as c
from benchmarks.bars import Bar

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- measured by `make bench`: begin -->", "<!-- measured by `make bench`: end -->"
HEADING = "| measured in one run, one core | ratio |\n|---|---|"
UNMEASURED = "not measured"
ROWS: Mapping[str, str] = {
    # the bar: what the README calls it
    f"{c.LISTENER} / {c.NGINX}": "verify listener / nginx that answers `return 200`",
    f"{c.LISTENER} / {c.LUA}": "verify listener / nginx with a verifier in Lua",
    f"{c.LISTENER} / {c.HAPROXY}": "verify listener / HAProxy with a map of tokens",
    f"{c.BEHIND} / {c.BEHIND_NOTHING}": "nginx `auth_request` to the listener / to an nginx that answers 200",
    f"{c.LISTENER} / {c.KNOX}": "verify listener / django-rest-knox",
    f"{c.LISTENER} / {c.DRF_API_KEY}": "verify listener / djangorestframework-api-key",
    f"{c.LISTENER} / {c.JUPYTERHUB}": "verify listener / JupyterHub",
    f"{c.LISTENER} / {c.BETTER_AUTH}": "verify listener / better-auth",
    "library verify, warm / bare sha256 of the token": "time of `verify(token)` in a service / of SHA-256 of the token",
    "look-up at 10,000,000 tokens / at 10,000 (SQLite)": "time of a look-up at 10 million tokens / at 10 thousand",
}


def block(bars: list[Bar]) -> str:
    """Return the rows of the README; raise ValueError if the run was not a full one."""
    measured = {bar.name: bar for bar in bars}
    if absent := ROWS.keys() - measured.keys():
        raise ValueError(f"the run has no {', '.join(sorted(absent))}")
    rows = [f"| {title} | {_ratio(measured[name])} |" for name, title in ROWS.items()]
    return "\n".join([BEGIN, HEADING, *rows, END])


def rewrite(bars: list[Bar], *, path: Path = README) -> None:
    """Put the ratios of a full run into the README."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} has no block of measurements")
    path.write_text(before + block(bars) + after, "utf-8")


def _ratio(bar: Bar) -> str:
    return UNMEASURED if bar.missing else f"{bar.value:.0f}" if bar.value >= 10 else f"{bar.value:.2f}"

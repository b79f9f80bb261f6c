"""The command line, as transcripts: `*.txt` beside this file say what is typed and what comes back.

    # a comment
    $ gatepass token list          what is typed; $NAME is a variable
    < a line                       of standard input
    > a line                       of standard output; `…` stands for anything, alone for any lines
    ! a line                       of standard error
    ? 4                            the exit code, 0 if it is not said
    = TOKEN                        keep standard output in a variable
Standard output and error are compared whole if any line of them is given.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.server import EMAIL, PASSWORD, Server, gatepass, make_installation

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@dataclass
class Step:
    """One command and what it has to do."""

    line: int
    command: str
    stdin: list[str] = field(default_factory=list)
    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    code: int = 0
    keep: str = ""


def steps_of(path: Path) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark == "$":
            if step:
                yield step
            step = Step(number, rest)
        elif line and mark != "#":
            if step is None or mark not in _MARKS:
                raise ValueError(f"{path.name}:{number}: {line!r}")
            _MARKS[mark](step, rest)
    if step:
        yield step


_MARKS: dict[str, Callable[[Step, str], None]] = {
    "<": lambda step, rest: step.stdin.append(rest),
    ">": lambda step, rest: step.stdout.append(rest),
    "!": lambda step, rest: step.stderr.append(rest),
    "?": lambda step, rest: setattr(step, "code", int(rest)),
    "=": lambda step, rest: setattr(step, "keep", rest),
}


def matches(expected: list[str], actual: str, variables: dict[str, str]) -> bool:
    """Compare line by line; a line that is only `…` stands for any number of lines."""
    if not expected:
        return True
    parts = [
        "(?:.*\n)*" if line == "…" else re.escape(fill(line, variables)).replace("…", ".*") + "\n" for line in expected
    ]
    return re.fullmatch("".join(parts), actual.rstrip("\n") + "\n") is not None


def fill(text: str, variables: dict[str, str]) -> str:
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace(f"${name}", variables[name])
    return text


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A running server, an empty folder, and names for them."""
    make_installation(tmp_path / "data")
    empty = tmp_path / "empty"
    empty.mkdir()
    with Server(tmp_path / "data") as server:
        value, info = server.create_token(lifetimeSeconds=-1, description="of the transcript")
        yield {
            "URL": server.url,
            "DATA": str(tmp_path / "data"),
            "EMPTY": str(empty),
            "TMP": str(tmp_path),
            "EMAIL": EMAIL,
            "PASSWORD": PASSWORD,
            "MASTER": value,
            "MASTERID": info["tokenId"],
        }


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_command_line_does_what_the_transcript_says(path: Path, variables: dict[str, str], tmp_path: Path) -> None:
    for step in steps_of(path):
        env = {"GATEPASS_URL": variables["URL"], "COLUMNS": "200"}
        words = shlex.split(fill(step.command, variables))
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            env[name] = value
        if env.get("GATEPASS_TOKEN", "?") == "":
            del env["GATEPASS_TOKEN"]
        elif "GATEPASS_TOKEN" not in env:
            env["GATEPASS_TOKEN"] = variables["MASTER"]
        assert words.pop(0) == "gatepass"
        stdin = "".join(f"{fill(line, variables)}\n" for line in step.stdin)
        done = gatepass(*words, cwd=tmp_path, stdin=stdin, env=env)
        told = f"{path.name}:{step.line}: {step.command}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
        assert done.returncode == step.code, f"exit code {done.returncode}: {told}"
        assert matches(step.stdout, done.stdout, variables), told
        assert matches(step.stderr, done.stderr, variables), told
        assert "Traceback" not in done.stderr, told
        if step.keep:
            variables[step.keep] = done.stdout.strip()

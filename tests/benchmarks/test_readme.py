"""The ratios in the README come from a full run of `make bench`, and from nothing else."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))

from benchmarks.bars import Bar  # noqa: E402

from benchmarks import readme  # noqa: E402  it stands beside the tests

ROW = re.compile(r"\| (?P<title>[^|]+) \| (?P<ratio>not measured|\d+(\.\d\d)?) \|")
FULL = [Bar(name, 2.345, must=3, aim=2) for name in readme.ROWS]


def rows(text: str) -> dict[str, str]:
    """Read the block; raise if a line of it is not as it must be."""
    inside = text.split(readme.BEGIN)[1].split(readme.END, maxsplit=1)[0].strip()
    heading, rest = inside[: len(readme.HEADING)], inside[len(readme.HEADING) :].strip().splitlines()
    assert heading == readme.HEADING
    found = [ROW.fullmatch(line) for line in rest]
    assert all(found)
    return {each["title"]: each["ratio"] for each in found if each}


def test_the_readme_has_each_ratio_that_is_promised() -> None:
    assert list(rows((ROOT / "README.md").read_text("utf-8"))) == list(readme.ROWS.values())


def test_a_full_run_writes_its_ratios_and_leaves_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    original = (ROOT / "README.md").read_text("utf-8")
    path.write_text(original, "utf-8")
    readme.rewrite([Bar(FULL[0].name, 123.4, must=3, aim=2), *FULL[1:]], path=path)
    written = path.read_text("utf-8")
    assert list(rows(written).values()) == ["123", *["2.35"] * (len(FULL) - 1)]
    assert written.split(readme.BEGIN)[0] == original.split(readme.BEGIN)[0]
    assert written.split(readme.END)[1] == original.split(readme.END)[1]


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    absent = Bar(FULL[0].name, 0, must=3, aim=2, missing="nginx is not installed")
    assert "| not measured |" in readme.block([absent, *FULL[1:]])


def test_a_run_of_some_parts_is_no_full_one() -> None:
    with pytest.raises(ValueError, match="the run has no"):
        readme.block(FULL[:-1])


def test_a_readme_without_the_block_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("nothing measured", "utf-8")
    with pytest.raises(ValueError, match="no block"):
        readme.rewrite(FULL, path=path)
    assert path.read_text("utf-8") == "nothing measured"

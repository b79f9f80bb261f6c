"""A disk of its own, small enough to be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, *, kilobytes: int = 64) -> Iterator[Path]:
    """Mount one at `place`; skip the test where that is not allowed."""
    place.mkdir(mode=0o700)
    options = f"size={kilobytes}k,mode=700"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=False)
    if made.returncode:
        pytest.skip("mounting takes rights that this user does not have")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Use up all that is free; return the file to delete afterwards."""
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    return filling

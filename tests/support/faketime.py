"""A wrong wall clock for a real process: libfaketime, with the offset in a file that can be changed while it runs.

The clocks since boot stay as they are. See requirements/debian.txt.
"""

from pathlib import Path

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class WallClock:
    """The clock of the processes started with `env`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.shift(0)
        self.env = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def shift(self, seconds: float) -> None:
        """Set the clock so many seconds forward, or back, of the true time. It is noticed within a second or two."""
        self.seconds = seconds
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+}s\n" if seconds else "+0\n")
        draft.replace(self._file)

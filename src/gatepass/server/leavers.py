"""Reads the directories while a server runs, in a thread of its own: who left is disabled within the stated time."""

import threading
from datetime import timedelta

from gatepass.errors import TryLater
from gatepass.server.log import get_logger
from gatepass.server.metrics import Metrics
from gatepass.services.deps import Deps
from gatepass.services.read_directories import Reading, read_directories

LOOK_SECONDS = 60.0
"""How often it looks for people who are due. While a directory is out of reach it is asked this often."""

_log = get_logger(__name__)


class Leavers:
    """Runs until stopped, if there is any directory to read; a failure is logged and tried again at the next turn."""

    def __init__(self, deps: Deps, metrics: Metrics) -> None:
        """Take the installation."""
        self._deps = deps
        self._metrics = metrics
        self._stop = threading.Event()
        self._directories = [each for each in deps.providers.values() if each.directory is not None]
        self._thread = threading.Thread(target=self._run, name="directories", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._directories:
            self._thread.start()

    def stop(self) -> None:
        """End; whoever is being asked about is not waited for long."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        seconds = min(LOOK_SECONDS, *(each.read_every_seconds for each in self._directories))
        while not self._stop.wait(seconds):
            try:
                self._tell(read_directories(self._deps, next_in=timedelta(seconds=seconds)))
            except TryLater as error:
                _log.warning("directories could not be read", error=str(error))
            except Exception:  # noqa: BLE001  the next turn must come whatever happened
                _log.exception("directories could not be read")

    def _tell(self, reading: Reading) -> None:
        for each in self._directories:
            reason, partly = reading.out_of_reach.get(each.id), reading.silent.get(each.id)
            self._metrics.directories.labels(each.id).set(0 if reason else 1)
            if reason:
                _log.warning("a directory is out of reach", provider=each.id, error=reason)
            if partly:
                _log.warning("a directory does not answer about everybody", provider=each.id, error=partly)
        self._metrics.directory_endings.inc(reading.disabled)
        if reading.disabled or reading.enabled:
            _log.info("people of directories changed", disabled=reading.disabled, enabled=reading.enabled)

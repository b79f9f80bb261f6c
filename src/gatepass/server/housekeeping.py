"""What a server does by itself, in a thread of its own: write uses, prune what is over."""

import threading
import time
from collections.abc import Callable

from gatepass.connect import UseWriter
from gatepass.errors import TryLater
from gatepass.server.log import get_logger
from gatepass.server.metrics import Metrics
from gatepass.services.deps import Deps
from gatepass.services.prune_sign_ins import prune_sign_ins
from gatepass.services.prune_tokens import prune_tokens
from gatepass.services.prune_uses import prune_uses
from gatepass.verifier.use_sender import FLUSH_SECONDS

PRUNE_SECONDS = 600.0

_log = get_logger(__name__)


class Housekeeping:
    """Runs until stopped; a failure is logged and tried again at the next turn."""

    def __init__(self, deps: Deps, uses: UseWriter, metrics: Metrics) -> None:
        """Take what to keep in order."""
        self._deps = deps
        self._uses = uses
        self._metrics = metrics
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after writing the last uses."""
        self._stop.set()
        self._thread.join(timeout=10)
        self._try("the last uses of tokens could not be written", self._uses.flush_last)

    def _run(self) -> None:
        pruned_at = float("-inf")
        while not self._stop.wait(FLUSH_SECONDS):
            self._try("uses of tokens could not be written", self._uses.flush)
            self._metrics.uses_waiting.set(self._uses.counter.waiting())
            self._metrics.uses_dropped.set(self._uses.counter.dropped)
            if time.monotonic() - pruned_at >= PRUNE_SECONDS:
                pruned_at = time.monotonic()
                self._try("old records could not be pruned", self._prune)

    def _prune(self) -> None:
        prune_sign_ins(self._deps)
        prune_uses(self._deps)
        if removed := prune_tokens(self._deps):
            _log.info("old token records pruned", count=removed)

    def _try(self, complaint: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except TryLater as error:
            _log.warning(complaint, error=str(error))
        except Exception:  # noqa: BLE001  the next turn must come whatever happened
            _log.exception(complaint)
        else:
            return True
        return False

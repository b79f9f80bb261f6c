"""What every process that holds tokens in memory does first."""

import ctypes
import resource
import sys
from contextlib import suppress

_SWITCH_SECONDS = 0.0005
"""A busy thread holds the interpreter this long at most, so that inline reads stay quick."""
_PR_SET_DUMPABLE = 4


def prepare_process() -> None:
    """Leave no core file and let no other process look in: memory holds the tokens of the moment."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    sys.setswitchinterval(_SWITCH_SECONDS)

"""Checks of what lies on the disk: files and modes, space, who serves."""

import fcntl
import os
import shutil
from collections.abc import Mapping

from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.server.installation import LOCK, exists
from gatepass.stores.files import require_private, require_private_directory

_FEW_BYTES, _TOO_FEW_BYTES = 256 << 20, 16 << 20


def check_files(premises: Premises) -> Finding:
    """Find files that are missing, of somebody else, or that others can reach."""
    if not exists(premises.data):
        return wrong(
            f"{premises.data} holds no installation",
            f"gatepass init --data {premises.data} --email … --password-file …, or name another directory with --data",
        )
    require_private_directory(premises.data)
    beside = (premises.database.with_name(f"{premises.database.name}-{part}") for part in ("wal", "shm", "words"))
    there = [each for each in beside if each.exists()]
    database = [] if premises.config.store.database else [premises.database]
    for path in (*database, premises.key_path, *there):
        require_private(path)
    return ok(f"{premises.data.absolute()}, for this user alone")


def check_serving(premises: Premises) -> Finding:
    """Tell whether `gatepass serve` runs; verifiers and commands do without it."""
    try:
        descriptor = os.open(premises.data / LOCK, os.O_RDONLY)
    except OSError:
        return ok("never ran here")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # for a moment, and beside another doctor
    except BlockingIOError:
        return ok("is running")
    finally:
        os.close(descriptor)
    return ok("is not running")


def check_space(premises: Premises) -> Finding:
    """Find a disk that is nearly full: then changes are refused."""
    places = [premises.data, *([premises.journal.path.parent] if premises.journal else [])]
    free = {path: shutil.disk_usage(path).free for path in places}
    place, least = min(free.items(), key=lambda item: item[1])
    said = f"{least >> 20} MiB are free in {place.absolute()}"
    if least < _TOO_FEW_BYTES:
        return wrong(said, "make room: where nothing can be written, every change is refused with 503")
    if least < _FEW_BYTES:
        return warning(said, "make room before changes are refused")
    return ok(said)


CHECKS: Mapping[str, Check] = {"files": check_files, "serve": check_serving, "disk space": check_space}

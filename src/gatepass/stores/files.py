"""Files that hold something worth protecting: private from the first byte, whole or not there."""

import os
import secrets
import stat
from pathlib import Path

from gatepass.errors import BadConfiguration

PRIVATE = 0o600


def create_private(path: Path) -> None:
    """Create an empty file only its owner can read. Raises FileExistsError."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def replace_private(path: Path, content: bytes, *, like: os.stat_result | None = None) -> None:
    """Write a file so that, after a crash too, there is the old content or the new, never a part.

    With `like` it gets that file's owner, group and mode.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    create_private(draft)
    try:
        with draft.open("wb") as file:
            file.write(content)
            if like is not None:
                if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity_of(found: os.stat_result) -> tuple[int, int]:
    """Return what tells a file from another one that takes its name later."""
    return found.st_dev, found.st_ino


def require_private(path: Path) -> None:
    """Raise BadConfiguration unless `path` is a file of ours that nobody else can read or write."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise BadConfiguration(str(path), "does not exist", hint="`gatepass init` makes an installation") from None
    except OSError as error:
        raise BadConfiguration(str(path), f"cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise BadConfiguration(str(path), "is not a file")
    if found.st_uid != os.geteuid():
        raise BadConfiguration(str(path), f"belongs to user {found.st_uid}, not to the one running this")
    if found.st_mode & 0o077:
        mode = f"{found.st_mode & 0o777:04o}"
        raise BadConfiguration(str(path), f"has mode {mode}: others can reach it", hint=f"chmod 600 {path}")
    require_private_directory(path.parent)


def require_private_directory(path: Path) -> None:
    """Raise BadConfiguration for a directory in which others could replace our files."""
    if path.stat().st_mode & 0o022:
        raise BadConfiguration(str(path), "can be written by others", hint=f"chmod 700 {path}")

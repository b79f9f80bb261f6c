"""The key file: numbered peppers and the server key, kept apart from the database.

JSON, mode 0600: `{"current": 2, "peppers": {"1": "…", "2": "…"}, "serverKey": "…"}`, each key 32
bytes in base64. A running server notices a new pepper by itself.
"""

import base64
import binascii
import fcntl
import json
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.model.secret import generate_key
from gatepass.stores.files import PRIVATE, create_private, replace_private, require_private

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key file holds."""

    current: int
    peppers: dict[int, bytes]
    server_key: bytes

    def __repr__(self) -> str:
        """Show the numbers only."""
        return f"Keys(current={self.current}, peppers={sorted(self.peppers)})"


class KeyFile:
    """The keyring over one key file; it reads the file again whenever that was replaced."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises BadConfiguration if it is missing, open to others or damaged."""
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._keys = self._load()

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """Make a new key file. Raises FileExistsError."""
        create_private(path)
        replace_private(path, _write(Keys(current=1, peppers={1: generate_key()}, server_key=generate_key())))
        return cls(path)

    def current_pepper(self) -> tuple[int, bytes]:
        """Return the pepper new tokens take, as the file says now."""
        keys = self._fresh()
        return keys.current, keys.peppers[keys.current]

    def pepper(self, number: int) -> bytes:
        """Return pepper `number`."""
        found = self._keys.peppers.get(number) or self._fresh().peppers.get(number)
        if found is None:
            # SECURITY: without its pepper nothing is known about a token, so this is no verdict.
            raise Unavailable(f"pepper {number} is not in the key file {str(self.path)!r}")
        return found

    def server_key(self) -> bytes:
        """Return the server key."""
        return self._keys.server_key

    def numbers(self) -> list[int]:
        """Return the numbers of all peppers, the current one last."""
        keys = self._fresh()
        return [*(number for number in sorted(keys.peppers) if number != keys.current), keys.current]

    def rotate(self) -> int:
        """Add a pepper, make it the current one and return its number. Old ones stay."""
        # The lock file stays: removing it would let two rotations lock two different files.
        lock_path = self.path.with_name(self.path.name + ".lock")
        with os.fdopen(os.open(lock_path, os.O_CREAT | os.O_WRONLY, PRIVATE), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self._fresh()
            number = max(keys.peppers) + 1
            peppers = {**keys.peppers, number: generate_key()}
            replace_private(self.path, _write(replace(keys, current=number, peppers=peppers)))
        return number

    def _fresh(self) -> Keys:
        """Return the keys, read again if the file is another one than before."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise Unavailable(f"the key file {str(self.path)!r} cannot be read: {error.strerror}") from error
        if (found.st_ino, found.st_mtime_ns) != self._seen:
            with self._lock:
                try:
                    self._keys = self._load()
                except BadConfiguration as error:
                    raise Unavailable(str(error)) from error
        return self._keys

    def _load(self) -> Keys:
        require_private(self.path)
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read()
        try:
            keys = _read(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise BadConfiguration(str(self.path), "is damaged", hint="restore it from your backup") from None
        self._seen = (found.st_ino, found.st_mtime_ns)
        return keys


def _read(content: Any) -> Keys:
    peppers = {int(number): base64.b64decode(text, validate=True) for number, text in content["peppers"].items()}
    keys = Keys(content["current"], peppers, base64.b64decode(content["serverKey"], validate=True))
    if keys.current not in peppers or any(len(key) != _KEY_BYTES for key in (*peppers.values(), keys.server_key)):
        raise ValueError
    return keys


def _write(keys: Keys) -> bytes:
    peppers = {str(number): base64.b64encode(key).decode() for number, key in sorted(keys.peppers.items())}
    content = {"current": keys.current, "peppers": peppers, "serverKey": base64.b64encode(keys.server_key).decode()}
    return json.dumps(content, indent=2).encode() + b"\n"

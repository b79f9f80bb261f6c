"""Two numbers in a small file that every process of the host maps: how far changes have come.

`started` is raised to the revision of a change before its transaction commits, `finished` after.
While both are equal nothing is under way, and whoever read something at that number and finds the
same number again has missed nothing. With one number, a writer killed after its commit would leave
the others believing that nothing had happened.
"""

import mmap
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gatepass.stores.files import PRIVATE, identity_of, require_private

_SIZE = 16
_STARTED, _FINISHED = 0, 1
_RETIRED = 2**64 - 1


class Words:
    """The numbers, for one store. The holder of the store's write lock raises them."""

    def __init__(self, path: Path) -> None:
        """Map the file, and make it if there is none. Raises BadConfiguration if others can reach it."""
        self._path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
        try:
            require_private(path)
            self._file = identity_of(os.fstat(descriptor))
            if os.fstat(descriptor).st_size < _SIZE:
                os.ftruncate(descriptor, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        # Each item is one aligned 8-byte load or store: no reader ever sees half a number.
        self.values = memoryview(self._map).cast("Q")

    @property
    def settled(self) -> bool:
        """Tell whether no change is under way, or was when its writer died."""
        return self.values[_STARTED] == self.values[_FINISHED]

    def distrust_if_replaced(self) -> bool:
        """Tell whether the file is not the one under that name any more; then nobody who maps it trusts his memory.

        Others would open the new file, and what they change would not be seen here.
        """
        try:
            replaced = identity_of(self._path.stat(follow_symlinks=False)) != self._file
        except OSError:
            replaced = True
        if replaced and not self.retired:
            self.values[_STARTED] = self.values[_FINISHED] + 1
        return replaced

    @property
    def retired(self) -> bool:
        """Tell whether whoever maps this file must start anew: another database lies under the name of theirs."""
        return is_retired(self.values)

    def retire(self) -> None:
        """Say so, for ever. The other number never gets there, so nobody trusts his memory either."""
        self.values[_STARTED] = _RETIRED

    def is_ahead_of(self, revision: int) -> bool:
        """Tell whether a change after `revision` was committed once: a database that ends there was put back."""
        return self.values[_FINISHED] > revision

    def renew(self) -> Self:
        """Retire this file and return a new one under its name."""
        self.retire()
        self._path.unlink(missing_ok=True)
        return type(self)(self._path)

    def begin(self, revision: int) -> None:
        """Say that a change may be committed from now on."""
        self.values[_STARTED] = revision

    def finish(self, revision: int) -> None:
        """Say that it was; the writer after this one may have been quicker to say so."""
        self.values[_FINISHED] = max(revision, self.values[_FINISHED])

    def settle(self, head: int) -> None:
        """Say that the last change is `head`: after a writer died, and when a database was put in place."""
        if (self.values[_STARTED], self.values[_FINISHED]) != (head, head):
            # Unequal first: nobody may take the pair for settled while it is half written.
            self.values[_STARTED] = head + 1
            self.values[_FINISHED] = head
            self.values[_STARTED] = head

    def close(self) -> None:
        """Unmap the file."""
        self.values.release()
        self._map.close()


def read_words(path: Path) -> tuple[int, int] | None:
    """Return the numbers in a file as they are, None if it has none; nothing is made or mapped."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return struct.unpack("=QQ", content) if len(content) == _SIZE else None


def is_retired(words: Sequence[int]) -> bool:
    """Tell whether whoever maps the file of these numbers must start anew."""
    return words[_STARTED] == _RETIRED

"""What a check finds, and what it is given to look at. A check is a function from `Premises` to `Finding`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from gatepass.connect import DATABASE, KEYS
from gatepass.errors import GatepassError
from gatepass.server.installation import journal_of
from gatepass.server.settings import Config
from gatepass.stores.journal import Journal
from gatepass.stores.keyfile import KeyFile
from gatepass.stores.sql.sqlite import SqliteStore


class Level(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    """It works; somebody should know all the same."""
    WRONG = "wrong"
    SKIPPED = "skipped"
    """It could not be looked at, because of what another check found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what is the case, and what to do about it. SECURITY: it never holds a secret."""

    level: Level
    said: str
    hint: str | None = None


Check = Callable[["Premises"], Finding]


class NotExamined(Exception):
    """What this check looks at cannot be opened; another check says why."""


class Premises:
    """An installation as its configuration describes it. Nothing is opened before a check asks for it."""

    def __init__(self, config: Config) -> None:
        """Look where `store.data` and `store.journal` point."""
        self.config = config
        self.data = Path(config.store.data)
        self.database = self.data / DATABASE
        self.key_path = self.data / KEYS
        self.journal = Journal(journal_of(config.store, self.data))

    @cached_property
    def opened(self) -> SqliteStore | GatepassError:
        """The database by itself, or why it cannot be opened.

        Without its journal: a check repeats nothing of that, and changes nothing.
        """
        try:
            return SqliteStore(self.database)
        except GatepassError as error:
            return error

    @property
    def store(self) -> SqliteStore:
        """Return the open database. Raises NotExamined."""
        if isinstance(self.opened, GatepassError):
            raise NotExamined("the database cannot be opened")
        return self.opened

    @cached_property
    def keys(self) -> KeyFile:
        """The key file. Raises BadConfiguration."""
        return KeyFile(self.key_path)

    def close(self) -> None:
        """Let go of the database."""
        if isinstance(opened := self.__dict__.get("opened"), SqliteStore):
            opened.close()


def ok(said: str) -> Finding:
    """Return that all is well."""
    return Finding(Level.OK, said)


def warning(said: str, hint: str) -> Finding:
    """Return what somebody should know."""
    return Finding(Level.WARNING, said, hint)


def wrong(said: str, hint: str | None) -> Finding:
    """Return what has to be mended."""
    return Finding(Level.WRONG, said, hint)

"""What a check finds, and what it is given to look at. A check is a function from `Premises` to `Finding`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gatepass.connect import KEYS
from gatepass.errors import GatepassError
from gatepass.interfaces import Store
from gatepass.server.installation import journal_of
from gatepass.server.settings import Config
from gatepass.stores import DATABASE, open_plain
from gatepass.stores.journal import Journal
from gatepass.stores.keyfile import KeyFile

if TYPE_CHECKING:
    from gatepass.stores.sql.postgres import Surroundings


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
        """Look where `store.data`, `store.database` and `store.journal` point."""
        self.config = config
        self.data = Path(config.store.data)
        self.database = self.data / DATABASE
        self.key_path = self.data / KEYS
        path = journal_of(config.store, self.data)
        self.journal = Journal(path) if path else None
        """None: with PostgreSQL there need not be one."""

    @cached_property
    def opened(self) -> Store | GatepassError:
        """The database by itself, or why it cannot be opened.

        Without its journal: a check repeats nothing of that, and changes nothing.
        """
        try:
            return open_plain(self.data, self.config.store.database)
        except GatepassError as error:
            return error

    @property
    def store(self) -> Store:
        """Return the open database. Raises NotExamined."""
        if isinstance(self.opened, GatepassError):
            raise NotExamined("the database cannot be opened")
        return self.opened

    @cached_property
    def surroundings(self) -> "Surroundings":
        """What a PostgreSQL database says of itself. Raises NotExamined, Unavailable."""
        from gatepass.stores.sql.postgres import PostgresStore  # noqa: PLC0415  it brings the driver

        if not isinstance(self.store, PostgresStore):
            raise NotExamined("this is another kind of database")
        return self.store.surroundings()

    @cached_property
    def keys(self) -> KeyFile:
        """The key file. Raises BadConfiguration."""
        return KeyFile(self.key_path)

    def close(self) -> None:
        """Let go of the database."""
        opened = self.__dict__.get("opened")
        if opened is not None and not isinstance(opened, GatepassError):
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

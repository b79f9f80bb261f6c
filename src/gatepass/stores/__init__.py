"""Where everything is kept. A store is one file or folder in here and one line in this table."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gatepass.errors import BadConfiguration
from gatepass.interfaces import Store

DATABASE = "gatepass.db"


def open_plain(data: Path, database: str = "") -> Store:
    """Open the PostgreSQL database at a URL, or without one the SQLite file in the directory `data`, as it is.

    `gatepass.connect.open_store` puts the revocation journal around it.

    Raises BadConfiguration if it cannot be used as it is, Unavailable if it is out of reach.
    """
    # Each brings a driver that the others do without.
    if database:
        require_driver()
        from gatepass.stores.sql.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(database)
    from gatepass.stores.sql.sqlite import SqliteStore  # noqa: PLC0415

    return SqliteStore(data / DATABASE)


def upgrade_postgres(database: str) -> list[str]:
    """Bring the PostgreSQL database at a URL to this code's schema; return what was applied."""
    require_driver()
    from gatepass.stores.sql.postgres_schema import upgrade  # noqa: PLC0415

    return upgrade(database)


def move_to_postgres(
    path: Path, database: str, progress: Callable[[int, int], None], *, with_journal: bool
) -> Mapping[str, int]:
    """Copy the SQLite file at `path` into the empty PostgreSQL database at a URL; return the rows of each table.

    `progress` hears (done, total). `with_journal` lets it go on with the revocation journal. Raises Conflict if
    there is anybody in it; then nothing was copied.
    """
    require_driver()
    from gatepass.stores.sql.move import move  # noqa: PLC0415

    return move(path, database, progress, with_journal=with_journal)


def require_driver() -> None:
    """Raise BadConfiguration if the packages for PostgreSQL are not installed."""
    try:
        import psycopg  # noqa: F401, PLC0415
    except ImportError as error:
        raise BadConfiguration(
            "store.database", f"needs the package {error.name!r}", hint="pip install 'gatepass[postgres]'"
        ) from None

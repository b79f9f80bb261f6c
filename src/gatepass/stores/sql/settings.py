"""Settings in SQL: one row for each that was ever changed."""

import json

from gatepass.model.settings import ATTRIBUTES, Settings
from gatepass.stores.sql.connection import Connection


class SqlSettings:
    """The settings repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def load(self) -> Settings:
        """Return all settings."""
        rows = self._db.all("SELECT name, value FROM settings")
        return Settings(**{ATTRIBUTES[name]: json.loads(value) for name, value in rows if name in ATTRIBUTES})

    def save(self, settings: Settings) -> None:
        """Replace all settings."""
        for name, value in settings.public().items():
            self._db.run(
                "INSERT INTO settings (name, value) VALUES (:name, :value)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name=name,
                value=json.dumps(value),
            )

"""Options that several commands share."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from gatepass.server.settings import Config, find_file, load_config

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation is, as far as the command line says."""

    data: str | None
    database: str | None
    config_file: Path | None

    @property
    def is_given(self) -> bool:
        """Tell whether the command line says anything at all."""
        return any((self.data, self.database, self.config_file))

    @property
    def file(self) -> Path:
        """Where the configuration file is, or would be."""
        return self.config_file or find_file(self._flags)

    @property
    def _flags(self) -> Mapping[str, Any]:
        return {"store.data": self.data, "store.database": self.database}

    def load(
        self, flags: Mapping[str, Any] | None = None, *, draft: str | None = None, with_providers: bool = False
    ) -> Config:
        """Return the configuration, with other flags too, or as if the file held `draft`. Raises BadConfiguration.

        Identity providers are read, and can be wrong, only for commands that have to do with them.
        """
        return load_config(
            {**self._flags, **(flags or {})}, file=self.config_file, draft=draft, with_providers=with_providers
        )


def place_options(command: F) -> F:
    """Give a command the options that say where everything is kept; it gets them as `place`."""

    @click.option("--data", metavar="DIR", help="Where everything is kept. [default: gatepass-data]")
    @click.option("--database", metavar="URL", help="A PostgreSQL database instead of the file in DIR; no password.")
    @click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help="Configuration file. [default: DIR/gatepass.toml]",
    )
    @functools.wraps(command)
    def placed(*args: Any, data: str | None, database: str | None, config_file: Path | None, **rest: Any) -> Any:
        return command(*args, place=Place(data, database, config_file), **rest)

    return placed  # type: ignore[return-value]  # click calls it with the options' names

"""Logs: one line a happening, to standard error, as JSON or as text. Never a secret, never a raw path."""

import logging
import sys
from typing import Any

import structlog

from gatepass.server.settings import LogConfig


def set_up_logging(config: LogConfig) -> None:
    """Send our own lines and those of libraries through one formatter."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if config.format == "json" else _plain
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(config.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.level.upper())
    # The libraries' own start and stop messages say less than ours do.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def get_logger(name: str) -> Any:
    """Return the logger of a module."""
    return structlog.stdlib.get_logger(name)


def _plain(_: Any, __: str, event: dict[str, Any]) -> str:
    """Write `time level event key=value …`; values are JSON-escaped, so a line stays a line."""
    head = f"{event.pop('timestamp')} {event.pop('level'):7} {event.pop('event')}"
    event.pop("logger", None)
    trace = event.pop("exception", "")
    return " ".join([head, *(f"{key}={value!r}" for key, value in event.items())]) + (f"\n{trace}" if trace else "")

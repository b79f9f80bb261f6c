"""Instants: aware UTC datetimes in milliseconds, the one resolution Gatepass stores and shows."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since 1970-01-01T00:00Z, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """Return the aware UTC instant `value` milliseconds after 1970-01-01T00:00Z."""
    return _EPOCH + value * _MILLISECOND


def truncate(instant: datetime) -> datetime:
    """Drop everything below the millisecond."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def iso(instant: datetime) -> str:
    """Write ISO 8601 in UTC with milliseconds and `Z`, as in `2026-11-24T09:41:00.000Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"

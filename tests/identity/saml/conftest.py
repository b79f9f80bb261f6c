"""Fixtures of the providers."""

from datetime import UTC, datetime

import pytest

from gatepass.testing.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """A clock that begins now: python3-saml goes by the system's."""
    return FakeClock(datetime.now(UTC).replace(microsecond=0))

"""The thread that reads the directories while a server runs."""

import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from gatepass.interfaces import ConfiguredProvider
from gatepass.server.leavers import LOOK_SECONDS, Leavers
from gatepass.server.metrics import Metrics
from gatepass.services.read_directories import Reading
from gatepass.testing.fakes import FakeClock
from support.toy import Options, ToyProvider


@pytest.mark.parametrize(("look", "next_in"), [(LOOK_SECONDS, 1), (0.01, 0.01)])
def test_each_reading_is_told_when_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, look: float, next_in: float
) -> None:
    told: list[timedelta] = []
    read = threading.Event()

    def reading(_: object, *, next_in: timedelta) -> Reading:
        told.append(next_in)
        read.set()
        return Reading()

    monkeypatch.setattr("gatepass.server.leavers.LOOK_SECONDS", look)
    monkeypatch.setattr("gatepass.server.leavers.read_directories", reading)
    toy = ToyProvider(Options(people=str(tmp_path / "people.json")), "corp", FakeClock())
    configured = ConfiguredProvider(id="corp", name="Company", provider=toy, read_every_seconds=1)
    leavers = Leavers(SimpleNamespace(providers={"corp": configured}), Metrics())
    leavers.start()
    assert read.wait(timeout=10)
    leavers.stop()
    assert set(told) == {timedelta(seconds=next_in)}

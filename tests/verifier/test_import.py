"""A service that embeds the verifier pays for little more than it needs when it starts."""

import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"


def loaded() -> set[str]:
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); import gatepass.verifier; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True).split())


@pytest.mark.parametrize(
    "module", ["asyncio", "dataclasses", "inspect", "logging", "secrets", "socket", "sqlite3", "typing", "uuid"]
)
def test_the_verifier_brings_none_of_the_slow_modules(module: str) -> None:
    assert module not in loaded()


def test_the_verifier_brings_no_records_services_or_stores() -> None:
    ours = {name for name in loaded() if name.startswith("gatepass.")}
    parts = {name.split(".")[1] for name in ours}
    assert parts == {"errors", "model", "verifier"}
    assert not ours & {"gatepass.model.token", "gatepass.model.user", "gatepass.model.event", "gatepass.model.secret"}

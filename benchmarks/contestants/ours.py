"""Gatepass: the verify listener, the same listener without verification, and /verify in `serve`."""

import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.contestants.contestant import NotMeasured, Running, Seed, altered, bearers
from benchmarks.contestants.gateways import in_front_of
from benchmarks.process import SERVER_CORE, Process, free_target
from support.postgres import PostgresServer
from support.server import UNTHROTTLED, Server, environment, gatepass

VERIFIER = [sys.executable, "-m", "gatepass", "verifier"]
NO_OP = Path(__file__).parent.parent / "no_op_listener.py"


def listener(
    seed: Seed, stack: ExitStack, *, workers: int = 1, target: str = "", cores: tuple[int, ...] = (SERVER_CORE,)
) -> Running:
    """The verify listener with everything on."""
    return _listening(seed, stack, ["--data", str(seed.data), "--workers", str(workers)], target=target, cores=cores)


def _listening(
    seed: Seed, stack: ExitStack, place: list[str], *, target: str = "", cores: tuple[int, ...] = (SERVER_CORE,)
) -> Running:
    target = target or free_target()
    _require_command(seed.verifier)
    log = seed.room(f"listener-{target.rpartition(':')[2].replace('/', '-')}") / "log"
    process = Process([*seed.verifier, *place, "--listen", target], log=log, cores=cores, env=environment())
    stack.enter_context(process).wait_for(target)
    return Running(target, [process], bearers(seed.tokens), bad=altered(bearers(seed.tokens)[0]))


def listener_over_postgres(seed: Seed, stack: ExitStack) -> Running:
    """The listener on a PostgreSQL database, which it follows under a lease."""
    data = _copy_of(seed, "over-postgres")
    try:
        postgres = PostgresServer()
    except (FileNotFoundError, KeyError):
        raise NotMeasured("PostgreSQL is not installed") from None
    stack.callback(postgres.close)
    place = ["--data", str(data), "--database", postgres.create_database()]
    _run("db", "move", *place)
    return _listening(seed, stack, place)


def listener_elsewhere(seed: Seed, stack: ExitStack) -> Running:
    """The listener on another host than the server, which it follows under a lease."""
    server = stack.enter_context(Server(_copy_of(seed, "elsewhere")))
    credential = server.data.with_name("credential")
    credential.write_text(_run("verifiers", "add", "bench", "--data", str(server.data)))
    return _listening(seed, stack, ["--upstream", server.url, "--credential-file", str(credential)])


def _copy_of(seed: Seed, name: str) -> Path:
    """Return a copy of the installation, so that another server may serve it."""
    data = seed.room(name) / "data"
    data.mkdir(mode=0o700)
    _run("db", "backup", str(data / "gatepass.db"), "--data", str(seed.data))
    for each in ("gatepass.keys", "gatepass.journal"):
        shutil.copy2(seed.data / each, data)
    return data


def _run(*arguments: str) -> str:
    done = gatepass(*arguments)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def listener_asked_anew(seed: Seed, stack: ExitStack) -> Running:
    """The verify listener asked with so many different requests that it has to parse each."""
    asked = listener(seed, stack)
    return replace(asked, authorizations=asked.authorizations * 20)


def no_op(seed: Seed, stack: ExitStack) -> Running:
    """The listener's protocol with a constant answer in the place of verification."""
    target = free_target()
    process = Process([sys.executable, str(NO_OP), target], log=seed.room("no-op") / "log", env=environment())
    stack.enter_context(process).wait_for(target)
    return Running(target, [process], bearers(seed.tokens), bad=None)


def behind_nginx(seed: Seed, stack: ExitStack) -> Running:
    """nginx auth_request that asks the listener over a unix socket."""
    asked = listener(seed, stack, target=f"unix:{seed.folder}/listener.sock")
    return in_front_of(asked, seed, stack)


def serve(seed: Seed, stack: ExitStack, *, cores: tuple[int, ...] = (SERVER_CORE,)) -> Running:
    """/verify in the one-process server."""
    target = free_target()
    log = seed.room(f"serve-{len(cores)}") / "log"
    command = [sys.executable, "-m", "gatepass", "serve", "--data", str(seed.data), "--listen", target]
    process = Process([*command, "--metrics-listen", "off"], log=log, cores=cores, env=environment(UNTHROTTLED))
    stack.enter_context(process).wait_for(target)
    return Running(target, [process], bearers(seed.tokens), bad=altered(bearers(seed.tokens)[0]))


def _require_command(command: list[str]) -> None:
    if command == VERIFIER and subprocess.run([*command, "--help"], capture_output=True, check=False).returncode:
        raise NotMeasured("this gatepass has no verifier command")

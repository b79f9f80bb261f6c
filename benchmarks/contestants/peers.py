"""Other token servers: one worker on one core, SQLite, an endpoint that does their token check and nothing else."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.contestants.contestant import PRESENTED, TOKENS, Running, Seed, altered
from benchmarks.environments import SOURCES, node_environment, python_environment
from benchmarks.process import Process, free_target

_SEED_SECONDS = 600


def knox(seed: Seed, stack: ExitStack) -> Running:
    """django-rest-knox on gunicorn."""
    return _django("knox", seed, stack)


def drf_api_key(seed: Seed, stack: ExitStack) -> Running:
    """djangorestframework-api-key on gunicorn."""
    return _django("drf_api_key", seed, stack)


def jupyterhub(seed: Seed, stack: ExitStack) -> Running:
    """JupyterHub: whoami for a token, asked at the hub without its proxy in between."""
    programs = python_environment("jupyterhub")
    room, target = seed.room("jupyterhub"), free_target()
    env = _environment(room) | {"PEER_URL": f"http://{target}"}
    command = [str(programs / "jupyterhub"), "--config", str(SOURCES / "jupyterhub" / "jupyterhub_config.py")]
    process = stack.enter_context(Process(command, log=room / "log", env=env, cwd=room)).wait_for(target)
    return _running(target, process, _seeded("jupyterhub", programs, env), path="/hub/api/user")


def better_auth(seed: Seed, stack: ExitStack) -> Running:
    """better-auth's API keys on node."""
    folder = node_environment("better_auth")
    room, target = seed.room("better-auth"), free_target()
    host, _, port = target.rpartition(":")
    command = ["node", "server.mjs", host, port, str(room), str(TOKENS)]
    env = _environment(room) | {"NODE_ENV": "production"}
    process = stack.enter_context(Process(command, log=room / "log", env=env, cwd=folder))
    process.wait_for(target, seconds=_SEED_SECONDS)
    return _running(target, process, (room / "values").read_text().splitlines())


def _django(name: str, seed: Seed, stack: ExitStack) -> Running:
    programs = python_environment(name)
    room, target = seed.room(name), free_target()
    env = _environment(room)
    values = _seeded(name, programs, env)
    # One thread: more take the interpreter from each other. gthread keeps connections alive, the default does not.
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "1", "--keep-alive", "600"]
    command = [str(programs / "gunicorn"), *options, "--bind", target, "app"]
    process = Process(command, log=room / "log", env=env, cwd=SOURCES / name)
    return _running(target, stack.enter_context(process).wait_for(target), values)


def _environment(room: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}  # noqa: TID251  for programs that are not ours
    return kept | {"HOME": str(room), "PEER_FOLDER": str(room), "PYTHONDONTWRITEBYTECODE": "1"}


def _seeded(name: str, programs: Path, env: Mapping[str, str]) -> list[str]:
    command = [str(programs / "python"), str(SOURCES / name / "seed.py"), str(TOKENS)]
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} cannot be seeded:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def _running(target: str, process: Process, values: list[str], *, path: str = "/verify") -> Running:
    presented = values[:: len(values) // PRESENTED]
    return Running(target, [process], presented, bad=altered(presented[0]), path=path)

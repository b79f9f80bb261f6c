"""The parent process of `gatepass verifier`: holds the sockets, starts workers, replaces those that end.

The listening sockets are its own and only lent to workers. So nobody who connects is refused while
a worker is replaced: whoever waits in the queue of a socket is taken by the next one.
"""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.server.log import get_logger
from gatepass.server.private import prepare_process
from gatepass.server.settings import Config, require_safe_listen
from gatepass.server.sockets import listening_often
from gatepass.verifier.limits import STOP_SECONDS

_log = get_logger(__name__)
_READY_SECONDS = 30
_RESTART_SECONDS = 0.2
"""A worker that keeps dying is not started more often than this."""


class _Worker:
    """A process that answers on one socket."""

    def __init__(self, process: asyncio.subprocess.Process, listener: socket.socket) -> None:
        self.process = process
        self.listener = listener
        self.became_ready = asyncio.Event()
        self.failure: dict[str, Any] = {}
        self.is_wanted = True
        self.hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        """Pass on what the worker tells, until it ends."""
        output = self.process.stdout
        while output is not None and (line := await output.readline()):
            told = json.loads(line)
            event = told.pop("event")
            if event == "ready":
                self.became_ready.set()
            elif event == "failed":
                self.failure = told
            else:
                level = _log.info if event == "stopped" else _log.warning
                level(f"worker: {event}", pid=self.process.pid, **told)
        await self.process.wait()

    async def ready(self) -> None:
        """Return when it accepts connections. Raises BadConfiguration or Unavailable if it ends before."""
        waiting = asyncio.create_task(self.became_ready.wait())
        await asyncio.wait([waiting, self.hearing], timeout=_READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.became_ready.is_set():
            return
        if self.failure:
            raise BadConfiguration("worker", self.failure["error"], hint=self.failure["hint"])
        raise Unavailable("a worker ended, or took too long, before it was ready")

    async def stop(self) -> None:
        """Let it answer what it has begun, and end it."""
        self.is_wanted = False
        if self.process.returncode is None:
            self.process.terminate()
        done, _ = await asyncio.wait([self.hearing], timeout=STOP_SECONDS + 2)
        if not done:
            self.process.kill()
            await self.hearing


ReadConfig = Callable[[], tuple[Config, Mapping[str, Any]]]
"""Returns the configuration, and what a worker is told of where its verdicts come from: data and issuer of an
installation on this host, or upstream and credential of a server elsewhere."""


class Supervisor:
    """Workers on sockets, as many as there are places."""

    def __init__(self, read_config: ReadConfig, places: list[socket.socket]) -> None:
        """Let each socket in `places` have one worker; the same socket may be there several times."""
        self._read_config = read_config
        self._config, self._source = read_config()
        self._places = places
        self._workers: list[_Worker] = []
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP replaces the workers. Raises if one cannot start at first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload()))
        try:
            self._workers = [await self._start(place) for place in self._places]
            for worker in self._workers:
                await worker.ready()
                self._watch(worker)
            ready()
            await self._stopping.wait()
        finally:
            self._stopping.set()
            await asyncio.gather(*(worker.stop() for worker in self._workers))
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self, listener: socket.socket) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            # SECURITY: -P, so that no module is taken from the directory that we happen to be started in.
            *(sys.executable, "-P", "-m", "gatepass.server.verify_worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
        # SECURITY: through a pipe; what stands in a command line or the environment others can read.
        settings = {
            "source": dict(self._source),
            "descriptors": [listener.fileno()],
            "trusted_proxies": list(self._config.server.trusted_proxies),
        }
        if process.stdin is not None:
            process.stdin.write(json.dumps(settings).encode() + b"\n")
        return _Worker(process, listener)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _watch(self, worker: _Worker) -> None:
        self._spawn(self._replace_if_it_dies(worker))

    async def _replace_if_it_dies(self, worker: _Worker) -> None:
        await worker.hearing
        while worker.is_wanted and not self._stopping.is_set():
            _log.error("a worker died", pid=worker.process.pid, code=worker.process.returncode, **worker.failure)
            await asyncio.sleep(_RESTART_SECONDS)
            async with self._reloading:  # one of them at a time changes the list of workers
                if self._stopping.is_set() or not worker.is_wanted:
                    return
                try:
                    new = await self._start(worker.listener)
                except OSError as error:
                    _log.error("a worker could not be started", error=type(error).__name__)
                    continue
                if self._stopping.is_set():
                    await new.stop()
                    return
                self._workers[self._workers.index(worker)] = new
            worker = new
            await worker.hearing

    async def _reload(self) -> None:
        """Read the configuration anew and replace the workers, one after the other."""
        async with self._reloading:
            before = self._config, self._source
            try:
                self._config, self._source = self._read_config()
                for number, old in enumerate(self._workers):
                    if self._stopping.is_set():
                        return
                    new = await self._start(old.listener)
                    try:
                        await new.ready()
                    except BaseException:
                        await new.stop()
                        raise
                    self._workers[number] = new
                    self._watch(new)
                    old.is_wanted = False
                    self._spawn(old.stop())
            except (BadConfiguration, Unavailable, OSError) as error:
                self._config, self._source = before
                _log.error("not reloaded, the workers go on as they were", error=str(error))
                return
            _log.info("reloaded", workers=len(self._workers))


def run_verifier(read_config: ReadConfig, *, workers: int, ready: Callable[[str], None]) -> None:
    """Serve `server.listen` with so many workers until SIGTERM or SIGINT. `ready` hears the address.

    Raises BadConfiguration if the address cannot be had, would carry tokens in clear text, or the
    installation cannot be used.
    """
    config, _ = read_config()
    require_safe_listen(config, hint="listen on loopback or on unix:PATH beside the gateway, or say --insecure-http")
    prepare_process()
    with listening_often(config.server.listen, count=workers) as (listeners, address):
        url = address if address.startswith("unix:") else f"http://{address}"
        places = listeners * workers if len(listeners) < workers else listeners
        asyncio.run(_run(read_config, places, lambda: ready(url)))


async def _run(read_config: ReadConfig, places: list[socket.socket], ready: Callable[[], None]) -> None:
    await Supervisor(read_config, places).run(ready)

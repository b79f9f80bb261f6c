"""Run a server: sockets, TLS, the metrics listener, housekeeping, and a clean end."""

import asyncio
import ctypes
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from gatepass.errors import BadConfiguration
from gatepass.server import limits
from gatepass.server.app import build_app
from gatepass.server.context import Context
from gatepass.server.housekeeping import Housekeeping
from gatepass.server.log import get_logger
from gatepass.server.metrics import Metrics
from gatepass.server.settings import Config, require_safe_listen, split_listen
from gatepass.services.deps import Deps

_log = get_logger(__name__)
_DEFAULT_METRICS = "127.0.0.1:8421"
_SWITCH_SECONDS = 0.0005
"""A busy thread holds the interpreter this long at most, so that inline reads stay quick."""
_STOP_SECONDS = 10
_PR_SET_DUMPABLE = 4


class _Server(uvicorn.Server):
    """uvicorn, telling when it is ready and ending with exit code 0 on SIGTERM and SIGINT."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def run_server(deps: Deps, config: Config, metrics: Metrics, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` hears the address when connections are accepted.

    Raises BadConfiguration if an address cannot be had or would carry secrets in clear text.
    """
    require_safe_listen(config)
    _keep_memory_private()
    sys.setswitchinterval(_SWITCH_SECONDS)
    tls = _tls(config)
    with _listening(config.server.listen) as (listener, address):
        scheme = "https" if tls else "http"
        url = address if address.startswith("unix:") else f"{scheme}://{address}"
        public_url = config.server.public_url.rstrip("/") or (url if "://" in url else "http://localhost")
        context = Context(deps, config, metrics, public_url=public_url)
        housekeeping = Housekeeping(deps, context.uses, metrics)
        stop_metrics = _start_metrics(metrics, config.server.metrics_listen)
        housekeeping.start()
        try:
            server = _Server(_uvicorn_config(context, tls), lambda: ready(url))
            server.run(sockets=[listener])
        finally:
            stop_metrics()
            context.close()
            housekeeping.stop()


def _keep_memory_private() -> None:
    """Leave no core file and let no other process look in: memory holds the tokens and passwords of the moment."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _uvicorn_config(context: Context, tls: ssl.SSLContext | None) -> uvicorn.Config:
    made = uvicorn.Config(
        build_app(context),
        loop="uvloop",
        http=limits.LimitedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        backlog=1024,
    )
    made.load()
    made.ssl = tls
    return made


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.is_tls:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        tls.load_cert_chain(config.server.tls_cert, config.server.tls_key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise BadConfiguration("server.tls_cert", f"certificate and key cannot be used: {error}") from None
    return tls


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a passphrase")


@contextmanager
def _listening(listen: str) -> Iterator[tuple[socket.socket, str]]:
    """Open the listening socket; a unix socket's file goes away with it."""
    host, port = split_listen(listen, key="server.listen")
    if not host:
        path = Path(listen.removeprefix("unix:"))
        _remove_stale(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            _bind(listener, str(path), listen)
            try:
                yield listener, listen
            finally:
                path.unlink(missing_ok=True)
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, (host, port), listen)
        shown = f"[{host}]" if ":" in host else host
        yield listener, f"{shown}:{listener.getsockname()[1]}"


def _bind(listener: socket.socket, address: str | tuple[str, int], listen: str) -> None:
    try:
        # A unix socket is for this user and group; whoever may connect may ask about tokens.
        before = os.umask(0o007)
        try:
            listener.bind(address)
        finally:
            os.umask(before)
        listener.listen(1024)
    except OSError as error:
        raise BadConfiguration("server.listen", f"cannot listen on {listen}: {error.strerror or error}") from None


def _remove_stale(path: Path) -> None:
    """Remove a socket file that nobody answers on."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _start_metrics(metrics: Metrics, listen: str) -> Callable[[], None]:
    if listen == "off":
        return lambda: None
    host, port = split_listen(listen or _DEFAULT_METRICS, key="server.metrics_listen")
    try:
        port, stop = metrics.listen(host, port)
    except BadConfiguration as error:
        if listen:
            raise
        _log.warning("serving without metrics", error=str(error))
        return lambda: None
    _log.info("metrics", url=f"http://{host}:{port}/metrics")
    return stop

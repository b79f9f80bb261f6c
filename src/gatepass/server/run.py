"""Run a server: sockets, TLS, the metrics listener, housekeeping, and a clean end."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.server import limits
from gatepass.server.app import build_app
from gatepass.server.context import Context
from gatepass.server.housekeeping import Housekeeping
from gatepass.server.leavers import Leavers
from gatepass.server.log import get_logger
from gatepass.server.metrics import Metrics
from gatepass.server.private import prepare_process
from gatepass.server.settings import (
    Config,
    public_url_of,
    require_carriers,
    require_safe_listen,
    split_listen,
)
from gatepass.server.sockets import BACKLOG, listening
from gatepass.services.deps import Deps
from gatepass.verifier.limits import KEEP_ALIVE_SECONDS, STOP_SECONDS

_log = get_logger(__name__)
_DEFAULT_METRICS = "127.0.0.1:8421"


class _Server(uvicorn.Server):
    """uvicorn, telling when it is ready and ending with exit code 0 on SIGTERM and SIGINT."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping()  # so that nobody who waits for a change holds up the end
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def run_server(deps: Deps, config: Config, metrics: Metrics, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` hears the address when connections are accepted.

    Raises BadConfiguration if an address cannot be had, would carry secrets in clear text, or does not suit a provider.
    """
    require_safe_listen(config)
    require_carriers(config, deps.providers.values())
    prepare_process()
    _tell_trouble(deps)
    tls = _tls(config)
    with listening(config.server.listen) as (listener, address):
        scheme = "https" if tls else "http"
        url = address if address.startswith("unix:") else f"{scheme}://{address}"
        context = Context(deps, config, metrics, public_url=public_url_of(config, address))
        housekeeping = Housekeeping(deps, context.uses, metrics)
        stop_metrics = _start_metrics(metrics, config.server.metrics_listen)
        housekeeping.start()
        leavers = Leavers(deps, metrics)
        leavers.start()

        def begin() -> None:
            context.roll.start()
            ready(url)

        try:
            server = _Server(_uvicorn_config(context, tls), begin, context.watch.close)
            server.run(sockets=[listener])
        finally:
            stop_metrics()
            context.close()
            leavers.stop()
            housekeeping.stop()


def _tell_trouble(deps: Deps) -> None:
    """Log why nothing but 503 will be answered, if that is so: it may be mended while this runs."""
    try:
        deps.store.check()
    except Unavailable as error:
        _log.error("every request is answered with 503", error=str(error), hint=error.hint)


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
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
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
    if config.server.tls_client_ca:
        tls.verify_mode = ssl.CERT_REQUIRED
        try:
            tls.load_verify_locations(config.server.tls_client_ca)
        except (OSError, ssl.SSLError) as error:
            raise BadConfiguration("server.tls_client_ca", f"cannot be used: {error}") from None
    return tls


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one without a passphrase")


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

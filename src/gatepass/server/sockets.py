"""Listening sockets: of one process, or of several that share an address."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gatepass.errors import BadConfiguration
from gatepass.server.settings import split_listen

BACKLOG = 1024


@contextmanager
def listening(listen: str) -> Iterator[tuple[socket.socket, str]]:
    """Open a listening socket; yield it with its address. A unix socket's file goes away with it."""
    with listening_often(listen, count=1) as (listeners, address):
        yield listeners[0], address


@contextmanager
def listening_often(listen: str, *, count: int) -> Iterator[tuple[list[socket.socket], str]]:
    """Open `count` sockets on one address, among which the kernel deals out connections; one for a unix socket.

    Raises BadConfiguration if the address cannot be had.
    """
    host, port = split_listen(listen, key="server.listen")
    with ExitStack() as stack:
        if not host:
            path = Path(listen.removeprefix("unix:"))
            _remove_stale(path)
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            _bind(listener, str(path), listen)
            stack.callback(path.unlink, missing_ok=True)
            yield [listener], listen
            return
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listeners: list[socket.socket] = []
        for number in range(count):
            listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                if number == 0:
                    # An address that another program listens on would be shared with it, should it allow that.
                    _probe(family, (host, port), listen)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            _bind(listener, (host, port), listen)
            port = listener.getsockname()[1]
            listeners.append(listener)
        shown = f"[{host}]" if ":" in host else host
        yield listeners, f"{shown}:{port}"


def _probe(family: int, address: tuple[str, int], listen: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, address, listen)


def _bind(listener: socket.socket, address: str | tuple[str, int], listen: str) -> None:
    try:
        # A unix socket is for this user and group; whoever may connect may ask about tokens.
        before = os.umask(0o007)
        try:
            listener.bind(address)
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
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

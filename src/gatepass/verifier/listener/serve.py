"""Runs a door on listening sockets until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterable

import uvloop

from gatepass.verifier.limits import STOP_SECONDS
from gatepass.verifier.listener.protocol import Connection, Door

_SWEEP_SECONDS = 1
_GRACE_SECONDS = 0.2


def serve_door(
    door: Door, sockets: Iterable[socket.socket], *, ready: Callable[[], None], stop_with: Iterable[int] = ()
) -> None:
    """Answer until SIGTERM, then end connections as their requests are answered.

    `ready` is called when connections are accepted; the end of what the descriptors in `stop_with` tell
    is the end here too.
    """
    uvloop.run(_serve(door, list(sockets), ready, list(stop_with)))


async def _serve(door: Door, sockets: list[socket.socket], ready: Callable[[], None], stop_with: list[int]) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    for descriptor in stop_with:
        loop.add_reader(descriptor, stopping.set)
    servers = [await _listen(loop, door, each) for each in sockets]
    sweeping = loop.create_task(_sweep(door))
    ready()
    await stopping.wait()
    for descriptor in stop_with:
        loop.remove_reader(descriptor)
    for server in servers:
        server.close()
    await _drain(door)
    sweeping.cancel()


async def _listen(loop: asyncio.AbstractEventLoop, door: Door, listener: socket.socket) -> asyncio.Server:
    def connect() -> Connection:
        return Connection(door)

    if listener.family == socket.AF_UNIX:
        return await loop.create_unix_server(connect, sock=listener)
    return await loop.create_server(connect, sock=listener)


async def _sweep(door: Door) -> None:
    """Count the seconds and end what takes too long: one timer for all connections."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        door.tick = int(loop.time() - began)
        for connection in list(door.connections):
            connection.check_time()


async def _drain(door: Door) -> None:
    """End the connections. What has arrived before we heard of the end, or is on its way just then, is answered."""
    for connection in list(door.connections):
        connection.make_last()
    await asyncio.sleep(_GRACE_SECONDS)
    for connection in list(door.connections):
        connection.close_if_idle()
    for _ in range(STOP_SECONDS * 20):
        if not door.connections:
            return
        await asyncio.sleep(0.05)

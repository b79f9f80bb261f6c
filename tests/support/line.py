"""Lines between processes that can be slow, dead or broken. Whoever calls comes by TCP; behind is TCP or a unix socket.

One thread carries all of them. A way that is *held* delivers later what was sent, as a network does that is
parted for a while; a way that *loses* swallows it, and no connection breaks before the line is mended.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Collection, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

THERE, BACK = "there", "back"
BOTH = (THERE, BACK)
Place = Path | int
"""A unix socket, or a port of this host."""
_AT_ONCE = 65_536


class Lines:
    """The thread, and all its lines."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._all: list[Line] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="lines")
        self._thread.start()

    def to(self, place: Place) -> "Line":
        """Open a line to a place; nobody need be there yet."""
        line = Line(self, place)
        self._all.append(line)
        return line

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the thread, to its end."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def close(self) -> None:
        for line in self._all:
            self.run(line._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Line:
    """One of them. What is done to it is done when the call returns."""

    def __init__(self, lines: Lines, place: Place) -> None:
        self._lines, self._place = lines, place
        self._delay = 0.0
        self._held: Collection[str] = ()
        self._losing: Collection[str] = ()
        self._refuses = False
        self._changed = asyncio.Event()
        self._open: dict[asyncio.Task[None], _Connection] = {}
        lines.run(self._listen())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def slow(self, seconds: float) -> None:
        """Let every part take so long, each way."""
        self._set(delay=seconds)

    def hold(self, ways: Collection[str] = BOTH) -> None:
        """Keep what is sent until it is mended."""
        self._set(held=ways)

    def lose(self, ways: Collection[str] = BOTH) -> None:
        """Swallow what is sent until it is mended."""
        self._set(losing=ways)

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._set(refuses=True)
        self._break()

    def mend(self) -> None:
        """Carry what comes from now on. A connection that lost something is broken."""
        self._set(delay=0.0, held=(), losing=(), refuses=False)
        self._break(only_torn=True)

    def lead(self, place: Place, *, keep: bool = False) -> None:
        """Lead to another place; connections that are open end, unless they are to be kept."""
        self._place = place
        if not keep:
            self._break()

    def _set(self, **values: Any) -> None:
        async def work() -> None:
            for name, value in values.items():
                setattr(self, f"_{name}", value)
            self._changed.set()
            self._changed = asyncio.Event()

        self._lines.run(work())

    def _break(self, *, only_torn: bool = False) -> None:
        async def work() -> None:
            for connection in self._open.values():
                if connection.is_torn or not only_torn:
                    connection.abort()

        self._lines.run(work())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task, connection in self._open.items():
            connection.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)  # for the transports

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._open[task] = _Connection(self, writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await connection.carry(reader)
        finally:
            connection.abort()
            del self._open[task]

    async def reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to what is behind. Raises OSError."""
        if self._refuses:
            raise ConnectionRefusedError
        if isinstance(self._place, Path):
            return await asyncio.open_unix_connection(self._place)
        return await asyncio.open_connection("127.0.0.1", self._place)

    async def passes(self, way: str) -> bool:
        """Tell, when it is time, whether something gets through."""
        if self._delay:
            await asyncio.sleep(self._delay)
        while way in self._held:
            await self._changed.wait()
        return way not in self._losing


class _Connection:
    """Both ends of one."""

    def __init__(self, line: Line, near: asyncio.StreamWriter) -> None:
        self._line = line
        self._writers = [near]
        self.is_torn = False
        """Whether something was lost in it."""

    async def carry(self, near: asyncio.StreamReader) -> None:
        far, writer = await self._line.reach()
        self._writers.append(writer)
        await asyncio.gather(self._carry(THERE, near, writer), self._carry(BACK, far, self._writers[0]))

    async def _carry(self, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await source.read(_AT_ONCE):
                if await self._passes(way):
                    target.write(part)
                    await target.drain()
        if await self._passes(way):
            with suppress(OSError, RuntimeError):
                target.write_eof()

    async def _passes(self, way: str) -> bool:
        passes = await self._line.passes(way)
        self.is_torn |= not passes
        return passes

    def abort(self) -> None:
        """Break it, so that both sides hear of it at once."""
        for writer in self._writers:
            end = writer.get_extra_info("socket")
            if end is not None and end.family == socket.AF_INET and not writer.transport.is_closing():
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

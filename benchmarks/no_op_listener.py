"""The verify listener without verification: `python no_op_listener.py HOST:PORT`, one process.

It is what the protocol costs by itself. `constant_protocol` is the one place that knows which protocol that is: the
listener's own class, given an answer instead of a verifier.
"""

import asyncio
import sys
from collections.abc import Callable

import httptools
import uvloop

ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"x-gatepass-user: admin@example.com\r\nx-gatepass-user-id: 00000000-0000-7000-8000-000000000000\r\n"
    b"x-gatepass-token-id: 00000000-0000-7000-8000-000000000000\r\nx-gatepass-scopes: *\r\n"
    b"x-gatepass-expires: \r\nx-gatepass-assertion: \r\n\r\n"
)


def constant_protocol() -> Callable[[], asyncio.Protocol]:
    """Return what makes a protocol for each connection that answers ANSWER to everything."""
    return _Parsed


class _Parsed(asyncio.Protocol):
    """Stands in for the listener's class: the same loop, parser and header look-up, nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]
        self._feed = httptools.HttpRequestParser(self).feed_data

    def data_received(self, data: bytes) -> None:
        self._feed(data)

    def on_message_begin(self) -> None:
        self._authorization = b""

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self._authorization = value

    def on_message_complete(self) -> None:
        self._write(ANSWER)


async def _serve(host: str, port: int) -> None:
    server = await asyncio.get_running_loop().create_server(constant_protocol(), host, port)
    await server.serve_forever()


if __name__ == "__main__":
    address, _, number = sys.argv[1].rpartition(":")
    uvloop.run(_serve(address, int(number)))

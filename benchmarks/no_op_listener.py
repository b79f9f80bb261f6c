"""The verify listener without verification: `python no_op_listener.py HOST:PORT`, one process.

It is what the protocol costs by itself: the listener's own connections, given a door that answers ANSWER to everything
in the place of one that verifies.
"""

import socket
import sys

from gatepass.verifier.listener.familiar import Familiar
from gatepass.verifier.listener.protocol import Connection
from gatepass.verifier.listener.request import Request
from gatepass.verifier.listener.serve import serve_door

ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"x-gatepass-user: admin@example.com\r\nx-gatepass-user-id: 00000000-0000-7000-8000-000000000000\r\n"
    b"x-gatepass-token-id: 00000000-0000-7000-8000-000000000000\r\nx-gatepass-scopes: *\r\n"
    b"x-gatepass-expires: \r\nx-gatepass-assertion: \r\nx-request-id: 0000000000000000\r\n\r\n"
)


class ConstantDoor:
    """Answers ANSWER."""

    def __init__(self) -> None:
        self.tick = 0
        self.connections: set[Connection] = set()
        self.familiar = Familiar()

    def answer_familiar(self, _: bytes) -> bytes:
        return ANSWER

    def answer(self, request: Request) -> bytes:
        request.is_plain = True
        return ANSWER

    def refusal(self, _: int) -> bytes:
        return ANSWER

    def wants_body(self, _: Request) -> bool:
        return False

    def enter(self, connection: Connection) -> int:
        self.connections.add(connection)
        return len(self.connections)

    def leave(self, connection: Connection) -> None:
        self.connections.discard(connection)


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    with socket.create_server((host, int(port)), backlog=1024) as listener:
        serve_door(ConstantDoor(), [listener], ready=lambda: None)

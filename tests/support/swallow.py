"""A line to a PostgreSQL server that can go dead: it takes everything, and nothing comes through."""

import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Self

_SOCKET = ".s.PGSQL.5432"


class SwallowingProxy:
    """Stands in front of the unix socket in a folder, with one in a folder of its own."""

    def __init__(self, behind: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-proxy-"))
        self.swallows = False
        self._behind = behind / _SOCKET
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / _SOCKET))
        self._listener.listen()
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._behind))
            except OSError:
                client.close()
                server.close()
                continue
            self._open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                if not self.swallows:
                    target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._open:
            each.close()
        shutil.rmtree(self.folder)

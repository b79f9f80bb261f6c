"""An installation over PostgreSQL with two servers and every kind of verifier, as real processes whose parts can be broken."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faults.history import OWN, every, send
from faults.parts import PAGE, Door, Token
from support.asking import Asking
from support.line import Line, Lines
from support.listener import Listener
from support.postgres import PgBouncer, PostgresServer, database_of, url_through
from support.server import EMAIL, PASSWORD, Reply, Server, gatepass
from support.small_disk import small_disk
from support.visitor import Visitor, forms_of
from support.waiting import poll

BOUND = 4.0
"""Long enough for a busy machine to look while a lease lasts."""
FIRST, SECOND, LISTENER, EMBEDDED, FAR = "first", "second", "listener", "embedded", "far"
BESIDE = (FIRST, SECOND, LISTENER, EMBEDDED)
"""Those that have connections to the database: `second` by a line that can go dead, `listener` through a PgBouncer.

`far` follows `second`.
"""


@dataclass
class PostgresScene:
    """All of it. What happens at a server is asked of it by its name."""

    postgres: PostgresServer
    database: str
    """Its URL."""
    line: Line
    bouncer: PgBouncer
    servers: dict[str, Server]
    disk: Path | None
    """Where the tables are, and nothing else. None if no disk may be mounted here."""
    stack: ExitStack
    doors: dict[str, Door] = field(default_factory=dict)
    deleted: list[Token] = field(default_factory=list)
    """Tokens whose deletion was acknowledged."""

    def begin(self) -> None:
        for name, server in self.servers.items():
            self.stack.callback(server.kill)
            server.start()
            server.listen = f"127.0.0.1:{server.port}"
            self.doors[name] = Door(server)
        data, add = self.servers[FIRST].data, ("verifiers", "add", "far")
        credential = gatepass(*add, "--data", str(data), "--database", self.database).stdout.strip()
        through = self.bouncer.url(database_of(self.database))
        self.doors[LISTENER] = Door(self.stack.enter_context(Listener(data, "--database", through)))
        self.doors[EMBEDDED] = Door(self.stack.enter_context(Asking(str(data), database=self.database)))
        self.doors[FAR] = Door(self.stack.enter_context(Asking(self.servers[SECOND].url, credential)))
        self.master, _ = self.servers[FIRST].create_token(lifetimeSeconds=-1)

    def create(self, at: str, *, seconds: float = 20) -> Reply | None:
        return send(self.servers[at], "POST", OWN, self.master, {"lifetimeSeconds": -1}, seconds=seconds)

    def delete(self, at: str, token: Token, *, seconds: float = 20) -> Reply | None:
        reply = send(self.servers[at], "DELETE", f"{OWN}/{token[1]}", self.master, seconds=seconds)
        if reply is not None and reply.status == 204:
            self.deleted.append(token)
        return reply

    def find_new_token(self, at: str) -> Token | None:
        """Make a token; None if that does not work."""
        reply = self.create(at)
        return token_of(reply) if reply is not None and reply.status == 201 else None

    def new_token(self, at: str = FIRST) -> Token:
        made = self.find_new_token(at)
        assert made, f"no token from {at}"
        return made

    def token_ids(self) -> set[str]:
        return {row["tokenId"] for row in every(self.servers[FIRST], f"{OWN}?", self.master, "tokenId")}

    def page(self, at: str, *, seconds: float = 20) -> int | None:
        """Return the status of a page for somebody who is signed in; None if nothing comes back in time."""
        visitor = Visitor(self.servers[at])
        visitor.cookies = dict(self.visitor.cookies)
        try:
            return visitor.get(PAGE, seconds=seconds).status
        except (OSError, ValueError):
            return None

    def sign_in(self, at: str, *, seconds: float = 20) -> int | None:
        """Return the status of signing in, 303 if that works; None if nothing comes back in time."""
        visitor = Visitor(self.servers[at])
        try:
            shown = visitor.get("/sign-in", seconds=seconds)
            if shown.status != 200:
                return shown.status
            return visitor.post(
                "/sign-in", {**forms_of(shown)["/sign-in"], "email": EMAIL, "password": PASSWORD}
            ).status
        except (OSError, ValueError):
            return None

    def is_ready(self) -> bool:
        replies = [send(server, "GET", "/readyz", "") for server in self.servers.values()]
        return all(reply is not None and reply.status == 200 for reply in replies)

    def prepare(self) -> None:
        """Make tokens: in every memory, in none, deleted, and one to be deleted at each server."""
        poll(self.is_ready)
        self.visitor = Visitor(self.servers[FIRST]).sign_in()
        self.warm, self.dead, self.cold, self.colder = (self.new_token() for _ in range(4))
        self.victims = {name: self.new_token() for name in self.servers}
        for door in self.doors.values():
            for token in (self.warm, self.dead, *self.victims.values()):
                poll(lambda door=door, token=token: door.ask(token) == "accepted")
        assert self.delete(SECOND, self.dead).status == 204
        self.deleted = [self.dead]
        poll(lambda: {door.ask(self.dead) for door in self.doors.values()} == {"refused"})
        poll(lambda: {door.ask(self.warm) for door in self.doors.values()} == {"accepted"})
        self.known = self.token_ids()

    def require_whole(self) -> None:
        """Everything goes on as before, without being started anew."""
        for door in self.doors.values():
            for token in self.deleted:
                assert door.ask(token) != "accepted"
        poll(self.is_ready)
        for name, door in self.doors.items():
            for token, said in ((self.warm, "accepted"), (self.cold, "accepted"), (self.dead, "refused")):
                wait_for(name, door, token, said)
        for name in self.servers:
            token = poll(lambda name=name: self.find_new_token(name))
            assert self.doors[name].ask(token) == "accepted"
            assert self.delete(name, token).status == 204
            assert (self.page(name), self.sign_in(name)) == (200, 303)


def token_of(reply: Reply) -> Token:
    """Return the token that was made."""
    return reply.json["tokenValue"], reply.json["tokenInfo"]["tokenId"]


def wait_for(name: str, door: Door, token: Token, said: str) -> None:
    """Wait until a door says something about a token."""
    heard: list[str] = []
    try:
        poll(lambda: heard.append(door.ask(token)) or heard[-1] == said)
    except AssertionError:
        pytest.fail(f"{name} did not say {said}, but {heard[-5:]}")


@contextmanager
def running_postgres_scene(folder: Path) -> Iterator[PostgresScene]:
    with ExitStack() as stack:
        postgres = PostgresServer()
        stack.callback(postgres.close)
        disk, tablespace = postgres.folder / "disk", "pg_default"
        try:
            stack.enter_context(small_disk(disk, kilobytes=24 * 1024))
        except pytest.skip.Exception:
            disk = None
        else:
            user = pwd.getpwnam("postgres")  # who may mount is root, and PostgreSQL never runs as that
            os.chown(disk, user.pw_uid, user.pw_gid)
            tablespace = "small"
            postgres.execute(f"CREATE TABLESPACE {tablespace} LOCATION '{disk}'")
        url = postgres.create_database(on=tablespace)
        data = folder / FIRST
        place = ("--data", str(data), "--database", url)
        init = ("init", *place, "--email", EMAIL, "--password-file", "-", "--enable-tokens")
        assert gatepass(*init, stdin=PASSWORD).returncode == 0
        assert gatepass("settings", "set", "verifiers.boundSeconds", str(int(BOUND)), *place).returncode == 0
        shutil.copytree(data, folder / SECOND)
        line = stack.enter_context(Lines()).to(postgres.socket)
        by_line = url_through(line, database_of(url))
        servers = {name: Server(folder / name, "--database", by) for name, by in ((FIRST, url), (SECOND, by_line))}
        bouncer = PgBouncer(postgres)
        stack.callback(bouncer.close)
        scene = PostgresScene(postgres, url, line, bouncer, servers, disk, stack.enter_context(ExitStack()))
        scene.begin()
        yield scene

"""A PostgreSQL server of the tests' own, on a unix socket in a folder that goes with it.

PostgreSQL refuses to run as root, so root starts it as the user `postgres` that Debian's package makes.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from gatepass.stores.sql.postgres import PostgresStore
from gatepass.stores.sql.postgres_schema import initialising
from support.waiting import poll

EMPTIED = (
    "token_uses",
    "tokens",
    "sessions",
    "users",
    "failures",
    "spent",
    "events",
    "settings",
    "changes",
    "verifiers",
    "followers",
    "journal",
)

USER = "gatepass"
"""Owns its databases and may do nothing else."""


def program(name: str) -> Path:
    """Return where a program of the newest PostgreSQL here is; they are on nobody's path."""
    return max(Path("/usr/lib/postgresql").iterdir(), key=lambda each: int(each.name)) / "bin" / name


class PostgresServer:
    """Starts in about a second; forgets everything when it is closed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-pg-"))
        self._data = self.folder / "data"
        self.runs_as: dict[str, object] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.runs_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self._made = 0
        self.start()
        self.execute(f"CREATE ROLE {USER} LOGIN PASSWORD 'a secret of the tests'")

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [program(command), "-D", self._data, *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            **self.runs_as,
        )

    def start(self) -> None:
        # Nothing here survives a power cut, and need not. Everything else is as it is for real.
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c shared_buffers=16MB -c max_connections=60"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop every process of it where it stands, so that nothing answers and nothing is refused; or let them go on."""
        leader = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        for each in (leader, *map(int, children)):
            os.kill(each, signal.SIGCONT if thaw else signal.SIGSTOP)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run a statement as the superuser."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def create_database(self) -> str:
        """Make an empty database; return its URL."""
        self._made += 1
        name = f"test{self._made}"
        self.execute(f"CREATE DATABASE {name} OWNER {USER}")
        return self.url(name)

    def url(self, name: str, user: str = USER, *, host: Path | None = None) -> str:
        return f"postgresql://{user}@/{name}?host={host or self.folder}"

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


def make_database(server: PostgresServer) -> str:
    """Make a database with the schema; return its URL."""
    url = server.create_database()
    with initialising(url):
        return url


def emptied(store: PostgresStore) -> PostgresStore:
    """Return a store as it was when it was made; much quicker than to make another."""
    with store.write() as tx:
        for table in EMPTIED:
            tx.changes._db.run(f"DELETE FROM {table}")
        tx.changes._db.run("UPDATE counters SET value = 0 WHERE name IN ('changes', 'events')")
    return store


@contextmanager
def without_standby(postgres: PostgresServer) -> Iterator[None]:
    """Let commits wait for a standby that is not there."""
    postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    postgres.execute("SELECT pg_reload_conf()")
    poll(lambda: postgres.execute("SHOW synchronous_standby_names") == [("nobody",)])
    try:
        yield
    finally:
        postgres.execute("ALTER SYSTEM RESET synchronous_standby_names")
        postgres.execute("SELECT pg_reload_conf()")
        poll(lambda: postgres.execute("SHOW synchronous_standby_names") == [("",)])


def database_of(url: str) -> str:
    """Return the name of the database that a URL of this server leads to."""
    return urlsplit(url).path.removeprefix("/")


class PgBouncer:
    """A pooler in transaction mode in front of a server, on a unix socket of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.folder = server.folder / "bouncer"
        self.folder.mkdir()
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={server.folder}\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\n"
            f"unix_socket_dir = {self.folder}\nauth_type = trust\nauth_file = {self.folder}/users\n"
            "pool_mode = transaction\ndefault_pool_size = 3\n"
        )
        (self.folder / "users").write_text(f'"{USER}" ""\n')
        if owner := server.runs_as.get("user"):
            os.chown(self.folder, owner, owner)
        self._process = subprocess.Popen(
            ["/usr/sbin/pgbouncer", "-q", settings], stderr=subprocess.DEVNULL, cwd=self.folder, **server.runs_as
        )
        poll((self.folder / ".s.PGSQL.5432").exists)

    def url(self, name: str) -> str:
        return self._server.url(name, host=self.folder)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.folder)

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
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from gatepass.stores.sql.postgres import PostgresStore
from gatepass.stores.sql.postgres_schema import initialising
from support.line import Line
from support.waiting import poll

EMPTIED = (
    "token_uses",
    "tokens",
    "sessions",
    "devices",
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

    def __init__(self, *, copy_of: "PostgresServer | None" = None) -> None:
        """Make an empty one, or a standby that copies another one from now on."""
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-pg-"))
        self._data = self.folder / "data"
        self.runs_as: dict[str, object] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.runs_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._made = 0
        if copy_of:
            source = f"host={copy_of.folder} user=postgres application_name={self.name}"
            self._run("pg_basebackup", "-d", source, "-R", "-c", "fast", "--no-sync")
        else:
            self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()
        if not copy_of:
            self.execute(f"CREATE ROLE {USER} LOGIN PASSWORD 'a secret of the tests'")

    @property
    def name(self) -> str:
        """Return what no other server was ever called."""
        return self.folder.name

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

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
        options = (
            f"-k {self.folder} -c listen_addresses= -c fsync=off -c shared_buffers=16MB -c max_connections=60"
            " -c wal_keep_size=256MB"  # a standby that was away finds what it missed
        )
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _processes(self) -> list[int]:
        leader = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        return [leader, *map(int, children)]

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop every process of it where it stands, so that nothing answers and nothing is refused; or let them go on."""
        for each in self._processes():
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT if thaw else signal.SIGSTOP)

    def kill(self) -> None:
        """Kill every process of it at once, as a crash does."""
        processes = self._processes()
        for each in processes:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        poll(lambda: not any(map(is_running, processes)))
        for lock in (self._data / "postmaster.pid", self.socket.with_name(f"{self.socket.name}.lock")):
            lock.unlink(missing_ok=True)  # whoever reaps the dead may not have done so yet

    def promote(self) -> None:
        """Let a standby be a primary that waits for no other one."""
        self.wait_for_standby(None)
        self._run("pg_ctl", "-w", "promote")

    def wait_for_standby(self, standby: "PostgresServer | None") -> None:
        """Let each commit wait for a standby from now on, or for nobody."""
        name = f'"{standby.name}"' if standby else ""
        if standby:
            poll(lambda: self._states(standby) == ["streaming"], seconds=60)
        self.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.execute("SELECT pg_reload_conf()")
        if standby:
            poll(lambda: self.is_confirmed_by(standby), seconds=60)

    def is_confirmed_by(self, standby: "PostgresServer") -> bool:
        """Tell whether commits wait for this standby, and it is there."""
        return self._states(standby, "sync_state") == ["sync"]

    def _states(self, standby: "PostgresServer", column: str = "state") -> list[str]:
        asked = f"SELECT {column} FROM pg_stat_replication WHERE application_name = '{standby.name}'"
        return [state for (state,) in self.execute(asked)]

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run a statement as the superuser."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def create_database(self, *, on: str = "pg_default") -> str:
        """Make an empty database on a tablespace; return its URL."""
        self._made += 1
        name = f"test{self._made}"
        self.execute(f"CREATE DATABASE {name} OWNER {USER} TABLESPACE {on}")
        return self.url(name)

    def url(self, name: str, user: str = USER, *, host: Path | None = None) -> str:
        return f"postgresql://{user}@/{name}?host={host or self.folder}"

    def close(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)


def is_running(process: int) -> bool:
    """Tell whether a process is there and not dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


class PostgresPair:
    """A primary and a standby that confirms each commit. The standby may take over, and gets one of its own."""

    def __init__(self, *, is_synchronous: bool = True) -> None:
        self.primary = PostgresServer()
        self._is_synchronous = is_synchronous
        self.rebuild()

    def rebuild(self) -> None:
        """Make a standby anew."""
        self.standby = PostgresServer(copy_of=self.primary)
        self.wait_for_standby()

    def wait_for_standby(self) -> None:
        """Return when each commit is confirmed by the standby."""
        self.primary.wait_for_standby(self.standby if self._is_synchronous else None)

    def fail_over(self) -> PostgresServer:
        """Promote the standby; return the primary that was, as it is."""
        self.standby.promote()
        old, self.primary = self.primary, self.standby
        return old

    def close(self) -> None:
        for each in {self.primary, self.standby}:
            each.close()


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


def url_through(line: Line, database: str) -> str:
    """Return the URL of a database that is reached through a line."""
    return f"postgresql://{USER}@127.0.0.1:{line.port}/{database}"


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
            "pool_mode = transaction\ndefault_pool_size = 3\nserver_login_retry = 1\n"
        )
        (self.folder / "users").write_text(f'"{USER}" ""\n')
        if owner := server.runs_as.get("user"):
            os.chown(self.folder, owner, owner)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/pgbouncer", "-q", "pgbouncer.ini"],
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **self._server.runs_as,
        )
        poll((self.folder / ".s.PGSQL.5432").exists)

    def stop(self) -> None:
        """End it at once, with all connections."""
        self._process.kill()
        self._process.wait()
        (self.folder / ".s.PGSQL.5432").unlink()

    def url(self, name: str) -> str:
        return self._server.url(name, host=self.folder)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

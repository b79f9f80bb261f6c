"""The server behind the PostgreSQL store: which databases are opened, and what happens when it fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from time import monotonic

import psycopg
import pytest

from gatepass.errors import BadConfiguration, NotFound, Unavailable
from gatepass.interfaces import Page
from gatepass.model.change import ChangeKind
from gatepass.model.secret import generate_id
from gatepass.stores.sql import migrate, postgres_schema
from gatepass.stores.sql.hosts import hosts_of
from gatepass.stores.sql.integrity import TABLES
from gatepass.stores.sql.pool import Pool
from gatepass.stores.sql.postgres import PostgresStore
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_event, make_token, make_user
from support.line import Lines
from support.postgres import PostgresServer, database_of, emptied, make_database, url_through, without_standby
from support.waiting import poll

pytestmark = pytest.mark.xdist_group("postgres")
NEXT = migrate.known_migrations()[-1].number + 1
END_ALL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'gatepass'"


@pytest.fixture
def store(opened: PostgresStore) -> PostgresStore:
    return emptied(opened)


def refused(url: str) -> BadConfiguration:
    with pytest.raises(BadConfiguration) as caught:
        PostgresStore(url)
    return caught.value


def event_count(store: PostgresStore) -> int:
    with store.read() as tx:
        return len(tx.events.list(Page(limit=100)))


class TestWhatIsOpened:
    def test_an_empty_database_asks_for_init(self, postgres: PostgresServer) -> None:
        url = postgres.create_database()
        assert refused(url).hint == "run `gatepass init`"
        with pytest.raises(BadConfiguration, match="holds no installation"):
            postgres_schema.upgrade(url)

    @pytest.mark.parametrize("table", ["t", "counters"])
    def test_another_programs_database_is_refused(self, postgres: PostgresServer, table: str) -> None:
        url = postgres.create_database()
        postgres.execute(
            f"CREATE TABLE {table} (name TEXT, value BIGINT); GRANT ALL ON {table} TO gatepass", database_of(url)
        )
        assert "not made by Gatepass" in str(refused(url))
        with pytest.raises(BadConfiguration, match="not made by Gatepass"):
            postgres_schema.upgrade(url)

    def test_a_newer_schema_than_the_code_is_refused(self, postgres: PostgresServer) -> None:
        url = make_database(postgres)
        postgres.execute("UPDATE counters SET value = 999 WHERE name = 'schema'", database_of(url))
        assert "has schema 999" in str(refused(url))

    def test_an_older_schema_asks_for_an_upgrade(
        self, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = make_database(postgres)
        with_migrations(
            monkeypatch, migrate.Migration(NEXT, "9999_more.sql", "CREATE TABLE more (x INTEGER) STRICT;\n")
        )
        assert refused(url).hint == "run `gatepass db upgrade`"
        assert postgres_schema.upgrade(url) == ["9999_more.sql"]
        assert postgres_schema.upgrade(url) == []
        PostgresStore(url).close()

    def test_a_migration_that_fails_half_way_did_nothing(
        self, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = make_database(postgres)
        with monkeypatch.context() as patched:
            broken = "CREATE TABLE more (x INTEGER);\nCREATE TABLE users (x INTEGER);\n"
            with_migrations(patched, migrate.Migration(NEXT, "9999_broken.sql", broken))
            with pytest.raises(Unavailable):
                postgres_schema.upgrade(url)
        PostgresStore(url).close()
        assert postgres.execute("SELECT to_regclass('more')", database_of(url)) == [(None,)]

    @pytest.mark.parametrize("level", ["off", "local"])
    def test_a_database_that_acknowledges_what_it_could_lose_is_refused(
        self, postgres: PostgresServer, level: str
    ) -> None:
        url = make_database(postgres)
        postgres.execute(f"ALTER DATABASE {database_of(url)} SET synchronous_commit = {level}")
        assert f"synchronous_commit = {level}" in str(refused(url))

    @pytest.mark.parametrize("url", ["postgresql://u:%zz-hush@h/db", "postgresql://u:hush@h:port/db", "password='hush"])
    def test_what_cannot_be_read_is_not_quoted(self, url: str) -> None:
        with pytest.raises((BadConfiguration, Unavailable)) as caught:
            PostgresStore(url)
        assert "hush" not in f"{caught.value}{caught.value.hint}"

    def test_a_database_out_of_reach_is_unavailable_and_its_password_not_told(self) -> None:
        with pytest.raises(Unavailable, match="cannot be reached") as caught:
            PostgresStore("postgresql://gatepass:hush@127.0.0.1:1/gatepass")
        assert "hush" not in str(caught.value)

    def test_a_role_that_may_not_change_the_schema_is_enough(self, postgres: PostgresServer, url: str) -> None:
        with closing(PostgresStore(serving(postgres, url, "LOGIN"))) as store:
            keep_users(emptied(store), make_user("a@example.com"))
            store.check()
            assert store.check_integrity() == []


class TestWhatIsCommitted:
    def test_a_connection_that_breaks_before_the_commit_did_nothing(
        self, postgres: PostgresServer, store: PostgresStore
    ) -> None:
        def cut_off() -> None:
            with store.write() as tx:
                tx.events.add(make_event())
                postgres.execute(END_ALL)

        with pytest.raises(Unavailable):
            cut_off()
        assert event_count(store) == 0

    def test_an_error_that_a_block_swallows_is_not_a_commit(self, store: PostgresStore) -> None:
        def swallow() -> None:
            with store.write() as tx:
                tx.events.add(make_event())
                with pytest.raises(Unavailable):
                    tx.events._db.run("SELECT nothing")

        with pytest.raises(Unavailable, match="took the transaction back"):
            swallow()
        assert event_count(store) == 0

    def test_a_standby_that_does_not_confirm_leaves_it_unknown(
        self, postgres: PostgresServer, store: PostgresStore
    ) -> None:
        with without_standby(postgres), pytest.raises(Unavailable), store.write() as tx:
            tx.events.add(make_event())
        poll(lambda: event_count(store) == 1)  # committed where it is, and nobody was told so

    def test_a_wait_for_the_standby_that_is_cut_short_is_no_commit(
        self, postgres: PostgresServer, store: PostgresStore
    ) -> None:
        cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        with without_standby(postgres):
            cancelling = threading.Thread(target=lambda: poll(lambda: postgres.execute(cancel)))
            cancelling.start()
            with pytest.raises(Unavailable, match="standby"), store.write() as tx:
                tx.events.add(make_event())
            cancelling.join()

    def test_a_change_is_told_when_it_is_committed_and_only_then(self, url: str, store: PostgresStore) -> None:
        with psycopg.connect(url, autocommit=True) as listening:
            listening.execute("LISTEN gatepass")
            with store.write() as tx:
                tx.changes.add(ChangeKind.EVERYTHING)
                assert list(listening.notifies(timeout=0)) == []
            heard = [each.payload for each in listening.notifies(timeout=5, stop_after=1)]
        assert heard == ["1"]


class TestHowLongItWaits:
    def test_a_writer_that_waits_too_long_is_unavailable_and_readers_go_on(
        self, url: str, store: PostgresStore
    ) -> None:
        with psycopg.connect(url) as other:
            other.execute("SELECT 1 FROM counters FOR UPDATE")
            with pytest.raises(Unavailable, match="busy"), store.write():
                pass
            store.check()
            assert event_count(store) == 0
            assert store.find_verification(generate_id(START)) is None
        with store.write() as tx:
            tx.events.add(make_event())

    def test_a_look_up_that_takes_too_long_is_unavailable(self, url: str, store: PostgresStore) -> None:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE tokens")
            began = monotonic()
            with pytest.raises(Unavailable):
                store.find_verification(generate_id(START))
            assert monotonic() - began < 5
        assert store.find_verification(generate_id(START)) is None

    def test_a_line_that_swallows_everything_is_given_up(self, postgres: PostgresServer, url: str) -> None:
        with Lines() as lines:
            line = lines.to(postgres.socket)
            with closing(PostgresStore(url_through(line, database_of(url)))) as store:
                store.check()
                line.lose()
                for use in (store.check, lambda: store.write().__enter__(), lambda: store.read().__enter__()):
                    with pytest.raises(Unavailable):
                        use()
                line.mend()
                poll(lambda: answers(store))

    def test_where_no_more_connections_are_to_be_had_those_that_are_there_serve_verification(
        self, postgres: PostgresServer, url: str
    ) -> None:
        def is_answered(_: object) -> bool:
            try:
                return store.find_verification(generate_id(START)) is None
            except Unavailable:
                return False

        with (
            closing(PostgresStore(serving(postgres, url, "LOGIN CONNECTION LIMIT 2"))) as store,
            ThreadPoolExecutor(20) as pool,
        ):
            assert True in set(pool.map(is_answered, range(100)))
            assert poll(lambda: is_answered(None))


class TestHowLongAConnectionIsKept:
    def processes(self, url: str, *, life: float, error: Exception | None = None) -> list[int]:
        """Return the server's processes that two borrowers meet, the first of whom fails."""
        met, hosts = [], hosts_of(url)
        with closing(Pool(hosts.connect, hosts=hosts, most=2, seconds=1, life=life)) as pool:
            for fails in (True, False):
                with suppress(Unavailable, NotFound), pool.lent() as raw:
                    met.append(raw.info.backend_pid)
                    if fails and error:
                        raise error
        return met

    def test_it_is_lent_again_until_it_is_old(self, url: str) -> None:
        assert len(set(self.processes(url, life=60))) == 1
        assert len(set(self.processes(url, life=0))) == 2

    def test_one_in_which_something_was_unavailable_is_not_lent_again(self, url: str) -> None:
        assert len(set(self.processes(url, life=60, error=Unavailable("no commit is confirmed")))) == 2
        assert len(set(self.processes(url, life=60, error=NotFound("there is no such token")))) == 1


class TestWhenItIsGone:
    def test_connections_that_it_ended_are_not_noticed(self, postgres: PostgresServer, store: PostgresStore) -> None:
        for _ in range(3):
            store.check()
            assert event_count(store) == 0
            postgres.execute(END_ALL)

    def test_it_is_unavailable_while_it_is_down_and_back_soon_after(
        self, postgres: PostgresServer, store: PostgresStore
    ) -> None:
        user = make_user("a@example.com")
        token = make_token(user)
        keep_users(store, user)
        keep_tokens(store, token)
        postgres.stop()
        try:
            for use in (store.check, lambda: store.find_verification(token.id), lambda: event_count(store)):
                with pytest.raises(Unavailable):
                    use()
        finally:
            postgres.start()
        poll(lambda: answers(store), seconds=5)
        assert store.find_verification(token.id) is not None


def test_texts_that_postgresql_cannot_hold_are_found_nowhere(store: PostgresStore) -> None:
    user = make_user("a@example.com")
    keep_users(store, user)
    with store.read() as tx:
        assert tx.users.find_by_email("a@example.com\0") is None
        assert tx.users.list(Page(limit=10), prefix="a\0") == []
        assert tx.tokens.list(user.id, Page(limit=10), now=START, prefix="\0") == []


def test_texts_are_ordered_by_their_characters_whatever_the_locale(store: PostgresStore) -> None:
    users = [make_user(f"{name}@example.com", name=name) for name in ("Ärger", "zebra", "Zebra 2", "🙂")]
    keep_users(store, *users)
    with store.read() as tx:
        for prefix, found in (("zeb", 2), ("ä", 1), ("🙂", 1), ("a", 0)):
            assert len(tx.users.list(Page(limit=10), prefix=prefix)) == found


def test_the_head_tells_how_far_changes_have_come_and_in_which_history(
    postgres: PostgresServer, url: str, store: PostgresStore
) -> None:
    before = store.head()
    with store.write() as tx:
        tx.changes.add(ChangeKind.EVERYTHING)
    after = store.head()
    assert (before.revision, after.revision, before.epoch) == (0, 1, after.epoch)
    assert store.find_verifications([]).head == after
    postgres.execute("INSERT INTO journal VALUES (1, '', 0, 0, '', 1)", database_of(url))
    assert store.head().epoch != after.epoch
    postgres.execute("DELETE FROM counters WHERE name = 'restores'", database_of(url))


def test_every_table_is_checked_and_moved(postgres: PostgresServer, url: str) -> None:
    found = postgres.execute("SELECT relname FROM pg_stat_user_tables", database_of(url))
    assert {name for (name,) in found} == {*TABLES, "journal", "followers"}  # the first goes along if it is asked to


def serving(postgres: PostgresServer, url: str, options: str) -> str:
    """Make a role that may use the tables and no more; return the URL to come with it."""
    name, role = database_of(url), f"serving{len(options)}"
    postgres.execute(f"CREATE ROLE {role} {options}")
    postgres.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}", name)
    return postgres.url(name, role)


def answers(store: PostgresStore) -> bool:
    try:
        store.check()
        event_count(store)
    except Unavailable:
        return False
    return True


def with_migrations(monkeypatch: pytest.MonkeyPatch, *more: migrate.Migration) -> None:
    known = (*migrate.known_migrations(), *more)
    monkeypatch.setattr(migrate, "known_migrations", lambda: known)

"""A store with its journal keeps every promise of a store, and what it forgets is repeated."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from gatepass.errors import Unavailable
from gatepass.interfaces import Store
from gatepass.model.actor import CONSOLE
from gatepass.model.journal import Fate
from gatepass.model.secret import generate_id
from gatepass.model.user import User
from gatepass.services.add_verifier import add_verifier
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.delete_user import delete_user
from gatepass.services.deps import Deps
from gatepass.services.remove_verifier import remove_verifier
from gatepass.services.replay_journal import replay_journal
from gatepass.services.revoke_token import revoke_token
from gatepass.stores.journal import Journal
from gatepass.stores.journalled import JournalledStore
from gatepass.stores.memory.store import MemoryStore
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.change_suite import ChangeSuite
from gatepass.testing.fakes import START, acting, add_person, make_deps
from gatepass.testing.token_suite import TokenSuite
from gatepass.testing.transaction_suite import ConcurrencySuite, TransactionSuite
from gatepass.testing.user_suite import SettingsSuite, UserSuite
from gatepass.testing.verifier_suite import VerifierSuite


def journalled(store: Store, path: Path) -> JournalledStore:
    """Open `store` with the journal at `path`, begun if there is none."""
    if not path.exists():
        with store.write() as tx:
            tx.journal.save(Journal(path).create(generate_id(START), START))
    return JournalledStore(store, Journal(path), replay=replay_journal, now=lambda: START + timedelta(days=9))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatepass.journal"


@pytest.fixture
def store(tmp_path: Path, path: Path) -> Iterator[JournalledStore]:
    with closing(journalled(SqliteStore.create(tmp_path / "gatepass.db"), path)) as made:
        yield made


class TestJournalledSqliteStore(
    TokenSuite, UserSuite, SettingsSuite, ChangeSuite, VerifierSuite, TransactionSuite, ConcurrencySuite
):
    """The journal takes nothing away."""


class TestJournalledMemoryStore(TransactionSuite, ChangeSuite):
    """Nothing of it is particular to one store."""

    @pytest.fixture
    def store(self, path: Path) -> JournalledStore:
        return journalled(MemoryStore(), path)


def entries(path: Path) -> list[tuple[Fate, object]]:
    return [entry for record in Journal(path).salvage()[0] for entry in record.entries]


@pytest.fixture
def deps(store: JournalledStore) -> Deps:
    return make_deps(store)


@pytest.fixture
def admin(deps: Deps) -> User:
    return add_person(deps, "admin@example.com", is_admin=True)


@pytest.fixture
def maria(deps: Deps) -> User:
    return add_person(deps, "maria@example.com")


def test_every_ending_is_in_the_journal_when_it_returns(deps: Deps, admin: User, maria: User, path: Path) -> None:
    token = create_token(deps, acting(admin), lifetime_seconds=60).token
    added = add_verifier(deps, CONSOLE, "reports").verifier
    assert entries(path) == []
    revoke_token(deps, acting(admin), token.id)
    change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=True))
    change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=False))
    delete_user(deps, acting(admin), maria.id)
    remove_verifier(deps, CONSOLE, "reports")
    change_settings(deps, acting(admin), {"apiAccessTokens.enabled": False})
    assert entries(path) == [
        (Fate.TOKEN_DELETED, token.id),
        (Fate.USER_DISABLED, maria.id),
        (Fate.USER_LIVE, maria.id),
        (Fate.USER_DELETED, maria.id),
        (Fate.VERIFIER_REMOVED, added.id),
        (Fate.TOKENS_OFF, None),
    ]


def test_what_is_refused_leaves_no_record(deps: Deps, admin: User, path: Path) -> None:
    size = path.stat().st_size
    with pytest.raises(Exception, match="no such"):
        revoke_token(deps, acting(admin), generate_id(START))
    assert path.stat().st_size == size


def test_a_life_is_journalled_after_its_commit_and_a_death_before(
    deps: Deps, admin: User, maria: User, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the commit fails, a death may be repeated; a life must not be."""
    from gatepass.stores.sql.sqlite import SqliteConnection

    plain = SqliteConnection.run

    def failing(self: SqliteConnection, sql: str, **values: object) -> int:
        if sql == "COMMIT":
            raise Unavailable("the disk says no")
        return plain(self, sql, **values)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteConnection, "run", failing)
        with pytest.raises(Unavailable):
            change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=True))
    assert entries(path) == [(Fate.USER_DISABLED, maria.id)]
    with deps.store.write():
        pass  # whoever writes next repeats it
    with deps.store.read() as tx:
        assert tx.users.find(maria.id).disabled_at is not None
        assert [event.action for event in tx.events.list(_page())][-2:] == ["person.disabled", "journal.replayed"]
    with monkeypatch.context() as patch:
        patch.setattr(SqliteConnection, "run", failing)
        with pytest.raises(Unavailable):
            change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=False))
    assert (Fate.USER_LIVE, maria.id) not in entries(path)
    with deps.store.write() as tx:
        assert tx.users.find(maria.id).disabled_at is not None


def _page() -> object:
    from gatepass.interfaces import Page

    return Page(limit=1000)


def test_a_journal_that_cannot_be_written_refuses_every_ending_and_every_return_and_nothing_else(
    deps: Deps, admin: User, maria: User, path: Path
) -> None:
    token = create_token(deps, acting(admin), lifetime_seconds=60).token
    change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=True))
    path.rename(path.with_name("away"))
    refused = (
        lambda: revoke_token(deps, acting(admin), token.id),
        lambda: change_user(deps, acting(admin), admin.id, UserChanges(email="other@example.com")),
        lambda: change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=False)),
        lambda: delete_user(deps, acting(admin), maria.id),
        lambda: change_settings(deps, acting(admin), {"apiAccessTokens.enabled": False}),
    )
    for change in refused:
        with pytest.raises(Unavailable, match="is missing"):
            change()
    deps.store.check()
    assert deps.store.find_verification(token.id).is_revoked is False
    assert create_token(deps, acting(admin), lifetime_seconds=60)
    with deps.store.read() as tx:
        assert tx.users.find(maria.id).disabled_at is not None
        assert tx.settings.load().enabled
    path.with_name("away").rename(path)
    for change in (refused[0], *refused[2:]):
        change()
    assert deps.store.find_verification(token.id).is_revoked is True


def test_a_store_that_never_saw_its_journal_answers_nothing_until_it_does(tmp_path: Path, path: Path) -> None:
    inner = SqliteStore.create(tmp_path / "gatepass.db")
    with closing(journalled(inner, path)):
        path.rename(path.with_name("away"))
        other = journalled_without(tmp_path / "gatepass.db", path)
        with closing(other):
            for ask in (
                lambda: other.find_verification(generate_id(START)),
                lambda: other.changes_after(0),
                other.check,
                lambda: other.read().__enter__(),
                lambda: other.write().__enter__(),
            ):
                with pytest.raises(Unavailable, match="is missing"):
                    ask()
            path.with_name("away").rename(path)
            other.check()
            assert other.find_verification(generate_id(START)) is None


def journalled_without(database: Path, path: Path) -> JournalledStore:
    return JournalledStore(SqliteStore(database), Journal(path), replay=replay_journal, now=lambda: START)


def test_a_life_that_another_process_ended_meanwhile_is_not_journalled(
    deps: Deps, admin: User, maria: User, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=True))
    plain = JournalledStore._journal_life

    def overtaken(self: JournalledStore, made: object) -> None:
        monkeypatch.setattr(JournalledStore, "_journal_life", plain)
        with closing(journalled_without(path.with_name("gatepass.db"), path)) as beside:
            change_user(make_deps_like(deps, beside), acting(admin), maria.id, UserChanges(is_disabled=True))
        plain(self, made)

    monkeypatch.setattr(JournalledStore, "_journal_life", overtaken)
    change_user(deps, acting(admin), maria.id, UserChanges(is_disabled=False))
    assert entries(path)[-1] == (Fate.USER_DISABLED, maria.id)


def make_deps_like(deps: Deps, store: Store) -> Deps:
    from dataclasses import replace

    return replace(deps, store=store)

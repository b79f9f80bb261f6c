"""What one process deletes, another refuses at once, also when the first dies on the way."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gatepass.connect import EmbeddedVerifier, open_embedded
from gatepass.errors import BadConfiguration, Unavailable
from gatepass.model.actor import CONSOLE
from gatepass.model.secret import Secret
from gatepass.model.token import CreatedToken
from gatepass.model.verdict import Accepted, Reason, Rejected
from gatepass.server.installation import create_installation, open_deps
from gatepass.server.settings import Config, SignInConfig
from gatepass.services.change_settings import change_settings
from gatepass.services.create_token import create_token
from gatepass.services.deps import Deps
from gatepass.testing.fakes import knowing_password

DELETE = """
import os, sys
from pathlib import Path
from uuid import UUID
from gatepass.model.change import ChangeKind
from gatepass.stores import words
from gatepass.stores.sql.sqlite import SqliteConnection, SqliteStore
from gatepass.testing.fakes import START
run, finish = SqliteConnection.run, words.Words.finish
dying = sys.argv[3]
def dying_run(self, sql, **values):
    if sql == "COMMIT" and dying == "before the commit":
        os._exit(9)
    return run(self, sql, **values)
def dying_finish(self, revision):
    if dying == "after the commit":
        os._exit(9)
    finish(self, revision)
SqliteConnection.run, words.Words.finish = dying_run, dying_finish
with SqliteStore(Path(sys.argv[1]) / "gatepass.db").write() as tx:
    tx.tokens.revoke(UUID(sys.argv[2]), START)
    tx.changes.add(ChangeKind.TOKEN, UUID(sys.argv[2]))
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    create_installation(
        made, SignInConfig(), email="admin@example.com", password=Secret("a long enough password"), enable_tokens=True
    )
    return made


@pytest.fixture
def deps(data: Path) -> Iterator[Deps]:
    opened = open_deps(data, Config())
    with closing(opened.store):
        yield opened


@pytest.fixture
def beside(data: Path) -> Iterator[EmbeddedVerifier]:
    with open_embedded(data) as verifier:
        yield verifier


def make(deps: Deps) -> CreatedToken:
    with deps.store.read() as tx:
        admin = tx.users.find_by_email("admin@example.com")
    assert admin
    return create_token(deps, knowing_password(deps, admin.id), lifetime_seconds=3600)


def delete_in_another_process(data: Path, made: CreatedToken, *, dying: str = "") -> int:
    done = subprocess.run([sys.executable, "-c", DELETE, data, str(made.token.id), dying], check=False)
    return done.returncode


def test_a_token_deleted_by_another_process_is_refused_when_that_returns(
    data: Path, deps: Deps, beside: EmbeddedVerifier
) -> None:
    made = make(deps)
    assert isinstance(beside.verify(made.value.reveal()), Accepted)
    assert delete_in_another_process(data, made) == 0
    assert beside.verify(made.value.reveal()) == Rejected(Reason.DELETED, made.token.id)


@pytest.mark.parametrize("dying", ["before the commit", "after the commit"])
def test_a_writer_that_dies_around_its_commit_costs_look_ups_and_never_a_wrong_answer(
    data: Path, deps: Deps, beside: EmbeddedVerifier, dying: str
) -> None:
    made, other = make(deps), make(deps)
    for each in (made, other):
        assert isinstance(beside.verify(each.value.reveal()), Accepted)
    assert delete_in_another_process(data, made, dying=dying) == 9
    words = deps.store.words
    assert words[0] == words[1] + 1
    expected = dying == "before the commit"
    for _ in range(3):
        assert isinstance(beside.verify(made.value.reveal()), Accepted) is expected
        assert isinstance(beside.verify(other.value.reveal()), Accepted)
    # The next writer puts the words right, whatever it writes.
    with deps.store.write() as tx:
        head = tx.changes.head()
    assert list(words) == [head, head]
    assert isinstance(beside.verify(made.value.reveal()), Accepted) is expected


def test_a_setting_changed_on_the_console_is_seen_beside_it(deps: Deps, beside: EmbeddedVerifier) -> None:
    made = make(deps)
    assert isinstance(beside.verify(made.value.reveal()), Accepted)
    change_settings(deps, CONSOLE, {"apiAccessTokens.enabled": False})
    assert beside.verify(made.value.reveal()) == Rejected(Reason.FEATURE_OFF, made.token.id)


def test_words_that_got_lost_are_made_anew_from_the_database(data: Path, deps: Deps) -> None:
    change_settings(deps, CONSOLE, {"tokens.retentionDays": 100})
    deps.store.close()
    (data / "gatepass.db-words").unlink()
    with open_embedded(data), closing(open_deps(data, Config()).store) as store:
        assert store.words[0] == store.words[1] > 0
        assert store.changes_after(store.words[0]) == []


def test_a_verifier_is_not_opened_where_nothing_is_installed(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="does not exist"):
        open_embedded(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_words_that_others_can_reach_are_refused(data: Path) -> None:
    (data / "gatepass.db-words").unlink(missing_ok=True)
    (data / "gatepass.db-words").touch(0o666)
    (data / "gatepass.db-words").chmod(0o666)
    with pytest.raises(BadConfiguration, match="others can reach it"):
        open_embedded(data)


def test_a_database_reached_by_two_names_is_still_one(data: Path, deps: Deps, tmp_path: Path) -> None:
    """SQLite resolves links before it names the files beside a database; so must we."""
    links = tmp_path / "links"
    links.mkdir(0o700)
    for name in ("gatepass.db", "gatepass.keys"):
        (links / name).symlink_to(data / name)
    made = make(deps)
    with open_embedded(links) as verifier:
        assert isinstance(verifier.verify(made.value.reveal()), Accepted)
        assert delete_in_another_process(data, made) == 0
        assert verifier.verify(made.value.reveal()) == Rejected(Reason.DELETED, made.token.id)


def test_words_that_were_replaced_are_trusted_no_more_and_changes_are_refused(data: Path, deps: Deps) -> None:
    made, beside = make(deps), open_embedded(data)
    assert isinstance(beside.verify(made.value.reveal()), Accepted)
    (data / "gatepass.db-words").unlink()
    with pytest.raises(Unavailable, match="was replaced"):
        change_settings(deps, CONSOLE, {"tokens.retentionDays": 100})
    assert delete_in_another_process(data, made) == 0  # it found no file and made a new one
    beside.store.check()  # what its own thread does every two seconds
    assert beside.verify(made.value.reveal()) == Rejected(Reason.DELETED, made.token.id)
    with pytest.raises(Unavailable, match="was replaced"):
        beside.close()  # the last use could not be written

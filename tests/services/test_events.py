"""Each change of state has exactly one kind of record, in the same transaction, or does not happen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from gatepass.errors import Unavailable
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.actor import CONSOLE
from gatepass.model.event import ACTIONS
from gatepass.model.identity import Finished, Identity
from gatepass.model.journal import Fate, JournalRecord
from gatepass.model.secret import Secret
from gatepass.services.add_verifier import add_verifier
from gatepass.services.change_password import change_password
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.get_settings import get_settings
from gatepass.services.issue_password_link import issue_password_link
from gatepass.services.list_events import list_events
from gatepass.services.move_to_provider import move_to_provider
from gatepass.services.prove_session import prove_session
from gatepass.services.prune_tokens import prune_tokens
from gatepass.services.recover_user import recover_user
from gatepass.services.remove_verifier import remove_verifier
from gatepass.services.replay_journal import replay_journal
from gatepass.services.revoke_token import revoke_token
from gatepass.services.rotate_pepper import rotate_pepper
from gatepass.services.set_password import set_password
from gatepass.services.sign_in import sign_in
from gatepass.services.sign_out import sign_out
from gatepass.services.sign_out_elsewhere import sign_out_elsewhere
from gatepass.testing.fakes import PASSWORD, START, acting
from services.conftest import World

NEW = Secret("another good sentence")
Doing = Callable[[World], Callable[[], object]]


def creating_a_token(world: World) -> Callable[[], object]:
    return lambda: create_token(world.deps, acting(world.admin), lifetime_seconds=60)


def deleting_a_token(world: World) -> Callable[[], object]:
    made = world.token(world.admin)
    return lambda: revoke_token(world.deps, acting(world.admin), made.token.id)


def pruning(world: World) -> Callable[[], object]:
    world.token(world.admin, lifetime_seconds=1)
    world.clock.advance(days=401)
    return lambda: prune_tokens(world.deps)


def adding(world: World) -> Callable[[], object]:
    return lambda: create_user(world.deps, acting(world.admin), email="new@example.com", password=NEW)


def adding_with_a_link(world: World) -> Callable[[], object]:
    return lambda: create_user(world.deps, acting(world.admin), email="new@example.com")


def renaming(world: World) -> Callable[[], object]:
    return lambda: change_user(world.deps, acting(world.maria), world.maria.id, UserChanges(name="Maria"))


def disabling(world: World) -> Callable[[], object]:
    world.session(world.maria)
    return lambda: change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_disabled=True))


def enabling(world: World) -> Callable[[], object]:
    world.disable(world.maria)
    return lambda: change_user(world.deps, acting(world.admin), world.maria.id, UserChanges(is_disabled=False))


def deleting_a_person(world: World) -> Callable[[], object]:
    world.session(world.maria)
    return lambda: delete_user(world.deps, acting(world.admin), world.maria.id)


def issuing_a_link(world: World) -> Callable[[], object]:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    return lambda: issue_password_link(world.deps, acting(world.admin), made.user.id)


def using_a_link(world: World) -> Callable[[], object]:
    made = create_user(world.deps, acting(world.admin), email="new@example.com")
    return lambda: set_password(world.deps, made.link, NEW)


def changing_a_password(world: World) -> Callable[[], object]:
    world.session(world.maria)
    return lambda: change_password(world.deps, acting(world.maria), current=Secret(PASSWORD), new=NEW)


def recovering(world: World) -> Callable[[], object]:
    world.disable(world.maria)
    return lambda: recover_user(world.deps, "maria@example.com", NEW)


def signing_in(world: World) -> Callable[[], object]:
    world.session(world.maria)  # so that the last sign-in is noted already
    return lambda: sign_in(world.deps, email="maria@example.com", password=Secret(PASSWORD))


def proving(world: World) -> Callable[[], object]:
    actor = world.session_actor(world.maria)
    return lambda: prove_session(world.deps, actor, Secret(PASSWORD))


def moving(world: World) -> Callable[[], object]:
    known = Identity("corp", "s-maria", "maria", email="maria@example.com", email_verified=True)
    corp = ConfiguredProvider(id="corp", name="Company", provider=Absent())
    deps, actor = replace(world.deps, providers={"corp": corp}), world.session_actor(world.maria)
    return lambda: move_to_provider(deps, actor, Finished(known))


class Absent:
    """A provider that is asked nothing."""

    def close(self) -> None:
        pass


def signing_out(world: World) -> Callable[[], object]:
    actor = world.session_actor(world.maria)
    return lambda: sign_out(world.deps, actor)


def signing_out_elsewhere(world: World) -> Callable[[], object]:
    actor = world.session_actor(world.maria)
    world.session(world.maria)
    return lambda: sign_out_elsewhere(world.deps, actor)


def failing_to_sign_in(world: World) -> Callable[[], object]:
    def attempt() -> None:
        try:
            sign_in(world.deps, email="maria@example.com", password=Secret("wrong"))
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  refused, as it should be
            return

    return attempt


def changing_settings(world: World) -> Callable[[], object]:
    return lambda: change_settings(world.deps, acting(world.admin), {"tokens.retentionDays": 7})


def rotating(world: World) -> Callable[[], object]:
    return lambda: rotate_pepper(world.deps, world.keyring)


def adding_a_verifier(world: World) -> Callable[[], object]:
    return lambda: add_verifier(world.deps, CONSOLE, "reports")


def removing_a_verifier(world: World) -> Callable[[], object]:
    add_verifier(world.deps, CONSOLE, "reports")
    return lambda: remove_verifier(world.deps, CONSOLE, "reports")


def replaying(world: World) -> Callable[[], object]:
    made = world.token(world.admin)
    entries = ((Fate.TOKEN_DELETED, made.token.id), (Fate.USER_DISABLED, world.maria.id), (Fate.TOKENS_OFF, None))
    records = [JournalRecord(7, 0, 9, START, entries)]

    def replay() -> None:
        with world.store.write() as tx:
            replay_journal(tx, records, now=START)

    return replay


CHANGES: dict[Doing, list[str]] = {
    replaying: ["token.deleted", "person.disabled", "settings.changed", "journal.replayed"],
    creating_a_token: ["token.created"],
    deleting_a_token: ["token.deleted"],
    pruning: ["tokens.pruned"],
    adding: ["person.created"],
    adding_with_a_link: ["person.created", "password.link-issued"],
    renaming: ["person.changed"],
    disabling: ["person.disabled"],
    enabling: ["person.enabled"],
    deleting_a_person: ["person.deleted"],
    issuing_a_link: ["password.link-issued"],
    using_a_link: ["password.changed"],
    changing_a_password: ["password.changed"],
    recovering: ["person.enabled", "password.changed"],
    signing_in: ["session.started"],
    proving: ["session.proven"],
    moving: ["person.moved", "session.started"],
    signing_out: ["session.ended"],
    signing_out_elsewhere: ["session.ended"],
    failing_to_sign_in: ["sign-in.refused"],
    changing_settings: ["settings.changed"],
    rotating: ["pepper.rotated"],
    adding_a_verifier: ["verifier.added"],
    removing_a_verifier: ["verifier.removed"],
}


def tables(world: World) -> str:
    """Return everything the store holds, as text. The keyring is outside of it."""
    store = world.store
    parts: Iterable[Mapping[Any, object]] = (
        store.tokens._table.rows,
        store.users.table.rows,
        store.users._passwords.rows,
        store.users._links.rows,
        store.sessions._table.rows,
        store.events._table.rows,
        store.settings._table.rows,
        store.failures._table.rows,
        store.verifiers._table.rows,
    )
    return "\n".join(repr(sorted(rows.items(), key=repr)) for rows in parts)


def test_every_kind_of_record_is_written_by_some_change_below() -> None:
    by_commands = {"database.restored", "restore.accepted"}  # see tests/faults/test_restore.py
    assert {action for actions in CHANGES.values() for action in actions} == set(ACTIONS) - by_commands


@pytest.mark.parametrize("doing", CHANGES, ids=lambda doing: doing.__name__)
def test_a_change_writes_its_record_and_no_other(world: World, doing: Doing) -> None:
    change = doing(world)
    before = len(world.events())
    change()
    assert [event.action for event in world.events()[before:]] == CHANGES[doing]


@pytest.mark.parametrize("doing", CHANGES, ids=lambda doing: doing.__name__)
def test_without_its_record_a_change_does_not_happen(
    world: World, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = doing(world)
    before = tables(world)

    def full(_: object) -> None:
        raise Unavailable("the audit log cannot be written")

    monkeypatch.setattr(world.store.events, "add", full)
    with pytest.raises(Unavailable):
        change()
    assert tables(world) == before


@pytest.mark.parametrize("doing", CHANGES, ids=lambda doing: doing.__name__)
def test_no_record_holds_a_secret(world: World, doing: Doing) -> None:
    doing(world)()
    told = repr(world.events())
    for secret in (PASSWORD, NEW.reveal(), "wrong", "gpat_", "gpvf_", "quick$"):
        assert secret not in told


def test_a_record_says_who_with_what_and_from_where(world: World) -> None:
    actor = world.token_actor(world.admin)
    made = create_token(world.deps, actor, lifetime_seconds=60, description="child")
    event = world.events()[-1]
    assert (event.action, event.actor_id, event.actor_name) == ("token.created", world.admin.id, "admin@example.com")
    assert (event.credential, event.credential_id) == (actor.credential, actor.credential_id)
    assert (event.subject_id, event.owner_id, event.owner_name) == (made.token.id, world.admin.id, "admin@example.com")
    assert event.details["description"] == "child"
    world.token(world.admin)
    assert (world.events()[-1].address, world.events()[-1].request_id) == ("192.0.2.1", "request-1")


def test_a_record_of_a_deleted_person_still_names_them(world: World) -> None:
    delete_user(world.deps, acting(world.admin), world.maria.id)
    assert world.events()[-1].owner_name == "maria@example.com"
    assert world.events()[-1].details == {"email": "maria@example.com"}


def test_settings_that_stay_as_they_are_write_no_record(world: World) -> None:
    before = len(world.events())
    change_settings(world.deps, CONSOLE, {"tokens.retentionDays": 400})
    change_settings(world.deps, CONSOLE, {})
    assert len(world.events()) == before
    assert get_settings(world.deps, CONSOLE).retention_days == 400


def test_administrators_read_the_records_newest_or_oldest_first(world: World) -> None:
    from gatepass.interfaces import Page

    oldest = list_events(world.deps, acting(world.admin), page=Page(limit=2))
    assert [event.sequence for event in oldest] == [1, 2]
    world.token(world.admin)
    found = list_events(world.deps, acting(world.admin), page=Page(limit=5), actions=["token."])
    assert [event.action for event in found] == ["token.created"]

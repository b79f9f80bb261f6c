"""Registered verifiers: who may add and remove them, what their credential is worth, and to whom."""

from dataclasses import replace
from uuid import UUID

import pytest

from gatepass.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound, Unavailable
from gatepass.model.actor import CONSOLE, Actor, Credential
from gatepass.model.presented import parse_token
from gatepass.model.registered_verifier import (
    AddedVerifier,
    RegisteredVerifier,
    parse_verifier_credential,
    write_verifier_credential,
)
from gatepass.model.secret import Secret, generate_id, generate_secret, instant_of
from gatepass.model.token import TokenKind, write_token
from gatepass.model.verdict import Reason
from gatepass.services import check_verifier as checking
from gatepass.services.add_verifier import add_verifier
from gatepass.services.check_verifier import check_verifier
from gatepass.services.list_verifiers import list_verifiers
from gatepass.services.may_introspect import may_introspect
from gatepass.services.remove_verifier import remove_verifier
from gatepass.testing.fakes import START, acting
from services.conftest import World


@pytest.fixture
def added(world: World) -> AddedVerifier:
    return add_verifier(world.deps, CONSOLE, "reports")


def test_a_credential_is_good_until_its_verifier_is_removed(world: World, added: AddedVerifier) -> None:
    assert check_verifier(world.deps, added.credential) == added.verifier
    remove_verifier(world.deps, CONSOLE, "reports")
    assert check_verifier(world.deps, added.credential) is Reason.DELETED


def test_a_new_verifier_of_the_same_name_does_not_bring_the_old_credential_back(
    world: World, added: AddedVerifier
) -> None:
    remove_verifier(world.deps, CONSOLE, "reports")
    again = add_verifier(world.deps, CONSOLE, "reports")
    assert check_verifier(world.deps, added.credential) is Reason.DELETED
    assert check_verifier(world.deps, again.credential) == again.verifier


def test_the_store_holds_nothing_that_gives_the_credential_back(world: World, added: AddedVerifier) -> None:
    presented = parse_verifier_credential(added.credential.reveal())
    assert presented is not None
    with world.store.read() as tx:
        kept = repr(tx.verifiers.list())
    assert added.credential.reveal() not in kept
    assert presented.digest.hex() not in kept
    assert repr(presented.digest) not in kept
    assert added.credential.reveal() not in repr(added)


def test_a_right_id_with_another_secret_is_unknown(world: World, added: AddedVerifier) -> None:
    forged = write_verifier_credential(added.verifier.id, generate_secret())
    assert check_verifier(world.deps, forged) is Reason.UNKNOWN


def test_an_unknown_id_is_unknown(world: World) -> None:
    assert (
        check_verifier(world.deps, write_verifier_credential(generate_id(START), generate_secret())) is Reason.UNKNOWN
    )


@pytest.mark.parametrize("known", [True, False])
def test_an_unknown_verifier_costs_the_same_work_as_a_known_one(
    world: World, added: AddedVerifier, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    compared: list[int] = []

    class Counting:
        @staticmethod
        def compare_digest(one: bytes, other: bytes) -> bool:
            compared.append(len(one))
            compared.append(len(other))
            return False

    monkeypatch.setattr(checking, "hmac", Counting)
    verifier_id = added.verifier.id if known else generate_id(START)
    check_verifier(world.deps, write_verifier_credential(verifier_id, generate_secret()))
    assert compared == [32, 32]


@pytest.mark.parametrize("near", ["", "gpvf_", "nonsense", " {}", "{} ", "{}\n"])
def test_text_near_a_credential_is_malformed(world: World, added: AddedVerifier, near: str) -> None:
    assert check_verifier(world.deps, Secret(near.format(added.credential.reveal()))) is Reason.MALFORMED


def test_a_credential_is_no_token_and_a_token_no_credential(world: World, added: AddedVerifier) -> None:
    assert parse_token(added.credential.reveal()) is None
    assert world.verifier.verify(added.credential.reveal()).reason is Reason.MALFORMED
    for kind in TokenKind:
        value = write_token(kind, added.verifier.id, generate_secret()).reveal()
        assert parse_verifier_credential(value) is None
    assert check_verifier(world.deps, world.token(world.admin).value) is Reason.MALFORMED


def test_a_rotated_pepper_leaves_credentials_good_and_a_lost_one_is_no_answer(
    world: World, added: AddedVerifier
) -> None:
    world.keyring.rotate()
    assert check_verifier(world.deps, added.credential) == added.verifier
    del world.keyring.peppers[1]
    with pytest.raises(Unavailable):
        check_verifier(world.deps, added.credential)


def test_only_administrators_and_the_console_register(world: World) -> None:
    added = add_verifier(world.deps, acting(world.admin), "reports")
    assert list_verifiers(world.deps, acting(world.admin)) == [added.verifier]
    for use in (
        lambda actor: add_verifier(world.deps, actor, "other"),
        lambda actor: list_verifiers(world.deps, actor),
        lambda actor: remove_verifier(world.deps, actor, "reports"),
    ):
        with pytest.raises(NotAllowed):
            use(acting(world.maria))
        with pytest.raises(NotAllowed):
            use(Actor(Credential.VERIFIER, credential_id=added.verifier.id))
    assert list_verifiers(world.deps, CONSOLE) == [added.verifier]


def test_adding_and_removing_are_in_the_audit_log_without_the_credential(world: World) -> None:
    added = add_verifier(world.deps, acting(world.admin), "reports")
    remove_verifier(world.deps, CONSOLE, str(added.verifier.id))
    first, second = world.events()[-2:]
    assert (first.action, first.actor_id, first.subject_id) == ("verifier.added", world.admin.id, added.verifier.id)
    assert (second.action, second.credential) == ("verifier.removed", Credential.CONSOLE)
    assert (dict(first.details), dict(second.details)) == ({"name": "reports"}, {"name": "reports"})
    assert added.credential.reveal()[-38:] not in repr(world.events())


@pytest.mark.parametrize(
    "name",
    ["", " ", " a", "a ", "a:b", "a\nb", "a\u202eb", "x" * 101, "01234567-89ab-7def-8123-456789abcdef", "\ud800"],
)
def test_a_bad_name_is_refused_and_nothing_is_kept(world: World, name: str) -> None:
    before = world.events()
    with pytest.raises(InvalidInput) as caught:
        add_verifier(world.deps, CONSOLE, name)
    assert caught.value.field == "name"
    assert (list_verifiers(world.deps, CONSOLE), world.events()) == ([], before)


def test_a_taken_name_is_a_conflict_and_writes_no_record(world: World, added: AddedVerifier) -> None:
    before = world.events()
    with pytest.raises(Conflict):
        add_verifier(world.deps, CONSOLE, "REPORTS")
    assert world.events() == before


@pytest.mark.parametrize("name", ["other", "", "0" * 32, str(UUID(int=7))])
def test_removing_what_is_not_there_is_not_found(world: World, added: AddedVerifier, name: str) -> None:
    with pytest.raises(NotFound):
        remove_verifier(world.deps, CONSOLE, name)
    assert check_verifier(world.deps, added.credential) == added.verifier


def test_a_name_of_digits_is_found_as_a_name(world: World) -> None:
    made = add_verifier(world.deps, CONSOLE, "0123456789abcdef0123456789abcdef").verifier
    assert remove_verifier(world.deps, CONSOLE, made.name) == made


def test_a_second_removal_is_not_found(world: World, added: AddedVerifier) -> None:
    remove_verifier(world.deps, CONSOLE, str(added.verifier.id))
    for again in ("reports", str(added.verifier.id)):
        with pytest.raises(NotFound):
            remove_verifier(world.deps, CONSOLE, again)


def test_a_verifier_may_see_every_token_and_a_removed_one_is_nobody(world: World, added: AddedVerifier) -> None:
    actor = Actor(Credential.VERIFIER, credential_id=added.verifier.id)
    assert may_introspect(world.deps, actor, world.maria.id) is True
    remove_verifier(world.deps, CONSOLE, "reports")
    for dead in (actor, replace(actor, credential_id=generate_id(START)), replace(actor, credential_id=None)):
        with pytest.raises(NotAuthenticated):
            may_introspect(world.deps, dead, world.maria.id)


def test_people_see_their_own_tokens_and_administrators_all(world: World) -> None:
    assert may_introspect(world.deps, acting(world.maria), world.maria.id) is True
    assert may_introspect(world.deps, acting(world.maria), world.bob.id) is False
    assert may_introspect(world.deps, acting(world.admin), world.bob.id) is True


def test_a_token_id_tells_when_the_token_was_created(world: World) -> None:
    world.clock.advance(milliseconds=1234)
    token = world.token(world.admin).token
    assert instant_of(token.id) == token.created_at
    assert instant_of(UUID("00000000-0000-4000-8000-000000000000")) is None


def test_what_check_verifier_returns_has_no_readable_secret(world: World, added: AddedVerifier) -> None:
    found = check_verifier(world.deps, added.credential)
    assert isinstance(found, RegisteredVerifier)
    assert added.credential.reveal()[28:] not in repr(found)

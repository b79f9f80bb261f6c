"""Random sequences of everything people do, against a model of a few dicts, over both stores.

The model knows the rules and nothing of how they are kept. After each step every token and session
it knows is tried, and the number of audit records is what the steps account for.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gatepass.connect import verifier_over
from gatepass.errors import Conflict, Disabled, GatepassError, InvalidInput, NotAllowed, NotAuthenticated, NotFound
from gatepass.interfaces import Page, Store
from gatepass.model.actor import Actor, Credential
from gatepass.model.rights import Rights
from gatepass.model.secret import Secret
from gatepass.model.token import TokenStatus
from gatepass.model.verdict import Accepted
from gatepass.services.change_password import change_password
from gatepass.services.change_settings import change_settings
from gatepass.services.change_user import UserChanges, change_user
from gatepass.services.create_token import create_token
from gatepass.services.create_user import create_user
from gatepass.services.delete_user import delete_user
from gatepass.services.find_session import find_session
from gatepass.services.list_events import list_events
from gatepass.services.list_tokens import list_tokens
from gatepass.services.prune_tokens import prune_tokens
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token
from gatepass.services.rotate_pepper import rotate_pepper
from gatepass.services.sign_in import sign_in
from gatepass.stores.memory import MemoryStore
from gatepass.stores.sql.sqlite import SqliteStore
from gatepass.testing.fakes import PASSWORD, FakeClock, MemoryKeyring, add_person, knowing_password, make_deps
from modelbased.known import FULL, WITHIN, Known, Person, SignedIn

SOAK = bool(os.environ.get("GATEPASS_SOAK"))
EXAMPLES, STEPS = (2500, 50) if SOAK else (25, 40)


class Whole(RuleBasedStateMachine):
    """The machine. A subclass says which store."""

    people = Bundle("people")
    tokens = Bundle("tokens")
    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.keyring = FakeClock(), MemoryKeyring()
        self.deps = make_deps(self.open_store(), clock=self.clock, keyring=self.keyring)
        self.verifier = verifier_over(self.store_beside(), self.keyring, self.clock)
        self.everybody: list[Person] = []
        self.known: list[Known] = []
        self.signed_in: list[SignedIn] = []
        self.enabled, self.users_may, self.most_days = True, False, -1
        self.names = 0
        self.root = self._add("root@example.com", is_admin=True)
        self.records = self._count_records()

    def open_store(self) -> Store:
        raise NotImplementedError

    def store_beside(self) -> Store:
        """Return the same store as another process has it open, for a verifier that remembers all along."""
        return self.deps.store

    def _add(self, email: str, *, is_admin: bool = False) -> Person:
        user = add_person(self.deps, email, is_admin=is_admin)
        person = Person(user.id, email, is_admin=is_admin)
        self.everybody.append(person)
        return person

    def _admin(self) -> Actor:
        live = next(person for person in self.everybody if person.is_admin and person.is_live)
        return knowing_password(self.deps, live.id)

    def _count_records(self) -> int:
        found = list_events(self.deps, self._admin(), page=Page(limit=1, newest_first=True))
        return found[0].sequence

    @contextmanager
    def expecting(self, error: type[GatepassError] | None, *, records: int = 1) -> Iterator[None]:
        """Expect this error, or success and so many new audit records."""
        if error is None:
            yield
            self.records += records
            return
        with pytest.raises(error):
            yield

    @initialize(target=people)
    def begin(self) -> Person:
        return self.root

    @rule(target=people, is_admin=st.booleans(), again=st.booleans())
    def add_somebody(self, is_admin: bool, again: bool) -> Person:
        gone = [person.email for person in self.everybody if person.is_deleted]
        self.names += 1
        email = gone[0] if again and gone and not self._taken(gone[0]) else f"person{self.names}@example.com"
        person = self._add(email, is_admin=is_admin)
        self.records += 1
        return person

    def _taken(self, email: str) -> bool:
        return any(person.email == email and not person.is_deleted for person in self.everybody)

    @rule(owner=people)
    def add_a_name_twice(self, owner: Person) -> None:
        if self._taken(owner.email):
            with self.expecting(Conflict):
                create_user(self.deps, self._admin(), email=owner.email.upper(), password=Secret(PASSWORD))

    def _refusal(self, person: Person, seconds: int) -> type[GatepassError] | None:
        """Say what creating a token must end with, by the rules alone."""
        if not self.enabled:
            return Disabled
        if not person.is_live:
            return NotAuthenticated
        if not (self.users_may or person.is_admin):
            return NotAllowed
        too_long = self.most_days != -1 and (seconds == -1 or seconds > self.most_days * 86_400)
        return InvalidInput if too_long else None

    @rule(
        target=tokens,
        owner=people,
        seconds=st.sampled_from([-1, 1, 60, 86_400, 90 * 86_400]),
        rights=st.sampled_from([*WITHIN]),
    )
    def create_with_password(self, owner: Person, seconds: int, rights: Rights) -> Known | None:
        actor = knowing_password(self.deps, owner.id)
        return self._create(actor, owner, seconds, self._refusal(owner, seconds), asked=rights, given=rights)

    @rule(target=tokens, parent=tokens, seconds=st.sampled_from([-1, 60, 86_400]), asked=st.sampled_from([*WITHIN]))
    def create_with_token(self, parent: Known | None, seconds: int, asked: Rights) -> Known | None:
        if parent is None:
            return None
        actor = Actor(Credential.TOKEN, parent.owner.id, parent.id)
        refusal = self._refusal(parent.owner, seconds)
        if refusal is not Disabled and not self._accepted(parent):
            refusal = NotAuthenticated
        given = parent.rights if asked is FULL else asked
        if refusal is None and given not in WITHIN[parent.rights]:
            refusal = NotAllowed
        return self._create(actor, parent.owner, seconds, refusal, asked=asked, given=given)

    @rule(target=tokens, session=sessions)
    def create_with_session(self, session: SignedIn | None) -> Known | None:
        if session is None:
            return None
        actor = Actor(Credential.SESSION, session.owner.id, session.started.session.id)
        refusal = self._refusal(session.owner, 60)
        if refusal is not Disabled and not session.is_signed_in(self.clock.now()):
            refusal = NotAuthenticated
        elif refusal is not Disabled and self.clock.now() - session.at >= timedelta(minutes=15):
            refusal = NotAllowed
        return self._create(actor, session.owner, 60, refusal)

    def _create(
        self,
        actor: Actor,
        owner: Person,
        seconds: int,
        refusal: type[GatepassError] | None,
        *,
        asked: Rights = FULL,
        given: Rights = FULL,
    ) -> Known | None:
        with self.expecting(refusal):
            made = create_token(self.deps, actor, lifetime_seconds=seconds, rights=asked)
            end = None if seconds == -1 else self.clock.now() + timedelta(seconds=seconds)
            assert made.token.expires_at == end
            known = Known(made.token.id, made.value.reveal(), owner, end, rights=given)
            self.known.append(known)
            return known
        return None

    @rule(owner=people, number=st.integers(0, 2))
    def create_again_with_a_key(self, owner: Person, number: int) -> None:
        if self._refusal(owner, 60):
            return
        key = f"{owner.id}-{number}"
        first = next((token for token in self.known if token.key == key), None)
        age = None if first is None or first.expires_at is None else self.clock.now() - first.expires_at
        gone = first is not None and (first.is_deleted or age >= timedelta(hours=24) - timedelta(seconds=60))
        with self.expecting(Conflict if gone else None, records=0 if first else 1):
            made = create_token(
                self.deps, knowing_password(self.deps, owner.id), lifetime_seconds=60, retry=Retry(key, b"x")
            )
            if first:
                assert made.value.reveal() == first.value
            else:
                self.known.append(Known(made.token.id, made.value.reveal(), owner, made.token.expires_at, key=key))

    @rule(token=tokens, who=people)
    def delete_a_token(self, token: Known | None, who: Person) -> None:
        if token is None:
            return
        error: type[GatepassError] | None = None
        if not self.enabled:
            error = Disabled
        elif not who.is_live:
            error = NotAuthenticated
        elif token.is_deleted or (who is not token.owner and not who.is_admin):
            error = NotFound  # or Gone, which is one
        with self.expecting(error):
            revoke_token(self.deps, knowing_password(self.deps, who.id), token.id)
            token.is_deleted = True

    @rule(person=people, is_disabled=st.booleans())
    def disable_or_enable(self, person: Person, is_disabled: bool) -> None:
        error = self._last_admin(person, is_disabled) or (NotFound if person.is_deleted else None)
        with self.expecting(error, records=int(person.is_disabled != is_disabled)):
            change_user(self.deps, self._admin(), person.id, UserChanges(is_disabled=is_disabled))
            person.is_disabled = is_disabled
            if is_disabled:
                self._end_sessions(person)

    @rule(person=people, is_admin=st.booleans())
    def promote_or_demote(self, person: Person, is_admin: bool) -> None:
        error = self._last_admin(person, not is_admin) or (NotFound if person.is_deleted else None)
        with self.expecting(error, records=int(person.is_admin != is_admin)):
            change_user(self.deps, self._admin(), person.id, UserChanges(is_admin=is_admin))
            if person.is_admin != is_admin:
                self._end_sessions(person)
            person.is_admin = is_admin

    @rule(person=people)
    def delete_somebody(self, person: Person) -> None:
        with self.expecting(self._last_admin(person, True) or (NotFound if person.is_deleted else None)):
            delete_user(self.deps, self._admin(), person.id)
            person.is_deleted = True
            self._end_sessions(person)

    def _last_admin(self, person: Person, ending: bool) -> type[GatepassError] | None:
        others = [each for each in self.everybody if each.is_admin and each.is_live and each is not person]
        return Conflict if ending and person.is_admin and person.is_live and not others else None

    def _end_sessions(self, person: Person) -> None:
        for session in self.signed_in:
            session.is_over = session.is_over or session.owner is person

    @rule(target=sessions, person=people)
    def sign_in_somebody(self, person: Person) -> SignedIn | None:
        if not person.is_live:
            return None  # failing on purpose would run into the throttle, which has tests of its own
        started = sign_in(self.deps, email=person.email, password=Secret(person.password))
        self.records += 1
        session = SignedIn(started, person, self.clock.now(), self.clock.now())
        self.signed_in.append(session)
        mine = [each for each in self.signed_in if each.owner is person and self._is_kept(each)]
        for old in mine[:-10]:
            old.is_over = True
        return session

    def _is_kept(self, session: SignedIn) -> bool:
        return not session.is_over

    @rule(person=people, number=st.integers(0, 99))
    def change_a_password(self, person: Person, number: int) -> None:
        if not person.is_live:
            return
        new = f"a new password number {number}"
        with self.expecting(None):
            actor = knowing_password(self.deps, person.id)
            change_password(self.deps, actor, current=Secret(person.password), new=Secret(new))
            person.password = new
            self._end_sessions(person)

    @rule(enabled=st.booleans(), users_may=st.booleans(), most_days=st.sampled_from([-1, 1, 30]))
    def change_the_policy(self, enabled: bool, users_may: bool, most_days: int) -> None:
        wanted = (enabled, users_may, most_days)
        changed = wanted != (self.enabled, self.users_may, self.most_days)
        names = ("apiAccessTokens.enabled", "apiAccessTokens.usersMayGenerate", "apiAccessTokens.maximumLifetimeDays")
        with self.expecting(None, records=int(changed)):
            change_settings(self.deps, self._admin(), dict(zip(names, wanted, strict=True)))
        self.enabled, self.users_may, self.most_days = wanted

    @rule(minutes=st.sampled_from([1, 14, 29, 60, 24 * 60, 31 * 24 * 60]))
    def let_time_pass(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @rule()
    def rotate_the_key(self) -> None:
        with self.expecting(None):
            rotate_pepper(self.deps, self.keyring)

    @rule()
    def prune(self) -> None:
        kept = self.clock.now() - timedelta(days=400)
        gone = [token for token in self.known if token.expires_at and token.expires_at < kept]
        removed = prune_tokens(self.deps)
        self.records += int(removed > 0)
        assert removed >= 0
        self.known = [token for token in self.known if token not in gone]

    def _accepted(self, token: Known) -> bool:
        expired = token.expires_at is not None and token.expires_at <= self.clock.now()
        return self.enabled and token.owner.is_live and not token.is_deleted and not expired

    @invariant()
    def every_token_is_judged_as_the_model_does(self) -> None:
        for token in self.known:
            verdict = self.verifier.verify(token.value)
            assert isinstance(verdict, Accepted) == self._accepted(token), (verdict, token)
            if isinstance(verdict, Accepted):
                assert (verdict.token_id, verdict.owner_id) == (token.id, token.owner.id)
                assert verdict.rights == token.rights

    @invariant()
    def every_session_is_what_the_model_says(self) -> None:
        for session in self.signed_in:
            found = find_session(self.deps, session.started.handle)
            assert (found is not None) == session.is_signed_in(self.clock.now())
            if found is None:
                session.is_over = True
            elif self.clock.now() - session.seen_at >= timedelta(seconds=30):
                session.seen_at = self.clock.now()

    @invariant()
    def every_list_is_the_models(self) -> None:
        if not self.enabled:
            return
        for person in self.everybody:
            if person.is_deleted:
                continue
            mine = [token for token in self.known if token.owner is person]
            for status, expected in (
                (None, [token.id for token in mine if not token.is_deleted]),
                (TokenStatus.DELETED, [token.id for token in mine if token.is_deleted]),
            ):
                found = list_tokens(self.deps, self._admin(), owner_id=person.id, page=Page(limit=1000), status=status)
                assert [token.id for token in found if token.id in {each.id for each in mine}] == sorted(expected)

    @invariant()
    def every_change_has_its_record(self) -> None:
        assert self._count_records() == self.records


class OverMemory(Whole):
    def open_store(self) -> Store:
        return MemoryStore()


class OverSqlite(Whole):
    def open_store(self) -> Store:
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        self.sqlite = SqliteStore.create(self.folder / "gatepass.db")
        return self.sqlite

    def store_beside(self) -> Store:
        self.beside = SqliteStore(self.folder / "gatepass.db")
        return self.beside

    @rule()
    def restart(self) -> None:
        self.sqlite.close()
        self.sqlite = SqliteStore(self.folder / "gatepass.db")
        object.__setattr__(self.deps, "store", self.sqlite)
        object.__setattr__(self.deps.throttle, "_store", self.sqlite)

    def teardown(self) -> None:
        self.sqlite.close()
        self.beside.close()
        shutil.rmtree(self.folder)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("machine", [OverMemory, OverSqlite])
def test_random_sequences_agree_with_the_model(machine: type[Whole]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not SOAK,
            print_blob=True,
        ),
    )

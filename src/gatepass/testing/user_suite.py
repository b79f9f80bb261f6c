"""The suites for users, sessions, settings, failed sign-ins and remembered browsers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Store, UserCounts
from gatepass.model.secret import generate_id
from gatepass.model.settings import Settings
from gatepass.model.user import Password, PasswordLink
from gatepass.testing.fakes import START
from gatepass.testing.records import ids_of, keep_users, make_device, make_session, make_user

_DAY = timedelta(days=1)
_HANDLES = (b"1", b"2", b"3")


class UserSuite:
    """Give a fixture `store`."""

    def test_a_user_comes_back_as_they_were_kept(self, store: Store) -> None:
        user = make_user("Maria@Example.com", name="Maria 🙂", is_admin=True, disabled_at=START, last_sign_in_at=START)
        keep_users(store, user)
        with store.read() as tx:
            assert tx.users.find(user.id) == user
            assert tx.users.find_by_email("mARIA@eXAMPLE.COM") == user

    def test_an_address_belongs_to_one_person_whatever_its_case(self, store: Store) -> None:
        keep_users(store, make_user("maria@example.com"))
        with pytest.raises(Conflict):
            keep_users(store, make_user("MARIA@example.com"))

    def test_an_address_cannot_be_taken_over_by_a_change(self, store: Store) -> None:
        maria, bob = make_user("maria@example.com"), make_user("bob@example.com")
        keep_users(store, maria, bob)
        with pytest.raises(Conflict), store.write() as tx:
            tx.users.update(replace(bob, email="Maria@example.com"))
        with store.write() as tx:
            tx.users.update(replace(maria, email="MARIA@example.com"))

    def test_look_alikes_are_somebody_else(self, store: Store) -> None:
        keep_users(store, make_user("mark@example.com"))
        with store.read() as tx:
            for name in ("mar\u212a@example.com", "ｍark@example.com", "mark@example.com ", "mark@example.com\u200b"):  # noqa: RUF001
                assert tx.users.find_by_email(name) is None

    def test_a_deleted_person_is_not_found_and_their_address_is_free(self, store: Store) -> None:
        old = make_user("maria@example.com")
        keep_users(store, old)
        with store.write() as tx:
            tx.users.update(replace(old, deleted_at=START))
        new = make_user("maria@example.com")
        keep_users(store, new)
        with store.read() as tx:
            assert tx.users.find(old.id) is None
            assert tx.users.find_by_email("maria@example.com") == new

    def test_people_of_providers_come_back_as_they_were_kept(self, store: Store) -> None:
        user = make_user(
            "maria@corp",
            provider="corp",
            subject="S-1",
            may_generate=False,
            disabled_at=START,
            lost="gone",
            checked_at=START,
        )
        keep_users(store, user)
        with store.read() as tx:
            assert tx.users.find(user.id) == tx.users.find_by_subject("corp", "S-1") == user
            assert tx.users.find_by_subject("corp", "s-1") is None
            assert tx.users.find_by_subject("other", "S-1") is None
        with store.write() as tx:
            tx.users.update(replace(user, may_generate=None, lost=None, subject="S-2"))
        with store.read() as tx:
            assert tx.users.find_by_subject("corp", "S-1") is None
            assert tx.users.find_by_subject("corp", "S-2") == replace(user, may_generate=None, lost=None, subject="S-2")

    def test_a_subject_is_one_persons_until_they_are_deleted(self, store: Store) -> None:
        first = make_user("first@corp", provider="corp", subject="S-1")
        second = make_user("second@corp", provider="corp", subject="S-1")
        keep_users(store, first, make_user("third@corp", provider="other", subject="S-1"))
        with pytest.raises(Conflict):
            keep_users(store, second)
        with store.write() as tx:
            tx.users.update(replace(first, deleted_at=START))
        keep_users(store, second)
        with store.read() as tx:
            assert tx.users.find_by_subject("corp", "S-1") == second

    def test_a_local_person_becomes_one_of_a_provider_unless_somebody_is_that_person(self, store: Store) -> None:
        local, taken = make_user("local@example.com"), make_user("taken@corp", provider="corp", subject="S-1")
        keep_users(store, local, taken)
        with pytest.raises(Conflict), store.write() as tx:
            tx.users.update(replace(local, provider="corp", subject="S-1"))
        moved = replace(local, provider="corp", subject="S-2")
        with store.write() as tx:
            tx.users.update(moved)
        with store.read() as tx:
            assert tx.users.find_by_subject("corp", "S-2") == tx.users.find(local.id) == moved
            assert moved in tx.users.list_unchecked("corp", since=START, after=None, limit=9)

    def test_people_whom_a_provider_was_not_asked_about_are_walked_in_parts(self, store: Store) -> None:
        due = [
            make_user("p1@corp", provider="corp", subject="S-1"),
            make_user("p2@corp", provider="corp", subject="S-2", checked_at=START),
            make_user("p3@corp", provider="corp", subject="S-3", disabled_at=START, lost="gone"),
        ]
        keep_users(
            store,
            *due,
            make_user("lately@corp", provider="corp", subject="lately", checked_at=START + _DAY),
            make_user("off@corp", provider="corp", subject="off", disabled_at=START),
            make_user("gone@corp", provider="corp", subject="gone", deleted_at=START),
            make_user("other@corp", provider="other", subject="S-0"),
            make_user("local@example.com"),
        )
        with store.read() as tx:
            part = tx.users.list_unchecked("corp", since=START, after=None, limit=2)
            assert list(part) == due[:2]
            assert list(tx.users.list_unchecked("corp", since=START, after=part[-1].id, limit=2)) == due[2:]

    def test_the_people_of_a_provider_are_listed_in_parts_and_counted(self, store: Store) -> None:
        theirs = [
            make_user("p1@corp", provider="corp", subject="S-1"),
            make_user("p2@corp", provider="corp", subject="S-2", disabled_at=START),
            make_user("p3@corp", provider="corp", subject="S-3", disabled_at=START, lost="deactivated"),
        ]
        keep_users(
            store,
            *theirs,
            make_user("gone@corp", provider="corp", subject="gone", deleted_at=START),
            make_user("other@corp", provider="other", subject="S-1"),
            make_user("local@example.com"),
        )
        with store.read() as tx:
            assert list(tx.users.list_of_provider("corp", Page(limit=10))) == theirs
            assert list(tx.users.list_of_provider("corp", Page(limit=1, offset=1))) == theirs[1:2]
            assert list(tx.users.list_of_provider("corp", Page(limit=10, offset=3))) == []
            assert [tx.users.count_of_provider(each) for each in ("corp", "other", "nobody")] == [3, 1, 0]

    def test_the_last_check_moves_forward_and_touches_nothing_else(self, store: Store) -> None:
        user = make_user("maria@corp", provider="corp", subject="S-1")
        keep_users(store, user)
        for at in (START + _DAY, START):
            with store.write() as tx:
                tx.users.note_checked(user.id, at)
        with store.read() as tx:
            assert tx.users.find(user.id) == replace(user, checked_at=START + _DAY)

    def test_people_are_counted(self, store: Store) -> None:
        keep_users(
            store,
            make_user("a@example.com", is_admin=True),
            make_user("b@example.com", is_admin=True, disabled_at=START),
            make_user("c@example.com", disabled_at=START),
            make_user("d@example.com", is_admin=True, deleted_at=START),
        )
        with store.read() as tx:
            assert tx.users.counts() == UserCounts(all=3, disabled=2, live_admins=1)

    def test_the_last_sign_in_moves_forward_and_touches_nothing_else(self, store: Store) -> None:
        user = make_user("maria@example.com", disabled_at=START)
        keep_users(store, user)
        for at in (START + _DAY, START):
            with store.write() as tx:
                tx.users.note_sign_in(user.id, at)
        with store.read() as tx:
            assert tx.users.find(user.id) == replace(user, last_sign_in_at=START + _DAY)

    def test_a_password_is_replaced_and_removed(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        for password in (Password("one", START), Password("two", START + _DAY, on_console=True), None):
            with store.write() as tx:
                tx.users.set_password(user.id, password)
            with store.read() as tx:
                assert tx.users.find_password(user.id) == password

    def test_a_new_link_ends_the_old_one_and_a_password_ends_both(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        old, new = (PasswordLink(mark * 32, user.id, START + _DAY) for mark in (b"o", b"n"))
        for link in (old, new):
            with store.write() as tx:
                tx.users.add_link(link)
        with store.read() as tx:
            assert tx.users.find_link(old.handle_hash) is None
            assert tx.users.find_link(new.handle_hash) == new
        with store.write() as tx:
            tx.users.set_password(user.id, Password("x", START))
        with store.read() as tx:
            assert tx.users.find_link(new.handle_hash) is None

    def test_links_that_ended_are_pruned(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        with store.write() as tx:
            tx.users.add_link(PasswordLink(b"l" * 32, user.id, START + _DAY))
            tx.users.prune_links(START + _DAY)
        with store.write() as tx:
            assert tx.users.find_link(b"l" * 32) is not None
            tx.users.prune_links(START + 2 * _DAY)
            assert tx.users.find_link(b"l" * 32) is None


class SessionSuite:
    """Give a fixture `store`."""

    def test_a_session_comes_back_as_it_was_kept(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        session = make_session(user, address=None, user_agent=None, provider="corp", reference="sid-1")
        with store.write() as tx:
            tx.sessions.add(session)
        with store.read() as tx:
            assert tx.sessions.find(session.handle_hash) == session
            assert tx.sessions.find_by_id(session.id) == session
            assert tx.sessions.find(b"?" * 32) is None
            assert tx.sessions.find_by_id(generate_id(START)) is None

    def test_sessions_are_listed_oldest_first_and_ended_but_for_one(self, store: Store) -> None:
        maria, bob = make_user("maria@example.com"), make_user("bob@example.com")
        keep_users(store, maria, bob)
        first, second, third = (make_session(maria, at=START + number * _DAY) for number in range(3))
        other = make_session(bob)
        with store.write() as tx:
            for session in (third, first, second, other):
                tx.sessions.add(session)
        with store.write() as tx:
            assert ids_of(tx.sessions.list(maria.id)) == [first.id, second.id, third.id]
            assert tx.sessions.remove_of(maria.id, except_id=second.id) == 2
            assert ids_of(tx.sessions.list(maria.id)) == [second.id]
            assert tx.sessions.remove_of(maria.id) == 1
            assert ids_of(tx.sessions.list(bob.id)) == [other.id]

    def test_sessions_are_found_by_what_their_provider_calls_them(self, store: Store) -> None:
        maria, bob = make_user("maria@example.com"), make_user("bob@example.com")
        keep_users(store, maria, bob)
        wanted = [make_session(each, at=START, provider="corp", reference="sid-1") for each in (maria, bob)]
        others = [make_session(maria, provider="corp", reference="sid-2"), make_session(maria, reference="sid-1")]
        with store.write() as tx:
            for session in (*wanted, *others, make_session(maria, provider="corp")):
                tx.sessions.add(session)
        with store.read() as tx:
            assert {each.id for each in tx.sessions.list_of_reference("corp", "sid-1")} == {each.id for each in wanted}
            assert tx.sessions.list_of_reference("corp", "") == []

    def test_an_ended_session_is_not_brought_back_by_an_update(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        session = make_session(user)
        with store.write() as tx:
            tx.sessions.add(session)
            assert tx.sessions.remove(session.id) is True
            assert tx.sessions.remove(session.id) is False
            tx.sessions.update(replace(session, seen_at=START + _DAY))
            assert tx.sessions.find_by_id(session.id) is None

    def test_sessions_that_idled_or_aged_are_pruned(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        idle = make_session(user, at=START + _DAY, seen_at=START)
        aged = make_session(user, at=START, seen_at=START + _DAY)
        live = make_session(user, at=START + _DAY)
        with store.write() as tx:
            for session in (idle, aged, live):
                tx.sessions.add(session)
            tx.sessions.prune(seen_before=START + _DAY, signed_in_before=START + _DAY)
            assert ids_of(tx.sessions.list(user.id)) == [live.id]


class SettingsSuite:
    """Give a fixture `store`."""

    def test_settings_begin_with_their_defaults(self, store: Store) -> None:
        with store.read() as tx:
            assert tx.settings.load() == Settings()

    def test_settings_come_back_as_they_were_saved(self, store: Store) -> None:
        wanted = Settings(enabled=True, users_may_generate=True, maximum_lifetime_days=90, retention_days=7)
        with store.write() as tx:
            tx.settings.save(Settings(enabled=False, maximum_lifetime_days=1))
            tx.settings.save(wanted)
        with store.read() as tx:
            assert tx.settings.load() == wanted


class SpentSuite:
    """Give a fixture `store`."""

    def test_what_was_taken_is_not_taken_again_until_it_ended(self, store: Store) -> None:
        with store.write() as tx:
            assert tx.spent.add(b"one", START) is True
            assert tx.spent.add(b"two", START + _DAY) is True
        with store.write() as tx:
            assert tx.spent.add(b"one", START + _DAY) is False
            tx.spent.prune(START + _DAY)
            assert tx.spent.add(b"one", START) is True
            assert tx.spent.add(b"two", START) is False


class DeviceSuite:
    """Give a fixture `store`."""

    def test_a_device_comes_back_as_it_was_kept(self, store: Store) -> None:
        maria, bob = make_user("maria@example.com"), make_user("bob@example.com")
        keep_users(store, maria, bob)
        wanted = (make_device(maria, b"1"), make_device(maria, b"2", account_key=b"a" * 32), make_device(bob, b"3"))
        with store.write() as tx:
            for each in reversed(wanted):
                tx.devices.add(each)
        with store.read() as tx:
            assert [tx.devices.find(each.handle_hash) for each in wanted] == list(wanted)
            assert tx.devices.find(b"4" * 32) is None
            assert tx.devices.list(maria.id) == list(wanted[:2])

    def test_devices_are_forgotten_one_by_one_or_all_but_one(self, store: Store) -> None:
        maria, bob = make_user("maria@example.com"), make_user("bob@example.com")
        keep_users(store, maria, bob)
        one, two, three = (make_device(maria, each, at=START + number * _DAY) for number, each in enumerate(_HANDLES))
        other = make_device(bob, b"4")
        with store.write() as tx:
            for each in (three, two, one, other):
                tx.devices.add(each)
            assert tx.devices.list(maria.id) == [one, two, three]
            tx.devices.remove(one.handle_hash)
            tx.devices.remove(one.handle_hash)
            assert tx.devices.list(maria.id) == [two, three]
            tx.devices.remove_of(maria.id, but=three.handle_hash)
            assert tx.devices.list(maria.id) == [three]
            tx.devices.remove_of(maria.id)
            assert (tx.devices.list(maria.id), tx.devices.list(bob.id)) == ([], [other])

    def test_old_devices_are_pruned(self, store: Store) -> None:
        user = make_user("maria@example.com")
        keep_users(store, user)
        old, new = make_device(user, b"1"), make_device(user, b"2", at=START + _DAY)
        with store.write() as tx:
            tx.devices.add(old)
            tx.devices.add(new)
            tx.devices.prune(START + _DAY)
            assert tx.devices.list(user.id) == [new]


class FailureSuite:
    """Give a fixture `store`."""

    def test_failures_are_counted_by_key_and_by_time(self, store: Store) -> None:
        hour = timedelta(hours=1)
        with store.write() as tx:
            tx.failures.add([b"account", b"address"], START + hour)
            tx.failures.add([b"account"], START)
        with store.read() as tx:
            assert list(tx.failures.list(b"account", START - hour)) == [START, START + hour]
            assert list(tx.failures.list(b"account", START)) == [START + hour]
            assert list(tx.failures.list(b"address", START - hour)) == [START + hour]
            assert list(tx.failures.list(b"nobody", START - hour)) == []

    def test_the_failures_of_one_key_are_forgotten_and_no_others(self, store: Store) -> None:
        with store.write() as tx:
            tx.failures.add([b"account", b"address"], START)
            tx.failures.add([b"account"], START + _DAY)
        with store.write() as tx:
            tx.failures.forget(b"account")
            tx.failures.forget(b"nobody")
        with store.read() as tx:
            assert list(tx.failures.list(b"account", START - _DAY)) == []
            assert list(tx.failures.list(b"address", START - _DAY)) == [START]

    def test_old_failures_are_forgotten(self, store: Store) -> None:
        with store.write() as tx:
            tx.failures.add([b"old"], START)
            tx.failures.add([b"new"], START + _DAY)
            tx.failures.prune(START + _DAY)
            assert list(tx.failures.list(b"old", START - _DAY)) == []
            assert list(tx.failures.list(b"new", START)) == [START + _DAY]

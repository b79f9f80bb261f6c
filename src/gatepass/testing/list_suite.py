"""The suite for lists: order, pages both ways, filters."""

from datetime import timedelta

import pytest

from gatepass.interfaces import Page, Store
from gatepass.model.token import Token, TokenStatus
from gatepass.model.user import User
from gatepass.testing.fakes import START
from gatepass.testing.records import ids_of, keep_tokens, keep_users, make_event, make_token, make_user

_DAY = timedelta(days=1)
_ALL = Page(limit=1000)


class TokenListSuite:
    """Give a fixture `store`."""

    @pytest.fixture
    def owner(self, store: Store) -> User:
        user = make_user("owner@example.com")
        keep_users(store, user)
        return user

    @pytest.fixture
    def tokens(self, store: Store, owner: User) -> list[Token]:
        """Ten tokens: 0 to 9, of which 1 and 4 are deleted and 2 and 7 expired on the second day."""
        made = [
            make_token(
                owner,
                at=START + timedelta(milliseconds=number),
                description=f"Token {'ÄÖÜ'[number % 3]} {number}",
                expires_at=START + _DAY if number in {2, 7} else None if number % 2 else START + 90 * _DAY,
            )
            for number in range(10)
        ]
        other = make_user("other@example.com")
        keep_users(store, other)
        keep_tokens(store, *made, make_token(other))
        with store.write() as tx:
            for number in (1, 4):
                tx.tokens.revoke(made[number].id, START)
        return made

    def listed(
        self,
        store: Store,
        owner: User,
        page: Page = _ALL,
        *,
        status: TokenStatus | None = None,
        prefix: str | None = None,
        by_tail: bool = False,
    ) -> list[int]:
        """Return the numbers of the tokens a list shows on the third day."""
        with store.read() as tx:
            found = tx.tokens.list(owner.id, page, now=START + 2 * _DAY, status=status, prefix=prefix, by_tail=by_tail)
        return [int((token.description or "").rpartition(" ")[2]) for token in found]

    def test_a_list_is_in_the_order_of_creation_without_deleted_ones(
        self, store: Store, owner: User, tokens: list[Token]
    ) -> None:
        assert self.listed(store, owner) == [0, 2, 3, 5, 6, 7, 8, 9]

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (TokenStatus.ACTIVE, [0, 3, 5, 6, 8, 9]),
            (TokenStatus.EXPIRED, [2, 7]),
            (TokenStatus.DELETED, [1, 4]),
        ],
    )
    def test_a_list_shows_one_status(
        self, store: Store, owner: User, tokens: list[Token], status: TokenStatus, expected: list[int]
    ) -> None:
        assert self.listed(store, owner, status=status) == expected

    def test_at_its_very_end_a_token_is_expired(self, store: Store, owner: User) -> None:
        keep_tokens(store, make_token(owner, expires_at=START + 2 * _DAY, description="x 1"))
        assert self.listed(store, owner, status=TokenStatus.ACTIVE) == []
        assert self.listed(store, owner, status=TokenStatus.EXPIRED) == [1]

    @pytest.mark.parametrize(
        ("page", "expected"),
        [
            (lambda t: Page(limit=3), [0, 2, 3]),
            (lambda t: Page(limit=3, offset=2), [3, 5, 6]),
            (lambda t: Page(limit=3, after=t[3].id), [5, 6, 7]),
            (lambda t: Page(limit=3, after=t[3].id, offset=1), [6, 7, 8]),
            (lambda t: Page(limit=3, after=t[4].id), [5, 6, 7]),
            (lambda t: Page(limit=3, before=t[7].id), [3, 5, 6]),
            (lambda t: Page(limit=3, after=t[9].id), []),
            (lambda t: Page(limit=3, newest_first=True), [9, 8, 7]),
            (lambda t: Page(limit=3, after=t[7].id, newest_first=True), [6, 5, 3]),
            (lambda t: Page(limit=3, before=t[5].id, newest_first=True), [8, 7, 6]),
            (lambda t: Page(limit=3, before=t[0].id, newest_first=True), [5, 3, 2]),
            (lambda t: Page(limit=100, offset=100), []),
        ],
    )
    def test_a_page_is_the_part_that_was_asked_for(
        self, store: Store, owner: User, tokens: list[Token], page: object, expected: list[int]
    ) -> None:
        assert callable(page)
        assert self.listed(store, owner, page(tokens)) == expected

    def test_walking_page_by_page_sees_every_token_once(self, store: Store, owner: User, tokens: list[Token]) -> None:
        seen: list[int] = []
        after = None
        while part := self.listed(store, owner, Page(limit=3, after=after)):
            seen += part
            after = tokens[part[-1]].id
        assert seen == [0, 2, 3, 5, 6, 7, 8, 9]

    def test_a_prefix_of_the_description_is_found_without_case(
        self, store: Store, owner: User, tokens: list[Token]
    ) -> None:
        assert self.listed(store, owner, prefix="TOKEN ä") == [0, 3, 6, 9]
        assert self.listed(store, owner, prefix="oken") == []

    def test_the_tail_of_an_id_is_found_where_that_is_asked_for(
        self, store: Store, owner: User, tokens: list[Token]
    ) -> None:
        text = str(tokens[5].id)
        for prefix in (text, text[-12:], text[-12:][:9], text[-12:].upper()):
            assert self.listed(store, owner, prefix=prefix, by_tail=True) == [5]
        assert self.listed(store, owner, prefix=text[-12:]) == []

    def test_a_prefix_of_the_id_is_found(self, store: Store, owner: User, tokens: list[Token]) -> None:
        text = str(tokens[5].id)
        assert self.listed(store, owner, prefix=text) == self.listed(store, owner, prefix=text.upper()) == [5]
        assert set(self.listed(store, owner, prefix=text[:10])) == {0, 2, 3, 5, 6, 7, 8, 9}
        assert self.listed(store, owner, prefix=text.replace("-", "")) == []
        assert self.listed(store, owner, prefix=text + "0") == []

    def test_filters_and_pages_go_together(self, store: Store, owner: User, tokens: list[Token]) -> None:
        page = Page(limit=2, after=tokens[0].id)
        assert self.listed(store, owner, page, status=TokenStatus.ACTIVE, prefix="token") == [3, 5]
        assert self.listed(store, owner, status=TokenStatus.DELETED, prefix="Token Ö") == [1, 4]
        assert self.listed(store, owner, status=TokenStatus.EXPIRED, prefix="Token Ü") == [2]

    def test_signs_that_mean_something_to_databases_mean_nothing(self, store: Store, owner: User) -> None:
        keep_tokens(store, make_token(owner, description="100%_' OR 1"), make_token(owner, description="1000 2"))
        assert self.listed(store, owner, prefix="100%") == [1]
        assert self.listed(store, owner, prefix="100_") == []
        assert self.listed(store, owner, prefix="' OR 1=1 --") == []


class UserListSuite:
    """Give a fixture `store`."""

    def test_people_are_listed_and_filtered(self, store: Store) -> None:
        ann = make_user("ann@example.com", name="Zoë Ann", is_admin=True)
        bob = make_user("Bob@example.com", at=START + _DAY, disabled_at=START)
        gone = make_user("ann.old@example.com", at=START + 2 * _DAY, deleted_at=START)
        keep_users(store, ann, bob, gone)
        with store.read() as tx:
            assert ids_of(tx.users.list(_ALL)) == [ann.id, bob.id]
            assert ids_of(tx.users.list(Page(limit=1, newest_first=True))) == [bob.id]
            assert ids_of(tx.users.list(Page(limit=5, after=ann.id))) == [bob.id]
            assert ids_of(tx.users.list(_ALL, prefix="BOB@")) == [bob.id]
            assert ids_of(tx.users.list(_ALL, prefix="zoë")) == [ann.id]
            assert ids_of(tx.users.list(_ALL, prefix="%")) == []
            assert ids_of(tx.users.list(_ALL, only="admins")) == [ann.id]
            assert ids_of(tx.users.list(_ALL, only="disabled", prefix="bob")) == [bob.id]


class EventListSuite:
    """Give a fixture `store`."""

    def test_records_are_numbered_in_order_and_paged(self, store: Store) -> None:
        for number in range(5):
            with store.write() as tx:
                tx.events.add(make_event(details={"number": number}))
        with store.read() as tx:
            assert [each.sequence for each in tx.events.list(_ALL)] == [1, 2, 3, 4, 5]
            assert [each.sequence for each in tx.events.list(Page(limit=2, after=2))] == [3, 4]
            assert [each.sequence for each in tx.events.list(Page(limit=2, newest_first=True))] == [5, 4]
            assert [each.sequence for each in tx.events.list(Page(limit=2, before=2, newest_first=True))] == [4, 3]
            assert tx.events.list(Page(limit=1))[0].details == {"number": 0}

    def test_a_record_that_was_taken_back_leaves_no_gap(self, store: Store) -> None:
        def fail() -> None:
            with store.write() as tx:
                tx.events.add(make_event())
                raise RuntimeError

        with store.write() as tx:
            tx.events.add(make_event())
        with pytest.raises(RuntimeError):
            fail()
        with store.write() as tx:
            tx.events.add(make_event())
        with store.read() as tx:
            assert [each.sequence for each in tx.events.list(_ALL)] == [1, 2]

    def test_records_are_found_by_action_and_by_whom_they_concern(self, store: Store) -> None:
        user = make_user("subject@example.com")
        with store.write() as tx:
            tx.events.add(make_event("token.created", owner_id=user.id))
            tx.events.add(make_event("token.deleted", actor_id=user.id))
            tx.events.add(make_event("person.disabled", subject_id=user.id))
            tx.events.add(make_event("person.created"))
        with store.read() as tx:
            assert [each.sequence for each in tx.events.list(_ALL, about=user.id)] == [1, 2, 3]
            assert [each.sequence for each in tx.events.list(_ALL, actions=["person."])] == [3, 4]
            assert [each.sequence for each in tx.events.list(_ALL, actions=["token."], about=user.id)] == [1, 2]
            assert list(tx.events.list(_ALL, actions=["nothing."])) == []

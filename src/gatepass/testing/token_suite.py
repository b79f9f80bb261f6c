"""The suite for tokens: kept whole, found, deleted once and for all."""

from datetime import timedelta
from ipaddress import ip_network

import pytest

from gatepass.errors import Conflict
from gatepass.interfaces import Page, Store, Verification
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.secret import generate_id
from gatepass.model.settings import Settings
from gatepass.model.token import Idempotency
from gatepass.model.user import User
from gatepass.testing.fakes import START
from gatepass.testing.records import keep_tokens, keep_users, make_token, make_user

_DAY = timedelta(days=1)
_KEY = Idempotency(b"k" * 32, b"b" * 32, b"s" * 32)


_NETWORKS = (ip_network("10.0.0.0/8"), ip_network("192.0.2.7/32"), ip_network("2001:db8::/32"))
_RIGHTS = (
    FULL_ACCESS,
    Rights(scopes=()),
    Rights(scopes=("jobs:run", "*:read")),
    Rights(networks=_NETWORKS),
    Rights(audience=("orders", "https://billing.example.com/?a=1,2")),
    Rights(("*:*",), _NETWORKS[:1], ("orders",)),
)


class TokenSuite:
    """Give a fixture `store`."""

    @pytest.fixture
    def owner(self, store: Store) -> User:
        user = make_user("owner@example.com")
        keep_users(store, user)
        return user

    def test_a_token_comes_back_as_it_was_kept(self, store: Store, owner: User) -> None:
        token = make_token(
            owner,
            description="naïve ünïcode 🙂",
            parent_id=generate_id(START),
            last_used_at=START + _DAY,
            idempotency=_KEY,
        )
        keep_tokens(store, token)
        with store.read() as tx:
            assert tx.tokens.find(token.id) == token
            assert tx.tokens.find_by_key(owner.id, _KEY.key_hash) == token

    def test_a_token_that_never_expires_comes_back_so(self, store: Store, owner: User) -> None:
        token = make_token(owner, expires_at=None)
        keep_tokens(store, token)
        with store.read() as tx:
            assert tx.tokens.find(token.id) == token

    @pytest.mark.parametrize("rights", _RIGHTS)
    def test_rights_come_back_as_they_were_kept_wherever_a_token_is_read(
        self, store: Store, owner: User, rights: Rights
    ) -> None:
        token = make_token(owner, rights=rights, idempotency=_KEY)
        keep_tokens(store, token, make_token(owner, rights=Rights(scopes=("other:one",))))
        with store.read() as tx:
            listed = {each.id: each for each in tx.tokens.list(owner.id, Page(limit=10), now=START)}
            found = [tx.tokens.find(token.id), tx.tokens.find_by_key(owner.id, _KEY.key_hash), listed[token.id]]
        verification = store.find_verification(token.id)
        assert [each and each.rights for each in (*found, verification)] == [rights] * 4
        assert [each == token for each in found] == [True] * 3

    def test_full_access_comes_back_as_the_one_object_that_says_so(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        found = store.find_verification(token.id)
        assert found is not None
        assert found.rights is FULL_ACCESS

    def test_deleting_leaves_rights_as_they_were(self, store: Store, owner: User) -> None:
        token = make_token(owner, rights=_RIGHTS[-1])
        keep_tokens(store, token)
        with store.write() as tx:
            tx.tokens.revoke(token.id, START)
        with store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        assert found.rights == _RIGHTS[-1]

    def test_an_unknown_token_is_none(self, store: Store) -> None:
        with store.read() as tx:
            assert tx.tokens.find(generate_id(START)) is None
        assert store.find_verification(generate_id(START)) is None

    def test_many_are_looked_up_together_as_one_by_one(self, store: Store, owner: User) -> None:
        tokens = [make_token(owner, rights=rights) for rights in _RIGHTS]
        keep_tokens(store, *tokens)
        with store.write() as tx:
            tx.tokens.revoke(tokens[0].id, START)
        ids = [token.id for token in tokens]
        found = store.find_verifications([*ids, generate_id(START), ids[0]]).found
        assert found == {each: store.find_verification(each) for each in ids}
        assert store.find_verifications([]).found == {}

    def test_an_id_can_be_kept_once(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        with pytest.raises(Conflict):
            keep_tokens(store, token)

    def test_an_idempotency_key_can_be_kept_once_for_each_owner(self, store: Store, owner: User) -> None:
        other = make_user("other@example.com")
        keep_users(store, other)
        keep_tokens(store, make_token(owner, idempotency=_KEY), make_token(other, idempotency=_KEY))
        with pytest.raises(Conflict):
            keep_tokens(store, make_token(owner, idempotency=_KEY))

    def test_deleting_works_once_and_wipes_what_is_secret(self, store: Store, owner: User) -> None:
        token = make_token(owner, idempotency=_KEY)
        keep_tokens(store, token)
        with store.write() as tx:
            assert tx.tokens.revoke(token.id, START + _DAY) is True
        with store.write() as tx:
            assert tx.tokens.revoke(token.id, START + 2 * _DAY) is False
        with store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        assert found.revoked_at == START + _DAY
        assert found.mac == b""
        assert found.idempotency is not None
        assert found.idempotency.salt is None
        assert found.idempotency.key_hash == _KEY.key_hash

    def test_deleting_what_is_unknown_is_no_deletion(self, store: Store) -> None:
        with store.write() as tx:
            assert tx.tokens.revoke(generate_id(START), START) is False

    def test_uses_move_forward_only(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        for at in (START + 2 * _DAY, START + _DAY):
            with store.write() as tx:
                tx.tokens.record_uses({token.id: at})
        with store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        assert found.last_used_at == START + 2 * _DAY

    def test_a_late_use_never_undoes_a_deletion(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        with store.write() as tx:
            tx.tokens.revoke(token.id, START + _DAY)
        with store.write() as tx:
            tx.tokens.record_uses({token.id: START + 2 * _DAY, generate_id(START): START})
        with store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        assert found.revoked_at == START + _DAY
        assert found.last_used_at is None

    def test_a_use_from_before_the_deletion_is_kept_although_it_is_written_after(
        self, store: Store, owner: User
    ) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        with store.write() as tx:
            tx.tokens.revoke(token.id, START + 2 * _DAY)
        with store.write() as tx:
            tx.tokens.record_uses({token.id: START + _DAY})
        with store.read() as tx:
            found = tx.tokens.find(token.id)
        assert found is not None
        assert (found.last_used_at, found.revoked_at) == (START + _DAY, START + 2 * _DAY)

    def test_pruning_takes_what_ended_before_and_nothing_else(self, store: Store, owner: User) -> None:
        expired = make_token(owner, expires_at=START + _DAY)
        deleted = make_token(owner, expires_at=None)
        kept = [make_token(owner, expires_at=None), make_token(owner, expires_at=START + 3 * _DAY)]
        keep_tokens(store, expired, deleted, *kept)
        with store.write() as tx:
            tx.tokens.revoke(deleted.id, START + _DAY)
        with store.write() as tx:
            assert tx.tokens.prune(START + 2 * _DAY, limit=10) == 2
            assert tx.tokens.prune(START + 2 * _DAY, limit=10) == 0
        with store.read() as tx:
            assert [tx.tokens.find(token.id) is None for token in (expired, deleted, *kept)] == [
                True,
                True,
                False,
                False,
            ]

    def test_pruning_takes_tokens_of_people_deleted_before(self, store: Store, owner: User) -> None:
        token = make_token(owner, expires_at=None)
        keep_tokens(store, token)
        with store.write() as tx:
            tx.users.update(make_user("owner@example.com", id=owner.id, deleted_at=START + _DAY))
        with store.write() as tx:
            assert tx.tokens.prune(START + _DAY, limit=10) == 0
            assert tx.tokens.prune(START + 2 * _DAY, limit=10) == 1

    def test_pruning_stops_at_its_limit(self, store: Store, owner: User) -> None:
        keep_tokens(store, *(make_token(owner, expires_at=START + _DAY) for _ in range(5)))
        with store.write() as tx:
            assert tx.tokens.prune(START + 2 * _DAY, limit=3) == 3
            assert tx.tokens.prune(START + 2 * _DAY, limit=3) == 2

    def test_old_salts_are_wiped_and_keys_kept(self, store: Store, owner: User) -> None:
        old = make_token(owner, idempotency=_KEY)
        new = make_token(owner, at=START + _DAY, idempotency=Idempotency(b"n" * 32, b"b" * 32, b"s" * 32))
        keep_tokens(store, old, new)
        with store.write() as tx:
            tx.tokens.wipe_salts(START + _DAY)
        with store.read() as tx:
            salts = [
                found.idempotency.salt for found in map(tx.tokens.find, (old.id, new.id)) if found and found.idempotency
            ]
            assert tx.tokens.find_by_key(owner.id, _KEY.key_hash) is not None
        assert salts == [None, b"s" * 32]

    def test_tokens_are_counted_by_pepper_deleted_ones_apart(self, store: Store, owner: User) -> None:
        gone = make_token(owner, pepper=2)
        keep_tokens(store, make_token(owner), make_token(owner, pepper=2), make_token(owner, pepper=2), gone)
        with store.write() as tx:
            tx.tokens.revoke(gone.id, START)
        with store.read() as tx:
            assert dict(tx.tokens.count_by_pepper()) == {1: 1, 2: 2}

    def test_verification_reads_token_owner_and_feature_together(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        found = store.find_verification(token.id)
        assert found is not None
        assert found == Verification(
            mac=token.mac,
            pepper=token.pepper,
            is_revoked=False,
            expires_at=token.expires_at,
            rights=token.rights,
            owner_id=owner.id,
            owner_name=owner.email,
            owner_is_disabled=False,
            owner_is_deleted=False,
            enabled=False,
        )
        with store.write() as tx:
            tx.settings.save(Settings(enabled=True))
        found = store.find_verification(token.id)
        assert found is not None
        assert found.enabled is True

    def test_verification_still_sees_a_deleted_owner(self, store: Store, owner: User) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        with store.write() as tx:
            tx.users.update(make_user(owner.email, id=owner.id, deleted_at=START + _DAY))
        found = store.find_verification(token.id)
        assert found is not None
        assert (found.owner_is_deleted, found.owner_is_disabled) == (True, False)

    def test_verification_sees_that_the_owner_is_disabled_and_the_token_deleted(
        self, store: Store, owner: User
    ) -> None:
        token = make_token(owner)
        keep_tokens(store, token)
        with store.write() as tx:
            tx.users.update(make_user(owner.email, id=owner.id, disabled_at=START))
            tx.tokens.revoke(token.id, START)
        found = store.find_verification(token.id)
        assert found is not None
        assert (found.is_revoked, found.mac, found.owner_is_disabled) == (True, b"", True)

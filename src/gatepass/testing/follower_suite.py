"""What a store must do for servers that share it: keep the list of who follows the changes."""

from dataclasses import replace

from gatepass.interfaces import Store
from gatepass.model.follower import OURSELVES, FollowerRecord
from gatepass.model.secret import generate_id
from gatepass.testing.fakes import START

NODE = FollowerRecord(OURSELVES, "node-1", "node-1", "", "epoch", 7, 5.0, 1)
ELSEWHERE = FollowerRecord(generate_id(START), "shop-1", "node-1", "shop", "", 0, 1.5, 1)


class FollowerSuite:
    """Promises about the list of followers. Give a fixture `store`."""

    def test_whoever_asks_again_is_in_the_list_once_with_another_turn(self, store: Store) -> None:
        with store.write_uses() as tx:
            tx.followers.save([NODE, ELSEWHERE])
        moved = replace(ELSEWHERE, server="node-2", acknowledged=9, epoch="epoch")
        with store.write_uses() as tx:
            tx.followers.save([moved])
        with store.read() as tx:
            found = {each.instance: each for each in tx.followers.list()}
        assert found == {"node-1": NODE, "shop-1": replace(moved, turn=2)}

    def test_whoever_has_asked_again_is_not_forgotten_by_an_older_turn(self, store: Store) -> None:
        with store.write_uses() as tx:
            tx.followers.save([NODE])
            tx.followers.save([NODE, ELSEWHERE])
        with store.write_uses() as tx:
            tx.followers.remove(NODE.verifier_id, NODE.instance, turn=1)
            tx.followers.remove(OURSELVES, "nobody", turn=1)
            tx.followers.remove(ELSEWHERE.verifier_id, ELSEWHERE.instance, turn=1)
        with store.read() as tx:
            assert [each.instance for each in tx.followers.list()] == ["node-1"]

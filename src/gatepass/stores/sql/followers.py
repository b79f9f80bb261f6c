"""Who follows the changes, in SQL."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from gatepass.model.follower import FollowerRecord
from gatepass.stores.sql.connection import Connection


class SqlFollowers:
    """The repository of followers over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def save(self, followers: Iterable[FollowerRecord]) -> None:
        """Note that processes ask for more."""
        # In one order, so that two servers never wait for each other.
        for each in sorted(followers, key=lambda follower: (follower.verifier_id.bytes, follower.instance)):
            self._db.run(
                "INSERT INTO followers (verifier_id, instance, server, name, epoch, acknowledged, bound, turn)"
                " VALUES (:verifier, :instance, :server, :name, :epoch, :acknowledged, :bound, 1)"
                " ON CONFLICT (verifier_id, instance) DO UPDATE SET server = excluded.server, name = excluded.name,"
                " epoch = excluded.epoch, acknowledged = excluded.acknowledged, bound = excluded.bound,"
                " turn = followers.turn + 1",
                verifier=each.verifier_id.bytes,
                instance=each.instance,
                server=each.server,
                name=each.name,
                epoch=each.epoch,
                acknowledged=each.acknowledged,
                bound=round(each.bound * 1000),
            )

    def list(self) -> Sequence[FollowerRecord]:
        """Return all of them."""
        rows = self._db.all(
            "SELECT verifier_id, instance, server, name, epoch, acknowledged, bound, turn FROM followers"
        )
        return [
            FollowerRecord(UUID(bytes=verifier), instance, server, name, epoch, acknowledged, bound / 1000, turn)
            for verifier, instance, server, name, epoch, acknowledged, bound, turn in rows
        ]

    def remove(self, verifier_id: UUID, instance: str, *, turn: int) -> None:
        """Forget a process if it has not asked again after `turn`."""
        self._db.run(
            "DELETE FROM followers WHERE verifier_id = :verifier AND instance = :instance AND turn = :turn",
            verifier=verifier_id.bytes,
            instance=instance,
            turn=turn,
        )

"""Tokens in SQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from uuid import UUID

from gatepass.errors import Conflict
from gatepass.interfaces import Page
from gatepass.model.instant import from_milliseconds, to_milliseconds
from gatepass.model.rights import FULL_ACCESS, Rights
from gatepass.model.token import Idempotency, Token, TokenStatus
from gatepass.stores.sql.connection import (
    Connection,
    Cut,
    Row,
    Value,
    id_bytes,
    identity,
    instant,
    milliseconds,
    prefix_range,
)

COLUMNS = (
    "id, owner_id, mac, pepper, description, created_at, expires_at, parent_id, revoked_at, last_used_at,"
    " key_hash, body_hash, salt, scopes, networks, audience"
)
_FEW = 10_000
"""Up to so many matches a filter gathers them all; above, walking in order finds a page sooner."""

_HEX = frozenset("0123456789abcdef")


def token_of(row: Row) -> Token:
    """Make a token out of a row of COLUMNS."""
    token_id, owner_id, mac, pepper, description, created, expires, parent, revoked, used, key, body, salt, *rights = (
        row
    )
    return Token(
        id=UUID(bytes=token_id),
        owner_id=UUID(bytes=owner_id),
        mac=mac,
        pepper=pepper,
        description=description,
        created_at=from_milliseconds(created),
        expires_at=instant(expires),
        parent_id=identity(parent),
        revoked_at=instant(revoked),
        last_used_at=instant(used),
        idempotency=None if key is None else Idempotency(key, body, salt),
        rights=rights_of(*rights),
    )


def rights_of(scopes: str | None, networks: str | None, audience: str | None) -> Rights:
    """Make rights out of the columns scopes, networks and audience."""
    if scopes is None and networks is None and audience is None:
        return FULL_ACCESS  # the very object: whoever judges requests looks no further
    return Rights(
        None if scopes is None else tuple(scopes.split()),
        None if networks is None else tuple(map(ip_network, networks.split())),
        None if audience is None else tuple(audience.split()),
    )


def _words(values: Iterable[object] | None) -> str | None:
    """Write what a token is restricted to; none of its values holds a space."""
    return None if values is None else " ".join(map(str, values))


class SqlTokens:
    """The token repository over a connection."""

    def __init__(self, connection: Connection) -> None:
        """Work inside the transaction of `connection`."""
        self._db = connection

    def add(self, token: Token) -> None:
        """Keep a new token."""
        made = token.idempotency
        if made and self.find_by_key(token.owner_id, made.key_hash):
            raise Conflict("a token with this idempotency key exists")
        self._db.run(
            f"INSERT INTO tokens ({COLUMNS}, description_key) VALUES (:id, :owner, :mac, :pepper, :description,"
            " :created, :expires, :parent, :revoked, :used, :key_hash, :body_hash, :salt,"
            " :scopes, :networks, :audience, :description_key)",
            id=token.id.bytes,
            owner=token.owner_id.bytes,
            mac=token.mac,
            pepper=token.pepper,
            description=token.description,
            description_key=(token.description or "").casefold(),
            created=to_milliseconds(token.created_at),
            expires=milliseconds(token.expires_at),
            parent=id_bytes(token.parent_id),
            revoked=milliseconds(token.revoked_at),
            used=milliseconds(token.last_used_at),
            key_hash=made.key_hash if made else None,
            body_hash=made.body_hash if made else None,
            salt=made.salt if made else None,
            scopes=_words(token.rights.scopes),
            networks=_words(token.rights.networks),
            audience=_words(token.rights.audience),
        )

    def find(self, token_id: UUID) -> Token | None:
        """Return a token, deleted or not."""
        row = self._db.one(f"SELECT {COLUMNS} FROM tokens WHERE id = :id", id=token_id.bytes)
        return token_of(row) if row else None

    def find_by_key(self, owner_id: UUID, key_hash: bytes) -> Token | None:
        """Return the token made with an idempotency key."""
        row = self._db.one(
            f"SELECT {COLUMNS} FROM tokens WHERE owner_id = :owner AND key_hash = :key_hash",
            owner=owner_id.bytes,
            key_hash=key_hash,
        )
        return token_of(row) if row else None

    def list(
        self,
        owner_id: UUID,
        page: Page,
        *,
        now: datetime,
        status: TokenStatus | None = None,
        prefix: str | None = None,
        by_tail: bool = False,
    ) -> Sequence[Token]:
        """Return a page of someone's tokens."""
        cut = Cut(page, key="id")
        values: dict[str, Value] = {"owner": owner_id.bytes, "deleted": int(status is TokenStatus.DELETED)}
        conditions = ""
        if prefix:
            conditions += self._matching(_Prefix(prefix, by_tail=by_tail), values)
        if status in {TokenStatus.ACTIVE, TokenStatus.EXPIRED}:
            values["now"] = to_milliseconds(now)
            conditions += self._living(status, values, gather=not prefix)
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM tokens WHERE id IN ("
            f"SELECT id FROM tokens WHERE {_OWN}{conditions}{cut.condition}{cut.order})"
            f" ORDER BY id{' DESC' if page.newest_first else ''}",
            **values,
            **cut.values,
        )
        return [token_of(row) for row in rows]

    def _matching(self, prefix: "_Prefix", values: dict[str, Value]) -> str:
        """Return the condition that picks tokens by a prefix, adding its values."""
        values.update(prefix.values)
        sources = [f"SELECT id FROM tokens WHERE {_OWN} AND {range_}" for range_ in prefix.ranges]
        if all(self._is_few(source, values) for source in sources):
            return f" AND id IN ({' UNION '.join(sources)})"
        return f" AND ({' OR '.join(prefix.ranges)})"

    def _living(self, status: TokenStatus | None, values: dict[str, Value], *, gather: bool) -> str:
        """Return the condition that picks active or expired tokens."""
        ranges = (
            ["expires_at <= :now"] if status is TokenStatus.EXPIRED else ["expires_at > :now", "expires_at IS NULL"]
        )
        sources = [f"SELECT id FROM tokens WHERE {_OWN} AND {range_}" for range_ in ranges]
        used = {name: values[name] for name in ("owner", "deleted", "now")}
        if gather and all(self._is_few(source, used) for source in sources):
            return f" AND id IN ({' UNION '.join(sources)})"
        return f" AND ({' OR '.join(ranges)})"

    def _is_few(self, source: str, values: dict[str, Value]) -> bool:
        return not self._db.one(f"SELECT 1 FROM ({source} LIMIT 1 OFFSET {_FEW}) AS beyond", **values)

    def revoke(self, token_id: UUID, at: datetime) -> bool:
        """Mark a token deleted."""
        changed = self._db.run(
            "UPDATE tokens SET revoked_at = :at, mac = :none, salt = NULL WHERE id = :id AND revoked_at IS NULL",
            at=to_milliseconds(at),
            none=b"",
            id=token_id.bytes,
        )
        return changed == 1

    def record_uses(self, uses: Mapping[UUID, datetime]) -> None:
        """Move `last_used_at` forward."""
        for token_id, at in uses.items():
            self._db.run(
                "UPDATE tokens SET last_used_at = :at"
                " WHERE id = :id AND (revoked_at IS NULL OR revoked_at >= :at)"
                " AND (last_used_at IS NULL OR last_used_at < :at)",
                at=to_milliseconds(at),
                id=token_id.bytes,
            )

    def prune(self, ended_before: datetime, *, limit: int) -> int:
        """Remove records that ended long ago, also those whose owner was deleted long ago."""
        return self._db.run(
            "DELETE FROM tokens WHERE id IN ("
            "SELECT id FROM tokens WHERE expires_at < :before"
            " UNION SELECT id FROM tokens WHERE revoked_at < :before"
            " UNION SELECT t.id FROM tokens t JOIN users u ON u.id = t.owner_id WHERE u.deleted_at < :before"
            " LIMIT :limit)",
            before=to_milliseconds(ended_before),
            limit=limit,
        )

    def count_by_pepper(self) -> Mapping[int, int]:
        """Count the tokens that are not deleted by their pepper."""
        rows = self._db.all("SELECT pepper, count(*) FROM tokens WHERE revoked_at IS NULL GROUP BY pepper")
        return {number: count for number, count in rows}  # noqa: C416  rows are only known as sequences

    def wipe_salts(self, created_before: datetime) -> None:
        """Forget old salts."""
        self._db.run(
            "UPDATE tokens SET salt = NULL WHERE salt IS NOT NULL AND created_at < :before",
            before=to_milliseconds(created_before),
        )


_OWN = "owner_id = :owner AND deleted = :deleted"


class _Prefix:
    """What somebody typed to find a token by: its description, its id or the tail of its id."""

    def __init__(self, text: str, *, by_tail: bool) -> None:
        low, high = prefix_range(text.casefold())
        self.ranges = ["description_key >= :text_low AND description_key < :text_high"]
        self.values: dict[str, Value] = {"text_low": low, "text_high": high}
        for name, column, digits, width in (
            ("id", "id", _id_digits(text), 32),
            ("tail", "substr(id, 11)", text.lower() if by_tail else "", 12),
        ):
            if digits and len(digits) <= width and _HEX.issuperset(digits):
                self.ranges.append(f"{column} >= :{name}_low AND {column} <= :{name}_high")
                self.values[f"{name}_low"] = bytes.fromhex(digits.ljust(width, "0"))
                self.values[f"{name}_high"] = bytes.fromhex(digits.ljust(width, "f"))


def _id_digits(text: str) -> str:
    """Return the hex digits of what may be the start of a dashed id, or nothing."""
    lowered = text.lower()
    digits = lowered.replace("-", "")
    full = digits.ljust(32, "0")
    dashed = f"{full[:8]}-{full[8:12]}-{full[12:16]}-{full[16:20]}-{full[20:]}"
    return digits if dashed.startswith(lowered) else ""

"""Receipts: what a change that ends rights answers when it is asked to wait for the verifiers (`Prefer: wait`).

The change itself never waits: it is made, and counts on this host, before any of this begins.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from gatepass.errors import Unavailable
from gatepass.server.api import shapes
from gatepass.server.api.routing import Answer, Call
from gatepass.server.followers import Receipt

MOST_SECONDS = 60
_WAIT = re.compile(r"(?:\A|,)\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:[,;]|\Z)", re.ASCII | re.IGNORECASE)

PREFER: Mapping[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=N`: answer with a receipt when all verifiers have confirmed, or after N seconds"
    f" (at most {MOST_SECONDS}); RFC 7240.",
    "schema": {"type": "string"},
}


def with_receipt(call: Call, answer: Answer) -> Answer:
    """Return `answer`, or a receipt for what was just changed if the caller prefers to wait."""
    seconds = preferred_wait(call.headers.get("prefer", ""))
    if seconds is None:
        return answer
    followers = call.context.followers
    made_at = followers.now()
    try:
        with call.deps.store.read() as tx:
            # The change has this revision or an earlier one; whoever has this one has both.
            epoch, revision, settings = tx.changes.epoch(), tx.changes.head(), tx.settings.load()
    except Unavailable:
        return answer  # it is done, and that must not be told as an error

    async def wait() -> Answer:
        bound = settings.bound_seconds
        async with call.context.roll.watched(doubt=settings.longest_lease):
            receipt = await followers.receipt(epoch, revision, bound=bound, made_at=made_at, seconds=seconds)
        call.context.metrics.receipts.labels("complete" if receipt.is_complete else "incomplete").inc()
        applied = {**answer.headers, "preference-applied": f"wait={seconds}"}
        return Answer(_shape(receipt), HTTPStatus.OK, applied)

    return replace(answer, later=wait)


def preferred_wait(prefer: str) -> int | None:
    """Return for how many seconds the caller prefers to wait, None if that is not said (RFC 7240 section 4.3)."""
    found = _WAIT.search(prefer)
    return None if found is None else min(int(found[1]), MOST_SECONDS)


def _shape(receipt: Receipt) -> shapes.Receipt:
    return shapes.Receipt(
        confirmed=receipt.confirmed,
        of=receipt.of,
        slowest_ms=round(receipt.slowest * 1000),
        guaranteed_ms=round(receipt.guaranteed * 1000),
        lease_ended=receipt.lease_ended,
        unknown_ms=-round(-receipt.unknown * 1000 // 1),
    )

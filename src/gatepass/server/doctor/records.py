"""Checks of what any database says: against the journal, the keys, the clock; and of its settings."""

from collections.abc import Mapping

from gatepass.connect import SystemClock
from gatepass.errors import BadConfiguration
from gatepass.interfaces import Page
from gatepass.model.instant import iso
from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.server.settings import require_way_in
from gatepass.verifier.follower import MOST_SKEW

_STEP = 1000


def check_journal(premises: Premises) -> Finding:
    """Find a database that its journal does not vouch for, or that lacks what the journal tells."""
    with premises.store.read() as tx:
        mark = tx.journal.find()
        if premises.journal is None:
            return _without_journal(is_known=mark is not None)
        lacking, end = premises.journal.read_after(mark)
    if lacking:
        return warning(f"the database lacks {len(lacking)} records of its journal", "the next start repeats them")
    return ok(f"agrees with the database, {end.number} records")


def _without_journal(*, is_known: bool) -> Finding:
    if is_known:
        return wrong("the database has a revocation journal, and store.journal does not name it", "name it")
    return ok("none: after a restore to an earlier moment, what was deleted since is back")


def check_keys(premises: Premises) -> Finding:
    """Find tokens and verifiers whose pepper is not in the key file: they are answered with 503."""
    known = premises.keys.numbers()
    with premises.store.read() as tx:
        tokens, verifiers = tx.tokens.count_by_pepper(), tx.verifiers.count_by_pepper()
    if missing := sorted({*tokens, *verifiers} - {*known}):
        count = tokens.get(missing[0], 0) + verifiers.get(missing[0], 0)
        return wrong(
            f"pepper {missing[0]} is not in {premises.key_path}, and {count} tokens and verifiers need it",
            "put the newest backup of the key file back",
        )
    return ok(f"every pepper in use is there; new tokens take {known[-1]}")


def check_clock(premises: Premises) -> Finding:
    """Find a clock that was set back: tokens would be accepted after their end."""
    with premises.store.read() as tx:
        newest = tx.events.list(Page(limit=1, newest_first=True))
    if not newest:
        return ok("there is no audit record yet to compare it with")
    ahead = (newest[0].at - SystemClock().now()).total_seconds()
    if ahead > MOST_SKEW:
        return wrong(
            f"the last audit record is of {iso(newest[0].at)}, {ahead:.0f} s after this machine's time",
            "set the clock; until then tokens may be accepted after their end",
        )
    return ok(f"after the last audit record, of {iso(newest[0].at)}")


def check_generating(premises: Premises) -> Finding:
    """Find a feature that is on for nobody."""
    with premises.store.read() as tx:
        settings = tx.settings.load()
        admins = tx.users.counts().live_admins
    if not settings.enabled:
        return warning(
            "tokens are switched off: none is accepted", "gatepass settings set apiAccessTokens.enabled true"
        )
    if settings.users_may_generate:
        return ok("tokens are on, and everybody may generate them")
    if not admins:
        return wrong("tokens are on, but nobody may generate one", "`gatepass user recover` makes an administrator")
    return ok("tokens are on, and administrators may generate them")


def check_bound(premises: Premises) -> Finding:
    """Say within which time a deletion counts on other machines."""
    with premises.store.read() as tx:
        settings = tx.settings.load()
    said = f"a deletion counts on other machines within {settings.bound_seconds} s"
    if settings.grace_seconds:
        return warning(
            f"{said}, and {settings.grace_seconds} s more where a verifier asks for that",
            "gatepass settings set verifiers.graceSeconds 0, unless that is meant",
        )
    return ok(said)


def check_local_sign_in(premises: Premises) -> Finding:
    """Find whom local sign-in that is off keeps out, and whether anybody could be let back in."""
    if premises.config.sign_in.local:
        return ok("people sign in with passwords that are kept here")
    try:
        require_way_in(premises.config)
    except BadConfiguration as error:
        return wrong(str(error), "switch a provider on")
    admins = others = 0
    with premises.store.read() as tx:
        page = tx.users.list(Page(limit=_STEP))
        while page:
            admins += sum(each.is_local and each.is_admin for each in page)
            others += sum(each.is_local and each.is_live and not each.is_admin for each in page)
            page = tx.users.list(Page(limit=_STEP, after=page[-1].id))
    if not admins:
        return wrong(
            "sign_in.local is off, and `gatepass user recover` could let no administrator in: none has an account here",
            "switch it on for as long as it takes to add one",
        )
    if others:
        return warning(
            f"sign_in.local is off; people who can sign in nowhere else: {others}; their tokens go on working",
            "let them move with sign-in on, or with `gatepass user recover` one by one; or disable them",
        )
    return ok("off; `gatepass user recover` lets an administrator in")


CHECKS: Mapping[str, Check] = {
    "journal": check_journal,
    "keys": check_keys,
    "clock": check_clock,
    "generating": check_generating,
    "local sign-in": check_local_sign_in,
    "bound": check_bound,
}

"""Checks of a database in PostgreSQL: what acknowledges, what stands by, what is in between, and its clock."""

from collections.abc import Mapping

from gatepass.connect import SystemClock
from gatepass.errors import GatepassError
from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.verifier.follower import MOST_SKEW


def check_database(premises: Premises) -> Finding:
    """Find a database that cannot be opened: out of reach, of another schema, or that acknowledges what it can lose."""
    if isinstance(premises.opened, GatepassError):
        return wrong(str(premises.opened), premises.opened.hint)
    found = premises.surroundings
    return ok(f"PostgreSQL {found.version}, synchronous_commit = {found.synchronous_commit}, no migration is pending")


def check_standbys(premises: Premises) -> Finding:
    """Find a standby that may lack what was acknowledged: promoted, it brings back what was deleted."""
    standbys = premises.surroundings.standbys
    if any(state is None for state in standbys.values()):
        return warning(f"{len(standbys)} standbys, and whether they are synchronous is hidden", "GRANT pg_monitor TO …")
    behind = sorted(name for name, state in standbys.items() if state not in {"sync", "quorum"})
    if behind and len(behind) == len(standbys):
        return wrong(
            f"{behind[0]!r} is an asynchronous standby: promoted, it may lack acknowledged deletions",
            "set synchronous_standby_names before this is called highly available",
        )
    if behind:
        return warning(f"{behind[0]!r} is an asynchronous standby", "never promote it while a synchronous one lives")
    return ok(f"{len(standbys)} synchronous" if standbys else "there is none")


def check_pooler(premises: Premises) -> Finding:
    """Tell whether something like PgBouncer is in between: deletions take longer to be heard of then."""
    if premises.surroundings.is_pooled:
        return warning(
            "a pooler is in between: no LISTEN, so other servers hear of a deletion by asking, within the bound",
            "connect to PostgreSQL directly where milliseconds matter",
        )
    return ok("none: other servers hear of a deletion at once")


def check_database_clock(premises: Premises) -> Finding:
    """Find a machine whose clock differs from the database's: other servers judge the end of a token otherwise."""
    skew = (premises.surroundings.at - SystemClock().now()).total_seconds()
    if abs(skew) > MOST_SKEW:
        return wrong(f"the database's clock differs from this machine's by {skew:.0f} s", "set the clocks by NTP")
    return ok("agrees with this machine's")


CHECKS: Mapping[str, Check] = {
    "database": check_database,
    "standbys": check_standbys,
    "pooler": check_pooler,
    "database clock": check_database_clock,
}

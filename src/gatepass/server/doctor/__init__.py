"""What can be checked of an installation, and of a verifier's machine: each check is a function and a line in a table.

A check reads; it repairs nothing, and repeats nothing from the journal. Each kind of database has a module of its own
(`sqlite`, `postgres`) beside what is asked of any (`records`).
"""

from collections.abc import Iterator, Mapping

from gatepass.errors import GatepassError
from gatepass.server.doctor import configuration, disk, postgres, providers, records, sqlite
from gatepass.server.doctor.finding import Check, Finding, Level, NotExamined, Premises, wrong
from gatepass.server.installation import exists
from gatepass.server.settings import Config

CHECKS: Mapping[str, Check] = {**disk.CHECKS, **sqlite.CHECKS, **records.CHECKS, **configuration.CHECKS}
OVER_POSTGRES: Mapping[str, Check] = {**disk.CHECKS, **postgres.CHECKS, **records.CHECKS, **configuration.CHECKS}


def examine(config: Config) -> Iterator[tuple[str, Finding]]:
    """Make every check of the configured installation, and yield its name and what it found."""
    premises = Premises(config)
    try:
        checks = OVER_POSTGRES if config.store.database else CHECKS
        made = checks if exists(premises.data) else {"files": disk.check_files, **configuration.CHECKS}
        for name, check in {**made, **(providers.CHECKS if config.providers else {})}.items():
            yield name, _found(check, premises)
    finally:
        premises.close()


def _found(check: Check, premises: Premises) -> Finding:
    try:
        return check(premises)
    except NotExamined as error:
        return Finding(Level.SKIPPED, str(error))
    except GatepassError as error:
        return wrong(str(error), error.hint)
    except OSError as error:
        return wrong(f"{error.filename}: {error.strerror}", None)

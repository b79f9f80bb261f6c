"""All suites in one class, for the stores of this project."""

from gatepass.testing.change_suite import ChangeSuite, WordsSuite
from gatepass.testing.follower_suite import FollowerSuite
from gatepass.testing.journal_suite import JournalSuite
from gatepass.testing.list_suite import EventListSuite, TokenListSuite, UserListSuite
from gatepass.testing.token_suite import TokenSuite
from gatepass.testing.transaction_suite import ConcurrencySuite, TransactionSuite
from gatepass.testing.use_suite import UseSuite
from gatepass.testing.user_suite import (
    DeviceSuite,
    FailureSuite,
    SessionSuite,
    SettingsSuite,
    SpentSuite,
    UserSuite,
)
from gatepass.testing.verifier_suite import VerifierSuite

SUITES = (
    TokenSuite,
    TokenListSuite,
    UserListSuite,
    EventListSuite,
    UseSuite,
    UserSuite,
    SessionSuite,
    SettingsSuite,
    FailureSuite,
    SpentSuite,
    DeviceSuite,
    ChangeSuite,
    FollowerSuite,
    JournalSuite,
    VerifierSuite,
    TransactionSuite,
    ConcurrencySuite,
)


class AllSuites(*SUITES):
    """Every promise of a store. Give a fixture `store`."""


class SuitesOfOneHost(AllSuites, WordsSuite):
    """And those of a store whose writers are all on one host. Give a fixture `store`."""

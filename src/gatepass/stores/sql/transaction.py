"""All repositories over one connection."""

from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

from gatepass.interfaces import Verifications
from gatepass.stores.sql.changes import PostgresChanges, SqlChanges
from gatepass.stores.sql.connection import Connection
from gatepass.stores.sql.devices import SqlDevices
from gatepass.stores.sql.events import SqlEvents
from gatepass.stores.sql.failures import SqlFailures
from gatepass.stores.sql.followers import SqlFollowers
from gatepass.stores.sql.journal import SqlJournal
from gatepass.stores.sql.sessions import SqlSessions
from gatepass.stores.sql.settings import SqlSettings
from gatepass.stores.sql.spent import SqlSpent
from gatepass.stores.sql.tokens import SqlTokens
from gatepass.stores.sql.users import SqlUsers
from gatepass.stores.sql.uses import SqlUses
from gatepass.stores.sql.verification import find_verification, find_verifications
from gatepass.stores.sql.verifiers import SqlVerifiers


class SqlTransaction:
    """One open transaction; the driver begins and ends it."""

    def __init__(self, connection: Connection) -> None:
        """Work on `connection`."""
        self._connection = connection

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging tokens needs, with a statement for each."""
        found = {each: one for each in token_ids if (one := find_verification(self._connection, each))}
        return Verifications(found, head=None)

    @cached_property
    def tokens(self) -> SqlTokens:
        """The tokens."""
        return SqlTokens(self._connection)

    @cached_property
    def uses(self) -> SqlUses:
        """The uses of tokens."""
        return SqlUses(self._connection)

    @cached_property
    def users(self) -> SqlUsers:
        """The users."""
        return SqlUsers(self._connection)

    @cached_property
    def sessions(self) -> SqlSessions:
        """The sessions."""
        return SqlSessions(self._connection)

    @cached_property
    def events(self) -> SqlEvents:
        """The audit records."""
        return SqlEvents(self._connection)

    @cached_property
    def settings(self) -> SqlSettings:
        """The settings."""
        return SqlSettings(self._connection)

    @cached_property
    def failures(self) -> SqlFailures:
        """The failed sign-ins."""
        return SqlFailures(self._connection)

    @cached_property
    def spent(self) -> SqlSpent:
        """What was taken once."""
        return SqlSpent(self._connection)

    @cached_property
    def devices(self) -> SqlDevices:
        """The remembered browsers."""
        return SqlDevices(self._connection)

    @cached_property
    def changes(self) -> SqlChanges:
        """The changes of what is accepted."""
        return SqlChanges(self._connection)

    @cached_property
    def followers(self) -> SqlFollowers:
        """Who follows the changes."""
        return SqlFollowers(self._connection)

    @cached_property
    def verifiers(self) -> SqlVerifiers:
        """The registered verifiers."""
        return SqlVerifiers(self._connection)

    @cached_property
    def journal(self) -> SqlJournal:
        """The mark of the revocation journal."""
        return SqlJournal(self._connection)


class PostgresTransaction(SqlTransaction):
    """The same on PostgreSQL."""

    def find_verifications(self, token_ids: Iterable[UUID]) -> Verifications:
        """Return what judging tokens needs, with one statement."""
        return find_verifications(self._connection, token_ids)

    @cached_property
    def changes(self) -> PostgresChanges:
        """The changes of what is accepted."""
        return PostgresChanges(self._connection)

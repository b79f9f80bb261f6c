"""What can go wrong, in six families.

Entry points translate a family (and a few of its members) into their own words: HTTP in
`server/problems.py`, exit codes in `cli/output.py`. The text of an error never holds a secret.
"""


class GatepassError(Exception):
    """Base of every error that Gatepass raises on purpose."""

    code = "error"
    hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Say what is wrong, in lower case; `hint` is a next step for whoever sits at a terminal."""
        super().__init__(message)
        self.hint = hint


class InvalidInput(GatepassError):
    """What the caller gave cannot be used. Names the field and the reason; nothing was changed."""

    code = "invalid-input"

    def __init__(self, field: str, reason: str, *, hint: str | None = None) -> None:
        """Name the offending field as the caller wrote it, and why it is refused."""
        super().__init__(f"{field}: {reason}", hint=hint)
        self.field = field
        self.reason = reason


class BadConfiguration(InvalidInput):
    """The operator's configuration, key file or database cannot be used as it is."""

    code = "bad-configuration"


class Immutable(InvalidInput):
    """What the caller wants to change never changes."""

    code = "immutable"


class NotAuthenticated(GatepassError):
    """Nobody usable is behind the request. Deliberately says nothing about why."""

    code = "not-authenticated"

    def __init__(self, message: str = "the credentials are missing or cannot be used") -> None:
        """Take one text for every cause, so that a stranger learns nothing from it."""
        super().__init__(message)


class NotAllowed(GatepassError):
    """The actor is known and may not do this."""

    code = "not-allowed"


class NotFound(GatepassError):
    """It does not exist, or the actor must not learn that it does."""

    code = "not-found"


class Gone(NotFound):
    """It existed, belonged to the actor, and was deleted."""

    code = "gone"


class Disabled(NotFound):
    """The token feature is switched off, so its routes do not exist (PRODUCT rule R11)."""

    code = "disabled"


class Conflict(GatepassError):
    """The request contradicts the present state, for example the last administrator."""

    code = "conflict"


class NotUnique(Conflict):
    """Somebody else has this name, or is this person of the provider, already."""

    code = "not-unique"


class TryLater(GatepassError):
    """Not now: the same request may succeed after `retry_after` seconds."""

    code = "try-later"

    def __init__(self, message: str, *, retry_after: int = 1, hint: str | None = None) -> None:
        """Give the whole seconds, at least 1, after which a retry makes sense."""
        super().__init__(message, hint=hint)
        self.retry_after = max(1, retry_after)


class TooManyRequests(TryLater):
    """The caller, or somebody who names the same account, tried too often."""

    code = "too-many-requests"


class Unavailable(TryLater):
    """A part Gatepass needs is out of reach. An outage is never an answer about a token."""

    code = "unavailable"

"""A provider of the tests: one file, and one line in `identity.KINDS`, make it a kind like the others.

Its people stand in a file that is read at each use, so that a test can change them while a server runs:
`{"subject": {"login": …, "password": …, "groups": […], "email": …, "disabled": true, "expired": true, "locked":
true, "hidden": true}}`. A file that cannot be read is an outage. It sends the browser to itself and believes what comes back
with the right `state`.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.interfaces import Clock, Step
from gatepass.model.identity import Begun, Finished, Identity, Once, Refusal, Refused
from gatepass.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Options:
    """Its keys in the configuration."""

    people: str = ""
    posts: bool = False
    """Whether its answers are posted."""
    key: str = field(default="", metadata={"secret": True})


class ToyProvider:
    """All the capabilities there are."""

    def __init__(self, options: Options, provider_id: str, clock: Clock) -> None:
        self._options = options
        self._id = provider_id
        self._clock = clock

    def close(self) -> None:
        pass

    def resolve(self, login: str) -> str | None:
        named = [subject for subject, each in self._people().items() if each["login"] == login.strip().casefold()]
        return named[0] if len(named) == 1 else None

    def check(self, account: str | None, password: Secret) -> Identity | Refused:
        if account is None:
            return Refused(Refusal.UNKNOWN)
        each = self._people()[account]
        given = password.reveal().encode("utf-8", "replace")
        if not given or not hmac.compare_digest(given, each["password"].encode()):
            return Refused(Refusal.WRONG_PASSWORD, account, each["login"])
        if each.get("expired"):
            return Refused(Refusal.PASSWORD_EXPIRED, account, each["login"])
        if each.get("locked"):
            return Refused(Refusal.LOCKED, account, each["login"])
        return self.read(account)

    def read(self, subject: str) -> Identity | Refused:
        each = self._people().get(subject)
        if each is None:
            return Refused(Refusal.GONE, subject)
        if each.get("hidden"):
            raise Unavailable("the toy does not show somebody")
        if each.get("disabled"):
            return Refused(Refusal.DISABLED, subject, each["login"])
        return Identity(
            provider=self._id,
            subject=subject,
            login=each["login"],
            name=each.get("name"),
            email=each.get("email"),
            email_verified=each.get("email_verified", True),
            groups=frozenset(each.get("groups", ())),
            reference=subject,
        )

    def steps(self) -> list[Step]:
        try:
            return [Step(f"{len(self._people())} people found")]
        except Unavailable as error:
            return [Step("people found", str(error), "write the file")]

    def look_up(self, login: str) -> Identity | Refused:
        account = self.resolve(login)
        return Refused(Refusal.UNKNOWN) if account is None else self.read(account)

    def begin(self, callback: str) -> Begun:
        state = secrets.token_urlsafe(32)
        return Begun(
            f"https://toy.example.com/?state={state}&to={callback}",
            {"state": state, "callback": callback},
            posted=self._options.posts,
        )

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], callback: str) -> Finished | Refused:
        expected = kept.get("state", "")
        if callback != kept.get("callback"):
            return Refused(Refusal.INVALID)
        if not expected or not hmac.compare_digest(answer.get("state", "").encode(), expected.encode()):
            return Refused(Refusal.INVALID)
        identity = self.read(answer.get("who", ""))
        if isinstance(identity, Refused):
            return identity
        return Finished(identity, (Once(expected, self._clock.now() + timedelta(minutes=10)),))

    def _people(self) -> dict[str, Any]:
        try:
            return json.loads(Path(self._options.people).read_text("utf-8"))
        except (OSError, ValueError):
            raise Unavailable("the toy is out of reach") from None


def build(options: Options, *, provider_id: str, clock: Clock) -> ToyProvider:
    """Return the provider. Raises BadConfiguration."""
    if not options.people:
        raise BadConfiguration(f"providers.{provider_id}.people", "must name a file")
    return ToyProvider(options, provider_id, clock)

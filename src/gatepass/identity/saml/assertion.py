"""For whom an answer is, who gave it, until when it holds, and what it says (SAML profiles 4.1.4.3)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gatepass.identity.saml.names import ASSERTIONS, BEARER, ISSUER, PROTOCOL, STATUS, SUCCESS, NotProven

SKEW = timedelta(seconds=60)
_INSTANT = re.compile(r"\A(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z\Z", re.ASCII)
_NS = {"saml": ASSERTIONS, "samlp": PROTOCOL}
_CONDITIONS = {f"{{{ASSERTIONS}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer has to fit."""

    issuer: str
    """The entity id of the identity provider."""
    entity_id: str
    """Ours."""
    callback: str
    """Where the answer was posted."""
    request_id: str
    """The request that this very browser made."""
    now: datetime


@dataclass(frozen=True, slots=True)
class NameId:
    """How the provider names somebody."""

    value: str
    format: str | None
    qualifier: str | None
    sp_qualifier: str | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says."""

    id: str
    name_id: NameId | None
    attributes: dict[str, tuple[str, ...]]
    session_index: str | None
    ends_at: datetime
    """From when on it would not be taken anyway."""


def check_response(root: Any, expected: Expected) -> None:
    """Raise NotProven unless the envelope fits. It may be unsigned, so nothing is believed because of it."""
    _equal(root.get("Destination"), expected.callback, "Destination")
    _equal(root.get("InResponseTo"), expected.request_id, "InResponseTo")
    issuer = root.find(ISSUER)
    if issuer is not None:
        _equal(_text(issuer), expected.issuer, "issuer of the response")
    code = root.find(STATUS).find("samlp:StatusCode", _NS)
    status = code.get("Value") if code is not None else None
    if status != SUCCESS:
        raise NotProven(f"has the status {status!r}")


def read_assertion(assertion: Any, expected: Expected) -> Claims:
    """Return what a verified assertion says, if it fits; else raise NotProven."""
    _equal(_text(assertion.find(ISSUER)), expected.issuer, "issuer")
    subject = _one(assertion, "saml:Subject")
    confirmed = _check_confirmation(subject, expected)
    conditions = _check_conditions(_one(assertion, "saml:Conditions"), expected)
    statement = _one(assertion, "saml:AuthnStatement")
    _check_end(statement.get("SessionNotOnOrAfter"), expected.now, "session")
    return Claims(
        id=assertion.get("ID"),
        name_id=_name_id(subject),
        attributes=_attributes(assertion),
        session_index=statement.get("SessionIndex"),
        ends_at=min(filter(None, (confirmed, conditions))) + SKEW,
    )


def _check_confirmation(subject: Any, expected: Expected) -> datetime:
    """Return when the confirmation of the subject ends."""
    bearers = [each for each in subject.findall("saml:SubjectConfirmation", _NS) if each.get("Method") == BEARER]
    if len(bearers) != 1:
        raise NotProven(f"has {len(bearers)} bearer confirmations, not one")
    data = _one(bearers[0], "saml:SubjectConfirmationData")
    _equal(data.get("Recipient"), expected.callback, "Recipient")
    _equal(data.get("InResponseTo"), expected.request_id, "InResponseTo of the confirmation")
    _check_begin(data.get("NotBefore"), expected.now, "confirmation")
    end = _check_end(data.get("NotOnOrAfter"), expected.now, "confirmation")
    if end is None:
        raise NotProven("has a confirmation without an end")
    return end


def _check_conditions(conditions: Any, expected: Expected) -> datetime | None:
    """Return when the conditions end, if they do."""
    if not {each.tag for each in conditions} <= _CONDITIONS:
        raise NotProven("has a condition that is not known")
    restrictions = conditions.findall("saml:AudienceRestriction", _NS)
    if not restrictions:
        raise NotProven("has no audience")
    for restriction in restrictions:
        audiences = [_text(each) for each in restriction]
        if expected.entity_id not in audiences:
            raise NotProven(f"is for the audience {audiences!r}, not {expected.entity_id!r}")
    _check_begin(conditions.get("NotBefore"), expected.now, "assertion")
    return _check_end(conditions.get("NotOnOrAfter"), expected.now, "assertion")


def _check_begin(text: str | None, now: datetime, name: str) -> None:
    if text is not None and instant(text) > now + SKEW:
        raise NotProven(f"has a {name} that begins at {text}: is a clock wrong?")


def _check_end(text: str | None, now: datetime, name: str) -> datetime | None:
    if text is None:
        return None
    end = instant(text)
    if end + SKEW <= now:
        raise NotProven(f"has a {name} that ended at {text}: is a clock wrong?")
    return end


def _name_id(subject: Any) -> NameId | None:
    found = subject.findall("saml:NameID", _NS)
    if len(found) != 1:
        return None
    each = found[0]
    return NameId(_text(each), each.get("Format"), each.get("NameQualifier"), each.get("SPNameQualifier"))


def _attributes(assertion: Any) -> dict[str, tuple[str, ...]]:
    """Return the texts of each attribute; a value with elements in it is none."""
    found: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.iterfind("saml:AttributeStatement/saml:Attribute", _NS):
        values = attribute.findall("saml:AttributeValue", _NS)
        texts = tuple(each.text for each in values if len(each) == 0 and each.text)
        name = attribute.get("Name", "")
        found[name] = found.get(name, ()) + texts
    return found


def instant(text: str) -> datetime:
    """Read an instant in UTC, to the second. Raises NotProven."""
    found = _INSTANT.match(text)
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else _no_instant(text)
    except ValueError:
        return _no_instant(text)


def _no_instant(text: str) -> datetime:
    raise NotProven(f"has {text[:40]!r} for an instant")


def _one(element: Any, path: str) -> Any:
    found = element.findall(path, _NS)
    if len(found) != 1:
        raise NotProven(f"has {len(found)} times {path.partition(':')[2]}, not one")
    return found[0]


def _text(element: Any) -> str:
    """Return the text of an element that has nothing but text."""
    if len(element):
        raise NotProven("has elements where a text belongs")
    return str(element.text or "")


def _equal(found: str | None, expected: str, name: str) -> None:
    if found != expected:
        raise NotProven(f"has {found!r} for {name}, not {expected!r}")

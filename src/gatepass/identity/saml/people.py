"""Who an assertion is about: a subject that lasts, and what they are called."""

from collections.abc import Iterable

from gatepass.errors import InvalidInput
from gatepass.identity.saml.assertion import Claims, NameId
from gatepass.identity.saml.names import PERSISTENT, NotProven
from gatepass.identity.saml.options import Options
from gatepass.model.identity import Identity, check_subject, printable

_REFERENCE_LENGTH = 255


def identity_of(claims: Claims, options: Options, *, provider_id: str, issuer: str, entity_id: str) -> Identity:
    """Return the identity that verified claims are about. Raises NotProven if nothing in them lasts."""
    emails = _values(claims, options.email_attributes)
    subject = _subject(claims, options.subject_attribute, issuer=issuer, entity_id=entity_id)
    # SECURITY: an address is given to somebody else one day, and their account with it.
    if subject.casefold() in {each.casefold() for each in emails}:
        raise NotProven("names people by their e-mail address, which may become somebody else's")
    try:
        check_subject(subject)
    except InvalidInput as error:
        raise NotProven(f"has a subject that cannot be one: {error.reason}") from None
    index = claims.session_index
    return Identity(
        provider=provider_id,
        subject=subject,
        login=next(iter(_values(claims, options.login_attributes)), subject),
        name=next(iter(_values(claims, options.name_attributes)), None),
        email=next(iter(emails), None),
        email_verified=options.trust_email and bool(emails),
        groups=printable(_values(claims, options.group_attributes)),
        reference=index if index and len(index) <= _REFERENCE_LENGTH and index.isprintable() else None,
    )


def _subject(claims: Claims, attribute: str, *, issuer: str, entity_id: str) -> str:
    if attribute:
        values = claims.attributes.get(attribute, ())
        if len(values) != 1:
            raise NotProven(f"has {len(values)} values of the attribute {attribute!r}, not one")
        return values[0]
    if claims.name_id is None or claims.name_id.format != PERSISTENT:
        found = claims.name_id.format if claims.name_id else None
        raise NotProven(f"has a NameID of the format {found!r}, not {PERSISTENT!r}")
    return _persistent(claims.name_id, issuer=issuer, entity_id=entity_id)


def _persistent(name: NameId, *, issuer: str, entity_id: str) -> str:
    # SECURITY: the same text under another qualifier is somebody else.
    if name.qualifier not in {None, issuer} or name.sp_qualifier not in {None, entity_id}:
        raise NotProven("has a NameID that another provider, or one for another service, gave")
    return name.value


def _values(claims: Claims, names: Iterable[str]) -> list[str]:
    return [value for name in names for value in claims.attributes.get(name, ())]

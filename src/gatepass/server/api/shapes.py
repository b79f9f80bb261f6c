"""The shapes of requests and answers under /v4, as clients see them."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import UNSET, Meta, Struct, UnsetType

from gatepass.interfaces import Page
from gatepass.model.instant import iso
from gatepass.model.network import MOST_NETWORKS
from gatepass.model.rights import MOST_AUDIENCES
from gatepass.model.scope import MOST_SCOPES
from gatepass.model.token import DESCRIPTION_LENGTH, MAXIMUM_LIFETIME_SECONDS, Token, TokenStatus
from gatepass.model.user import EMAIL_LENGTH, NAME_LENGTH, PASSWORD_LEAST_BYTES, PASSWORD_MOST_BYTES, User

Instant = Annotated[
    str, Meta(description="ISO 8601 in UTC with milliseconds", extra_json_schema={"format": "date-time"})
]
Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]

# What `model/text.py` takes for one line, spelled out because few tools read `\p{Cf}`. Format
# characters beyond U+FFFF are refused too and left out here: few tools read those either.
LINE = (
    r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]*$"
)
EMAIL_PATTERN = r"^[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{1,64}@[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$"

SCOPE_PATTERN = r"^(\*|[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?):(\*|[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?)$"
AUDIENCE_PATTERN = "^[!-~]{1,200}$"

LifetimeSeconds = Annotated[
    int,
    Meta(
        description="Seconds from now until the token expires; -1 for never.",
        extra_json_schema={"anyOf": [{"enum": [-1]}, {"minimum": 1, "maximum": MAXIMUM_LIFETIME_SECONDS}]},
        examples=[86400],
    ),
]


Scopes = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"pattern": SCOPE_PATTERN})]],
    Meta(
        description="What it may be used for, `*` for any noun or verb; null: full access, all rights of the owner.",
        extra_json_schema={"maxItems": MOST_SCOPES},
        examples=[["jobs:run", "datasets:*"]],
    ),
]
Networks = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"format": "cidr"})]],
    Meta(
        description="Where it may be used from, in CIDR notation; null: anywhere.",
        extra_json_schema={"minItems": 1, "maxItems": MOST_NETWORKS},
        examples=[["10.0.0.0/8", "2001:db8::/32"]],
    ),
]
Audience = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"pattern": AUDIENCE_PATTERN})]],
    Meta(
        description="The services it is meant for; null: any. This API is `gatepass`.",
        extra_json_schema={"minItems": 1, "maxItems": MOST_AUDIENCES},
        examples=[["orders", "gatepass"]],
    ),
]


class CreateTokenBody(Struct, rename="camel", forbid_unknown_fields=True):
    """What a new token is to be."""

    lifetime_seconds: LifetimeSeconds
    description: Annotated[str, Meta(extra_json_schema={"maxLength": DESCRIPTION_LENGTH, "pattern": LINE})] | None = (
        None
    )
    scopes: Scopes | None = None
    allowed_networks: Networks | None = None
    audience: Audience | None = None


class TokenInfo(Struct, rename="camel"):
    """A token, without its value."""

    token_id: Id
    description: str | None
    status: TokenStatus
    expired_at: Instant | None
    last_used: Instant | None
    created_at: Instant
    deleted_at: Instant | None
    parent_token_id: Id | None
    scopes: Scopes | None
    allowed_networks: Networks | None
    audience: Audience | None


class CreatedToken(Struct, rename="camel"):
    """A new token. `tokenValue` is in this answer and nowhere else."""

    token_value: str
    token_info: TokenInfo


class Receipt(Struct, rename="camel", omit_defaults=True):
    """Where a deletion counts by now, beyond this server and its host."""

    confirmed: Annotated[int, Meta(description="Connected verifiers that have acknowledged it.")]
    of: Annotated[int, Meta(description="Verifiers that could answer from memory when it was made.")]
    slowest_ms: Annotated[int, Meta(description="How long the last confirmation took.")]
    guaranteed_ms: Annotated[int, Meta(description="After this it counts everywhere, whatever happens.")]
    lease_ended: Annotated[
        int, Meta(description="Verifiers that have not acknowledged it and answer nothing from memory any more.")
    ] = 0
    unknown_ms: Annotated[
        int,
        Meta(description="The server started lately: for so long, verifiers it has not heard of may hold leases."),
    ] = 0


class VerifierInstance(Struct, rename="camel"):
    """A process that follows changes with the credential of a registered verifier."""

    instance: str
    is_connected: Annotated[bool, Meta(description="Whether it may still answer from memory.")]
    behind: Annotated[int, Meta(description="How many changes it has not acknowledged.")]
    lag_ms: Annotated[int | None, Meta(description="How long the last change took there; null before the first.")]
    lease_ms: Annotated[int, Meta(description="For how long it may answer from memory, should it hear nothing more.")]
    bound_ms: Annotated[int, Meta(description="How long a lease lasts there, grace included.")]
    heard_ms: Annotated[int, Meta(description="How long ago it was heard of.")]


class Verifier(Struct, rename="camel"):
    """A service that may ask about tokens."""

    id: Id
    name: str
    created_at: Instant
    instances: list[VerifierInstance]


class VerifierList(Struct):
    """All registered verifiers."""

    data: list[Verifier]


class TokenList(Struct):
    """A page of tokens."""

    data: list[TokenInfo]


class Person(Struct, rename="camel"):
    """Somebody who signs in."""

    id: Id
    email: str
    name: str | None
    is_admin: bool
    is_disabled: bool
    provider: Annotated[str, Meta(description="Where they sign in: the id of an identity provider, or `local`.")]
    created_at: Instant
    updated_at: Instant
    last_login_time: Instant | None


class PersonList(Struct):
    """A page of people."""

    data: list[Person]


Email = Annotated[str, Meta(extra_json_schema={"maxLength": EMAIL_LENGTH, "pattern": EMAIL_PATTERN})]
Name = Annotated[str, Meta(extra_json_schema={"maxLength": NAME_LENGTH, "pattern": LINE})]
NewPassword = Annotated[
    str,
    Meta(
        description="15 to 1,024 bytes in UTF-8, and not a common password",
        extra_json_schema={"format": "password", "minLength": PASSWORD_LEAST_BYTES, "maxLength": PASSWORD_MOST_BYTES},
    ),
]


class CreatePersonBody(Struct, rename="camel", forbid_unknown_fields=True):
    """Somebody to add. Without a password the answer has a one-time link to set one."""

    email: Email
    name: Name | None = None
    password: NewPassword | None = None
    is_admin: bool = False


class CreatedPerson(Person, rename="camel", omit_defaults=True):
    """Somebody who was added."""

    set_password_url: Annotated[str, Meta(description="good once, for 24 hours")] | UnsetType = UNSET


class ChangePersonBody(Struct, rename="camel", forbid_unknown_fields=True):
    """What to change; fields left out stay as they are."""

    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET


class ChangedPerson(Struct, rename="camel"):
    """Somebody who was changed."""

    id: Id
    updated_at: Instant


class ChangePasswordBody(Struct, rename="camel", forbid_unknown_fields=True):
    """One's old password and the new one."""

    current_password: str
    new_password: NewPassword


class AuditEvent(Struct, rename="camel"):
    """A record of the audit log."""

    sequence: int
    time: Instant
    action: str
    actor_id: Id | None
    actor_email: str | None
    credential: str
    credential_id: Id | None
    subject_id: Id | None
    owner_id: Id | None
    owner_email: str | None
    details: dict[str, Any]
    address: str | None
    request_id: str | None


class AuditEventList(Struct):
    """A page of the audit log."""

    data: list[AuditEvent]


class ErrorDetails(Struct):
    """What went wrong."""

    name: str
    message: str
    details: str


class ErrorBody(Struct):
    """Every error under /v4."""

    exception: ErrorDetails


def token_info(token: Token, status: TokenStatus) -> TokenInfo:
    """Write a token."""
    return TokenInfo(
        token_id=str(token.id),
        description=token.description,
        status=status,
        expired_at=iso(token.expires_at) if token.expires_at else None,
        last_used=iso(token.last_used_at) if token.last_used_at else None,
        created_at=iso(token.created_at),
        deleted_at=iso(token.revoked_at) if token.revoked_at else None,
        parent_token_id=str(token.parent_id) if token.parent_id else None,
        **token.rights.lists(),
    )


def person_fields(user: User) -> dict[str, Any]:
    """Return the fields of Person."""
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "is_admin": user.is_admin,
        "is_disabled": user.disabled_at is not None,
        "provider": user.provider,
        "created_at": iso(user.created_at),
        "updated_at": iso(user.updated_at),
        "last_login_time": iso(user.last_sign_in_at) if user.last_sign_in_at else None,
    }


def next_link(path: str, query: dict[str, str], page: Page, found: Sequence[Any], last_key: Any) -> dict[str, str]:
    """Return the Link header to the next page, if this one is full."""
    if len(found) < page.limit:
        return {}
    kept = {name: value for name, value in query.items() if name not in {"after", "offset"}}
    return {"link": f'<{path}?{urlencode({**kept, "after": str(last_key)})}>; rel="next"'}


def page_parameters(after: str) -> list[dict[str, Any]]:
    """Return the OpenAPI parameters of a list."""
    whole: dict[str, Any] = {"type": "integer"}
    return [
        {"name": "limit", "in": "query", "schema": {**whole, "minimum": 1, "maximum": 1000, "default": 1000}},
        {"name": "offset", "in": "query", "schema": {**whole, "minimum": 0, "maximum": 2**53, "default": 0}},
        {
            "name": "after",
            "in": "query",
            "description": f"The {after} of the last row of the page before; costs the same at any depth.",
            "schema": {"type": "string", "format": "uuid"}
            if after == "id"
            else {**whole, "minimum": 0, "maximum": 2**53},
        },
    ]

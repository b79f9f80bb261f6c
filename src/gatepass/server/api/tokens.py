"""REST: access tokens."""

from http import HTTPStatus
from uuid import UUID

from gatepass.errors import NotAuthenticated
from gatepass.interfaces import Page
from gatepass.model.rights import check_rights
from gatepass.model.token import Token, TokenStatus
from gatepass.server.api import shapes
from gatepass.server.api.receipts import PREFER, with_receipt
from gatepass.server.api.routing import Answer, Call, Operation
from gatepass.server.parsing import parse_choice, parse_id, parse_page
from gatepass.services.create_token import create_token
from gatepass.services.get_token import get_token
from gatepass.services.list_tokens import list_tokens
from gatepass.services.retry import Retry
from gatepass.services.revoke_token import revoke_token

_STATUSES: dict[str, TokenStatus | None] = {"all": None, **{status.value: status for status in TokenStatus}}


def create(call: Call) -> Answer:
    """Create a token for the caller."""
    body: shapes.CreateTokenBody = call.body
    key = call.headers.get("idempotency-key")
    created = create_token(
        call.deps,
        call.actor,
        lifetime_seconds=body.lifetime_seconds,
        description=body.description,
        rights=check_rights(body.scopes, body.allowed_networks, body.audience),
        retry=None if key is None else Retry(key, call.raw_body),
    )
    # SECURITY: the one place of the API where the value is revealed.
    value = created.value.reveal()
    return Answer(shapes.CreatedToken(value, _info(call, created.token)), HTTPStatus.CREATED)


def list_own(call: Call) -> Answer:
    """List the caller's tokens."""
    if call.actor.user_id is None:
        raise NotAuthenticated
    return _list(call, call.actor.user_id, "/v4/apiAccessTokens")


def list_of_person(call: Call) -> Answer:
    """List somebody's tokens."""
    owner_id = parse_id(call.path["id"])
    return _list(call, owner_id, f"/v4/people/{owner_id}/apiAccessTokens")


def _list(call: Call, owner_id: UUID, path: str) -> Answer:
    page: Page = parse_page(call.query)
    status = parse_choice(call.query, "status", _STATUSES, default="all")
    found = list_tokens(
        call.deps, call.actor, owner_id=owner_id, page=page, status=status, prefix=call.query.get("q") or None
    )
    link = shapes.next_link(path, dict(call.query), page, found, found[-1].id if found else "")
    return Answer(shapes.TokenList([_info(call, token) for token in found]), headers=link)


def get(call: Call) -> Answer:
    """Return one of the caller's tokens."""
    return Answer(_info(call, get_token(call.deps, call.actor, parse_id(call.path["tokenId"]))))


def delete(call: Call) -> Answer:
    """Delete a token."""
    revoke_token(call.deps, call.actor, parse_id(call.path["tokenId"]))
    return with_receipt(call, Answer(status=HTTPStatus.NO_CONTENT))


def _info(call: Call, token: Token) -> shapes.TokenInfo:
    return shapes.token_info(token, token.status(call.deps.clock.now()))


_FILTERS = [
    {"name": "status", "in": "query", "schema": {"enum": list(_STATUSES), "default": "all"}},
    {
        "name": "q",
        "in": "query",
        "description": "The start of the description or of the token id, without case.",
        "schema": {"type": "string"},
    },
]
_LIST = [*shapes.page_parameters("id"), *_FILTERS]
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A retry with the same key and body within 24 hours gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
_OWN, _ONE = "/v4/apiAccessTokens", "/v4/apiAccessTokens/{tokenId}"

ROUTES = (
    Operation(
        method="POST",
        path=_OWN,
        handler=create,
        summary="Create a token. Its value is in this answer and nowhere else.",
        tag="tokens",
        body=shapes.CreateTokenBody,
        status=HTTPStatus.CREATED,
        returns=shapes.CreatedToken,
        parameters=[_KEY],
        errors=[HTTPStatus.CONFLICT],
        feature=True,
    ),
    Operation(
        method="GET",
        path=_OWN,
        handler=list_own,
        summary="List your tokens, oldest first; deleted ones only with status=deleted.",
        tag="tokens",
        returns=shapes.TokenList,
        parameters=_LIST,
        feature=True,
        counts_as_use=False,
    ),
    Operation(
        method="GET",
        path=_ONE,
        handler=get,
        summary="Get one of your tokens.",
        tag="tokens",
        returns=shapes.TokenInfo,
        errors=[HTTPStatus.GONE],
        feature=True,
        counts_as_use=False,
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        handler=delete,
        summary="Delete a token, at once and for ever.",
        tag="tokens",
        status=HTTPStatus.NO_CONTENT,
        parameters=[PREFER],
        receipt=shapes.Receipt,
        errors=[HTTPStatus.GONE],
        feature=True,
    ),
    Operation(
        method="GET",
        path="/v4/people/{id}/apiAccessTokens",
        handler=list_of_person,
        summary="List somebody's tokens: your own, or anybody's for administrators.",
        tag="tokens",
        returns=shapes.TokenList,
        parameters=_LIST,
        feature=True,
        counts_as_use=False,
    ),
)

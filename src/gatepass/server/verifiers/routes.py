"""The route table of /verifiers/v1, and the one way every request of it goes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gatepass.errors import NotAuthenticated, Unavailable
from gatepass.model.actor import Actor, Credential
from gatepass.model.registered_verifier import RegisteredVerifier, is_verifier_credential
from gatepass.model.settings import Settings
from gatepass.model.verdict import Accepted, Reason
from gatepass.server import problems
from gatepass.server.authentication import add_challenges
from gatepass.server.context import Context, context_of
from gatepass.server.credentials import Bearer, Presented
from gatepass.server.log import get_logger
from gatepass.server.parsing import parse_json, require_media_type
from gatepass.server.posted import PostRoute
from gatepass.server.verifiers import shapes
from gatepass.services.check_verifier import check_verifier
from gatepass.services.follow_changes import Progress, follow_changes
from gatepass.services.judge_elsewhere import judge_elsewhere
from gatepass.services.record_token_use import record_token_use
from gatepass.verifier.follower import POLLS_A_BOUND

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a verifier that is known."""

    context: Context
    verifier: RegisteredVerifier
    actor: Actor
    body: Any
    settings: Settings


Handler = Callable[[Call], Awaitable[Any]]


async def follow(call: Call) -> shapes.FollowReply:
    """Answer a poll: at once if something changed, else when something does, or after its wait."""
    body: shapes.FollowBody = call.body
    context, bound = call.context, call.settings.bound_seconds + min(body.grace, call.settings.grace_seconds)
    # SECURITY: before anything is read, see `Followers.hear`.
    instance = context.followers.hear(
        call.verifier, body.instance, epoch=body.epoch, acknowledged=body.after, bound=bound
    )
    signed_in = await context.roll.sign(instance)
    seen = context.watch.seen()
    progress = await _read(call)
    if progress.epoch == body.epoch and progress.head == body.after:
        wait = min(body.wait, bound / POLLS_A_BOUND)
        await context.watch.moved(seen, wait)
        # Also when nothing moved: a writer may have died before it told of its change.
        progress = await _read(call)
    if signed_in not in {None, progress.epoch}:
        # SECURITY: a database that was deposed still reads, and the new one has us on its list.
        raise Unavailable("not all connections lead to the same database")
    if progress.head != body.after:
        context.followers.told(instance)
    return shapes.progress_of(progress, bound, context.deps.clock.now())


async def leave(call: Call) -> dict[str, str]:
    """Forget an instance that says that it has ended, so that no receipt waits for its lease."""
    call.context.followers.leave(call.verifier, call.body.instance)
    await call.context.roll.leave(call.verifier.id, call.body.instance)
    return {}


async def _read(call: Call) -> Progress:
    """Read what changed.

    SECURITY: for this poll alone. One that came in after a reading began would get a lease from when it was sent
    by what was known before.
    """
    body, context = call.body, call.context
    return await context.glance(lambda: follow_changes(context.deps, call.actor, body.after, epoch=body.epoch))


async def look_up(call: Call) -> shapes.LookUpReply:
    """Judge tokens."""
    presented = shapes.presented_in(call.body)
    # SECURITY: from the store, never from the memory of this process: the caller keeps it as of its revision.
    found = await call.context.work.run(lambda: judge_elsewhere(call.context.deps, call.actor, presented))
    for verdict in found.verdicts:
        result = "accepted" if isinstance(verdict, Accepted) else verdict.reason.value
        call.context.metrics.verifications.labels("elsewhere", result).inc()
    return shapes.judged(found)


async def note_uses(call: Call) -> dict[str, int]:
    """Write what was used there."""
    uses = shapes.uses_in(call.body, call.context.deps.clock.now())
    await call.context.work.run(lambda: record_token_use(call.context.deps.store, uses))
    return {"noted": len(uses.counts)}


class VerifierRoute(PostRoute):
    """A path that takes JSON by POST from a registered verifier."""

    def __init__(self, path: str, handler: Handler, *, body: Any) -> None:
        """Serve `path`; `body` is the type of the request's body."""
        super().__init__(path, refusal=refusal)
        self._handler = handler
        self._body = body

    async def take(self, request: Request, presented: Presented, body: bytes) -> Response:
        """Admit the verifier, then answer it."""
        call = await context_of(request).glance(lambda: self._admit(request, presented, body))
        return _response(200, await self._handler(call))

    def _admit(self, request: Request, presented: Presented, raw: bytes) -> Call:
        context = context_of(request)
        verifier = _verifier(context, request, presented)
        actor = Actor(
            Credential.VERIFIER,
            credential_id=verifier.id,
            address=context.address_of(request),
            request_id=request.state.request_id,
        )
        request.state.actor = actor
        require_media_type(request, "application/json")
        body = parse_json(raw, self._body)
        with context.deps.store.read() as tx:
            settings = tx.settings.load()
        return Call(context, verifier, actor, body, settings)


def _verifier(context: Context, request: Request, presented: Presented) -> RegisteredVerifier:
    """Return who asks, or raise NotAuthenticated or TooManyRequests."""
    found: RegisteredVerifier | Reason = Reason.MALFORMED
    if isinstance(presented, Bearer) and is_verifier_credential(presented.text.reveal()):
        found = check_verifier(context.deps, presented.text)
    if isinstance(found, Reason):
        address = context.address_of(request)
        context.metrics.sign_ins.labels("verifier", "refused").inc()
        _log.info("verifier refused", reason=found.value, address=address, request_id=request.state.request_id)
        context.probes.count(address)
        raise NotAuthenticated
    return found


def refusal(request: Request, error: Exception, presented: Presented) -> Response:
    """Tell an error as under /v4."""
    request.state.error = error
    response = _response(problems.problem_of(error).status, problems.exception_body(error))
    response.headers.update(problems.headers_of(error))
    if isinstance(error, NotAuthenticated):
        add_challenges(response, request, presented, with_basic=False)
    return response


def _response(status: int, content: Any) -> Response:
    headers = {"cache-control": "no-store", "content-type": "application/json"}
    return Response(msgspec.json.encode(content), status, headers)


ROUTES = (
    VerifierRoute("/verifiers/v1/follow", follow, body=shapes.FollowBody),
    VerifierRoute("/verifiers/v1/leave", leave, body=shapes.LeaveBody),
    VerifierRoute("/verifiers/v1/verdicts", look_up, body=shapes.LookUpBody),
    VerifierRoute("/verifiers/v1/uses", note_uses, body=shapes.UsesBody),
)

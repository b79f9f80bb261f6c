"""Who is behind a request: a session, a name and password, or a token.

If there is an Authorization header it alone counts; a cookie is read only without one.
"""

from starlette.requests import Request
from starlette.responses import Response

from gatepass.errors import NotAllowed, NotAuthenticated, TooManyRequests
from gatepass.model.actor import Actor, Credential
from gatepass.model.identity import Identity
from gatepass.model.secret import Secret
from gatepass.model.session import Session
from gatepass.model.user import User
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.server.context import Context
from gatepass.server.credentials import Basic, Bearer, Cookie, Presented, read_authorization
from gatepass.server.log import get_logger
from gatepass.server.requirements import requirements_of
from gatepass.services.check_password import Proof, check_password
from gatepass.services.find_session import find_session
from gatepass.verifier.answer import BASIC_CHALLENGE, bearer_challenge
from gatepass.verifier.requirements import OWN_AUDIENCE, Requirements

_log = get_logger(__name__)
_PROBING = frozenset({Reason.MALFORMED, Reason.UNKNOWN})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def presented_by(request: Request, context: Context) -> Presented:
    """Read what a request came with; None for nothing. Raises InvalidInput for two headers."""
    found = read_authorization(request.headers.getlist("authorization"))
    if found is not None:
        return found
    handle = request.cookies.get(context.cookie_name)
    return Cookie(Secret(handle)) if handle else None


def authenticate(context: Context, request: Request, presented: Presented) -> Actor:
    """Return who acts, or raise NotAuthenticated or TooManyRequests. Blocks: call it in a thread.

    A cookie together with a changing method must come from our own pages (NotAllowed otherwise).
    """
    address, request_id = context.address_of(request), request.state.request_id
    if isinstance(presented, Basic):
        proof = _checked(context, presented, address, request_id)
        return Actor(
            Credential.PASSWORD,
            proof.user.id,
            password_at=proof.password_at,
            address=address,
            request_id=request_id,
        )
    if isinstance(presented, Bearer):
        # The scopes that an action needs are a matter of `services/access.py`.
        required = requirements_of(context, request, audience=OWN_AUDIENCE)
        verdict = judge(context, request, presented.text, required, door="rest")
        if isinstance(verdict, Rejected):
            if verdict.reason in _PROBING:
                context.probes.count(address)
            raise NotAuthenticated
        return Actor(Credential.TOKEN, verdict.owner_id, verdict.token_id, address=address, request_id=request_id)
    if isinstance(presented, Cookie):
        found = find_vouched_session(context, request, presented.handle)
        if found is None:
            raise NotAuthenticated
        if request.method not in _SAFE_METHODS:
            require_same_origin(context, request)
        return session_actor(found[0], found[1], address=address, request_id=request_id)
    raise NotAuthenticated


def find_vouched_session(context: Context, request: Request, handle: Secret) -> tuple[Session, User] | None:
    """Return the live session of a handle with its user, None if there is none. Blocks: call it in a thread.

    A session that began with a proxy's word is good while the proxy says the same of each request.
    """
    found = find_session(context.deps, handle)
    if found is None:
        return None
    session, user = found
    configured = context.deps.providers.get(session.provider)
    if configured is None or configured.proxy is None:
        return found
    identity = configured.proxy.read_headers(request.headers.items(), context.carrier_of(request))
    return found if isinstance(identity, Identity) and identity.subject == user.subject else None


def session_actor(session: Session, user: User, *, address: str | None, request_id: str) -> Actor:
    """Return the actor behind a session."""
    return Actor(
        Credential.SESSION,
        user.id,
        session.id,
        proven_at=session.proven_at,
        address=address,
        request_id=request_id,
    )


def _checked(context: Context, basic: Basic, address: str | None, request_id: str) -> Proof:
    result = "refused"
    try:
        proof = check_password(
            context.deps, email=basic.email, password=basic.password, address=address, request_id=request_id
        )
        result = "ok"
    except TooManyRequests:
        result = "throttled"
        raise
    finally:
        context.metrics.sign_ins.labels("basic", result).inc()
        _log.info("password checked", door="basic", result=result, address=address, request_id=request_id)
    return proof


def judge(context: Context, request: Request, text: Secret, required: Requirements | None, *, door: str) -> Verdict:
    """Verify a presented token and hold it against what this request requires (None: nothing meets it).

    Metrics and log hear the true reason of a refusal.
    """
    verdict = context.verifier.verify(text.reveal(), required)
    result = "accepted" if isinstance(verdict, Accepted) else verdict.reason.value
    context.metrics.verifications.labels(door, result).inc()
    if isinstance(verdict, Rejected):
        request.state.refusal = (verdict.reason.value, verdict.token_id)
        context.uses.refused(verdict.token_id, verdict.reason)
    return verdict


def require_same_origin(context: Context, request: Request) -> None:
    """Raise NotAllowed unless the browser says that one of our own pages sent this.

    `Sec-Fetch-Site` and `Origin` must not contradict that, and one of them must say it.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = {context.public_url} if context.config.server.public_url else {context.public_url, own_origin(request)}
    if site not in {None, "same-origin", "none"} or (origin is not None and origin not in ours):
        raise NotAllowed("the request comes from another site")
    if site is None and origin is None:
        raise NotAllowed("a change with a session cookie needs an Origin or Sec-Fetch-Site header")


def own_origin(request: Request) -> str:
    """Return the origin that the client says it talks to."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def add_challenges(response: Response, request: Request, presented: Presented, *, with_basic: bool) -> None:
    """Say in a 401 how to come: its WWW-Authenticate fields."""
    for each in challenges(request, with_basic=with_basic, rejected=isinstance(presented, Bearer)):
        response.headers.append("www-authenticate", each)


def challenges(request: Request, *, with_basic: bool, rejected: bool) -> list[str]:
    """Return the WWW-Authenticate values of a 401.

    `rejected`: a token was sent and refused. Browsers never hear of Basic: they would remember the
    password and send it with every later request.
    """
    found = [bearer_challenge(rejected=rejected)]
    from_browser = "cookie" in request.headers or any(name.startswith("sec-fetch-") for name in request.headers)
    return [*found, BASIC_CHALLENGE] if with_basic and not from_browser else found

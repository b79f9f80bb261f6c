"""What the listener answers: /verify, /oauth2/introspect, /livez and /readyz, and nothing else."""

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus

from gatepass.model.network import Address
from gatepass.model.presented import PresentedToken, parse_token
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.answer import ALWAYS, REQUEST_ID, Answer, answer_to, header_lines, identity_headers, outage
from gatepass.verifier.bearer import read_bearer
from gatepass.verifier.cache import Entry
from gatepass.verifier.listener import fields
from gatepass.verifier.listener.familiar import Familiar
from gatepass.verifier.listener.look_ups import Found, LookUps
from gatepass.verifier.listener.protocol import Connection
from gatepass.verifier.listener.request import Request
from gatepass.verifier.proxies import TrustedProxies
from gatepass.verifier.requirements import read_requirements
from gatepass.verifier.uses import UseCounter
from gatepass.verifier.verifier import Verifier

VERIFY, BELOW = b"/verify", b"/verify/"
INTROSPECT, LIVE, READY = b"/oauth2/introspect", b"/livez", b"/readyz"
_PLAIN = fields.HOST | fields.AUTHORIZATION | fields.FORWARDED_FOR | fields.FORWARDED_FOR << fields.REPEATED
"""Exactly these (the last one or not): a request that needs no second look."""
_HARMLESS = fields.FORWARDED_FOR | fields.FORWARDED_FOR << fields.REPEATED
_BEARER = b"Bearer "
_OK = b"HTTP/1.1 200 OK\r\n" + header_lines(ALWAYS)
_ID = b"x-request-id: "
_CLOSE = b"connection: close\r\n"

Introspect = Callable[[Mapping[str, list[str]], bytes], tuple[int, Mapping[str, str], bytes]]
"""Answers an introspection: from headers (authorization, content-type) and body to status, headers and body."""


class VerifyDoor:
    """Answers with a verifier."""

    def __init__(
        self,
        verifier: Verifier,
        *,
        check_ready: Callable[[], None],
        uses: UseCounter,
        proxies: TrustedProxies,
        introspect: Introspect | None = None,
        look_ups: LookUps | None = None,
        report: Callable[[Exception], None] = lambda _: None,
        now: Callable[[], float] = time.time,  # noqa: TID251  the clock, where none is injected
    ) -> None:
        """Use them; `check_ready` raises if tokens cannot be judged, `report` hears of what went wrong.

        `look_ups` are for a verifier whose source may block; without them it is asked inline.
        """
        self.tick = 0
        self.connections: set[Connection] = set()
        self.taken = 0
        """How many connections there have been."""
        self.familiar = Familiar()
        self.refused: Counter[str] = Counter()
        """How many requests were refused, by the true reason."""
        self._verifier = verifier
        self._accept = verifier.accept
        self._check_ready = check_ready
        self._uses = uses
        self._proxies = proxies
        self._introspect = introspect
        self._look_ups = look_ups
        self._report = report
        self._now = now
        self._id_prefix = _ID + secrets.token_hex(6).encode() + b"-"
        self._ends_of_head = _ends_of_head()

    def enter(self, connection: Connection) -> int:
        """Take note of a new connection; return how many there are now."""
        self.connections.add(connection)
        self.taken += 1
        return len(self.connections)

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)

    def wants_body(self, request: Request) -> bool:
        """Tell whether the body is to be kept."""
        return self._introspect is not None and request.url is not None and path_of(request.url)[0] == INTROSPECT

    def answer_familiar(self, token: bytes) -> bytes | None:
        """Return the whole answer to a request in which only the token matters; None if it has to be read."""
        try:
            accept, now = self._accept, self._now  # see `Connection.data_received`
            entry = accept(token, now())
            if entry is None:
                return None
            return (entry.block or self._block_of(entry)) + next(self._ends_of_head)
        except Exception:  # noqa: BLE001  what fails here fails again, and is told, where the request is read
            return None

    def _block_of(self, entry: Entry) -> bytes:
        """Return the answer to an accepted token up to the number of the request; the id of one begins alike here."""
        entry.block = _OK + header_lines(identity_headers(entry)) + self._id_prefix
        return entry.block

    def answer(self, request: Request) -> bytes | None:
        """Return the whole answer to a complete request. Never raises."""
        try:
            if request.url == VERIFY and request.seen | _HARMLESS == _PLAIN and request.keeps_alive():
                authorization = request.authorization
                if authorization[:7] == _BEARER:
                    answer = self.answer_familiar(authorization[7:])
                    if answer is not None:
                        request.is_plain = True
                        return answer
            return self._answer_with_care(request)
        except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never a verdict
            self._report(error)
            return self._written(outage(error), request)

    def refusal(self, status: int) -> bytes:
        """Return the answer to what is no request."""
        return Answer(status, {}).head + _CLOSE + self._fresh_id()

    def _fresh_id(self) -> bytes:
        return self._id_prefix + next(self._ends_of_head)

    def _answer_with_care(self, request: Request) -> bytes | None:
        version, seen = request.parser.get_http_version(), request.seen
        request.closing = bool(version != "1.1" or seen & (fields.LAST | fields.CROWDED) or not request.keeps_alive())
        path, query = path_of(request.url or b"")
        hosts_wrong = seen & fields.HOST << fields.REPEATED or (version == "1.1" and not seen & fields.HOST)
        if version not in {"1.0", "1.1"} or hosts_wrong or not (path.startswith(b"/") or path == b"*"):
            request.closing = True
            return self._written(Answer(400, {}), request)
        if path == INTROSPECT and self._introspect is not None and not seen & fields.CROWDED:
            return self._introspected(request, self._introspect)
        answer = self._answer_to_path(request, path, query)
        return None if answer is None else self._written(answer, request)

    def _answer_to_path(self, request: Request, path: bytes, query: bytes) -> Answer | None:
        if request.seen & fields.CROWDED:
            return outage()
        if path == VERIFY or path.startswith(BELOW):
            return self._verify(request, query, exact=path == VERIFY)
        if path not in {LIVE, READY}:
            return Answer(404, {})
        if request.parser.get_method() not in {b"GET", b"HEAD"}:
            return Answer(405, {"allow": "GET, HEAD"})
        if path == READY:
            self._check_ready()
        return Answer(200, {})

    def _verify(self, request: Request, query: bytes, *, exact: bool) -> Answer | None:
        text = None
        # SECURITY: with two of them, a gateway may have looked at the other one.
        if request.seen & fields.AUTHORIZATION and not request.seen & fields.AUTHORIZATION << fields.REPEATED:
            text = read_bearer(request.authorization.decode("latin-1"))
        if text is None:
            return answer_to(None)
        if self._look_ups is None:
            return self._judged(self._verifier.look_up(text), query, lambda: self._client_of(request), exact=exact)
        found = self._verifier.recall(text.encode())
        if found is None:
            presented = parse_token(text)
            if presented is not None:
                return self._begin(request, self._look_ups, presented, query, exact=exact)
            found = Rejected(Reason.MALFORMED)
        return self._judged(found, query, lambda: self._client_of(request), exact=exact)

    def _begin(
        self, request: Request, look_ups: LookUps, presented: PresentedToken, query: bytes, *, exact: bool
    ) -> Answer | None:
        """Look a token up beside the event loop; the answer takes its place when it is known."""
        if request.parser.get_method() == b"CONNECT":
            return outage()  # it will be refused as what it is, and keeps no place
        # The next request stands in the same object soon: what this one's answer needs is taken now.
        place, end, client = len(request.out), self._end_of_head(request), self._client_of(request)

        def answer(found: Found) -> None:
            try:
                if isinstance(found, Exception):
                    raise found
                answer = self._judged(found, query, lambda: client, exact=exact)
            except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never a verdict
                self._report(error)
                answer = outage(error)
            request.fill(place, answer.head + end)

        look_ups.ask(presented, answer)
        return None

    def _judged(self, found: Verdict, query: bytes, client_of: Callable[[], Address | None], *, exact: bool) -> Answer:
        restricted = isinstance(found, Entry) and found.rights.networks is not None
        client = client_of() if restricted else None
        # SECURITY: below /verify/ some gateways append the client's own query. It may add to the scopes
        # demanded, but never say for which service the token has to be meant.
        demanded = read_requirements(query, client=client, names_audience=exact)
        verdict = self._verifier.check(found, demanded)
        self._count(verdict)
        return answer_to(verdict, demanded)

    def _count(self, verdict: Verdict) -> None:
        if isinstance(verdict, Accepted):
            self._uses.accepted(verdict.number, self._now())
            return
        self.refused[verdict.reason.value] += 1
        if verdict.token_id:
            self._uses.refused(verdict.token_id.int, verdict.reason, self._now())

    def _client_of(self, request: Request) -> Address | None:
        said = [value.decode("latin-1") for kind, value in request.others if kind == fields.FORWARDED_FOR]
        return self._proxies.client_behind(request.peer, said)

    def _introspected(self, request: Request, introspect: Introspect) -> bytes:
        if request.parser.get_method() != b"POST":
            return self._written(Answer(405, {"allow": "POST"}), request)
        given = {"authorization": [], "content-type": []}  # type: dict[str, list[str]]
        if request.seen & fields.AUTHORIZATION:
            repeated = bool(request.seen & fields.AUTHORIZATION << fields.REPEATED)
            given["authorization"] = [request.authorization.decode("latin-1")] * (1 + repeated)
        given["content-type"] = [
            value.decode("latin-1") for kind, value in request.others if kind == fields.CONTENT_TYPE
        ]
        status, headers, body = introspect(given, b"".join(request.body or ()))
        told = {**ALWAYS, **headers, "content-length": str(len(body))}
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return line + header_lines(told) + self._end_of_head(request) + body

    def _written(self, answer: Answer, request: Request) -> bytes:
        return answer.head + self._end_of_head(request)

    def _end_of_head(self, request: Request) -> bytes:
        closing = _CLOSE if request.closing else b""
        given = next((value for kind, value in request.others if kind == fields.REQUEST_ID), b"").decode("latin-1")
        if REQUEST_ID.match(given):
            return b"%b%b%b\r\n\r\n" % (closing, _ID, given.encode())
        return closing + self._fresh_id()


def _ends_of_head() -> Iterator[bytes]:
    """Yield the number of a request, each once, and the end of a header block."""
    lasts = [b"%03d\r\n\r\n" % last for last in range(1000)]
    for first in itertools.count(1):
        before = b"%d" % first
        for last in lasts:
            yield before + last


def path_of(url: bytes) -> tuple[bytes, bytes]:
    """Return path and query of a request target as they were sent; of `http://…` what stands behind the authority."""
    if url[:1] not in b"/*":
        scheme, found, rest = url.partition(b"://")
        if not found or scheme.lower() not in {b"http", b"https"}:
            return b"", b""
        _, slash, rest = rest.partition(b"/")
        url = slash + rest
    path, _, query = url.partition(b"?")
    return path, query

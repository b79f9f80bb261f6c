"""WSGI middleware (PEP 3333): lets a request through to an application only with a token that is good for it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from gatepass.errors import Unavailable
from gatepass.model.verdict import Accepted
from gatepass.verifier.bearer import bearer_of
from gatepass.verifier.protect import Demand, Refusal
from gatepass.verifier.verifier import Verifier

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class RequireToken:
    """Answers 401, 403 or 503 itself; else `environ["gatepass"]` is the Accepted for the application.

    The client's address is `REMOTE_ADDR`: behind a proxy, let the server set it.
    """

    def __init__(self, app: Application, verifier: Verifier, *, scope: str = "", audience: str | None = None) -> None:
        """Protect `app`. `scope` names what every request needs, separated by spaces; `audience` this service."""
        self._app = app
        self._verifier = verifier
        self._demand = Demand(scope, audience=audience)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Judge one request."""
        # SECURITY: set by us or not at all, whatever the server put there.
        environ.pop("gatepass", None)
        found = self._judge(environ)
        if not isinstance(found, Accepted):
            status, headers = found
            start_response(f"{status} {HTTPStatus(status).phrase}", headers)
            return [b""]
        environ["gatepass"] = found
        return self._app(environ, start_response)

    def _judge(self, environ: Environ) -> Accepted | Refusal:
        # Servers join the values of two Authorization headers with a comma, which no token has.
        value = environ.get("HTTP_AUTHORIZATION")
        text = bearer_of([] if value is None else [value])
        if text is None:
            return self._demand.refuse(None)
        try:
            verdict = self._verifier.verify(text, self._demand.of(environ.get("REMOTE_ADDR")))
        except Unavailable as error:
            return self._demand.refuse(error)
        return verdict if isinstance(verdict, Accepted) else self._demand.refuse(verdict)

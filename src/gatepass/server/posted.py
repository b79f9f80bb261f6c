"""A path that takes a body by POST from a caller with a credential, outside of the REST contract."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatepass.server import problems
from gatepass.server.authentication import presented_by
from gatepass.server.context import context_of
from gatepass.server.credentials import Presented
from gatepass.server.parsing import read_body

Refusal = Callable[[Request, Exception, Presented], Response]
"""Tells an error; `presented` is None where it came before that could be read."""


class PostRoute(Route, ABC):
    """Reads what was presented and the body, and tells whatever goes wrong in the one way of its kind."""

    def __init__(self, path: str, *, refusal: Refusal) -> None:
        """Serve `path`, whatever the method: another one than POST is told by `refusal` like any error."""
        super().__init__(path, endpoint=self._respond, methods=None, include_in_schema=False)
        self.methods = None
        self._refusal = refusal

    @abstractmethod
    async def take(self, request: Request, presented: Presented, body: bytes) -> Response:
        """Answer a request that was read whole."""

    async def _respond(self, request: Request) -> Response:
        request.state.route = self.path
        context, presented = context_of(request), None
        try:
            if request.method != "POST":
                raise problems.MethodNotAllowed("POST")
            presented = presented_by(request, context)
            return await self.take(request, presented, await read_body(request))
        except Exception as error:  # noqa: BLE001  SECURITY: whatever fails here is an outage, never an answer
            return self._refusal(request, error, presented)

"""Health: is the process alive, can it do its work. Nobody signs in for these."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatepass.errors import Unavailable
from gatepass.server.context import Context, context_of

_HEADERS = {"cache-control": "no-store"}


async def live(request: Request) -> Response:
    """Answer 200 as long as the process runs. Never touches the store."""
    request.state.route = "/livez"
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


async def ready(request: Request) -> Response:
    """Answer 200 if tokens can be verified and changed, else 503."""
    request.state.route = request.scope["route"].path
    context = context_of(request)
    try:
        await context.work.run(lambda: _check(context))
    except Exception as error:  # noqa: BLE001  whatever it is, this server is not ready
        request.state.error = error
        return JSONResponse({"status": "unavailable"}, 503, {**_HEADERS, "retry-after": "1"})
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


def _check(context: Context) -> None:
    context.deps.store.check()
    number, _ = context.deps.keyring.current_pepper()
    if number < 1:
        raise Unavailable("there is no pepper")


ROUTES = (Route("/livez", live), Route("/readyz", ready), Route("/healthz", ready))

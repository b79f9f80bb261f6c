"""Health: is the process alive, can it do its work. Nobody signs in for these."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatepass.connect import check_ready
from gatepass.server.context import context_of

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
        await context.work.run(lambda: check_ready(context.deps.store, context.deps.keyring))
    except Exception as error:  # noqa: BLE001  whatever it is, this server is not ready
        request.state.error = error
        return JSONResponse({"status": "unavailable"}, 503, {**_HEADERS, "retry-after": "1"})
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


ROUTES = (Route("/livez", live), Route("/readyz", ready), Route("/healthz", ready))

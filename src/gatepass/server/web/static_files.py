"""The pages' own files: read once, named with their hash, kept by browsers for good."""

import functools
import hashlib
import mimetypes
from dataclasses import dataclass
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_NAMES = ("gatepass.css", "gatepass.js", "htmx.min.js", "mark.svg")
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    version: str


@functools.cache
def _files() -> dict[str, _File]:
    folder = resources.files("gatepass.server.web") / "static"
    found = {}
    for name in _NAMES:
        content = (folder / name).read_bytes()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        found[name] = _File(content, media_type, hashlib.sha256(content).hexdigest()[:16])
    return found


def static_url(name: str) -> str:
    """Return the address of a file; it changes whenever the content does."""
    return f"/static/{name}?v={_files()[name].version}"


async def show(request: Request) -> Response:
    """Return one of the files that are named above, and nothing else."""
    request.state.route = "/static/{name}"
    file = _files().get(request.path_params["name"])
    if file is None:
        return Response("", 404)
    current = request.query_params.get("v") == file.version
    return Response(
        file.content, media_type=file.media_type, headers={"cache-control": _FOR_GOOD if current else "no-cache"}
    )


ROUTES = (Route("/static/{name}", show),)

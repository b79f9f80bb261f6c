"""Checks of a verifier's machine against its server: is it reached, the credential accepted, the clock right."""

import http.client
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from gatepass.connect import SystemClock
from gatepass.errors import Unavailable
from gatepass.model.registered_verifier import is_verifier_credential
from gatepass.model.secret import Secret
from gatepass.server.doctor.finding import Finding, ok, wrong
from gatepass.verifier.follower import MOST_SKEW
from gatepass.verifier.remote import Upstream, reason_of

_NEW_ONE = "`gatepass verifiers add NAME` on the server makes a new one"
_ROUNDED = 1.0
"""The server's Date is in whole seconds."""


def examine_upstream(upstream: Upstream, credential: Secret) -> Iterator[tuple[str, Finding]]:
    """Ask the server once, and yield the name and the finding of each check."""
    # SECURITY: a file of something else is not sent anywhere.
    if not is_verifier_credential(credential.reveal()):
        yield "credential", wrong("is nothing that `gatepass verifiers add` prints", _NEW_ONE)
        return
    try:
        status, date, seconds = _asked(upstream)
    except Unavailable as error:
        yield "server", wrong(str(error), "is the address right, and the server running?")
        return
    yield "server", ok(f"{upstream.url} answers in {seconds * 1000:.0f} ms")
    yield "credential", _credential(status)
    yield "clock", _clock(date, seconds)


def _asked(upstream: Upstream) -> tuple[int, str | None, float]:
    """Return status, Date and the seconds it took."""
    connection, began = upstream.open(), SystemClock().now()
    try:
        # Of what a credential allows, this changes nothing: no process is called so.
        connection.request("POST", "/verifiers/v1/leave", b'{"instance":"doctor"}', upstream.headers())
        response = connection.getresponse()
        response.read(1 << 16)
        seconds = (SystemClock().now() - began).total_seconds()
        return response.status, response.headers.get("date"), seconds
    except (http.client.HTTPException, OSError) as error:
        raise Unavailable(f"{upstream.url} does not answer: {reason_of(error)}") from None
    finally:
        connection.close()


def _credential(status: int) -> Finding:
    if status == http.client.OK:
        return ok("is accepted")
    if status == http.client.UNAUTHORIZED:
        return wrong("is not accepted", _NEW_ONE)
    return wrong(f"is not known to be accepted: the server answers with status {status}", "look into the server's log")


def _clock(date: str | None, seconds: float) -> Finding:
    try:
        told = parsedate_to_datetime(date or "")
    except ValueError:
        return wrong("the server does not say what time it is", "is that a Gatepass server?")
    ahead = (SystemClock().now() - told).total_seconds()
    # The Date was true at some moment while we waited, and is up to a second old.
    if -MOST_SKEW <= ahead <= MOST_SKEW + _ROUNDED + seconds:
        return ok(f"as the server's, to {MOST_SKEW:.0f} s")
    return wrong(
        f"is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's: everything is answered with 503",
        "set the clock on this machine, or on the server",
    )

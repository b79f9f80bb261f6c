"""Sign in on the pages with a password."""

from uuid import UUID

from gatepass.model.actor import Credential
from gatepass.model.secret import Secret
from gatepass.services.check_password import check_password
from gatepass.services.deps import Deps
from gatepass.services.start_session import StartedSession, start_session


def sign_in(
    deps: Deps,
    *,
    email: str,
    password: Secret,
    address: str | None = None,
    user_agent: str | None = None,
    request_id: str | None = None,
    replaced: UUID | None = None,
    device: Secret | None = None,
) -> StartedSession:
    """Check the password and start a session with a new handle; the `replaced` session of this browser ends.

    `device` is what the browser's cookie of an earlier sign-in says; it gets a new one. The eleventh session of a
    user ends the oldest. Raises what `check_password` raises.
    """
    proof = check_password(deps, email=email, password=password, address=address, request_id=request_id, device=device)
    return start_session(
        deps,
        proof,
        Credential.PASSWORD,
        address=address,
        user_agent=user_agent,
        request_id=request_id,
        replaced=replaced,
        device=device,
    )

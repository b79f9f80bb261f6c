"""Sign in on the pages with the word of an identity provider."""

from uuid import UUID

from gatepass.model.actor import Credential
from gatepass.model.identity import Finished
from gatepass.services.admit_identity import admit_identity
from gatepass.services.check_password import Proof
from gatepass.services.deps import Deps
from gatepass.services.start_session import StartedSession, start_session


def sign_in_identity(
    deps: Deps,
    finished: Finished,
    *,
    address: str | None = None,
    user_agent: str | None = None,
    request_id: str | None = None,
    replaced: UUID | None = None,
) -> StartedSession:
    """Find or make the user of an identity, and start a session with a new handle; the `replaced` one ends.

    Raises NotAuthenticated for every refusal alike; the audit record says why.
    """
    user = admit_identity(deps, finished, address=address, request_id=request_id)
    return start_session(
        deps,
        Proof(user, password_at=None, reference=finished.identity.reference),
        Credential.PROVIDER,
        address=address,
        user_agent=user_agent,
        request_id=request_id,
        replaced=replaced,
    )

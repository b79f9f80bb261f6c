"""The embeddable half: judges presented tokens in microseconds. It needs the standard library only.

`gatepass.open_verifier` puts one over an installation; `docs/how-to/embed.md` shows the rest.
"""

from gatepass.errors import NotAllowed, NotAuthenticated, Unavailable
from gatepass.model.verdict import Accepted, Reason, Rejected, Verdict
from gatepass.verifier.requirements import Requirements
from gatepass.verifier.verifier import Verifier

__all__ = [
    "Accepted",
    "NotAllowed",
    "NotAuthenticated",
    "Reason",
    "Rejected",
    "Requirements",
    "Unavailable",
    "Verdict",
    "Verifier",
]

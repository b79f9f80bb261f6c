"""Makes the installation whose tokens the contestants are given."""

from pathlib import Path
from uuid import UUID

from benchmarks.contestants.contestant import PRESENTED, TOKENS, Seed
from benchmarks.contestants.ours import VERIFIER
from benchmarks.fill import fill
from support.server import Server, make_installation


def seeded(folder: Path, verifier: list[str] | None, *, real: int = PRESENTED) -> Seed:
    """Return an installation with live tokens of one owner, `real` of them to be presented.

    `verifier` replaces the command of the listener.
    """
    data = folder / "data"
    make_installation(data)
    with Server(data) as server:
        owner = UUID(server.admin("GET", "/v4/people/current").json["id"])
    return Seed(folder, data, fill(data, owner, TOKENS, real=real), verifier or VERIFIER)

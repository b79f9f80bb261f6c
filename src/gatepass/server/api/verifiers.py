"""REST: registered verifiers, and which of their processes follow here."""

from collections import defaultdict
from uuid import UUID

from gatepass.model.instant import iso
from gatepass.server.api import shapes
from gatepass.server.api.routing import Answer, Call, Operation
from gatepass.server.followers import Followers, Instance
from gatepass.services.list_verifiers import list_verifiers


def list_registered(call: Call) -> Answer:
    """List the registered verifiers with their instances."""
    found = list_verifiers(call.deps, call.actor)
    with call.deps.store.read() as tx:
        head = tx.changes.head()

    followers = call.context.followers
    instances: dict[UUID, list[shapes.VerifierInstance]] = defaultdict(list)
    for each in followers.list():
        instances[each.verifier_id].append(_instance(each, followers, head))
    rows = [shapes.Verifier(str(each.id), each.name, iso(each.created_at), instances[each.id]) for each in found]
    return Answer(shapes.VerifierList(rows))


def _instance(instance: Instance, followers: Followers, head: int) -> shapes.VerifierInstance:
    lease = followers.remaining(instance)
    return shapes.VerifierInstance(
        instance=instance.instance,
        is_connected=lease > 0,
        behind=max(0, head - instance.acknowledged),
        lag_ms=None if instance.lag is None else round(instance.lag * 1000),
        lease_ms=round(lease * 1000),
        bound_ms=round(instance.bound * 1000),
        heard_ms=round((followers.now() - instance.heard_at) * 1000),
    )


ROUTES = (
    Operation(
        method="GET",
        path="/v4/verifiers",
        handler=list_registered,
        summary="List the registered verifiers, and what follows changes here with their credentials (administrators).",
        tag="verifiers",
        returns=shapes.VerifierList,
    ),
)

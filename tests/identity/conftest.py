"""An OpenID provider of the tests, and ours that asks it."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from gatepass.identity import build_provider
from gatepass.identity.oidc import Options
from gatepass.model.identity import Finished, Refused
from gatepass.testing.fakes import START, FakeClock
from support.openid import CLIENT_ID, CLIENT_SECRET, Listening, OpenId

CALLBACK = "https://tokens.example.com/sign-in/corp/callback"


@pytest.fixture(scope="module")
def listening() -> Iterator[OpenId]:
    provider = OpenId(START)
    running = Listening(provider)
    yield provider
    running.close()


@pytest.fixture
def op(listening: OpenId) -> OpenId:
    """An honest provider."""
    honest = OpenId(START, issuer=listening.issuer)
    for each in fields(OpenId):
        setattr(listening, each.name, getattr(honest, each.name))
    return listening


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def build(op: OpenId, clock: FakeClock) -> Iterator[Callable[..., Any]]:
    """Return our side, configured for `op`."""
    made = []

    def built(provider_id: str = "corp", **options: Any):
        given = {"issuer": op.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **options}
        made.append(build_provider("oidc", Options(**given), provider_id=provider_id, clock=clock))
        return made[-1]

    yield built
    for each in made:
        each.close()


@pytest.fixture
def provider(build):
    return build()


def attempt(provider, op: OpenId) -> Finished | Refused:
    """Sign in there, and return what our side makes of it."""
    begun = provider.begin(CALLBACK)
    return provider.finish(op.authorise(begun.url), begun.kept, CALLBACK)


def paths(op: OpenId) -> list[str]:
    """Return where the provider was asked."""
    return [path for path, _, _ in op.asked]

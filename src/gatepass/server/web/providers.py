"""Page: Sign-in, for administrators: by which identity providers people sign in, and whether those work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.responses import Response

from gatepass.errors import NotFound
from gatepass.interfaces import ConfiguredProvider, ExaminedProvider
from gatepass.model.user import EMAIL_LENGTH
from gatepass.server.provider_settings import Provider, configured
from gatepass.server.web.pages import Page, Visit, show
from gatepass.server.web.words import period_words
from gatepass.services.examine_provider import Examination, examine_provider
from gatepass.services.require_examiner import require_examiner

PROVIDERS = "/admin/sign-in"


@dataclass(frozen=True, slots=True)
class Row:
    """A provider, in words."""

    id: str
    name: str
    kind: str
    is_enabled: bool
    ways: tuple[str, ...]
    """How people prove who they are there, and whether they are read again."""
    rules: tuple[tuple[str, tuple[str, ...], str], ...]
    """What groups mean: a heading, the groups, and what is said where there are none."""
    looks_up: bool
    """Whether a name can be looked up there."""


def show_providers(visit: Visit) -> Response:
    """Show the configured providers."""
    require_examiner(visit.deps, visit.actor)
    return _page(visit)


def do_examine(visit: Visit) -> Response:
    """Try one provider, and look a name up there if one was typed."""
    found = visit.context.config.providers.get(visit.path["provider"])
    if found is None:
        require_examiner(visit.deps, visit.actor)
        raise NotFound("there is no such identity provider")
    login = visit.form.get("login", "").strip()[:EMAIL_LENGTH]
    with _opened(visit, found) as provider:
        examined = examine_provider(visit.deps, visit.actor, provider, login=login)
    return _page(visit, examined=found.id, login=login, examination=examined)


def _page(
    visit: Visit, *, examined: str | None = None, login: str = "", examination: Examination | None = None
) -> Response:
    rows = []
    for each in visit.context.config.providers.values():
        with _opened(visit, each) as provider:
            rows.append(_row(each, provider))
    values = {"providers": rows, "examined": examined, "login": login, "examination": examination}
    return show(visit, "providers.html", values)


@contextmanager
def _opened(visit: Visit, provider: Provider) -> Iterator[ConfiguredProvider]:
    """Yield the provider as it is in use; one that is switched off as it would be."""
    in_use = visit.deps.providers.get(provider.id)
    if in_use is not None:
        yield in_use
        return
    made = configured(provider, clock=visit.deps.clock)
    try:
        yield made
    finally:
        made.provider.close()


def _row(provider: Provider, built: ConfiguredProvider) -> Row:
    ways = {
        "takes passwords": built.passwords,
        "the browser is sent there": built.redirect,
        "a proxy in front tells who comes": built.proxy,
        f"read every {period_words(built.read_every_seconds)}": built.directory,
    }
    config = provider.config
    rules = (
        ("May sign in", config.sign_in_groups, "Everybody there"),
        ("Are administrators", config.admin_groups, "As decided on People"),
        ("May generate tokens", config.generate_groups, "As the token policy says"),
    )
    return Row(
        provider.id,
        built.name,
        config.kind,
        is_enabled=config.enabled,
        ways=tuple(words for words, found in ways.items() if found is not None),
        rules=rules,
        looks_up=isinstance(built.provider, ExaminedProvider),
    )


PAGES = (
    Page(path=PROVIDERS, get=show_providers),
    Page(path=PROVIDERS + "/{provider}", post=do_examine),
)

"""Moving an account to a provider in Chromium: each page of the way, checked by axe; the provider is the toy."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import WIDTHS, OpenPage
from browser.test_story import Visit
from support.server import EMAIL, PASSWORD
from support.with_provider import Company, toy_server

PEOPLE = {"s-anna": {"login": "anna", "name": "Anna", "password": "winter harbour", "groups": ["staff"]}}


def stand_in(page: Page) -> None:
    """Answer for the provider's page: Anna is signed in there, and is sent back at once."""

    def answer(route: Route) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        back = f"{query['to']}?state={query['state']}&amp;who=s-anna"
        route.fulfill(content_type="text/html", body=f'<meta http-equiv="refresh" content="0; url={back}">')

    page.route("https://toy.example.com/**", answer)


@pytest.mark.parametrize("look", [("desktop", "light"), ("phone", "dark")], ids="-".join)
def test_somebody_moves_to_the_provider(tmp_path: Path, open_page: OpenPage, look: tuple[str, str]) -> None:
    with toy_server(tmp_path, Company(tmp_path, PEOPLE)) as server:
        server.create_person("other@example.com", isAdmin=True)
        page = open_page(width=WIDTHS[look[0]], theme=look[1])
        stand_in(page)
        visit = Visit(page, server, look)
        page.goto(f"{server.url}/sign-in")
        page.get_by_label("User name or e-mail address").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        visit.press("Sign in")
        page.wait_for_url("**/settings/access-tokens")
        page.goto(f"{server.url}/settings/profile")
        visit.see("profile-movable")
        visit.press("Sign in with Company & Co instead", "link")
        page.get_by_label("Your password here").fill("not the password")
        visit.press("Go to Company & Co")
        expect(page.get_by_text("That is not your password")).to_be_visible()
        visit.see("move")
        page.get_by_label("Your password here").fill(PASSWORD)
        visit.press("Go to Company & Co")
        expect(page.get_by_role("heading", name="Is this you at Company & Co?")).to_be_visible()
        visit.see("move-confirm")
        visit.press("Move my account")
        expect(page.get_by_text("From now on you sign in there")).to_be_visible()
        visit.see("moved")
        assert server.request("GET", "/v4/people/current", basic=("anna", "winter harbour")).json["provider"] == "corp"

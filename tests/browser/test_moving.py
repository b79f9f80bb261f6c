"""Moving an account to a provider in Chromium: each page of the way, checked by axe; the provider is the toy."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import WIDTHS, OpenPage
from browser.test_story import Visit
from support.server import EMAIL, PASSWORD, Server
from support.with_provider import Company, toy_server

PEOPLE = {"s-anna": {"login": "anna", "name": "Anna", "password": "winter harbour", "groups": ["staff"]}}


def stand_in(page: Page) -> None:
    """Answer for the provider's page: Anna is signed in there, and is sent back at once, or posts her answer back."""

    def answer(route: Route) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        state, to = query["state"], query["to"]
        if "/posting/" in to:
            fields = f'<input name="state" value="{state}"><input name="who" value="s-anna">'
            body = f'<form method="post" action="{to}">{fields}</form><script>document.forms[0].submit()</script>'
        else:
            body = f'<meta http-equiv="refresh" content="0; url={to}?state={state}&amp;who=s-anna">'
        route.fulfill(content_type="text/html", body=body)

    page.route("https://toy.example.com/**", answer)


def sign_in_here(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("User name or e-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/settings/access-tokens")


@pytest.mark.parametrize("look", [("desktop", "light"), ("phone", "dark")], ids="-".join)
def test_somebody_moves_to_the_provider(tmp_path: Path, open_page: OpenPage, look: tuple[str, str]) -> None:
    with toy_server(tmp_path, Company(tmp_path, PEOPLE)) as server:
        server.create_person("other@example.com", isAdmin=True)
        page = open_page(width=WIDTHS[look[0]], theme=look[1])
        stand_in(page)
        visit = Visit(page, server, look)
        sign_in_here(page, server)
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


def test_an_answer_that_another_site_posts_comes_without_the_session_and_is_confirmed_in_it(
    tmp_path: Path, open_page: OpenPage
) -> None:
    with toy_server(tmp_path, Company(tmp_path, PEOPLE)) as server:
        server.create_person("other@example.com", isAdmin=True)
        page, posted = open_page(), []
        stand_in(page)
        page.on("request", lambda each: posted.append(each) if each.method == "POST" else None)
        sign_in_here(page, server)
        page.goto(f"{server.url}/settings/profile/move/posting")
        page.get_by_label("Your password here").fill(PASSWORD)
        page.get_by_role("button", name="Go to posting").click()
        expect(page.get_by_role("heading", name="Is this you at posting?")).to_be_visible()
        sent = next(each for each in posted if each.url.endswith("/callback")).all_headers().get("cookie", "")
        assert "gatepass-posting=" in sent
        assert "gatepass=" not in sent
        page.get_by_role("button", name="Move my account").click()
        expect(page.get_by_text("From now on you sign in there")).to_be_visible()
        page.wait_for_load_state("networkidle")  # before the server ends

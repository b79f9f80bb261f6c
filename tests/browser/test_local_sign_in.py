"""The way back in where local sign-in is off, in Chromium: providers first, the password under a word of its own."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.conftest import WIDTHS, OpenPage
from browser.test_story import Visit
from support.server import EMAIL, PASSWORD, Server, make_installation
from support.with_provider import BUTTON_ONLY


@pytest.mark.parametrize("look", [("desktop", "light"), ("phone", "dark")], ids="-".join)
def test_an_administrator_comes_back_in(tmp_path: Path, open_page: OpenPage, look: tuple[str, str]) -> None:
    make_installation(tmp_path / "data")  # on its own console, so that the password counts for an hour
    (tmp_path / "data" / "gatepass.toml").write_text(BUTTON_ONLY)
    with Server(tmp_path / "data") as server:
        page = open_page(width=WIDTHS[look[0]], theme=look[1])
        visit = Visit(page, server, look)
        page.goto(f"{server.url}/sign-in")
        expect(page.get_by_role("button", name="Sign in with Company")).to_be_visible()
        expect(page.get_by_label("Password")).not_to_be_visible()
        visit.see("sign-in-elsewhere-only")
        page.get_by_text("Sign in with a password").click()
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill("not the password")
        visit.press("Sign in")
        expect(page.get_by_text("That did not work")).to_be_visible()
        visit.see("sign-in-recovery-refused")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        visit.press("Sign in")
        expect(page.get_by_role("heading", name="Access tokens")).to_be_visible()
        page.goto(f"{server.url}/admin/people")
        expect(page.get_by_text("password here, switched off")).to_be_visible()
        visit.see("people-local-off")

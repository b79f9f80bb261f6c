"""What the pages do on top of HTML, and that they do without it."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage, sign_in
from support.server import EMAIL, PASSWORD, Server
from support.waiting import poll


def test_the_whole_story_works_without_javascript(own_server: Server, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, own_server)
    page.get_by_role("link", name="Generate New Token").click()
    page.wait_for_url("**/generate")
    page.get_by_label("Lifetime in days").fill("7")
    page.get_by_label("Description").fill("without script")
    page.get_by_role("button", name="Generate").click()
    value = page.locator("#value").inner_text()
    assert own_server.request("GET", "/verify", bearer=value).status == 200
    expect(page.get_by_role("button", name="Copy to clipboard")).to_have_count(0)
    page.get_by_role("link", name="Done").click()
    page.get_by_label("Search").fill("without")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=without**")
    page.get_by_label("Actions for without script").click()
    page.get_by_role("link", name="Delete Token…").click()
    page.get_by_role("button", name="Delete Token").click()
    expect(page.get_by_text("The token was deleted")).to_be_visible()
    assert own_server.request("GET", "/verify", bearer=value).status == 401


def test_the_whole_story_works_by_keyboard(own_server: Server, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(own_server.url)
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/access-tokens")
    tab_to(page, "Generate New Token")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Lifetime in days")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    value = page.locator("#value").inner_text()
    tab_to(page, "Done")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/access-tokens")
    tab_to(page, "Actions for")
    page.keyboard.press("Enter")
    tab_to(page, "Delete Token…")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("Actions for")
    assert own_server.request("GET", "/verify", bearer=value).status == 200
    page.keyboard.press("Enter")
    tab_to(page, "Delete Token…")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The token was deleted")).to_be_visible()
    assert own_server.request("GET", "/verify", bearer=value).status == 401


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called `name`."""
    for _ in range(60):
        found = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()"
        )
        if found.startswith(name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name!r} by keyboard")


@pytest.mark.parametrize(("width", "is_shown"), [(1280, True), (1000, False), (360, True)])
def test_the_uses_of_a_token_are_drawn_where_there_is_room(
    server: Server, open_page: OpenPage, width: int, is_shown: bool
) -> None:
    value, info = server.create_token()
    server.request("GET", "/verify", bearer=value)
    poll(lambda: server.admin("GET", f"/v4/apiAccessTokens/{info['tokenId']}").json["lastUsed"])
    page = open_page(width=width)
    sign_in(page, server)
    page.goto(f"{server.url}/settings/access-tokens?q={info['tokenId']}")
    expect(page.get_by_text("No description")).to_be_visible()
    drawn = page.get_by_role("img", name="Used once in 30 days")
    expect(drawn).to_have_count(1 if is_shown else 0)


def test_copying_puts_the_whole_value_on_the_clipboard(server: Server, open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, server)
    page.goto(f"{server.url}/settings/access-tokens/generate")
    page.get_by_role("button", name="Generate").click()
    value = page.locator("#value").inner_text()
    page.locator("copy-button[for=value] button").click()
    assert page.evaluate("navigator.clipboard.readText()") == value
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    page.get_by_label("Copy to clipboard").last.click()
    assert re.fullmatch(r"[0-9a-f-]{36}", page.evaluate("navigator.clipboard.readText()"))


def test_the_list_is_filtered_while_one_types(server: Server, open_page: OpenPage) -> None:
    for name in ("apple pie", "banana bread"):
        server.create_token(description=name)
    page = open_page()
    sign_in(page, server)
    page.get_by_label("Search").press_sequentially("BAN")
    expect(page.get_by_text("apple pie")).to_have_count(0)
    expect(page.get_by_text("banana bread")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=BAN"))
    expect(page.get_by_label("Search")).to_be_focused()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_choice_keeps_what_is_typed(server: Server, open_page: OpenPage, script: bool) -> None:
    for name in ("cherry one", "date two"):
        server.create_token(description=name)
    page = open_page(java_script_enabled=script)
    sign_in(page, server)
    page.get_by_label("Search").fill("cherry")
    page.get_by_role("button", name="Active").click()
    page.wait_for_url("**status=active**")
    expect(page.get_by_label("Search")).to_have_value("cherry")
    expect(page.get_by_text("cherry one").first).to_be_visible()
    expect(page.get_by_text("date two")).to_have_count(0)
    expect(page.locator(".segments [aria-current]")).to_have_text("Active")


def test_searching_keeps_the_choice(server: Server, open_page: OpenPage) -> None:
    server.create_token(description="elder three")
    page = open_page()
    sign_in(page, server)
    for search in ("typed", "sent"):
        page.goto(f"{server.url}/settings/access-tokens?status=deleted")
        page.get_by_label("Search").fill("elder")
        if search == "sent":
            page.keyboard.press("Enter")
        expect(page.get_by_text("No token here starts with")).to_be_visible()
        expect(page).to_have_url(re.compile(r"status=deleted.*q=elder|q=elder.*status=deleted"))
        expect(page.locator(".segments [aria-current]")).to_have_text("Deleted")


def test_a_row_menu_closes_when_the_focus_leaves_it(server: Server, open_page: OpenPage) -> None:
    server.create_token(description="with a menu")
    page = open_page()
    sign_in(page, server)
    page.get_by_label("Actions for with a menu").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".row-menu[open]")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".row-menu[open]")).to_have_count(0)


def test_a_click_beside_a_dialog_closes_it_unless_something_may_be_typed_there(
    server: Server, open_page: OpenPage
) -> None:
    server.create_token(description="asked about")
    page = open_page()
    sign_in(page, server)
    page.get_by_label("Actions for asked about").click()
    page.get_by_role("link", name="Delete Token…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.mouse.click(5, 400)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Generate New Token").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.mouse.click(5, 400)
    expect(page.get_by_role("dialog")).to_be_visible()


def test_an_error_is_red_and_goes_when_it_is_mended(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, server)
    page.goto(f"{server.url}/settings/access-tokens/generate")
    page.get_by_label("Lifetime in days").fill("36501")
    page.evaluate("document.querySelector('#generate-form').noValidate = true")
    page.get_by_role("button", name="Generate").click()
    error = page.get_by_text("Must be a whole number from 1 to 36500, or -1 for never.")
    expect(error).to_have_count(1)
    expect(error).to_have_css("color", RED)
    expect(page.get_by_label("Lifetime in days")).to_be_focused()
    page.get_by_label("Lifetime in days").fill("0")
    expect(error).to_have_count(1)
    expect(error).to_have_css("color", RED)
    page.get_by_label("Lifetime in days").fill("3")
    expect(error).to_have_count(0)
    expect(page.get_by_text("Stops working on")).to_be_visible()


RED = "rgb(176, 38, 29)"


def test_a_wrong_repetition_is_red_and_has_the_focus(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, server)
    page.goto(f"{server.url}/settings/profile")
    for label, text in (("Current", PASSWORD), ("New", "a good new sentence"), ("The same again", "another sentence")):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("The two are not the same.")).to_have_css("color", RED)
    expect(page.get_by_label("The same again")).to_be_focused()


def test_what_was_done_has_the_focus(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, server)
    page.goto(f"{server.url}/settings/access-tokens?done=token-deleted")
    expect(page.get_by_role("status").filter(has_text="The token was deleted")).to_be_focused()


def test_switching_tokens_off_warns_before_saving(own_server: Server, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, own_server)
    page.goto(f"{own_server.url}/admin/token-policy")
    warning = page.get_by_text("Every token is refused as soon as you save.")
    expect(warning).to_be_hidden()
    page.get_by_role("switch").uncheck()
    expect(warning).to_be_visible()


def test_minus_one_is_called_no_maximum(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, server)
    page.goto(f"{server.url}/admin/token-policy")
    field = page.locator("days-field")
    expect(field).to_have_text("No maximum")
    field.locator("input").fill("90")
    expect(field).to_have_text("days")


def test_a_dialog_after_the_session_ended_leads_to_signing_in(own_server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, own_server)
    own_server.stop()
    own_server.listen = f"127.0.0.1:{own_server_port(page)}"
    own_server.start()
    page.context.clear_cookies()
    page.get_by_role("link", name="Generate New Token").click()
    page.wait_for_url("**/sign-in?next=**")


def own_server_port(page: Page) -> str:
    return page.url.split(":")[2].partition("/")[0]


def test_dates_are_relative_and_exact_on_hover(server: Server, open_page: OpenPage) -> None:
    server.create_token(description="with dates", lifetimeSeconds=3 * 86400)
    page = open_page(timezone_id="Pacific/Auckland")
    sign_in(page, server)
    row = page.get_by_role("row").filter(has_text="with dates")
    expect(row.get_by_text("in 3 days")).to_be_visible()
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC", row.locator("time").first.get_attribute("title") or "")


PATHS = (
    "settings/access-tokens",
    "settings/access-tokens/generate",
    "settings/profile",
    "settings/nowhere",
    "admin/people",
    "admin/people/add",
    "admin/token-policy",
    "admin/verifiers",
    "admin/audit",
)


def test_nothing_scrolls_sideways_at_320_pixels(server: Server, open_page: OpenPage) -> None:
    server.create_token(description="a description that is rather long, " * 5)
    page = open_page(width=320)
    sign_in(page, server)
    for path in PATHS:
        page.goto(f"{server.url}/{path}")
        assert overhang(page) <= 0, path


def test_nothing_scrolls_sideways_on_a_phone_with_text_twice_as_large(server: Server, large_text_page: Page) -> None:
    _, info = server.create_token(description="a description that is rather long, " * 5)
    person = server.create_person("a-rather-long-address-of-somebody@subsidiary.example.com")
    page = large_text_page
    sign_in(page, server)
    more = (f"settings/access-tokens/{info['tokenId']}/delete", f"admin/people/{person['id']}/disable")
    for path in (*PATHS, *more):
        page.goto(f"{server.url}/{path}")
        assert overhang(page) <= 0, path
    page.goto(f"{server.url}/settings/access-tokens/generate")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_selector("#value")
    assert overhang(page) <= 0


def overhang(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_new_token_is_shown_once_even_after_going_back(server: Server, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, server)
    page.goto(f"{server.url}/settings/access-tokens/generate")
    page.get_by_label("Description").fill("only once")
    page.get_by_role("button", name="Generate").click()
    value = page.locator("#value").inner_text()
    page.get_by_role("link", name="Done").click()
    page.wait_for_url("**/settings/access-tokens")
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state, document.cookie])")
    assert value not in stored

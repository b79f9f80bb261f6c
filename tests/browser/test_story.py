"""The whole story in Chromium, at both widths and in both themes, every page checked by axe."""

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import WIDTHS, OpenPage, see, sign_in
from support.server import EMAIL, PASSWORD, Server


@pytest.fixture(params=[(width, theme) for width in WIDTHS for theme in ("light", "dark")], ids="-".join)
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


class Visit:
    """A person in a browser, who looks at every page they come to."""

    def __init__(self, page: Page, server: Server, look: tuple[str, str]) -> None:
        self.page, self.server, self.look = page, server, "-".join(look)

    def see(self, name: str) -> None:
        see(self.page, f"{name}-{self.look}")

    def press(self, name: str, role: str = "button") -> None:
        self.page.get_by_role(role, name=name, exact=True).click()


@pytest.fixture
def visit(own_server: Server, open_page: OpenPage, look: tuple[str, str]) -> Visit:
    page = open_page(width=WIDTHS[look[0]], theme=look[1])
    return Visit(page, own_server, look)


def test_a_token_lives_from_the_page_to_its_refusal(visit: Visit) -> None:
    page, server = visit.page, visit.server
    page.goto(server.url)
    visit.see("sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("not the password at all")
    visit.press("Sign in")
    expect(page.get_by_text("That did not work")).to_be_visible()
    visit.see("sign-in-refused")
    sign_in(page, server)
    expect(page.get_by_text("No tokens yet")).to_be_visible()
    visit.see("tokens-none")

    visit.press("Generate New Token", "link")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Lifetime in days")).to_be_focused()
    visit.see("generate")
    dialog.get_by_role("button", name="Never expires").click()
    expect(dialog.get_by_text("It works until someone deletes it")).to_be_visible()
    dialog.get_by_role("button", name="90 days").click()
    dialog.get_by_label("Description").fill("Nightly export to the warehouse")
    dialog.get_by_role("button", name="Generate").click()
    value = page.locator("#value").inner_text()
    visit.see("created")
    assert f"Bearer {value}" in page.locator("#curl").inner_text()
    assert server.request("GET", "/v4/people/current", bearer=value).json["email"] == EMAIL

    visit.press("Done", "link")
    assert value not in page.content()
    expect(page.get_by_text("Nightly export to the warehouse")).to_be_visible()
    visit.see("tokens")
    page.get_by_label("Actions for Nightly export").click()
    visit.press("Delete Token…", "link")
    expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    visit.see("delete")
    visit.press("Delete Token")
    expect(page.get_by_text("The token was deleted")).to_be_visible()
    assert server.request("GET", "/verify", bearer=value).status == 401
    page.goto(f"{server.url}/settings/access-tokens?status=deleted")
    expect(page.get_by_text("Nightly export to the warehouse")).to_be_visible()
    visit.see("tokens-deleted")


def test_administration_is_done_on_its_pages(visit: Visit) -> None:
    page, server = visit.page, visit.server
    sign_in(page, server)
    page.goto(f"{server.url}/admin/people")
    visit.press("Add person", "link")
    visit.see("add-person")
    page.get_by_role("dialog").get_by_label("E-mail address").fill("maria.keller@example.com")
    page.get_by_role("dialog").get_by_label("Name").fill("Maria Keller")
    visit.press("Add person")
    link = page.locator("#value").inner_text()
    visit.see("one-time-link")
    visit.press("Done", "link")
    visit.see("people")
    page.get_by_label("Actions for Maria Keller").click()
    visit.press("Disable…", "link")
    visit.see("disable")
    visit.press("Disable")
    expect(page.get_by_text("The person was disabled")).to_be_visible()
    page.goto(f"{server.url}/admin/token-policy")
    visit.see("policy")
    page.get_by_label("Everyone").check()
    visit.press("Save changes")
    expect(page.get_by_text("The token policy was saved")).to_be_visible()
    page.goto(f"{server.url}/admin/audit")
    expect(page.get_by_text("Person disabled")).to_be_visible()
    visit.see("audit")
    page.goto(f"{server.url}/settings/profile")
    visit.see("profile")
    page.goto(f"{server.url}/settings/nowhere")
    visit.see("not-found")
    person = server.admin("GET", "/v4/people?q=maria").json["data"][0]
    server.admin("PATCH", f"/v4/people/{person['id']}", {"isDisabled": False})
    page.context.clear_cookies()
    page.goto(link)
    visit.see("set-password")
    page.get_by_label("New password").fill("a sentence of my own")
    page.get_by_label("The same again").fill("a sentence of my own")
    visit.press("Set password")
    expect(page.get_by_text("Your password is set")).to_be_visible()


def test_who_may_not_and_what_is_off_look_right_too(visit: Visit) -> None:
    page, server = visit.page, visit.server
    person = server.create_person("reader@example.com")
    sign_in(page, server, person["email"], PASSWORD)
    expect(page.get_by_text("Only administrators may generate tokens here")).to_be_visible()
    visit.see("tokens-may-not")
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False})
    page.reload()
    expect(page.get_by_text("Access tokens are switched off")).to_be_visible()
    visit.see("tokens-off")


def test_a_restricted_token_is_made_and_looked_at(visit: Visit) -> None:
    page, server = visit.page, visit.server
    server.create_token(description="everything")
    sign_in(page, server)
    visit.press("Generate New Token", "link")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Restrict this token").click()
    dialog.get_by_label("Description").fill("nightly export")
    dialog.get_by_label("Scopes").fill("jobs:run datasets:* people:read reports:read")
    dialog.get_by_label("Networks").fill("10.1.2.3/8")
    dialog.get_by_label("Services").fill("orders")
    visit.see("restrict")
    visit.press("Generate")
    expect(page.get_by_text("'10.1.2.3/8' is not a network")).to_be_visible()
    expect(page.get_by_label("Networks")).to_be_focused()
    expect(page.get_by_label("Services")).to_have_value("orders")
    visit.see("restrict-refused")
    page.get_by_label("Networks").fill("10.0.0.0/8 2001:db8::/32")
    visit.press("Generate")
    value = page.locator("#value").inner_text()
    visit.see("restricted-created")
    assert server.request("GET", "/verify?audience=orders", bearer=value).status == 401
    visit.press("Done", "link")
    page.get_by_text("jobs:run, datasets:*, people:read and 1 more").click()
    expect(page.get_by_text("reports:read", exact=True)).to_be_visible()
    visit.see("tokens-restricted")

"""The story at a certified OpenID provider (npm oidc-provider), in Chromium: in, a token, out again, and no more."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.node import NodeProgram, free_port, installed
from support.server import Server, make_installation
from support.waiting import poll

SOURCE = Path(__file__).parents[1] / "idp" / "oidc_provider"
SECRET = "a secret of the tests"
ALICE = {"email": "alice@example.com", "email_verified": True, "name": "Alice Öz", "groups": ["staff"]}
CONFIG = """
[providers.corp]
kind = "oidc"
name = "Company"
issuer = "http://127.0.0.1:{port}"
client_id = "gatepass"
scopes = ["openid", "profile", "email", "groups"]
sign_in_groups = ["staff"]
sign_out_there = true
"""


@dataclass
class Company:
    """A site and the provider of its company."""

    server: Server
    issuer: str
    file: Path

    def keep(self, **people: dict) -> None:
        self.file.write_text(json.dumps(people))


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    folder, port = installed(SOURCE), free_port()
    data = tmp_path / "data"
    make_installation(data)
    (data / "gatepass.toml").write_text(CONFIG.format(port=port))
    with Server(data, env={"GATEPASS_PROVIDERS__CORP__CLIENT_SECRET": SECRET}) as server:
        server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
        made = Company(server, f"http://127.0.0.1:{port}", tmp_path / "people.json")
        made.keep(alice=ALICE)
        env = {"PORT": str(port), "SITE": server.url, "PEOPLE": str(made.file), "SECRET": SECRET}
        program = NodeProgram(folder / "provider.mjs", env, tmp_path / "provider.log")
        yield made
        program.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser that the provider's own pages may complain to."""
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def sign_in_there(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/sign-in")
    page.get_by_role("button", name="Sign in with Company").click()
    page.locator("input[name=login]").fill("alice")
    page.locator("input[name=password]").fill("whatever is right there")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]", has_text="Continue").click()


def test_the_story_at_a_certified_openid_provider(company: Company, page: Page) -> None:
    server = company.server
    sign_in_there(page, server)
    page.wait_for_url("**/settings/access-tokens")
    page.get_by_role("link", name="Generate New Token").click()
    page.get_by_role("button", name="Generate", exact=True).click()
    value = page.locator("text=/gpat_[0-9A-Za-z_]+/").first
    expect(value).to_be_visible()
    found = page.evaluate("document.body.innerHTML.match(/gpat_[0-9A-Za-z_]{61}/)[0]")
    me = server.request("GET", "/v4/people/current", bearer=found).json
    assert (me["email"], me["name"]) == ("alice@example.com", "Alice Öz")

    # Out here, and on to the provider, which leads back.
    page.goto(f"{server.url}/settings/profile")
    page.get_by_role("button", name="Sign out").first.click()
    page.locator("button", has_text="Yes, sign me out").click()
    page.wait_for_url("**/sign-in**")

    # Out there alone: the provider tells us by itself.
    sign_in_there(page, server)
    page.wait_for_url("**/settings/access-tokens")
    assert page.context.request.get(f"{server.url}/settings/profile", max_redirects=0).status == 200
    page.goto(f"{company.issuer}/session/end")
    page.locator("button", has_text="Yes, sign me out").click()
    poll(lambda: page.context.request.get(f"{server.url}/settings/profile", max_redirects=0).status == 303)
    assert server.request("GET", "/verify", bearer=found).status == 200

    # Gone from the group: refused at the next sign-in, and the tokens with it.
    company.keep(alice={**ALICE, "groups": []})
    sign_in_there(page, server)
    expect(page.get_by_text("You could not be signed in with Company")).to_be_visible()
    poll(lambda: server.request("GET", "/verify", bearer=found).status == 401)

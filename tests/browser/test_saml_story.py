"""The story of SAML in Chromium, with a real SimpleSAMLphp: sign in there, generate a token here, use it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage, keep_picture, sign_in
from support.pushing import CREDENTIALS, Directory, deactivation
from support.saml_idp import make_pair
from support.server import PASSWORD, Server, make_installation
from support.simplesamlphp import SimpleSamlPhp, is_installed

pytestmark = pytest.mark.skipif(not is_installed(), reason="the packages simplesamlphp and php-cli are not installed")
CONFIG = """
[providers.corp]
kind = "saml"
name = "Example Corp"
metadata = "{metadata}"
sign_in_groups = ["staff"]
generate_groups = ["token-users"]
"""
PUSHES = f'scim_credential = "{CREDENTIALS["CORP"]}"\n'


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    running = SimpleSamlPhp(tmp_path_factory.mktemp("idp") / "ssp").start()
    yield running
    running.close()


def serve(folder: Path, idp: SimpleSamlPhp, more: str = "") -> Server:
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(CONFIG.format(metadata=idp.metadata_url) + more)
    return Server(folder / "data")


def begin(page: Page, server: Server, idp: SimpleSamlPhp, more: str = "") -> None:
    place = f"{server.url}/sign-in/corp"
    idp.knows(f"{place}/metadata", f"{place}/callback", more)
    page.goto(f"{server.url}/sign-in")
    page.get_by_role("button", name="Sign in with Example Corp").click()
    page.wait_for_url(f"{idp.url}/**")


def give(page: Page, name: str, password: str) -> None:
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")


def test_a_token_is_made_by_somebody_whom_saml_vouches_for(
    tmp_path: Path, idp: SimpleSamlPhp, open_page: OpenPage
) -> None:
    with serve(tmp_path, idp, PUSHES) as server:
        page = open_page()
        began = time.monotonic()
        begin(page, server, idp)
        give(page, "anna", "winter harbour")
        page.wait_for_url("**/settings/access-tokens")
        took = time.monotonic() - began
        keep_picture(page, "saml-signed-in")
        page.get_by_role("link", name="Generate New Token", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Description").fill("Nightly export")
        dialog.get_by_role("button", name="Generate", exact=True).click()
        value = page.locator("#value").inner_text()
        person = server.request("GET", "/v4/people/current", bearer=value).json
        assert (person["email"], person["name"]) == ("anna@corp", "Anna Öz")
        assert server.request("GET", "/verify", bearer=value).status == 200
        # Disabled in the directory, which pushes that.
        began = time.monotonic()
        assert Directory(server).ask("PATCH", person["id"], deactivation()).json["active"] is False
        assert server.request("GET", "/verify", bearer=value).status == 401
        ended = time.monotonic() - began
        page.reload()
        page.wait_for_url("**/sign-in**")
        print(f"signed in by SAML in {took:.1f} s, refused {ended * 1000:.0f} ms after the directory pushed")


def test_an_account_moves_there(tmp_path: Path, idp: SimpleSamlPhp, open_page: OpenPage) -> None:
    with serve(tmp_path, idp) as server:
        place = f"{server.url}/sign-in/corp"
        idp.knows(f"{place}/metadata", f"{place}/callback", "")
        before = server.create_person("mover@example.com")["id"]
        page = open_page()
        sign_in(page, server, "mover@example.com")
        page.goto(f"{server.url}/settings/profile/move/corp")
        page.get_by_label("Your password here").fill(PASSWORD)
        page.get_by_role("button", name="Go to Example Corp").click()
        page.wait_for_url(f"{idp.url}/**")
        give(page, "anna", "winter harbour")
        expect(page.get_by_role("heading", name="Is this you at Example Corp?")).to_be_visible()
        page.get_by_role("button", name="Move my account").click()
        expect(page.get_by_text("From now on you sign in there")).to_be_visible()
        person = server.admin("GET", f"/v4/people/{before}").json
        assert (person["provider"], person["email"]) == ("corp", "anna@corp")


def test_somebody_in_no_group_that_may_is_refused(tmp_path: Path, idp: SimpleSamlPhp, open_page: OpenPage) -> None:
    with serve(tmp_path, idp) as server:
        page = open_page()
        begin(page, server, idp)
        give(page, "bob", "summer harbour")
        expect(page.get_by_text("That did not work")).to_be_visible()


def test_an_assertion_encrypted_as_simplesamlphp_does_is_refused(
    tmp_path: Path, idp: SimpleSamlPhp, open_page: OpenPage
) -> None:
    """Version 1.19 knows AES-CBC only."""
    own = make_pair("own")
    (tmp_path / "own.pem").write_bytes(own.pem)
    more = f'certificate = "{tmp_path / "own.pem"}"\nkey = """\n{own.key_pem}"""\nencrypted = true\n'
    with serve(tmp_path, idp, more) as server:
        page = open_page()
        begin(page, server, idp, f", 'assertion.encryption' => true, 'certData' => '{own.encoded}'")
        give(page, "anna", "winter harbour")
        expect(page.get_by_text("That did not work")).to_be_visible()
        assert "is encrypted by 'http://www.w3.org/2001/04/xmlenc#aes128-cbc'" in server.log.read_text()

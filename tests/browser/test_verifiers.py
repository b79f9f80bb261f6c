"""Verifiers elsewhere, as an administrator sees them: who is connected, and how far a deletion has come."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenPage, see, sign_in
from support.listener import Listener
from support.oauth import add_verifier
from support.server import Server, with_shortest_bound
from support.waiting import poll


@dataclass
class Site:
    """A server and the workers of its verifiers."""

    server: Server
    worker: int
    """The process id of one of three that are connected."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("verifiers")
    with with_shortest_bound(folder / "data") as server, ExitStack() as running:

        def connect(name: str, *flags: str) -> Listener:
            place = folder / f"{name}.credential"
            place.write_text(add_verifier(server, name)[1])
            made = Listener(folder / name, "--upstream", server.url, "--credential-file", str(place), *flags)
            running.enter_context(made)
            poll(lambda: made.status("/readyz") == 200)
            return made

        add_verifier(server, "archive")
        gone = connect("reports")
        workers = gone.workers()
        os.kill(gone.process.pid, signal.SIGSTOP)  # so that it sees nobody die
        for each in (*workers, gone.process.pid):
            os.kill(each, signal.SIGKILL)
        poll(lambda: states(server) == {"reports": [False]})
        server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})
        stopped = connect("billing-gateway")
        connect("orders", "--workers", "2")
        yield Site(server, stopped.workers()[0])


def states(server: Server) -> dict[str, list[bool]]:
    """Return whether each known process is connected, by its verifier."""
    found = server.admin("GET", "/v4/verifiers").json["data"]
    return {each["name"]: [one["isConnected"] for one in each["instances"]] for each in found if each["instances"]}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_receipt_fills_up_on_the_page_and_the_list_says_who_is_behind(
    site: Site, open_page: OpenPage, width: int, theme: str
) -> None:
    server, look = site.server, f"{width}-{theme}"
    _, info = server.create_token(description="Nightly export")
    page = open_page(width=width, theme=theme)
    sign_in(page, server)
    page.goto(f"{server.url}/admin/verifiers")
    expect(page.get_by_text("Up to date")).to_have_count(3)
    see(page, f"verifiers-{look}")
    os.kill(site.worker, signal.SIGSTOP)
    try:
        page.goto(f"{server.url}/settings/access-tokens/{info['tokenId']}/delete")
        page.get_by_role("button", name="Delete Token", exact=True).click()
        expect(page.get_by_text("Confirmed by 2 of 3 connected verifiers")).to_be_visible()
        see(page, f"receipt-filling-{look}")
        receipt = page.url
        page.goto(f"{server.url}/admin/verifiers")
        expect(page.get_by_text("1 change behind")).to_have_count(1)
        see(page, f"verifiers-behind-{look}")
        page.goto(receipt)
        expect(page.get_by_text("Confirmed by 2 of 3 connected verifiers")).to_be_visible()
    finally:
        os.kill(site.worker, signal.SIGCONT)
    expect(page.get_by_text("Confirmed by 3 of 3 connected verifiers")).to_be_visible()
    expect(page.get_by_text("This server refuses every request with it from now on")).to_be_visible()
    see(page, f"receipt-full-{look}")

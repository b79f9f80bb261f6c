"""Several servers and verifiers on one PostgreSQL database: who answers from memory, until when, and who says so."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from support.asking import Asking
from support.listener import Listener
from support.postgres import PostgresServer, database_of, without_standby
from support.server import EMAIL, PASSWORD, Server, gatepass
from support.waiting import poll

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.long]

How = Callable[[PostgresServer], AbstractContextManager[None]]
LONG, SHORT = 60, 1
"""Bounds: one that no busy machine outlasts, and the smallest there is."""


@dataclass
class Site:
    """Two servers with a remote verifier at each, and a listener of the database's own."""

    first: Server
    second: Server
    at_first: Asking
    at_second: Asking
    listener: Listener
    postgres: PostgresServer
    database: str

    def is_followed(self) -> bool:
        """Tell whether both servers and the listener have asked for what comes after the last change."""
        asked = (
            "SELECT count(*) FROM followers JOIN counters ON counters.name = 'changes' AND value = acknowledged"
            " WHERE bound > 0 AND instance LIKE server || '%'"
        )
        return self.postgres.execute(asked, self.database) == [(3,)]

    def says(self, token: str) -> list[str]:
        """Return what everybody says: the servers and the listener a status, the verifiers a word."""
        return [
            *(str(each.request("GET", "/verify", bearer=token).status) for each in (self.first, self.second)),
            *(each.ask(token) for each in (self.at_first, self.at_second)),
            str(ask_listener(self.listener, token)),
        ]

    def warm(self, token: str) -> None:
        """Have it in everybody's memory."""
        poll(lambda: self.is_followed() and self.at_first.is_fresh() and self.at_second.is_fresh())
        for _ in range(2):
            assert self.says(token) == ["200", "200", "accepted", "accepted", "200"]

    def set_bound(self, seconds: int) -> None:
        assert self.first.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": seconds}).status == 200

    def delete(self, token_id: str, *, wait: int) -> dict:
        path, headers = f"/v4/apiAccessTokens/{token_id}", {"Prefer": f"wait={wait}"}
        return self.first.request("DELETE", path, basic=(EMAIL, PASSWORD), headers=headers).json


def ask_listener(listener: Listener, token: str) -> int:
    """Return the status that a listener answers with."""
    asked = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "10", "-H", "@-", f"{listener.url}/verify"]
    done = subprocess.run(asked, input=f"Authorization: Bearer {token}", capture_output=True, text=True, check=False)
    return int(done.stdout)


@pytest.fixture(scope="module")
def site(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("nodes")
    data, other = folder / "data", folder / "other"
    url = postgres.create_database()
    place = ["--data", str(data), "--database", url]
    init = gatepass("init", *place, "--email", EMAIL, "--password-file", "-", "--enable-tokens", stdin=PASSWORD)
    assert init.returncode == 0, init.stderr
    assert gatepass("settings", "set", "verifiers.boundSeconds", str(SHORT), *place).returncode == 0
    credential = gatepass("verifiers", "add", "orders", *place).stdout.strip()
    shutil.copytree(data, other)
    with ExitStack() as stack:
        first, second = (stack.enter_context(Server(each, *place[2:])) for each in (data, other))
        asking = [stack.enter_context(Asking(each.url, credential)) for each in (first, second)]
        listener = stack.enter_context(Listener(data, *place[2:]))
        yield Site(first, second, *asking, listener, postgres, database_of(url))


# In the order of their bounds: after a longer one a receipt would wait for the leases by it.


def settle(site: Site, bound: int) -> None:
    """Let the time go by in which an earlier server's leases may last."""
    site.set_bound(bound)
    _, info = site.first.create_token()
    poll(lambda: "unknownMs" not in site.delete(info["tokenId"], wait=10))


def test_a_server_that_was_stopped_over_the_bound_accepts_nothing_when_it_goes_on(site: Site) -> None:
    settle(site, SHORT)
    token, info = site.first.create_token()
    site.warm(token)
    os.kill(site.second.pid, signal.SIGSTOP)
    try:
        receipt = site.delete(info["tokenId"], wait=10)
    finally:
        os.kill(site.second.pid, signal.SIGCONT)
    assert site.second.request("GET", "/verify", bearer=token).status in {401, 503}
    assert site.at_second.ask(token) in {"deleted", "unavailable"}
    assert (receipt["confirmed"], receipt["leaseEnded"], receipt["of"]) == (2, 2, 4)
    poll(lambda: site.says(token) == ["401", "401", "deleted", "deleted", "401"])


@contextmanager
def stopped(postgres: PostgresServer) -> Iterator[None]:
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def frozen(postgres: PostgresServer) -> Iterator[None]:
    postgres.freeze()
    try:
        yield
    finally:
        postgres.freeze(thaw=True)


@pytest.mark.parametrize(
    ("how", "bound"),
    [
        (stopped, 3),
        pytest.param(frozen, 4, marks=pytest.mark.long),
        pytest.param(without_standby, 5, marks=pytest.mark.long),
    ],
)
def test_while_the_database_is_away_memory_answers_until_the_lease_is_over_and_then_nothing(
    postgres: PostgresServer, site: Site, how: How, bound: int
) -> None:
    settle(site, bound)
    token, _ = site.first.create_token()
    unseen, _ = site.first.create_token()
    site.warm(token)
    since = time.monotonic()
    with how(postgres):
        found = site.says(token)
        if time.monotonic() - since < bound / 2:  # else the machine was too busy to tell anything
            assert found == ["200", "200", "accepted", "accepted", "200"]
        if how is not without_standby:  # as of a primary whose standby was promoted: it reads, and confirms no commit
            assert site.first.request("GET", "/verify", bearer=unseen).status == 503
        poll(lambda: site.says(token) == ["503", "503", "unavailable", "unavailable", "503"], seconds=30)
        assert site.first.request("GET", "/verify", bearer=unseen).status == 503
    poll(lambda: site.says(token) == ["200", "200", "accepted", "accepted", "200"])


def test_a_receipt_of_one_server_counts_the_memories_of_all(site: Site) -> None:
    settle(site, LONG)
    slowest = []
    for _ in range(10):
        token, info = site.first.create_token()
        site.warm(token)
        receipt = site.delete(info["tokenId"], wait=10)
        assert site.says(token) == ["401", "401", "deleted", "deleted", "401"]
        # The other server, the listener, and both verifiers; the server itself refuses before it answers.
        slowest.append(receipt.pop("slowestMs"))
        assert LONG * 1000 <= receipt.pop("guaranteedMs") < (LONG + 10) * 1000  # counted from when others are read of
        assert receipt == {"confirmed": 4, "of": 4}
    print(f"slowest confirmations: {sorted(slowest)} ms")


def test_a_process_that_ended_cleanly_is_waited_for_by_no_receipt(site: Site) -> None:
    settle(site, LONG)
    data = shutil.copytree(site.first.data, site.first.data.with_name("third"), ignore=shutil.ignore_patterns("*.lock"))
    with Server(data, *site.first.flags) as third:
        token, info = third.create_token()
        assert third.request("GET", "/verify", bearer=token).status == 200
    receipt = site.delete(info["tokenId"], wait=10)
    assert (receipt["confirmed"], receipt["of"]) == (4, 4)

"""Verifiers on other hosts, as real processes: what is deleted is refused there within the bound, whatever happens."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from support.asking import Asking
from support.certificates import make_certificate
from support.oauth import UNKNOWN, add_verifier
from support.server import EMAIL, PASSWORD, Server, gatepass, make_installation, with_shortest_bound
from support.waiting import poll

BOUND = 1.0
"""The smallest there is."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with with_shortest_bound(tmp_path / "data") as running:
        yield running


@pytest.fixture
def credential(server: Server) -> str:
    return add_verifier(server, "orders")[1]


@pytest.fixture
def asking(server: Server, credential: str) -> Iterator[Asking]:
    with Asking(server.url, credential) as process:
        yield process


def warm(asking: Asking, token: str) -> None:
    """Have it in memory there."""
    poll(asking.is_fresh)
    assert [asking.ask(token) for _ in range(2)] == ["accepted"] * 2


def delete(server: Server, token_id: str, *, wait: int | None = None) -> dict:
    headers = {} if wait is None else {"Prefer": f"wait={wait}"}
    reply = server.request("DELETE", f"/v4/apiAccessTokens/{token_id}", basic=(EMAIL, PASSWORD), headers=headers)
    assert reply.status == (204 if wait is None else 200), reply.body
    return reply.json if wait is not None else {}


def lengthen(server: Server) -> None:
    """Give leases that outlast what a busy machine holds up, for tests of what happens within one."""
    assert server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60}).status == 200


def settled(server: Server) -> None:
    """Let the time go by in which the server does not know who followed an earlier one."""
    _, info = server.create_token()
    assert "unknownMs" not in delete(server, info["tokenId"], wait=10)


def test_a_deleted_token_is_refused_by_a_connected_verifier_when_the_receipt_says_so(
    server: Server, asking: Asking
) -> None:
    settled(server)
    lengthen(server)
    for _ in range(20):
        token, info = server.create_token()
        warm(asking, token)
        receipt = delete(server, info["tokenId"], wait=10)
        assert asking.ask(token) == "deleted"
        assert (receipt["confirmed"], receipt["of"], len(receipt)) == (1, 1, 4)
        assert 60_000 <= receipt["guaranteedMs"] < 61_000  # the verifier may have polled in between


@pytest.mark.long
def test_a_change_by_another_process_of_the_host_reaches_it_too(server: Server, asking: Asking) -> None:
    token, _ = server.create_token()
    warm(asking, token)
    done = gatepass("settings", "set", "apiAccessTokens.enabled", "false", "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    poll(lambda: asking.ask(token) == "feature-off")


def test_a_disabled_owner_is_refused_elsewhere_and_taken_back(server: Server, asking: Asking) -> None:
    maria = server.create_person("maria@example.com")
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    token, _ = server.create_token(basic=("maria@example.com", PASSWORD))
    warm(asking, token)
    for disabled, said in ((True, "owner-disabled"), (False, "accepted")):
        assert server.admin("PATCH", f"/v4/people/{maria['id']}", {"isDisabled": disabled}).status == 200
        poll(lambda said=said: asking.ask(token) == said)


def test_a_stopped_verifier_accepts_nothing_that_was_deleted_meanwhile(server: Server, asking: Asking) -> None:
    """What its memory says when it goes on is from before; it has to ask first."""
    for _ in range(3):
        token, info = server.create_token()
        warm(asking, token)
        os.kill(asking.process.pid, signal.SIGSTOP)
        receipt = delete(server, info["tokenId"], wait=10)
        assert (receipt["confirmed"], receipt["of"]) == (0, receipt.get("leaseEnded", 0))
        os.kill(asking.process.pid, signal.SIGCONT)
        assert asking.ask(token) == "deleted"


@pytest.mark.long
def test_a_receipt_does_not_wait_longer_than_was_asked(server: Server, asking: Asking) -> None:
    settled(server)
    lengthen(server)
    token, info = server.create_token()
    warm(asking, token)
    os.kill(asking.process.pid, signal.SIGSTOP)
    receipt = delete(server, info["tokenId"], wait=0)
    os.kill(asking.process.pid, signal.SIGCONT)
    assert receipt == {"confirmed": 0, "of": 1, "slowestMs": 0, "guaranteedMs": 60_000}


def test_without_its_server_memory_is_good_for_the_bound_and_then_it_is_an_outage(
    server: Server, credential: str
) -> None:
    port = server.port
    token, _ = server.create_token()
    with Asking(server.url, credential) as asking:
        warm(asking, token)
        server.kill()
        cut_at = asked_at = time.monotonic()
        while (answer := asking.ask(token)) == "accepted":
            accepted_at, asked_at = asked_at, time.monotonic()
            assert accepted_at - cut_at < BOUND
        assert answer == "unavailable"
        assert asking.ask(UNKNOWN) == "unavailable"
        server.listen = f"127.0.0.1:{port}"
        server.start()
        poll(lambda: asking.ask(token) == "accepted")
        warm(asking, token)


@pytest.mark.long
def test_a_frozen_server_is_an_outage_as_well(server: Server, asking: Asking) -> None:
    token, _ = server.create_token()
    warm(asking, token)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        poll(lambda: not asking.is_fresh())
        assert asking.ask(token) == "unavailable"
    finally:
        os.kill(server.pid, signal.SIGCONT)
    warm(asking, token)


def test_a_removed_credential_ends_its_memory_within_the_bound(server: Server, asking: Asking) -> None:
    token, _ = server.create_token()
    warm(asking, token)
    assert gatepass("verifiers", "remove", "orders", "--data", str(server.data)).returncode == 0
    removed_at = asked_at = time.monotonic()
    while (answer := asking.ask(token)) == "accepted":
        accepted_at, asked_at = asked_at, time.monotonic()
        assert accepted_at - removed_at < BOUND
    assert answer == "unavailable"
    assert not asking.is_fresh()


def test_a_wrong_credential_is_told_at_once(server: Server, credential: str) -> None:
    end = "0" if credential[-1] != "0" else "1"
    for wrong in (credential[:-1] + end, "gpvf_nonsense", "", UNKNOWN):
        with Asking(server.url, wrong) as asking:
            assert asking.began == f"bad-configuration: credential: is not accepted by {server.url}"


def test_another_history_empties_the_memory(server: Server, credential: str) -> None:
    """A database that was put back: revisions may be as they were, and mean something else."""
    token, info = server.create_token()
    port = server.port
    with Asking(server.url, credential) as asking:
        warm(asking, token)
        server.stop()
        with_database(server, _as_restored_before(info["tokenId"]))
        server.listen = f"127.0.0.1:{port}"
        server.start()
        poll(asking.is_fresh)
        poll(lambda: asking.ask(token) == "unknown")


def _as_restored_before(token_id: str) -> Callable[[apsw.Connection], None]:
    def change(database: apsw.Connection) -> None:
        database.execute("DELETE FROM tokens WHERE id = ?", (bytes.fromhex(token_id.replace("-", "")),))
        database.execute("UPDATE journal SET restores = restores + 1")

    return change


def with_database(server: Server, change: Callable[[apsw.Connection], None]) -> None:
    database = apsw.Connection(str(server.data / "gatepass.db"))
    database.execute("PRAGMA foreign_keys = ON")
    change(database)
    database.close()


@pytest.mark.long
def test_a_server_that_began_lately_does_not_claim_to_know_everybody(server: Server, asking: Asking) -> None:
    token, _ = server.create_token()
    warm(asking, token)
    port = server.port
    server.stop()
    os.kill(asking.process.pid, signal.SIGSTOP)  # it holds a lease and is not heard of
    server.listen = f"127.0.0.1:{port}"
    gatepass("settings", "set", "verifiers.boundSeconds", "60", "--data", str(server.data))
    server.start()
    _, info = server.create_token()
    receipt = delete(server, info["tokenId"], wait=0)
    assert (receipt["confirmed"], receipt["of"]) == (0, 0)
    assert 50_000 < receipt["unknownMs"] <= 60_000
    os.kill(asking.process.pid, signal.SIGCONT)


def test_uses_elsewhere_are_uses(server: Server, asking: Asking) -> None:
    token, info = server.create_token()
    warm(asking, token)
    path = f"/v4/apiAccessTokens/{info['tokenId']}"
    poll(lambda: server.admin("GET", path).json["lastUsed"] is not None)


@pytest.mark.long
def test_a_verifier_that_comes_before_its_server_waits_for_it(server: Server, credential: str) -> None:
    token, _ = server.create_token()
    port = server.port
    url = server.url
    server.stop()
    with Asking(url, credential) as asking:
        assert asking.began == "open"
        assert asking.ask(token) == "unavailable"
        server.listen = f"127.0.0.1:{port}"
        server.start()
        poll(lambda: asking.ask(token) == "accepted")


@pytest.mark.long
def test_the_command_line_shows_what_is_connected_and_waits_for_it(server: Server, asking: Asking) -> None:
    settled(server)
    lengthen(server)
    token, info = server.create_token()
    other, _ = server.create_token()
    warm(asking, token)
    env = {"GATEPASS_TOKEN": other, "GATEPASS_URL": server.url}
    listed = gatepass("verifiers", "list", "--url", server.url, env=env)
    assert listed.returncode == 0, listed.stderr
    [heading, row] = listed.stdout.splitlines()
    assert heading.split() == ["NAME", "INSTANCE", "STATE", "LAST", "CHANGE", "LEASE"]
    assert row.startswith("orders ")
    assert "up to date" in row
    assert row.endswith(" of 60 s")
    done = gatepass("token", "delete", info["tokenId"], "--wait", "10", env=env)
    assert done.returncode == 0, done.stderr
    assert "confirmed by 1 of 1 verifiers elsewhere" in done.stdout
    assert done.stdout.endswith("everywhere within 60 s, whatever happens\n")
    assert asking.ask(token) == "deleted"


def test_a_verifier_that_is_closed_leaves_and_nobody_waits_for_it(server: Server, asking: Asking) -> None:
    settled(server)
    poll(asking.is_fresh)
    asking.process.stdin.close()
    assert asking.process.wait(timeout=10) == 0
    _, info = server.create_token()
    receipt = delete(server, info["tokenId"], wait=0)
    assert receipt == {"confirmed": 0, "of": 0, "slowestMs": 0, "guaranteedMs": 1000}


def test_a_deleted_person_is_told_with_a_receipt_too(server: Server, asking: Asking) -> None:
    settled(server)
    lengthen(server)
    maria = server.create_person("maria@example.com")
    server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    token, _ = server.create_token(basic=("maria@example.com", PASSWORD))
    warm(asking, token)
    reply = server.request(
        "DELETE", f"/v4/people/{maria['id']}", basic=(EMAIL, PASSWORD), headers={"Prefer": "respond-async, wait=10"}
    )
    assert (reply.status, reply.headers["preference-applied"]) == (200, "wait=10")
    assert (reply.json["confirmed"], reply.json["of"]) == (1, 1)
    assert asking.ask(token) == "owner-deleted"


def test_a_preference_that_cannot_be_read_changes_nothing(server: Server) -> None:
    for prefer in ("wait", "wait=", "wait=x", "wait=-1", "waiting=5", "return=minimal"):
        _, info = server.create_token()
        path = f"/v4/apiAccessTokens/{info['tokenId']}"
        reply = server.request("DELETE", path, basic=(EMAIL, PASSWORD), headers={"Prefer": prefer})
        assert (reply.status, reply.body) == (204, b""), prefer


def test_over_tls_the_certificate_is_checked(tmp_path: Path) -> None:
    make_installation(tmp_path / "data")
    cert, key = make_certificate(tmp_path, "server", names="IP:127.0.0.1")
    with Server(tmp_path / "data", "--tls-cert", str(cert), "--tls-key", str(key)) as server:
        _, credential = add_verifier(server, "orders")
        with Asking(server.url, credential) as strict:
            assert strict.began == "open"
            assert strict.ask(UNKNOWN) == "unavailable"
        with Asking(server.url, credential, ca_file=str(cert)) as asking:
            poll(asking.is_fresh)
            assert asking.ask(UNKNOWN) == "unknown"
        other_name = server.url.replace("127.0.0.1", "localhost")
        with Asking(other_name, credential, ca_file=str(cert)) as misled:
            assert misled.ask(UNKNOWN) == "unavailable"


def test_a_redirect_is_not_followed(credential: str) -> None:
    """Whoever could redirect would get the credential."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(65_536).split(b"\r\n")[0])
                    connection.sendall(b"HTTP/1.1 307 Temporary\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with Asking(f"http://127.0.0.1:{port}", credential) as asking:
            assert asking.ask(UNKNOWN) == "unavailable"
            answering.join(10)
    assert set(asked) <= {b"POST /verifiers/v1/follow HTTP/1.1", b"POST /verifiers/v1/verdicts HTTP/1.1"}

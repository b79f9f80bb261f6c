"""A person with a million tokens: the last page of their list against the first, and one more token."""

import tempfile
from pathlib import Path
from uuid import UUID

from benchmarks.bars import Bar
from benchmarks.fill import fill
from benchmarks.rounds import interleaved, median_of_ratios, timed
from support.server import Server, make_installation
from support.visitor import Visitor

MANY = 1_000_000
ROUNDS = 40


def measure(*, quick: bool) -> list[Bar]:
    """Return the bars of list pages and of creation."""
    count = 20_000 if quick else MANY
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_installation(data)
        with Server(data) as server:
            bearer, _ = server.create_token()
            owner = UUID(server.admin("GET", "/v4/people/current").json["id"])
            nobody = server.create_person("nobody@example.com", isAdmin=True)
        fill(data, owner, count)
        with Server(data) as server:
            few, _ = server.create_token(basic=(nobody["email"], "orchard lantern seventeen"))
            return [*_api(server, bearer, count), *_pages(server, count), *_creation(server, bearer, few, count)]


def _api(server: Server, bearer: str, count: int) -> list[Bar]:
    path = "/v4/apiAccessTokens?limit=100"
    last = server.request("GET", f"{path}&offset={count - 100}", bearer=bearer).json["data"]
    figures = interleaved(
        {
            "first": timed(lambda: server.request("GET", path, bearer=bearer), times=5),
            "last": timed(lambda: server.request("GET", f"{path}&after={last[0]['tokenId']}", bearer=bearer), times=5),
        },
        rounds=ROUNDS,
    )
    return [_bar("list by API, last page / first page", figures, count, "last", "first")]


def _pages(server: Server, count: int) -> list[Bar]:
    visitor = Visitor(server).sign_in()
    figures = interleaved(
        {
            "first": timed(lambda: visitor.get("/settings/access-tokens"), times=5),
            "last": timed(lambda: visitor.get("/settings/access-tokens?end=1"), times=5),
        },
        rounds=ROUNDS,
    )
    return [_bar("list page, last / first", figures, count, "last", "first")]


def _creation(server: Server, many: str, few: str, count: int) -> list[Bar]:
    def create(bearer: str) -> None:
        reply = server.request("POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 60}, bearer=bearer)
        if reply.status != 201:
            raise RuntimeError(reply.body)

    contestants = {"many": timed(lambda: create(many), times=5), "few": timed(lambda: create(few), times=5)}
    return [
        _bar("creation by an owner of many / of few", interleaved(contestants, rounds=ROUNDS), count, "many", "few")
    ]


def _bar(name: str, figures: dict[str, list[float]], count: int, above: str, below: str) -> Bar:
    ratio = median_of_ratios(figures[above], figures[below])
    milliseconds = sorted(figures[below])[len(figures[below]) // 2] * 1000
    return Bar(name, ratio, must=1.5, aim=1.1, note=f"{count:,} tokens, {milliseconds:.1f} ms {below}", raw=figures)

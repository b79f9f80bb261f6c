"""Lists: page by page, filtered, with links that lead on."""

import pytest

from support.server import EMAIL, PASSWORD, Server, make_installation

OWN = "/v4/apiAccessTokens"
COUNT = 25


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory):
    """A server whose administrator has 25 tokens, of which numbers 3 and 4 are deleted."""
    data = tmp_path_factory.mktemp("full") / "data"
    make_installation(data)
    with Server(data) as server:
        value, first = server.create_token(description="Task 00")
        ids = [first["tokenId"]]
        for number in range(1, COUNT):
            body = {"lifetimeSeconds": 60, "description": f"{'Task' if number % 2 else 'JOB'} {number:02d}"}
            ids.append(server.request("POST", OWN, body, bearer=value).json["tokenInfo"]["tokenId"])
        for number in (3, 4):
            assert server.request("DELETE", f"{OWN}/{ids[number]}", bearer=value).status == 204
        yield server, value, ids


def numbers(full, query: str = "") -> list[int]:
    server, value, _ = full
    reply = server.request("GET", f"{OWN}{query}", bearer=value)
    assert reply.status == 200, reply.body
    return [int(row["description"][-2:]) for row in reply.json["data"]]


ALIVE = [number for number in range(COUNT) if number not in {3, 4}]


def test_a_list_is_by_creation_without_deleted_ones(full) -> None:
    assert numbers(full) == ALIVE
    assert numbers(full, "?status=all") == ALIVE
    assert numbers(full, "?status=active") == ALIVE
    assert numbers(full, "?status=expired") == []
    assert numbers(full, "?status=deleted") == [3, 4]


def test_limit_and_offset_cut_a_part_out(full) -> None:
    assert numbers(full, "?limit=5") == ALIVE[:5]
    assert numbers(full, "?limit=5&offset=5") == ALIVE[5:10]
    assert numbers(full, "?limit=5&offset=1000") == []


def test_following_the_links_sees_every_row_once(full) -> None:
    server, value, _ = full
    seen, path, pages = [], f"{OWN}?limit=4&q=&status=active", 0
    while path:
        reply = server.request("GET", path, bearer=value)
        seen += [int(row["description"][-2:]) for row in reply.json["data"]]
        link = reply.headers["link"] or ""
        assert not link or link.endswith('>; rel="next"')
        path = link[1:].partition(">")[0]
        pages += 1
    assert seen == ALIVE
    assert pages == 6


def test_after_continues_behind_a_row_even_a_deleted_one(full) -> None:
    ids = full[2]
    assert numbers(full, f"?limit=3&after={ids[5]}") == [6, 7, 8]
    assert numbers(full, f"?limit=3&after={ids[3]}") == [5, 6, 7]
    assert numbers(full, f"?limit=2&after={ids[5]}&offset=1") == [7, 8]
    assert numbers(full, f"?after={ids[-1]}") == []


def test_a_prefix_of_description_or_id_is_found_without_case(full) -> None:
    ids = full[2]
    assert numbers(full, "?q=task") == [number for number in ALIVE if number % 2 or number == 0]
    assert numbers(full, "?q=JOB%2002") == [2]
    assert numbers(full, f"?q={ids[7]}") == [7]
    assert numbers(full, f"?q={ids[7].upper()}") == [7]
    assert numbers(full, f"?q={ids[7][-12:]}") == []
    assert numbers(full, "?q=ask") == []
    assert numbers(full, "?q=") == ALIVE
    assert numbers(full, "?q=task%25") == []


def test_people_are_paged_alike(full) -> None:
    server = full[0]
    for number in range(5):
        server.create_person(f"paged{number}@example.com")
    first = server.admin("GET", "/v4/people?limit=2&q=paged").json["data"]
    assert [row["email"] for row in first] == ["paged0@example.com", "paged1@example.com"]
    rest = server.admin("GET", f"/v4/people?q=paged&after={first[-1]['id']}").json["data"]
    assert [row["email"] for row in rest] == [f"paged{number}@example.com" for number in (2, 3, 4)]
    assert [row["email"] for row in server.admin("GET", "/v4/people?limit=1").json["data"]] == [EMAIL]
    assert PASSWORD not in str(rest)

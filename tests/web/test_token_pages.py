"""Settings > Access Tokens, read as text: generate, list, page, filter, delete."""

import re
from uuid import UUID

import apsw
import pytest

from support.server import PASSWORD, Server
from support.visitor import Visitor, forms_of

HOME = "/settings/access-tokens"
GENERATE = f"{HOME}/generate"
VALUE = re.compile(r"\bgp(?:at|sa)_[0-9A-Za-z]{22}_[0-9A-Za-z]{38}\b")


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return Visitor(server).sign_in()


def generate(visitor: Visitor, **fields: str):
    return visitor.submit(GENERATE, GENERATE, **{"lifetimeDays": "30", **fields})


def value_of(page: bytes) -> str:
    (value,) = set(VALUE.findall(page.decode()))
    return value


def test_the_value_is_shown_once_and_works(server: Server, visitor: Visitor) -> None:
    page = generate(visitor, description="from the page")
    assert page.status == 200
    assert server.request("GET", "/verify", bearer=value_of(page.body)).status == 200
    assert not VALUE.search(visitor.get(HOME).body.decode())


def test_sending_the_form_twice_makes_one_token(server: Server, visitor: Visitor) -> None:
    form = {**visitor.form(GENERATE, GENERATE), "lifetimeDays": "3", "description": "double click"}
    first, second = visitor.post(GENERATE, form), visitor.post(GENERATE, form)
    assert value_of(first.body) == value_of(second.body)
    assert len(server.admin("GET", "/v4/apiAccessTokens?q=double").json["data"]) == 1


def test_minus_one_never_expires(server: Server, visitor: Visitor) -> None:
    generate(visitor, lifetimeDays="-1", description="for ever and ever")
    (found,) = server.admin("GET", "/v4/apiAccessTokens?q=for%20ever").json["data"]
    assert found["expiredAt"] is None


@pytest.mark.parametrize("days", ["0", "-2", "1.5", "abc", "", "36501", "99999999999999999999", "\uff11"])
def test_a_lifetime_that_cannot_be_is_refused_beside_its_field(visitor: Visitor, days: str) -> None:
    page = generate(visitor, lifetimeDays=days, description="must not be")
    assert page.status == 400
    assert b'aria-invalid="true"' in page.body
    assert b"must not be" in page.body
    assert b"must not be" not in visitor.get(f"{HOME}?q=must").body.replace(b'value="must', b"")


def test_a_wrong_lifetime_is_told_in_days_and_nothing_else(visitor: Visitor) -> None:
    page = generate(visitor, lifetimeDays="0").body.decode()
    assert "Must be a whole number from 1 to 36500, or -1 for never." in page
    assert outcome(page) == ""


def outcome(page: str) -> str:
    return re.search(r"<output[^>]*>(.*?)</output>", page, re.DOTALL)[1]


@pytest.mark.parametrize(("field", "value"), [("lifetimeDays", "0"), ("description", "a\x07b")])
def test_the_field_with_the_error_has_the_focus_and_says_why(visitor: Visitor, field: str, value: str) -> None:
    page = generate(visitor, **{field: value}).body.decode()
    (focused,) = re.findall(r"<input[^>]* autofocus[^>]*>", page)
    assert f'name="{field}"' in focused
    assert re.search(rf'aria-describedby="[^"]*\b{field}-error"', focused)


def test_the_day_it_stops_working_is_said_before_any_script_runs(visitor: Visitor) -> None:
    assert re.match(
        r"Stops working on <strong>\w+day \d+ \w+ \d{4}</strong> at", outcome(visitor.get(GENERATE).body.decode())
    )
    page = generate(visitor, lifetimeDays="-1", description="a\x07b").body.decode()
    assert "Never expires." in outcome(page)


def test_a_description_with_control_characters_is_refused(visitor: Visitor) -> None:
    assert generate(visitor, description="a\x07b").status == 400


def test_markup_in_a_description_is_shown_as_text(visitor: Visitor) -> None:
    generate(visitor, description='<script>alert(1)</script>"><img src=x>')
    page = visitor.get(HOME).body
    assert b"<script>alert(1)" not in page
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;&#34;&gt;&lt;img" in page


def test_deleting_on_the_page_refuses_the_token(server: Server, visitor: Visitor) -> None:
    value, info = server.create_token(description="to be deleted")
    action = f"{HOME}/{info['tokenId']}/delete"
    assert b"to be deleted" in visitor.get(action).body
    assert visitor.submit(action, action).headers["location"] == f"{HOME}?done=token-deleted"
    assert server.request("GET", "/verify", bearer=value).status == 401
    assert visitor.get(action).status == 404


def test_deleting_goes_back_to_the_list_as_it_was(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token(description="kept filter & more")
    shown = f"{HOME}?status=active&q=kept+filter+%26"
    action = f"{HOME}/{info['tokenId']}/delete?status=active&q=kept+filter+%26"
    assert action.replace("+", "%20").replace("&", "&amp;").encode() in visitor.get(shown).body.replace(b"+", b"%20")
    assert f'href="{shown}"'.replace("&", "&amp;").encode() in visitor.get(action).body
    assert visitor.submit(action, action).headers["location"] == f"{shown}&done=token-deleted"


def test_a_filter_that_does_not_exist_shows_everything(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token(description="always shown")
    for query in ("status=foo", "after=nonsense", "before=nonsense"):
        page = visitor.get(f"{HOME}?{query}")
        assert page.status == 200
        assert b"always shown" in page.body
    action = f"{HOME}/{info['tokenId']}/delete"
    assert visitor.submit(f"{action}?status=foo", action).headers["location"] == f"{HOME}?done=token-deleted"


def test_an_id_is_found_as_it_is_shown(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token(description="found by its end")
    server.create_token(description="not searched for")
    page = visitor.get(f"{HOME}?q=%E2%80%A6{info['tokenId'][-12:]}").body
    assert b"found by its end" in page
    assert b"not searched for" not in page


DAY = 86_400_000


@pytest.mark.parametrize(
    ("past", "said", "unsaid"),
    [
        (("last_used_at", 29), "This token is in use", "Not used for"),
        (("last_used_at", 180), "Not used for 6 months", "in use"),
        (("expires_at", 4), "It expired 4 days ago", "is refused from then on"),
        (("created_at", 0), "It was never used", "in use"),
    ],
)
def test_the_question_says_what_deleting_breaks(
    server: Server, visitor: Visitor, past: tuple[str, int], said: str, unsaid: str
) -> None:
    _, info = server.create_token()
    turn_back(server, info["tokenId"], *past)
    page = re.sub(r"<[^>]+>", "", visitor.get(f"{HOME}/{info['tokenId']}/delete").body.decode())
    assert said in page
    assert unsaid not in page


def turn_back(server: Server, token_id: str, column: str, days: int) -> None:
    database = apsw.Connection(str(server.data / "gatepass.db"))
    database.execute(f"UPDATE tokens SET {column} = created_at - ? WHERE id = ?", (days * DAY, UUID(token_id).bytes))
    database.close()


def test_nothing_is_said_to_stop_when_an_expired_token_is_deleted(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token()
    turn_back(server, info["tokenId"], "expires_at", 2)
    action = f"{HOME}/{info['tokenId']}/delete"
    page = visitor.get(visitor.submit(action, action).headers["location"]).body
    assert b"It had expired already" in page
    assert b"refused from now on" not in page


def test_a_deleted_token_shows_when_it_was_deleted_once(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token(description="shown as deleted")
    server.admin("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}")
    page = visitor.get(f"{HOME}?status=deleted&q=shown+as").body.decode()
    assert '<th scope="col">Deleted</th>' in page
    assert '<th scope="col">Expires</th>' not in page
    assert "Deleted <relative-time>" not in page


def test_looking_at_the_question_deletes_nothing(server: Server, visitor: Visitor) -> None:
    value, info = server.create_token()
    visitor.get(f"{HOME}/{info['tokenId']}/delete")
    assert server.request("GET", "/verify", bearer=value).status == 200


def test_somebody_elses_token_cannot_be_deleted_on_ones_own_page(server: Server) -> None:
    value, info = server.create_token()
    person = server.create_person("no-deleting@example.com")
    stranger = Visitor(server).sign_in(person["email"], PASSWORD)
    action = f"{HOME}/{info['tokenId']}/delete"
    csrf = stranger.form(HOME, "/sign-out")["csrf"]
    assert stranger.get(action).status == 404
    assert stranger.post(action, {"csrf": csrf}).status == 404
    assert server.request("GET", "/verify", bearer=value).status == 200


def test_an_old_sign_in_has_to_type_the_password_again(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    assert "password" not in forms_of(visitor.get(GENERATE))[GENERATE]
    with_old_sign_in(own_server)
    assert "password" in forms_of(visitor.get(GENERATE))[GENERATE]
    old_cookie = dict(visitor.cookies)
    assert generate(visitor, password="not the password").status == 400
    assert generate(visitor).status == 400
    page = generate(visitor, password=PASSWORD)
    assert page.status == 200
    assert own_server.request("GET", "/verify", bearer=value_of(page.body)).status == 200
    assert visitor.cookies != old_cookie
    assert visitor.get(HOME).status == 200
    visitor.cookies = old_cookie
    assert visitor.get(HOME).status == 303


def test_an_old_sign_in_cannot_create_over_rest(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    with_old_sign_in(own_server)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", "Cookie": cookie}
    reply = own_server.request("POST", "/v4/apiAccessTokens", raw=b'{"lifetimeSeconds":60}', headers=headers)
    assert reply.status == 403


def with_old_sign_in(server: Server) -> None:
    database = apsw.Connection(str(server.data / "gatepass.db"))
    database.execute("UPDATE sessions SET proven_at = proven_at - 900000")
    database.close()


def test_who_may_not_generate_sees_why_and_whom_to_ask(own_server: Server) -> None:
    person = own_server.create_person("reader@example.com")
    visitor = Visitor(own_server).sign_in(person["email"], PASSWORD)
    page = visitor.get(HOME).body.decode()
    assert "Only administrators may generate tokens here" in page
    assert "mailto:admin@example.com" in page
    assert GENERATE not in page
    refused = visitor.get(GENERATE)
    assert refused.status == 403
    assert b"mailto:admin@example.com" in refused.body
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    assert generate(visitor).status == 200


def test_the_page_says_that_the_feature_is_off(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False})
    page = visitor.get(HOME)
    assert page.status == 200
    assert b"Access tokens are switched off" in page.body
    form = visitor.form("/settings/profile", "/sign-out")
    for path in (GENERATE, f"{HOME}/{UUID(int=1)}/delete"):
        assert b"Access tokens are switched off" in visitor.get(path).body
        assert b"Access tokens are switched off" in visitor.post(path, {**form, "lifetimeDays": "1"}).body


def test_a_maximum_lifetime_is_said_and_kept(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.maximumLifetimeDays": 7})
    page = visitor.get(GENERATE)
    assert b"At most 7 days" in page.body
    assert b'max="7"' in page.body
    for days in ("8", "-1"):
        refused = generate(visitor, lifetimeDays=days)
        assert refused.status == 400
        assert b"Must be a whole number from 1 to 7." in refused.body
    assert generate(visitor, lifetimeDays="7").status == 200


def test_the_list_is_paged_newest_first_both_ways(own_server: Server) -> None:
    value, _ = own_server.create_token(description="number 000")
    for number in range(1, 120):
        made = own_server.request(
            "POST", "/v4/apiAccessTokens", {"lifetimeSeconds": 60, "description": f"number {number:03d}"}, bearer=value
        )
        assert made.status == 201
    visitor = Visitor(own_server).sign_in()
    seen = [numbers(visitor, path) for path in walk(visitor, HOME, "next")]
    assert seen == [list(range(119, 69, -1)), list(range(69, 19, -1)), list(range(19, -1, -1))]
    last = list(walk(visitor, HOME, "next"))[-1]
    back = [numbers(visitor, path) for path in walk(visitor, last, "prev")]
    assert back[-1] == list(range(119, 69, -1))
    assert numbers(visitor, f"{HOME}?end=1") == list(range(49, -1, -1))


def numbers(visitor: Visitor, path: str) -> list[int]:
    return [int(found) for found in re.findall(r'title="number (\d+)"', visitor.get(path).body.decode())]


def walk(visitor: Visitor, path: str, rel: str):
    while path:
        yield path
        link = re.search(rf'href="([^"]+)" rel="{rel}"', visitor.get(path).body.decode())
        path = link[1].replace("&amp;", "&") if link else ""

"""Every page and every form of the table: who gets in, and which forms are believed."""

import json

import pytest

from gatepass.server.api.openapi import OPERATIONS
from gatepass.server.web.routes import PAGES
from support.server import EMAIL, PASSWORD, Reply, Server
from support.visitor import Visitor

HOME, GENERATE = "/settings/access-tokens", "/settings/access-tokens/generate"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
PATHS = [page.path for page in PAGES]
FORMS = [page.path for page in PAGES if page.post and not page.from_elsewhere]
PUBLIC = [page.path for page in PAGES if page.public]
ADMINISTRATION = [page.path for page in PAGES if page.path.startswith("/admin/")]
CHANGES = [(each.method, each.path) for each in OPERATIONS if each.method != "GET"]


class Place:
    """A server with an administrator, a token of theirs and somebody ordinary."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin_id = server.admin("GET", "/v4/people/current").json["id"]
        self.value, info = server.create_token(description="must stay")
        self.token_id = info["tokenId"]
        self.person = server.create_person("ordinary@example.com", name="Ordinary")

    def path(self, template: str) -> str:
        return template.format(
            id=self.admin_id,
            token_id=self.token_id,
            tokenId=self.token_id,
            session_id=self.admin_id,
            provider="corp",
        )

    def state(self) -> str:
        """Return all that a form or a request could have changed."""
        paths = ("/v4/people", "/v4/settings", "/v4/apiAccessTokens", "/v4/auditEvents")
        told = {path: self.server.admin("GET", path).json for path in paths}
        signing_in = ("session.", "sign-in.")
        events = told["/v4/auditEvents"]["data"]
        told["/v4/auditEvents"] = [each for each in events if not each["action"].startswith(signing_in)]
        for person in told["/v4/people"]["data"]:
            del person["lastLoginTime"]
        for token in told["/v4/apiAccessTokens"]["data"]:
            del token["lastUsed"]
        return json.dumps(told)


@pytest.fixture(scope="module")
def place(server: Server) -> Place:
    return Place(server)


@pytest.fixture
def nothing_changes(place: Place):
    before = place.state()
    yield
    assert place.state() == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.usefixtures("nothing_changes")
def test_a_token_opens_no_page_and_sends_no_form(place: Place, method: str, path: str) -> None:
    visitor = Visitor(place.server).sign_in()
    cookie = f"gatepass={visitor.cookies['gatepass']}"
    csrf = visitor.form(HOME, "/sign-out")["csrf"].encode()
    for headers in (FORM, {**FORM, "Cookie": cookie}):
        reply = place.server.request(method, place.path(path), raw=b"csrf=" + csrf, headers=headers, bearer=place.value)
        assert (reply.status, "set-cookie" in reply.headers) == (401, False)
        assert b"must stay" not in reply.body


@pytest.mark.parametrize("path", [path for path in PATHS if path not in PUBLIC])
def test_nobody_sees_a_page_without_signing_in(place: Place, path: str) -> None:
    stranger = Visitor(place.server)
    csrf = stranger.form("/sign-in", "/sign-in")["csrf"]
    for reply in (stranger.get(place.path(path)), stranger.post(place.path(path), {"csrf": csrf})):
        assert (reply.status, b"must stay" in reply.body) in {(303, False), (405, False)}
        if reply.status == 303:
            assert reply.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", ADMINISTRATION)
@pytest.mark.usefixtures("nothing_changes")
def test_no_page_of_administrators_is_for_anybody_else(place: Place, path: str) -> None:
    visitor = Visitor(place.server).sign_in(place.person["email"], PASSWORD)
    csrf = visitor.form(HOME, "/sign-out")["csrf"]
    replies = [visitor.get(place.path(path)), visitor.post(place.path(path), {"csrf": csrf})]
    # Whatever concerns somebody else does not exist for them (404); a page that is only looked at takes no form (405).
    assert {reply.status for reply in replies} <= {403, 404, 405}
    assert {reply.status for reply in replies} & {403, 404}
    for reply in replies:
        assert EMAIL.encode() not in reply.body
        assert b"must stay" not in reply.body


def test_what_others_may_post_to_is_what_providers_say() -> None:
    told = ["/sign-in/{provider}/callback", "/sign-in/{provider}/back-channel-logout"]
    assert [page.path for page in PAGES if page.from_elsewhere] == told
    assert [path for path in PUBLIC if not path.startswith("/sign-in/")] == ["/sign-in", "/sign-out", "/set-password"]


def foreign_csrf(place: Place) -> str:
    return Visitor(place.server).sign_in().form(HOME, "/sign-out")["csrf"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.usefixtures("nothing_changes")
def test_a_form_that_is_not_ours_is_403_on_every_page(place: Place, path: str) -> None:
    visitor = Visitor(place.server).sign_in()
    csrf, path = {"csrf": visitor.form(HOME, "/sign-out")["csrf"]}, place.path(path)
    site = "Sec-Fetch-Site"
    refused: dict[str, Reply] = {
        "no token": visitor.post(path, {}),
        "an empty token": visitor.post(path, {"csrf": ""}),
        "another session's token": visitor.post(path, {"csrf": foreign_csrf(place)}),
        "another site": visitor.post(path, csrf, {site: "cross-site"}),
        "a sibling site": visitor.post(path, csrf, {site: "same-site"}),
        "another origin": visitor.post(path, csrf, {"Origin": "https://evil.example"}),
        "another port": visitor.post(path, csrf, {"Origin": "http://127.0.0.1:1"}),
        "no origin": visitor.post(path, csrf, {"Origin": "null"}),
    }
    stranger = Visitor(place.server)
    stranger.cookies = {}
    refused["no cookie"] = stranger.post(path, csrf)
    assert {name: reply.status for name, reply in refused.items()} == dict.fromkeys(refused, 403)


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.usefixtures("nothing_changes")
def test_a_change_over_rest_by_cookie_from_elsewhere_is_403_on_every_route(
    place: Place, method: str, path: str
) -> None:
    cookie = {"Cookie": f"gatepass={Visitor(place.server).sign_in().cookies['gatepass']}"}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {},
    ):
        reply = place.server.request(method, place.path(path), {}, headers={**cookie, **headers})
        assert (reply.status, reply.error) == (403, "AccessControlException"), headers


@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_more_fields_than_any_of_ours_is_400(place: Place, path: str) -> None:
    visitor = Visitor(place.server).sign_in()
    csrf = visitor.form(HOME, "/sign-out")["csrf"]
    extra = {f"field{number}": "" for number in range(50)}
    assert visitor.post(place.path(path), {"csrf": csrf, **extra}).status == 400


@pytest.mark.usefixtures("nothing_changes")
def test_an_old_tab_generates_nothing_after_signing_out(place: Place) -> None:
    visitor = Visitor(place.server).sign_in()
    form = {**visitor.form(GENERATE, GENERATE), "lifetimeDays": "1"}
    kept = dict(visitor.cookies)
    visitor.submit(HOME, "/sign-out")
    assert visitor.post(GENERATE, form).status == 403  # the browser has another cookie now
    visitor.cookies = kept
    reply = visitor.post(GENERATE, form)
    assert (reply.status, reply.headers["location"]) == (303, "/sign-in")
    assert b"gpat_" not in reply.body

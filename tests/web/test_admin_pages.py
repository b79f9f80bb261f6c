"""People, token policy and audit log, read as text."""

import re

import pytest

from support.oauth import add_verifier
from support.server import EMAIL, PASSWORD, Server
from support.visitor import Visitor, forms_of

PEOPLE, POLICY, AUDIT = "/admin/people", "/admin/token-policy", "/admin/audit"
TOKENS = "/settings/access-tokens"
NEW_PASSWORD = "a sentence of my own"


@pytest.fixture
def visitor(server: Server) -> Visitor:
    return Visitor(server).sign_in()


def add(visitor: Visitor, email: str, **fields: str) -> str:
    """Add somebody on the page; return the path of their one-time link."""
    page = visitor.submit(f"{PEOPLE}/add", f"{PEOPLE}/add", email=email, **fields)
    assert page.status == 200, page.body
    return re.search(r"/set-password\?link=[0-9A-Za-z_-]+", page.body.decode())[0]


def set_password(server: Server, link: str, password: str = NEW_PASSWORD, again: str | None = None):
    return Visitor(server).submit(link, "/set-password", password=password, again=password if again is None else again)


@pytest.mark.parametrize(
    "path", [PEOPLE, f"{PEOPLE}/add", POLICY, AUDIT, f"{PEOPLE}/{{id}}/disable", f"{PEOPLE}/{{id}}/access-tokens"]
)
def test_ordinary_people_get_into_no_administration_page(server: Server, path: str) -> None:
    person = server.create_person(f"ordinary-{abs(hash(path))}@example.com")
    admin_id = server.admin("GET", "/v4/people/current").json["id"]
    page = Visitor(server).sign_in(person["email"], PASSWORD).get(path.format(id=admin_id))
    assert page.status in {403, 404}
    assert EMAIL.encode() not in page.body


def test_a_person_added_on_the_page_sets_their_password_by_the_link(server: Server, visitor: Visitor) -> None:
    link = add(visitor, "new.person@example.com", name="New Person")
    assert set_password(server, link).headers["location"] == "/sign-in?done=password-set"
    Visitor(server).sign_in("New.Person@Example.com", NEW_PASSWORD)


def test_a_link_works_once(server: Server, visitor: Visitor) -> None:
    link = add(visitor, "once@example.com")
    form = Visitor(server).form(link, "/set-password")
    assert set_password(server, link).status == 303
    late = Visitor(server)
    assert late.get(link).status == 404
    assert b"This link does not work any more" in late.get(link).body
    csrf = late.form("/sign-in", "/sign-in")["csrf"]
    assert (
        late.post(
            "/set-password", {**form, "csrf": csrf, "password": "stolen by somebody", "again": "stolen by somebody"}
        ).status
        == 404
    )
    Visitor(server).sign_in("once@example.com", NEW_PASSWORD)


def test_looking_at_a_link_does_not_use_it_up(server: Server, visitor: Visitor) -> None:
    link = add(visitor, "looks-first@example.com")
    assert Visitor(server).get(link).status == 200
    assert set_password(server, link).status == 303


def test_a_weak_password_keeps_the_link(server: Server, visitor: Visitor) -> None:
    link = add(visitor, "weak@example.com")
    assert set_password(server, link, "too short").status == 400
    assert set_password(server, link, "123456789123456789").status == 400
    assert set_password(server, link, NEW_PASSWORD, again="something else entirely").status == 400
    assert set_password(server, link).status == 303


def test_an_unknown_link_is_not_found(server: Server) -> None:
    for link in ("nonsense", "é", "", "x" * 5000):
        assert Visitor(server).get(f"/set-password?link={link}".encode("ascii", "ignore").decode()).status == 404


def test_a_new_link_ends_the_old_one(server: Server, visitor: Visitor) -> None:
    old = add(visitor, "two-links@example.com")
    person = next(row for row in server.admin("GET", "/v4/people?q=two-links").json["data"])
    page = visitor.submit(f"{PEOPLE}/{person['id']}/link", f"{PEOPLE}/{person['id']}/link")
    new = re.search(r"/set-password\?link=[0-9A-Za-z_-]+", page.body.decode())[0]
    assert Visitor(server).get(old).status == 404
    assert set_password(server, new).status == 303


def test_nobody_with_a_password_gets_a_link(server: Server, visitor: Visitor) -> None:
    person = server.create_person("has-password@example.com")
    action = f"{PEOPLE}/{person['id']}/link"
    question = visitor.get(action)
    assert "has a password" in question.body.decode()
    assert action not in forms_of(question)
    refused = visitor.post(action, {"csrf": forms_of(question)["/sign-out"]["csrf"]})
    assert refused.status == 409
    assert b"has a password" in refused.body


def test_a_new_link_is_offered_to_people_without_a_password_alone(server: Server, visitor: Visitor) -> None:
    person = server.create_person("offered-with@example.com")
    add(visitor, "offered-without@example.com")
    page = visitor.get(f"{PEOPLE}?q=offered-").body.decode()
    assert f"{PEOPLE}/{person['id']}/link" not in page
    assert page.count('/link"') == page.count("New one-time link…") * 2 == 2


def test_an_address_that_is_taken_is_refused_beside_its_field(server: Server, visitor: Visitor) -> None:
    page = visitor.submit(f"{PEOPLE}/add", f"{PEOPLE}/add", email=EMAIL.upper())
    assert page.status == 409
    assert b"Somebody has this address already." in page.body


@pytest.mark.parametrize(("doing", "then"), [("disable", "enable"), ("promote", "demote")])
def test_what_is_done_to_a_person_is_done_and_undone(server: Server, visitor: Visitor, doing: str, then: str) -> None:
    person = server.create_person(f"{doing}@example.com")
    field = {"disable": "isDisabled", "promote": "isAdmin"}[doing]
    for action, expected in ((doing, True), (then, False)):
        path = f"{PEOPLE}/{person['id']}/{action}"
        assert visitor.submit(path, path).status == 303
        assert server.admin("GET", f"/v4/people/{person['id']}").json[field] is expected


def test_the_last_administrator_is_told_before_confirming(server: Server, visitor: Visitor) -> None:
    me = server.admin("GET", "/v4/people/current").json["id"]
    for action in ("disable", "demote", "delete"):
        path = f"{PEOPLE}/{me}/{action}"
        question = visitor.get(path)
        assert b"is the last administrator" in question.body
        assert path not in forms_of(question)
        refused = visitor.post(path, {"csrf": forms_of(question)["/sign-out"]["csrf"]})
        assert refused.status == 409
        assert b"is the last administrator" in refused.body


@pytest.mark.parametrize(
    ("action", "said", "then"),
    [
        ("disable", "You are signed out at once", "/sign-in?done=signed-out"),
        ("demote", "You lose the administration pages at once", "/settings/access-tokens?done=own-rights-given-up"),
        ("delete", "You are signed out at once", "/sign-in?done=signed-out"),
    ],
)
def test_what_happens_to_ones_own_account_is_said_and_done(server: Server, action: str, said: str, then: str) -> None:
    person = server.create_person(f"own-{action}@example.com", isAdmin=True)
    visitor = Visitor(server).sign_in(person["email"], PASSWORD)
    path = f"{PEOPLE}/{person['id']}/{action}"
    page = visitor.get(path).body.decode()
    assert "This is your own account" in page
    assert said in page
    assert visitor.submit(path, path).headers["location"] == then
    assert visitor.get(then).status == 200


def test_of_somebody_else_nobody_says_your_own_account(server: Server, visitor: Visitor) -> None:
    person = server.create_person("somebody-else@example.com")
    assert b"your own account" not in visitor.get(f"{PEOPLE}/{person['id']}/disable").body


def test_a_deleted_person_is_gone(server: Server, visitor: Visitor) -> None:
    person = server.create_person("deleted@example.com")
    path = f"{PEOPLE}/{person['id']}/delete"
    assert visitor.submit(path, path).status == 303
    assert server.admin("GET", f"/v4/people/{person['id']}").status == 404


def test_an_administrator_deletes_somebody_elses_token(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True})
    person = own_server.create_person("has-tokens@example.com")
    value, info = own_server.create_token(basic=(person["email"], PASSWORD), description="of somebody else")
    visitor = Visitor(own_server).sign_in()
    address = f"{PEOPLE}/{person['id']}/access-tokens"
    assert b"of somebody else" in visitor.get(address).body
    action = f"{address}/{info['tokenId']}/delete"
    assert visitor.submit(action, action).headers["location"] == f"{address}?done=token-deleted"
    assert own_server.request("GET", "/verify", bearer=value).status == 401


def test_the_policy_is_saved_as_a_whole(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    form = {**visitor.form(POLICY, POLICY), "usersMayGenerate": "true", "maximumLifetimeDays": "90"}
    assert visitor.post(POLICY, form).status == 303
    assert own_server.admin("GET", "/v4/settings").json == {
        "apiAccessTokens.enabled": True,
        "apiAccessTokens.usersMayGenerate": True,
        "apiAccessTokens.maximumLifetimeDays": 90,
        "tokens.retentionDays": 400,
        "verifiers.boundSeconds": 5,
        "verifiers.graceSeconds": 0,
    }


def test_a_bad_policy_changes_nothing(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    before = own_server.admin("GET", "/v4/settings").json
    page = visitor.submit(POLICY, POLICY, usersMayGenerate="true", maximumLifetimeDays="0")
    assert page.status == 400
    assert b"must be a whole number from 1 to 36500".lower() in page.body.lower()
    assert own_server.admin("GET", "/v4/settings").json == before


def test_the_verifiers_are_shown_with_what_is_connected(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    assert "None is registered" in visitor.get("/admin/verifiers").body.decode()
    _, credential = add_verifier(own_server, "Orders <b>")
    assert "Not connected" in visitor.get("/admin/verifiers").body.decode()
    poll = {"instance": "worker-1", "after": 0, "epoch": "", "wait": 0}
    assert own_server.request("POST", "/verifiers/v1/follow", poll, bearer=credential).status == 200
    page = visitor.get("/admin/verifiers").body.decode()
    for part in ("Orders &lt;b&gt;", "worker-1", "behind", " of 5 s"):
        assert part in page
    assert "Not connected" not in page


def test_after_a_deletion_the_page_says_who_has_confirmed_until_all_have(own_server: Server) -> None:
    visitor = Visitor(own_server).sign_in()
    _, credential = add_verifier(own_server, "orders")

    def poll(after: int, epoch: str) -> dict:
        body = {"instance": "worker-1", "after": after, "epoch": epoch, "wait": 0}
        return own_server.request("POST", "/verifiers/v1/follow", body, bearer=credential).json

    own_server.admin("PATCH", "/v4/settings", {"verifiers.boundSeconds": 60})
    first = poll(0, "")
    _, info = own_server.create_token()
    action = f"{TOKENS}/{info['tokenId']}/delete"
    location = visitor.submit(action, action).headers["location"]
    assert location == f"{TOKENS}?done=token-deleted&change={first['head'] + 1}"
    page = visitor.get(location).body.decode()
    assert "Confirmed by 0 of 1 connected verifier elsewhere" in page
    assert f'hx-get="{location.replace("&", "&amp;")}"' in page
    poll(first["head"] + 1, first["epoch"])
    page = visitor.get(location).body.decode()
    assert "Confirmed by 1 of 1 connected verifier elsewhere" in page
    assert "hx-get" not in page.partition('id="receipt"')[2].partition("</p>")[0]
    own_server.request("POST", "/verifiers/v1/leave", {"instance": "worker-1"}, bearer=credential)
    assert "No verifier elsewhere is connected any more" in visitor.get(location).body.decode()
    for nonsense in ("x", "-1", "1" * 40):
        assert "Confirmed by" not in visitor.get(f"{TOKENS}?change={nonsense}").body.decode()


def test_the_audit_log_tells_what_happened_in_words(server: Server, visitor: Visitor) -> None:
    _, info = server.create_token(description="seen in the log")
    page = visitor.get(AUDIT).body.decode()
    assert "Token generated" in page
    assert "seen in the log" in page
    assert info["tokenId"][-12:] in page


def test_the_audit_log_says_settings_in_words(own_server: Server) -> None:
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.usersMayGenerate": True, "tokens.retentionDays": 1})
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.maximumLifetimeDays": 90})
    page = Visitor(own_server).sign_in().get(f"{AUDIT}?kind=settings").body.decode()
    assert "Who may generate: administrators only → everyone" in page
    assert "Records are kept: 400 days → 1 day" in page
    assert "Longest lifetime: no maximum → 90 days" in page
    assert "Today, " in page


def test_a_kind_of_event_that_does_not_exist_shows_all(visitor: Visitor) -> None:
    assert b"Signed in" in visitor.get(f"{AUDIT}?kind=foo&after=x").body


def test_the_audit_log_is_found_by_person_and_by_id(server: Server, visitor: Visitor) -> None:
    person = server.create_person("searched-for@example.com")
    _, info = server.create_token(description="searched for by id")
    by_person = visitor.get(f"{AUDIT}?q=searched-for@example.com").body.decode()
    assert "Person added" in by_person
    assert "searched for by id" not in by_person
    assert "searched for by id" in visitor.get(f"{AUDIT}?q={info['tokenId']}").body.decode()
    assert "Person added" in visitor.get(f"{AUDIT}?q={person['id']}&kind=people").body.decode()
    assert "no e-mail address here" in visitor.get(f"{AUDIT}?q=nobody@example.com").body.decode()


def test_markup_in_a_name_is_shown_as_text(server: Server, visitor: Visitor) -> None:
    add(visitor, "markup@example.com", name="<b onclick=alert(1)>Bold</b>")
    for path in (PEOPLE, AUDIT):
        assert b"<b onclick" not in visitor.get(path).body


def test_every_form_on_every_page_has_its_token(server: Server, visitor: Visitor) -> None:
    for path in ("/settings/access-tokens", "/settings/profile", PEOPLE, f"{PEOPLE}/add", POLICY, AUDIT):
        for action, fields in forms_of(visitor.get(path)).items():
            if action not in {"/settings/access-tokens", PEOPLE, AUDIT}:
                assert "csrf" in fields, (path, action)


def test_an_old_policy_form_does_not_undo_what_somebody_else_changed_since(own_server: Server) -> None:
    browser = Visitor(own_server).sign_in()
    form = browser.form("/admin/token-policy", "/admin/token-policy")
    own_server.admin("PATCH", "/v4/settings", {"apiAccessTokens.enabled": False})
    saved = browser.post("/admin/token-policy", {**form, "retentionDays": "30"})
    assert saved.status == 303
    settings = own_server.admin("GET", "/v4/settings").json
    assert (settings["apiAccessTokens.enabled"], settings["tokens.retentionDays"]) == (False, 30)

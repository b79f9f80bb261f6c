"""Who is deactivated or deleted by their directory: refused at once, and back only as the site says."""

from collections.abc import Callable
from contextlib import closing

import pytest

from gatepass import open_verifier
from gatepass.model.verdict import Accepted, Reason
from support.openid import ALICE, OpenId
from support.pushing import Directory, deactivation, entra_user, next_number, okta_user
from support.server import Server, gatepass
from support.visitor import Visitor
from support.waiting import poll
from web.test_oidc import HOME, begin, come_back, generate

Ending = Callable[[Directory, str], int]
ENDINGS: dict[str, tuple[Ending, Reason]] = {
    "deactivated": (lambda corp, who: corp.ask("PATCH", who, deactivation("False")).status, Reason.OWNER_DISABLED),
    "deleted": (lambda corp, who: corp.ask("DELETE", who).status, Reason.OWNER_DELETED),
}


def comes_in(site: Server, op: OpenId, number: int, provider: str = "corp", **claims: object) -> Visitor | None:
    """Sign in as somebody at their provider; None if they are not let in here."""
    op.person = {
        **ALICE,
        "sub": f"00u{number}",
        "oid": f"oid-{number}",
        "email": f"p{number}@mail.example.com",
        **claims,
    }
    visitor = Visitor(site)
    reply = come_back(visitor, op.authorise(begin(visitor, provider)), provider)
    return visitor if (reply.status, reply.headers["location"]) == (303, HOME) else None


def entered(site: Server, op: OpenId, corp: Directory) -> tuple[int, dict[str, object], Visitor]:
    """Push somebody, and have them sign in."""
    number = next_number()
    told = corp.make(entra_user(number))
    visitor = comes_in(site, op, number)
    assert visitor is not None, site.log.read_text()[-2000:]
    return number, told, visitor


def status(site: Server, token: str) -> int:
    return site.request("GET", "/verify", bearer=token).status


def test_who_signs_in_is_the_person_that_was_pushed(site: Server, op: OpenId, corp: Directory) -> None:
    _, told, visitor = entered(site, op, corp)
    me = site.request("GET", "/v4/people/current", bearer=generate(visitor)).json
    assert (me["id"], me["email"], me["name"]) == (told["id"], told["userName"], told["displayName"])
    assert corp.ask("GET", str(told["id"])).json["userName"] == told["userName"]


def test_who_was_not_pushed_is_not_let_in_where_nobody_is_made(site: Server, op: OpenId, corp: Directory) -> None:
    assert comes_in(site, op, next_number()) is None


def test_by_the_usual_subject_somebody_is_the_same_too(site: Server, op: OpenId, partners: Directory) -> None:
    number = next_number()
    told = partners.make(okta_user(number))
    visitor = comes_in(site, op, number, "partners")
    assert visitor is not None
    assert site.request("GET", "/v4/people/current", bearer=generate(visitor)).json["id"] == told["id"]


def test_who_signed_in_before_the_directory_pushed_is_found_by_it(
    site: Server, op: OpenId, partners: Directory
) -> None:
    number = next_number()
    login = f"early{number}@example.com"
    visitor = comes_in(site, op, number, "partners", email_verified=False, preferred_username=login)
    assert visitor is not None
    me = site.request("GET", "/v4/people/current", bearer=generate(visitor)).json
    assert me["email"] == f"early{number}.example.com@partners"
    found = partners.find(f'userName eq "{login}"')["Resources"]
    assert [(each["id"], each["externalId"]) for each in found] == [(me["id"], f"00u{number}")]
    after = partners.ask("PUT", me["id"], okta_user(number, userName=login)).json
    assert (after["id"], after["userName"]) == (me["id"], login)


@pytest.mark.parametrize("ending", ENDINGS)
def test_tokens_are_refused_at_once_and_within_the_bound_elsewhere(
    site: Server, op: OpenId, corp: Directory, database: str, ending: str
) -> None:
    end, reason = ENDINGS[ending]
    _, told, visitor = entered(site, op, corp)
    token = generate(visitor)
    credential = gatepass("verifiers", "add", f"orders-{ending}", "--data", str(site.data)).stdout.strip()
    journal = site.data / "gatepass.journal"
    with (
        closing(open_verifier(site.data, database=database, journal=journal)) as beside,
        closing(open_verifier(site.url, credential=credential)) as elsewhere,
    ):
        assert status(site, token) == 200
        assert all(isinstance(each.verify(token), Accepted) for each in (beside, elsewhere))
        assert str(told["id"]) not in journal.read_text()
        assert end(corp, str(told["id"])) in {200, 204}
        assert str(told["id"]) in journal.read_text()
        assert status(site, token) == 401
        if database:  # that of another host, and a verifier beside it follows as one elsewhere
            poll(lambda: not isinstance(beside.verify(token), Accepted), seconds=1.5)
        assert beside.verify(token).reason is reason
        poll(lambda: not isinstance(elsewhere.verify(token), Accepted), seconds=1.5)  # the bound is 1 s
    assert visitor.get(HOME).status == 303
    assert site.request("GET", "/v4/people/current", bearer=token).status == 401


def test_coming_back_enables_nobody_by_itself(site: Server, op: OpenId, corp: Directory) -> None:
    number, told, visitor = entered(site, op, corp)
    token = generate(visitor)
    corp.ask("PATCH", str(told["id"]), deactivation())
    for body in (deactivation(True), deactivation("True")):
        back = corp.ask("PATCH", str(told["id"]), body)
        assert (back.status, back.json["active"]) == (200, False)
    assert comes_in(site, op, number) is None
    assert status(site, token) == 401
    assert site.admin("PATCH", f"/v4/people/{told['id']}", {"isDisabled": False}).status == 200
    assert status(site, token) == 200
    assert corp.ask("GET", str(told["id"])).json["active"] is True


def test_coming_back_enables_where_the_site_says_so_and_by_the_directory_alone(
    site: Server, op: OpenId, partners: Directory
) -> None:
    number = next_number()
    told = partners.make(okta_user(number, active=False))
    assert comes_in(site, op, number, "partners") is None
    assert partners.ask("PATCH", told["id"], deactivation(True)).json["active"] is True
    assert comes_in(site, op, number, "partners") is not None


def test_whom_an_administrator_disabled_no_directory_enables(site: Server, partners: Directory) -> None:
    told = partners.make(okta_user(next_number()))
    assert site.admin("PATCH", f"/v4/people/{told['id']}", {"isDisabled": True}).status == 200
    assert partners.ask("PATCH", told["id"], deactivation()).json["active"] is False
    assert partners.ask("PATCH", told["id"], deactivation(True)).json["active"] is False


def test_the_last_administrator_stays(site: Server, op: OpenId, corp: Directory) -> None:
    _, told, visitor = entered(site, op, corp)
    token = generate(visitor)
    me = site.admin("GET", "/v4/people/current").json
    site.admin("PATCH", f"/v4/people/{told['id']}", {"isAdmin": True})
    try:
        assert site.request("PATCH", f"/v4/people/{me['id']}", {"isAdmin": False}, bearer=token).status == 200
        for reply in (corp.ask("PATCH", str(told["id"]), deactivation()), corp.ask("DELETE", str(told["id"]))):
            assert (reply.status, "scimType" in reply.json) == (409, False)
            assert "last administrator" in reply.json["detail"]
        assert status(site, token) == 200
    finally:
        site.request("PATCH", f"/v4/people/{me['id']}", {"isAdmin": True}, bearer=token)
    assert corp.ask("PATCH", str(told["id"]), deactivation()).json["active"] is False

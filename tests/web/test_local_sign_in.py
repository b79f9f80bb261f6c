"""Pages and API where local sign-in is off: buttons first, one way back in, and no way to set another password."""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from support.server import EMAIL, PASSWORD, UNTHROTTLED, Server, gatepass, make_installation
from support.visitor import Visitor, forms_of
from support.with_provider import BUTTON_ONLY, Company, toy_server

RECOVERED = "quiet harbour at midnight"
PEOPLE, PROFILE = "/admin/people", "/settings/profile"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two people, of whom one has not used their link yet, and then local sign-in off."""
    folder = tmp_path_factory.mktemp("off") / "data"
    make_installation(folder)
    with Server(folder) as server:
        server.create_person("maria@example.com")
        server.admin("POST", "/v4/people", {"email": "new@example.com"})
    (folder / "gatepass.toml").write_text(BUTTON_ONLY)
    set_long_ago(folder)
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with Server(data) as running:
        yield running


@pytest.fixture
def recovered(server: Server, data: Path) -> Iterator[Visitor]:
    """The browser of the administrator whom the console let in again."""
    done = recover(data)
    assert done.stdout == f"{EMAIL} (an administrator) can sign in with the new password, for an hour\n"
    assert "sign_in.local is off" in done.stderr
    yield Visitor(server).sign_in(password=RECOVERED)
    set_long_ago(data)


def recover(data: Path):
    return gatepass("user", "recover", EMAIL, "--password-file", "-", "--data", str(data), stdin=RECOVERED)


def set_long_ago(data: Path) -> None:
    """Let an hour pass since every password was set."""
    with closing(apsw.Connection(str(data / "gatepass.db"))) as database:
        database.execute("UPDATE passwords SET changed_at = changed_at - 3600000")


def test_the_page_offers_the_providers_and_the_way_back_in(server: Server) -> None:
    page = Visitor(server).get("/sign-in").body.decode()
    assert page.index("Sign in with Company") < page.index("<details") < page.index('name="password"')
    assert '<details class="more">' in page


def test_a_right_password_is_refused_like_a_wrong_one_and_like_an_unknown_name(server: Server) -> None:
    tries = ((EMAIL, PASSWORD), (EMAIL, "wrong"), ("nobody@example.com", PASSWORD))
    basic = [server.request("GET", "/v4/people/current", basic=each) for each in tries]
    assert {(each.status, each.body) for each in basic} == {(401, basic[0].body)}
    pages = []
    for email, password in tries:
        visitor = Visitor(server)
        reply = visitor.submit("/sign-in", "/sign-in", email=email, password=password)
        page = re.sub(r'"server-time" content="[^"]*"', "", reply.body.decode().replace(email, "EMAIL"))
        for each in forms_of(reply).values():
            page = page.replace(each["csrf"], "CSRF")
        pages.append((reply.status, page))
    assert set(pages) == {(401, pages[0][1])}
    assert '<details class="more" open>' in pages[0][1]


def test_the_console_lets_an_administrator_in_for_an_hour(server: Server, data: Path) -> None:
    recover(data)
    visitor = Visitor(server).sign_in(password=RECOVERED)
    assert visitor.get(PEOPLE).status == 200
    assert server.request("GET", "/v4/people/current", basic=(EMAIL, RECOVERED)).status == 200
    set_long_ago(data)
    assert server.request("GET", "/v4/people/current", basic=(EMAIL, RECOVERED)).status == 401
    assert Visitor(server).submit("/sign-in", "/sign-in", email=EMAIL, password=RECOVERED).status == 401


def test_nobody_is_added_and_no_password_is_changed(server: Server, recovered: Visitor) -> None:
    people = recovered.get(PEOPLE).body.decode()
    assert "Add person" not in people
    assert people.count("password here, switched off") == 3
    assert "New one-time link" not in people
    assert recovered.get(f"{PEOPLE}/add").status == 409
    assert b"Current password" not in recovered.get(PROFILE).body
    change = {"currentPassword": RECOVERED, "newPassword": "one more good sentence"}
    for method, path, body in (
        ("POST", "/v4/people", {"email": "x@example.com"}),
        ("PUT", "/v4/people/current/password", change),
    ):
        reply = server.request(method, path, body, basic=(EMAIL, RECOVERED))
        assert (reply.status, "sign_in.local is off" in reply.details) == (409, True), reply.body


def test_the_question_about_a_link_says_why_there_is_none(server: Server, recovered: Visitor) -> None:
    new = next(
        each["id"]
        for each in server.request("GET", "/v4/people", basic=(EMAIL, RECOVERED)).json["data"]
        if each["email"] == "new@example.com"
    )
    assert "No password counts here" in recovered.get(f"{PEOPLE}/{new}/link").body.decode()


def test_the_pages_say_that_the_way_back_in_stays(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    with closing(apsw.Connection(str(copy / "gatepass.db"))) as database:
        database.execute("UPDATE users SET provider = 'company', subject = 's', is_admin = 1 WHERE email LIKE 'maria%'")
        [[boss]] = database.execute("SELECT id FROM users WHERE provider = 'local' AND is_admin")
    recover(copy)
    with Server(copy) as server:
        visitor = Visitor(server).sign_in(password=RECOVERED)
        for question in ("demote", "delete"):
            page = f"{PEOPLE}/{UUID(bytes=boss)}/{question}"
            assert b"is the way back in" in visitor.get(page).body
            csrf = forms_of(visitor.get(PROFILE))["/sign-out"]["csrf"]
            reply = visitor.post(page, {"csrf": csrf})
            assert (reply.status, b"is the way back in" in reply.body) == (409, True)


def test_after_the_hour_the_page_says_that_the_password_counts_no_longer(tmp_path: Path) -> None:
    with toy_server(tmp_path, Company(tmp_path, {}), env={"GATEPASS_SIGN_IN__LOCAL": "false"}) as server:
        visitor = Visitor(server).sign_in()
        with closing(apsw.Connection(str(server.data / "gatepass.db"))) as database:
            database.execute("UPDATE sessions SET signed_in_at = signed_in_at - 3590000")
        set_long_ago(server.data)
        move = f"{PROFILE}/move/corp"
        reply = visitor.submit(move, move, password=PASSWORD)
        assert (b"our password counts no longer" in reply.body, move in forms_of(reply)) == (True, True)


@pytest.mark.parametrize(
    "providers", ["", BUTTON_ONLY.partition("[providers")[1] + BUTTON_ONLY.partition("[providers")[2]]
)
def test_a_server_without_any_way_in_does_not_start(tmp_path: Path, data: Path, providers: str) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    config = tmp_path / "other.toml"
    config.write_text(f"[sign_in]\nlocal = false\n{providers}{'enabled = false' if providers else ''}\n")
    done = gatepass("serve", "--data", str(copy), "--config", str(config), env=UNTHROTTLED, timeout=20)
    assert done.returncode == 1
    assert done.stderr == "error: sign_in.local: is off, and so is every identity provider: nobody could sign in\n"


def test_the_only_provider_can_be_tried_while_it_is_switched_off(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    (copy / "gatepass.toml").write_text(BUTTON_ONLY + "enabled = false\n")
    assert "company" in gatepass("idp", "list", "--data", str(copy)).stdout
    said = gatepass("doctor", "--data", str(copy)).stdout
    assert (
        "wrong    local sign-in sign_in.local: is off, and so is every identity provider: nobody could sign in" in said
    )


def test_the_last_provider_is_not_removed(data: Path) -> None:
    done = gatepass("idp", "remove", "company", "--yes", "--data", str(data))
    assert done.returncode == 1
    assert "sign_in.local" in done.stderr
    assert (data / "gatepass.toml").read_text() == BUTTON_ONLY


def test_doctor_says_it_also_where_no_provider_is_configured_at_all(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    (copy / "gatepass.toml").write_text("[sign_in]\nlocal = false\n")
    done = gatepass("doctor", "--data", str(copy))
    assert (done.returncode, "nobody could sign in" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("elsewhere", "said"),
    [
        ("0", "people who can sign in nowhere else: 2; their tokens go on working"),
        ("NOT is_admin", "local sign-in off; `gatepass user recover` lets an administrator in"),
        ("is_admin", "could let no administrator in: none has an account here"),
    ],
)
def test_doctor_says_who_is_left_out_and_whether_somebody_could_come_back(
    data: Path, tmp_path: Path, elsewhere: str, said: str
) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    with closing(apsw.Connection(str(copy / "gatepass.db"))) as database:
        database.execute(f"UPDATE users SET provider = 'company', subject = hex(id) WHERE {elsewhere}")
    assert said in gatepass("doctor", "--data", str(copy)).stdout

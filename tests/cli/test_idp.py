"""`gatepass idp` on the real command line, with a real directory behind it."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server, gatepass, make_installation
from support.slapd import BASE, PEOPLE, SEARCHER, Slapd, group_dn, running_slapd

FILE = "gatepass.toml"
OURS = """# ours
[log]
level = "warning"  # less
"""


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    yield from running_slapd()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    make_installation(data)
    (data / FILE).write_text(OURS)
    (data / FILE).chmod(0o600)
    return data


def keys_of(slapd: Slapd) -> list[str]:
    return [
        *(f"urls={url}" for url in slapd.urls),
        f"tls_ca={slapd.authority}",
        f"bind_dn={SEARCHER[0]}",
        f"base={BASE}",
        "trust_email=true",
        "connect_seconds=2",
    ]


def idp(data: Path, *arguments: str, stdin: str = "", env: dict[str, str] | None = None):
    return gatepass("idp", *arguments, "--data", str(data), stdin=stdin, env=env)


def add_corp(data: Path, slapd: Slapd, *flags: str):
    secret = ("--secret-file", "bind_password=-")
    return idp(data, "add", "corp", *keys_of(slapd), "--kind", "ldap", *secret, *flags, stdin=SEARCHER[1] + "\n")


def test_what_is_added_is_listed_tested_and_signs_people_in_when_the_server_starts(data: Path, slapd: Slapd) -> None:
    done = add_corp(data, slapd, "--enable")
    assert (done.returncode, done.stdout) == (0, f"added corp (ldap) to {data / FILE}, switched on\n"), done.stderr
    listed = json.loads(idp(data, "list", "--json").stdout)["data"]
    assert listed == [{"id": "corp", "kind": "ldap", "name": "corp", "can": ["passwords", "reading"]}]
    tested = json.loads(idp(data, "test", "corp", "--user", "alice", "--json").stdout)
    assert (tested["ok"], tested["person"]["nameHere"]) == (True, "alice@example.org")
    with Server(data) as server:
        assert server.request("GET", "/v4/people/current", basic=("alice", "alice password")).status == 200


def test_a_provider_is_switched_off_until_somebody_says_otherwise(data: Path, slapd: Slapd) -> None:
    done = add_corp(data, slapd, "--json")
    assert json.loads(done.stdout) == {"id": "corp", "kind": "ldap", "enabled": False, "file": str(data / FILE)}
    assert idp(data, "test", "corp").returncode == 0
    with Server(data) as server:
        assert server.request("GET", "/v4/people/current", basic=("alice", "alice password")).status == 401


def test_the_rest_of_the_file_its_comments_and_its_mode_stay(data: Path, slapd: Slapd) -> None:
    link = data / "link.toml"
    link.symlink_to(data / FILE)
    done = gatepass(
        "idp", "add", "corp", *keys_of(slapd), "--kind", "ldap", "--ask", "bind_password",
        "--config", str(link), "--data", str(data), stdin=SEARCHER[1] + "\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert link.is_symlink()
    text = (data / FILE).read_text()
    assert text.startswith(OURS + "\n[providers.corp]\n")
    for line in ("enabled = false", "trust_email = true", "connect_seconds = 2", f'bind_password = "{SEARCHER[1]}"'):
        assert f"\n{line}\n" in text
    assert stat.S_IMODE((data / FILE).stat().st_mode) == 0o600
    assert sorted(each.name for each in data.iterdir() if "toml" in each.name) == [FILE, "link.toml"]
    assert idp(data, "remove", "corp", "--yes").returncode == 0
    assert (data / FILE).read_text() == OURS


def test_without_a_secret_a_file_that_others_read_stays_one(data: Path) -> None:
    (data / FILE).chmod(0o644)
    done = idp(data, "add", "corp", "--kind", "oidc", "issuer=https://idp.example.com", "client_id=us")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((data / FILE).stat().st_mode) == 0o644


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(data: Path) -> None:
    (data / FILE).unlink()
    assert idp(data, "add", "corp", "--kind", "active-directory", *DIRECTORY).returncode == 0
    assert stat.S_IMODE((data / FILE).stat().st_mode) == 0o600
    assert 'kind = "ldap"\nenabled = false\nflavour = "ad"\n' in (data / FILE).read_text()


DIRECTORY = ("urls=ldaps://dc.example.com", "base=DC=example,DC=com", "direct_bind={login}@example.com")
REFUSED = {
    "a secret as an argument": (("bind_password=let me look",), "bind_password: is a secret", 2),
    "a key that is none": (("colour=red",), "providers.more.colour", 1),
    "a number that is none": (("connect_seconds=soon",), "must be a whole number", 1),
    "a key twice": (("base=a",), "base: is given twice", 2),
    "a word without a key": (("word",), "must have a name before a '='", 2),
    "plain ldap": (("urls=http://dc.example.com",), "urls", 1),
    "no group": (("admin_groups=admins",), "'admins' is no DN of a group", 1),
    "enabled as a key": (("enabled=true",), "is said by --enable", 2),
    "a secret that is none": (("--ask", "base"), "base: is no secret", 2),
    "a secret that is not there": (("--secret-file", "bind_password=nowhere"), "cannot read 'nowhere'", 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_serve_would_refuse_is_not_written(data: Path, name: str) -> None:
    more, words, code = REFUSED[name]
    done = idp(data, "add", "more", "--kind", "ldap", *DIRECTORY, *more)
    assert words in done.stderr
    assert "let me look" not in done.stderr
    assert done.returncode == code
    assert (data / FILE).read_text() == OURS


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("add", "Corp", "--kind", "ldap", *DIRECTORY), "is no id of a provider", 2),
        (("add", "local", "--kind", "ldap", *DIRECTORY), "is no id of a provider", 2),
        (("add", "corp]", "--kind", "ldap", *DIRECTORY), "is no id of a provider", 2),
        (("add", "corp", "--kind", "kerberos"), "must be one of ldap", 1),
        (("remove", "corp", "--yes"), "there is no provider 'corp'", 1),
        (("test", "corp"), "there is no provider 'corp'", 1),
    ],
)
def test_what_cannot_be_is_refused(data: Path, arguments: tuple[str, ...], words: str, code: int) -> None:
    done = idp(data, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert (data / FILE).read_text() == OURS


def test_an_id_that_is_there_is_refused_wherever_it_stands(data: Path) -> None:
    first = ("add", "corp", "--kind", "ldap", *DIRECTORY)
    assert idp(data, *first).returncode == 0
    text = (data / FILE).read_text()
    done = idp(data, *first)
    assert (done.returncode, "there is a provider 'corp' already" in done.stderr) == (1, True)
    elsewhere = idp(data, "add", "other", "--kind", "ldap", *DIRECTORY, env={"GATEPASS_PROVIDERS__OTHER__KIND": "ldap"})
    assert (elsewhere.returncode, "GATEPASS_PROVIDERS__OTHER__KIND already" in elsewhere.stderr) == (1, True)
    assert (data / FILE).read_text() == text


def test_no_secret_goes_into_a_file_that_others_can_read(data: Path, slapd: Slapd) -> None:
    (data / FILE).chmod(0o640)
    done = add_corp(data, slapd)
    assert (done.returncode, "can be read by others" in done.stderr) == (1, True)
    assert (data / FILE).read_text() == OURS


def test_removing_says_who_is_left_and_their_tokens_go_on_until_they_are_disabled(data: Path, slapd: Slapd) -> None:
    assert add_corp(data, slapd, "--enable", f"generate_groups={group_dn('makers')}").returncode == 0
    with Server(data) as server:
        value, _ = server.create_token(basic=("bob", "bob password"))
    text = (data / FILE).read_text()
    asked = idp(data, "remove", "corp", stdin="n\n")
    assert (asked.returncode, (data / FILE).read_text()) == (1, text)
    assert "People who sign in by corp: 1, of them disabled: 0." in asked.stderr
    assert "THEIR TOKENS GO ON WORKING" in asked.stderr
    done = idp(data, "remove", "corp", "--yes", "--json")
    assert json.loads(done.stdout) == {"removed": "corp", "file": str(data / FILE), "people": 1, "disabled": 0}
    with Server(data) as server:
        assert server.request("GET", "/v4/people/current", basic=("bob", "bob password")).status == 401
        assert server.request("GET", "/verify", bearer=value).status == 200
        person = server.admin("GET", "/v4/people?q=bob").json["data"][0]["id"]
        server.admin("PATCH", f"/v4/people/{person}", {"isDisabled": True})
        assert server.request("GET", "/verify", bearer=value).status == 401


def test_a_provider_without_people_or_without_an_installation_is_removed_too(data: Path, tmp_path: Path) -> None:
    assert idp(data, "add", "corp", "--kind", "ldap", *DIRECTORY).returncode == 0
    asked = idp(data, "remove", "corp", stdin="y\n")
    assert (asked.returncode, "Nobody signs in by corp." in asked.stderr) == (0, True)
    (tmp_path / FILE).write_text('[providers.corp]\nkind = "ldap"\n')
    asked = idp(tmp_path, "remove", "corp", stdin="y\n")
    assert (asked.returncode, "nobody was counted" in asked.stderr) == (0, True)
    assert (tmp_path / FILE).read_text() == ""


def test_what_binds_as_whoever_signs_in_is_tried_as_far_as_that_goes(data: Path, slapd: Slapd) -> None:
    keys = (f"urls={slapd.urls[0]}", f"tls_ca={slapd.authority}", f"base={BASE}", f"direct_bind=uid={{login}},{PEOPLE}")
    assert idp(data, "add", "corp", "--kind", "ldap", *keys).returncode == 0
    done = idp(data, "test", "corp")
    assert (done.returncode, "answers over TLS" in done.stdout) == (0, True)
    asked = idp(data, "test", "corp", "--user", "alice")
    assert (asked.returncode, "nobody can be looked up" in asked.stdout) == (1, True)


def test_a_provider_that_is_out_of_reach_is_told_from_one_that_works(data: Path) -> None:
    keys = ("urls=ldaps://127.0.0.1:1", "base=dc=example,dc=org", "direct_bind=uid={login},dc=example,dc=org")
    assert idp(data, "add", "corp", "--kind", "ldap", *keys).returncode == 0
    done = idp(data, "test", "corp")
    assert done.returncode == 1
    assert "wrong" in done.stdout
    assert idp(data, "list").stdout.splitlines()[1].split()[:2] == ["corp", "ldap"]

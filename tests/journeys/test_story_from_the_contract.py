"""The whole story as a script would do it, with real curl and jq, written from the contract alone."""

import json
import shlex
import subprocess

import pytest

from support.server import EMAIL, PASSWORD, Server

OWN = "/v4/apiAccessTokens"


class Shell:
    """Runs command lines as a person would type them; `$URL`, `$CREDENTIALS` and others are variables."""

    def __init__(self, server: Server) -> None:
        self.variables = {"URL": server.url, "CREDENTIALS": f"{EMAIL}:{PASSWORD}", "PATH": "/usr/bin:/bin"}

    def run(self, line: str, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            env={**self.variables, **more},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def status(self, line: str, **more: str) -> int:
        return int(self.run(f"{line} -s -o /dev/null -w '%{{http_code}}'", **more))

    def create(self, body: dict[str, object], credentials: str = '-u "$CREDENTIALS"') -> str:
        sent = shlex.quote(json.dumps(body))
        return self.run(
            f"curl -sS {credentials} -H 'Content-Type: application/json' -d {sent} $URL{OWN} | jq -r .tokenValue"
        )

    def set(self, name: str, value: object) -> int:
        body = shlex.quote(json.dumps({name: value}))
        return self.status(
            f"curl -u \"$CREDENTIALS\" -H 'Content-Type: application/json' -X PATCH -d {body} $URL/v4/settings"
        )


@pytest.fixture
def shell(own_server: Server) -> Shell:
    return Shell(own_server)


def bearer(value: str) -> str:
    return f"-H 'Authorization: Bearer {value}'"


def test_a_token_from_its_creation_to_410(shell: Shell) -> None:
    token = shell.create({"lifetimeSeconds": 86400, "description": "nightly export"})
    assert shell.run(f"curl -sS {bearer(token)} $URL/v4/people/current | jq -r .email") == EMAIL
    assert shell.status(f"curl {bearer(token)} $URL/verify") == 200

    listed = shell.run(f"curl -sS {bearer(token)} $URL{OWN}")
    token_id = shell.run("jq -r '.data[0].tokenId' <<<\"$LISTED\"", LISTED=listed)
    got = shell.run(f"curl -sS {bearer(token)} $URL{OWN}/{token_id}")
    assert json.loads(got)["description"] == "nightly export"
    assert token not in listed + got

    renewed = shell.create({"lifetimeSeconds": 86400}, bearer(token))
    assert shell.status(f"curl -X DELETE {bearer(renewed)} $URL{OWN}/{token_id}") == 204
    assert shell.status(f"curl {bearer(token)} $URL/v4/people/current") == 401
    assert shell.status(f"curl {bearer(token)} $URL/verify") == 401
    assert shell.status(f"curl {bearer(renewed)} $URL{OWN}/{token_id}") == 410
    assert shell.status(f"curl -X DELETE {bearer(renewed)} $URL{OWN}/{token_id}") == 410
    assert shell.status(f"curl {bearer(renewed)} $URL/verify/v3/jobs?x=1") == 200


def test_an_expired_token_cannot_renew_itself_the_password_can(shell: Shell) -> None:
    token = shell.create({"lifetimeSeconds": 1})
    shell.run(
        f"for i in $(seq 50); do [ $(curl -s -o /dev/null -w '%{{http_code}}' {bearer(token)} $URL/verify) = 401 ] && exit; sleep 0.1; done; exit 1"
    )
    sent = "-H 'Content-Type: application/json' -d '{\"lifetimeSeconds\":60}'"
    assert shell.status(f"curl {bearer(token)} {sent} $URL{OWN}") == 401
    assert shell.status(f'curl -u "$CREDENTIALS" {sent} $URL{OWN}') == 201
    assert shell.run(f'curl -s -u "$CREDENTIALS" $URL{OWN} | jq -r ".data[0].status"') == "expired"


def test_a_changed_password_leaves_the_token(shell: Shell) -> None:
    token = shell.create({"lifetimeSeconds": -1})
    body = json.dumps({"currentPassword": PASSWORD, "newPassword": "another good sentence"})
    put = f"curl -X PUT -H 'Content-Type: application/json' -d {shlex.quote(body)} $URL/v4/people/current/password"
    assert shell.status(f"{put} {bearer(token)}") == 403
    assert shell.status(f'{put} -u "$CREDENTIALS"') == 204
    assert shell.status('curl -u "$CREDENTIALS" $URL/v4/people/current') == 401
    assert shell.status(f"curl {bearer(token)} $URL/verify") == 200


def test_a_disabled_person_is_refused_and_accepted_again_when_enabled(shell: Shell, own_server: Server) -> None:
    assert shell.set("apiAccessTokens.usersMayGenerate", True) == 200
    person = own_server.create_person("maria@example.com")
    token = shell.create({"lifetimeSeconds": 60}, f"-u 'maria@example.com:{PASSWORD}'")
    for disabled, expected in ((True, 401), (False, 200)):
        body = shlex.quote(json.dumps({"isDisabled": disabled}))
        patch = f"curl -X PATCH -u \"$CREDENTIALS\" -H 'Content-Type: application/json' -d {body} $URL/v4/people/{person['id']}"
        assert shell.status(patch) == 200
        assert shell.status(f"curl {bearer(token)} $URL/verify") == expected
        assert shell.status(f"curl {bearer(token)} $URL/v4/people/current") == expected


def test_switched_off_the_routes_do_not_exist_and_on_again_all_is_back(shell: Shell) -> None:
    token = shell.create({"lifetimeSeconds": 60})
    assert shell.set("apiAccessTokens.enabled", False) == 200
    for route in (OWN, f"{OWN}/x", "/v4/people/x/apiAccessTokens"):
        answer = shell.run(f"curl -s $URL{route}")
        assert json.loads(answer)["exception"]["name"] == "RouteNotFoundException"
        assert json.loads(answer)["exception"]["message"] == "Route doesn't exist"
        assert shell.status(f'curl -u "$CREDENTIALS" $URL{route}') == 404
    assert shell.status(f"curl {bearer(token)} $URL/verify") == 401
    assert shell.status(f"curl {bearer(token)} $URL/v4/people/current") == 401
    assert shell.status('curl -u "$CREDENTIALS" $URL/v4/people/current') == 200
    assert shell.set("apiAccessTokens.enabled", True) == 200
    assert shell.status(f"curl {bearer(token)} $URL/verify") == 200


def test_a_bearer_token_opens_no_page(shell: Shell) -> None:
    token = shell.create({"lifetimeSeconds": 60})
    assert shell.status(f"curl {bearer(token)} $URL/settings/access-tokens") == 401

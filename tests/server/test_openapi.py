"""The OpenAPI document: valid, of the same table as the routes, and true to what is answered."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepass.server.api.openapi import OPERATIONS
from support.server import EMAIL, PASSWORD, Server, environment

CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
EXAMPLES = "500" if os.environ.get("GATEPASS_SOAK") else "10"
SCHEMATHESIS = str(Path(sys.executable).with_name("st"))


def run(server: Server, folder: Path, *flags: str, as_token: bool = True) -> subprocess.CompletedProcess[str]:
    import base64

    value, _ = server.create_token(lifetimeSeconds=-1)
    basic = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    credential = f"Bearer {value}" if as_token else f"Basic {basic}"
    command = [SCHEMATHESIS, "--config-file", str(CONFIG), "run", f"{server.url}/openapi.json"]
    return subprocess.run(
        [*command, "--header", f"Authorization: {credential}", "--checks", "all", "--max-examples", EXAMPLES, *flags],
        cwd=folder,
        env=environment({"NO_COLOR": "1", "SCHEMATHESIS_HOOKS": str(HOOKS)}),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_schemathesis_finds_nothing_as_an_administrator(own_server: Server, tmp_path: Path) -> None:
    done = run(own_server, tmp_path, "--exclude-path", "/v4/settings")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Stateful" in done.stdout
    assert '"status": 503' not in own_server.log.read_text()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_schemathesis_finds_nothing_in_settings(own_server: Server, tmp_path: Path) -> None:
    flags = ("--include-path", "/v4/settings", "--phases", "examples,coverage,fuzzing")
    done = run(own_server, tmp_path, *flags, as_token=False)
    assert done.returncode == 0, done.stdout[-6000:]


def test_the_document_has_every_route_and_no_other(server: Server) -> None:
    paths = server.request("GET", "/openapi.json").json["paths"]
    told = {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}
    assert told == {(operation.method, operation.path) for operation in OPERATIONS}


def test_every_route_of_the_document_exists_and_knows_nobody_without_credentials(server: Server) -> None:
    for operation in OPERATIONS:
        path = operation.path.replace("{tokenId}", "x").replace("{id}", "x")
        reply = server.request(operation.method, path)
        assert (reply.status, reply.error) == (401, "MissingPersonException"), (operation.method, path)


def test_no_answer_of_the_document_names_a_secret(server: Server) -> None:
    text = json.dumps(server.request("GET", "/openapi.json").json).lower()
    for word in ("mac", "digest", "pepper", "salt", "handle", "argon"):
        assert f'"{word}' not in text


def test_the_document_is_for_everybody_and_the_same_each_time(server: Server) -> None:
    first, second = (server.request("GET", "/openapi.json") for _ in range(2))
    assert (first.status, first.body) == (200, second.body)


def test_the_pattern_of_a_line_is_what_the_server_takes() -> None:
    import re

    from gatepass.errors import InvalidInput
    from gatepass.model.text import check_line
    from gatepass.server.api.shapes import LINE

    def takes(character: str) -> bool:
        try:
            check_line("x", character, most=1)
        except InvalidInput:
            return False
        return True

    pattern = re.compile(LINE)
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF]
    assert [ascii(each) for each in characters if bool(pattern.fullmatch(each)) != takes(each)] == []

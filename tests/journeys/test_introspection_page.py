"""The commands in docs/reference/introspection.md do what the page says, pasted one after the other."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from support.server import EMAIL, PASSWORD, Server, environment

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "introspection.md"


def test_the_commands_of_the_page_work_as_pasted(server: Server, tmp_path: Path) -> None:
    commands = "\n".join(re.findall(r"^ {4}(.*)$", PAGE.read_text("utf-8"), re.MULTILINE))
    script = f'set -eu\ngatepass() {{ {shlex.quote(sys.executable)} -m gatepass "$@"; }}\n{commands}\n'
    env = {"URL": server.url, "EMAIL": EMAIL, "PASSWORD": PASSWORD, "DATA": str(server.data)}
    done = subprocess.run(
        ["sh"], input=script, env=environment(env), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(found) for found in re.findall(r"\{[^{}]*\}", done.stdout)]
    assert [answer["active"] for answer in answers] == [True, True, True, True, False]
    assert all(answer["username"] == EMAIL for answer in answers[:-1])
    assert done.stdout.endswith('{"active":false}')

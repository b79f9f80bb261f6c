"""A server with the toy provider: its people are a file that a test changes while it runs."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.server import Server, make_installation

_CONFIG = """
[server]
{server}
[providers.corp]
kind = "toy"
name = "Company & Co"
people = "{people}"
sign_in_groups = ["staff"]
read_every_seconds = 1
[providers.posting]
kind = "toy"
people = "{people}"
posts = true
"""
BUTTON_ONLY = """
[sign_in]
local = false
[providers.company]
kind = "oidc"
name = "Company"
issuer = "https://127.0.0.1:1"
client_id = "gatepass"
client_secret = "not asked for here"
"""
"""Local sign-in off, and a provider with a button and no passwords, which nobody reaches."""


class Company:
    """The file of a toy directory."""

    def __init__(self, folder: Path, people: Mapping[str, Mapping[str, Any]]) -> None:
        self.file = folder / "people.json"
        self.people = {subject: dict(each) for subject, each in people.items()}
        self.keep()

    def keep(self) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(self.people))
        draft.replace(self.file)


def toy_server(folder: Path, company: Company, *, server: str = "", env: Mapping[str, str] | None = None) -> Server:
    """Return a server of its own installation in `folder`, to be started."""
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(_CONFIG.format(people=company.file, server=server))
    made = Server(folder / "data", env=env)
    made.program = [sys.executable, str(Path(__file__).parent / "with_toy.py")]
    return made

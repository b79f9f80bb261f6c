"""Directories whose people a test takes away, each in its own way: the toy's file, and a real OpenLDAP server."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from support.pushing import CREDENTIALS
from support.server import Server, make_installation
from support.slapd import BASE, SEARCHER, Slapd, dn_of, group, group_dn, person

GROUP = "matrix"
"""Whoever is in it may sign in."""
_COMMON = """
read_every_seconds = 1
sign_in_groups = ["{group}"]
"""


class Directory(Protocol):
    """People who come and go. A password is `password` and the login."""

    def serve(self, folder: Path) -> Server: ...

    def join(self, *logins: str) -> None: ...

    def remove(self, login: str) -> None: ...

    def disable(self, login: str) -> None: ...

    def leave_group(self, login: str) -> None: ...

    def expire_password(self, login: str) -> None: ...

    def lock(self, login: str) -> None: ...

    def close(self) -> None: ...


class Toy:
    """The provider of the tests."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "people.json"
        self._people: dict[str, dict[str, object]] = {}

    def serve(self, folder: Path) -> Server:
        config = f'[providers.corp]\nkind = "toy"\npeople = "{self._file}"\n{_COMMON.format(group=GROUP)}'
        made = _server(folder, config)
        made.program = [sys.executable, str(Path(__file__).parent / "with_toy.py")]
        return made

    def join(self, *logins: str) -> None:
        for login in logins:
            self._people[login] = {"login": login, "password": f"password {login}", "groups": [GROUP]}
        self._keep()

    def remove(self, login: str) -> None:
        del self._people[login]
        self._keep()

    def disable(self, login: str) -> None:
        self._set(login, disabled=True)

    def leave_group(self, login: str) -> None:
        self._set(login, groups=[])

    def expire_password(self, login: str) -> None:
        self._set(login, expired=True)

    def lock(self, login: str) -> None:
        self._set(login, locked=True)

    def close(self) -> None:
        pass

    def _set(self, login: str, **changes: object) -> None:
        self._people[login] |= changes
        self._keep()

    def _keep(self) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self._people))
        draft.replace(self._file)


class OpenLdap:
    """A real server, with the states that its password policy knows."""

    def __init__(self) -> None:
        self._slapd = Slapd()

    def serve(self, folder: Path) -> Server:
        urls = ", ".join(f'"{url}"' for url in self._slapd.urls)
        config = (
            f'[providers.corp]\nkind = "ldap"\nurls = [{urls}]\ntls_ca = "{self._slapd.authority}"\n'
            f'bind_dn = "{SEARCHER[0]}"\nbase = "{BASE}"\n{_COMMON.format(group=group_dn(GROUP))}'
        )
        return _server(folder, config, GATEPASS_PROVIDERS__CORP__BIND_PASSWORD=SEARCHER[1])

    def join(self, *logins: str) -> None:
        # Under a policy by which passwords age, or the server would not note how old they are.
        aging = f"pwdPolicySubentry: cn=aging,ou=policies,{BASE}"
        self._slapd.add(*(person(login, f"password {login}", aging) for login in logins))
        self._slapd.add(group(GROUP, *(dn_of(login) for login in logins)))

    def remove(self, login: str) -> None:
        self._slapd.remove(dn_of(login))

    def disable(self, login: str) -> None:
        self._replace(login, "pwdAccountLockedTime", "000001010000Z")

    def leave_group(self, login: str) -> None:
        self._slapd.change(f"dn: {group_dn(GROUP)}\nchangetype: modify\ndelete: member\nmember: {dn_of(login)}\n")

    def expire_password(self, login: str) -> None:
        short = f"cn=short,ou=policies,{BASE}"
        policy = f"dn: {short}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: short\npwdAttribute: userPassword\n"
        self._slapd.add(policy + "pwdMaxAge: 1\n")
        self._replace(login, "pwdPolicySubentry", short)

    def lock(self, login: str) -> None:
        self._replace(login, "pwdPolicySubentry", f"cn=usual,ou=policies,{BASE}")
        self._replace(login, "pwdAccountLockedTime", f"{datetime.now(UTC):%Y%m%d%H%M%SZ}")

    def close(self) -> None:
        self._slapd.close()

    def _replace(self, login: str, name: str, value: str) -> None:
        self._slapd.change(f"dn: {dn_of(login)}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n")


def _server(folder: Path, config: str, **env: str) -> Server:
    make_installation(folder / "data")
    (folder / "data" / "gatepass.toml").write_text(config)
    return Server(folder / "data", env={"GATEPASS_PROVIDERS__CORP__SCIM_CREDENTIAL": CREDENTIALS["CORP"], **env})

"""A real Active Directory: Samba, provisioned into a folder, on the loopback. Its ports are fixed (389, 636)."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from support.slapd import make_certificate
from support.waiting import poll

BASE = "DC=ad,DC=example,DC=org"
SEARCHER = ("searcher@ad.example.org", "Let-me-look-1")
PEOPLE = ("alice", "disabled", "forced", "expired")
_HOST = ("127.0.0.1", 636)


def password_of(name: str) -> str:
    return f"{name.capitalize()}-passes-1"


def is_installed() -> bool:
    return shutil.which("samba") is not None and shutil.which("samba-tool") is not None


def is_free() -> bool:
    return all(_answers(port) is False for port in (389, 636))


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex((_HOST[0], port)) == 0


class Samba:
    """A running domain controller."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-ad-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._provision()
        self._configure()
        self._fill()
        with (self.folder / "out").open("wb") as out:
            self._process = subprocess.Popen(
                ["samba", "-s", self._config, "-F", "-M", "single", "--no-process-group"], stdout=out, stderr=out
            )
        poll(lambda: _answers(636), seconds=60)

    @property
    def authority(self) -> str:
        return str(self.folder / "cert.pem")

    @property
    def _config(self) -> Path:
        return self.folder / "dom" / "etc" / "smb.conf"

    def _provision(self) -> None:
        self._run(
            *("samba-tool", "domain", "provision", f"--targetdir={self.folder}/dom", "--realm=AD.EXAMPLE.ORG"),
            *("--domain=ADEX", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--adminpass=Adm1n-pass!"),
            *("--host-name=dc1", "--host-ip=127.0.0.1", "--option=interfaces=lo", "--option=bind interfaces only=yes"),
        )

    def _configure(self) -> None:
        make_certificate(self.folder, "IP:127.0.0.1")
        (self.folder / "key.pem").chmod(0o600)
        places = {
            "pid directory": "pid",
            "ncalrpc dir": "ncalrpc",
            "winbindd socket directory": "wb",
        }
        for name in places.values():
            (self.folder / name).mkdir(mode=0o755)
        lines = [line for line in self._config.read_text().splitlines() if "server services" not in line]
        lines = lines[: next((n for n, line in enumerate(lines) if line.startswith(("[sysvol]", "[netlogon]"))), None)]
        lines += [f"\t{key} = {self.folder}/{name}" for key, name in places.items()]
        lines += ["\tserver services = ldap, kdc, cldap", "\tdcerpc endpoint servers ="]
        lines += [
            f"\ttls {kind} = {self.folder}/{name}.pem"
            for kind, name in (("keyfile", "key"), ("certfile", "cert"), ("cafile", "cert"))
        ]
        self._config.write_text("\n".join(lines) + "\n")

    def _fill(self) -> None:
        self.tool("user", "create", "searcher", SEARCHER[1])
        for name in PEOPLE:
            self.tool(
                "user",
                "create",
                name,
                password_of(name),
                f"--mail-address={name}@ad.example.org",
                f"--given-name={name}",
            )
        for group, member in (("staff", "alice"), ("makers", "staff"), ("admins", "makers")):
            self.tool("group", "add", group)
            self.tool("group", "addmembers", group, member)
        self.tool("user", "disable", "disabled")
        self.tool(
            "user", "setpassword", "forced", f"--newpassword={password_of('forced')}", "--must-change-at-next-login"
        )
        self.tool("user", "setexpiry", "expired", "--days=0")

    def tool(self, *arguments: str) -> None:
        """Run `samba-tool` on the files of the domain."""
        self._run("samba-tool", *arguments, "-H", f"{self.folder}/dom/private/sam.ldb", f"--configfile={self._config}")

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[:4]}:\n{done.stdout}\n{done.stderr}")

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
        shutil.rmtree(self.folder)


def running_samba() -> Iterator[Samba]:
    """Yield a domain controller, for a fixture."""
    server = Samba()
    yield server
    server.close()

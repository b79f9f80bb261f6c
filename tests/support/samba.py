"""A real Active Directory: Samba, provisioned into a folder, on a loopback address of its own.

Its ports are fixed (389, 636), so it takes root, and nobody may have them on all addresses. It is up after some eight
seconds, dies with whoever started it, and leaves nothing behind when it is closed.
"""

import base64
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from support.certificates import make_certificate
from support.waiting import poll

REALM = "ad.example.org"
DOMAIN = "ADEX"
BASE = "DC=ad,DC=example,DC=org"
USERS = f"CN=Users,{BASE}"
SEARCHER = (f"searcher@{REALM}", "Let-me-look-1")
ADMIN = (f"Administrator@{REALM}", "Let-me-change-1")
ENABLED, DISABLED = 512, 514
"""`userAccountControl`: an ordinary account, and one that is switched off."""
_PORTS = (389, 636)
_CONFIG = """
[global]
netbios name = DC1
realm = {realm}
workgroup = {domain}
server role = active directory domain controller
server services = ldap
dcerpc endpoint servers =
interfaces = {address}/8
bind interfaces only = yes
private dir = {folder}/dom/private
state directory = {folder}/dom/state
cache directory = {folder}/dom/cache
lock directory = {folder}/dom
binddns dir = {folder}/dom/bind-dns
pid directory = {folder}/run
ncalrpc dir = {folder}/run/ncalrpc
winbindd socket directory = {folder}/run/winbindd
ntp signd socket directory = {folder}/run/ntp
log file = {folder}/log
tls keyfile = {folder}/dc1.key
tls certfile = {folder}/dc1.pem
tls cafile = {folder}/authority.pem
"""


def password_of(login: str) -> str:
    return f"{login.capitalize()}-passes-1"


def dn_of(name: str) -> str:
    return f"CN={name},{USERS}"


def person(login: str, *more: str, dn: str = "", state: int = ENABLED) -> str:
    """Return the LDIF of a person; `more` are lines of it."""
    lines = [
        f"dn: {dn or dn_of(login)}",
        "objectClass: user",
        f"sAMAccountName: {login}",
        f"userPrincipalName: {login}@{REALM}",
        f"displayName: {login.capitalize()} Person",
        f"mail: {login}@example.org",
        f"unicodePwd:: {_quoted(password_of(login))}",
        f"userAccountControl: {state}",
    ]
    given = {line.partition(":")[0] for line in more}
    return "\n".join([*(line for line in lines if line.partition(":")[0] not in given), *more]) + "\n"


def group(name: str, *members: str, kind: int = -2147483646) -> str:
    """Return the LDIF of a group: a global one for security, unless `kind` (`groupType`) says otherwise."""
    lines = [f"dn: {dn_of(name)}", "objectClass: group", f"sAMAccountName: {name}", f"groupType: {kind}"]
    return "\n".join([*lines, *(f"member: {each}" for each in members)]) + "\n"


def _lockout(person_dn: str, *, tries: int) -> str:
    """Return the LDIF of a password policy for one person. Times are in 100 ns, negative: half an hour, and never."""
    lines = [
        f"dn: CN=lockout,CN=Password Settings Container,CN=System,{BASE}",
        "objectClass: msDS-PasswordSettings",
        "msDS-PasswordSettingsPrecedence: 1",
        "msDS-PasswordReversibleEncryptionEnabled: FALSE",
        "msDS-PasswordHistoryLength: 0",
        "msDS-PasswordComplexityEnabled: FALSE",
        "msDS-MinimumPasswordLength: 1",
        "msDS-MinimumPasswordAge: 0",
        "msDS-MaximumPasswordAge: -9223372036854775808",
        f"msDS-LockoutThreshold: {tries}",
        "msDS-LockoutObservationWindow: -18000000000",
        "msDS-LockoutDuration: -18000000000",
        f"msDS-PSOAppliesTo: {person_dn}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(password: str) -> str:
    return base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()


LOCKED_AFTER = 3
"""Wrong passwords that lock `locked`."""
SEED = [
    person("searcher", f"unicodePwd:: {_quoted(SEARCHER[1])}"),
    person("alice"),
    person("bob"),
    person("jürgen"),
    person("renamed", "userPrincipalName: somebody.else@corp.example.org"),
    person("comma", dn=f"CN=Comma\\, \\+Name \\#1,{USERS}"),
    person("disabled", state=DISABLED),
    person("forced", "pwdLastSet: 0"),
    person("ended", "accountExpires: 116444736000000000"),
    person("stale"),
    person("locked"),
    person("veiled"),
    person("masked"),
    person("shut", state=DISABLED),
    person("leaver"),
    _lockout(dn_of("locked"), tries=LOCKED_AFTER),
    group("staff", dn_of("alice"), dn_of("veiled"), f"CN=Comma\\, \\+Name \\#1,{USERS}"),
    group("makers", dn_of("staff")),
    group("admins", dn_of("makers"), kind=-2147483640),
    group("helpers", dn_of("leaver")),
    group("token users", dn_of("helpers"), dn_of("staff")),
    group("letters", dn_of("staff"), kind=2),
]
"""`ended` expired in 1970 and the password of `stale` is too old. Only administrators may read what groups `veiled` is
in, what even the primary one of `masked` is, and whether `shut` is disabled. `letters` is a list for mail.
"""
_TOKEN_GROUPS = "b7c69e6d-2cc7-11d2-854e-00a0c983f608"
_PRIMARY_GROUP = "bf967a00-0de6-11d0-a285-00aa003049e2"
_ACCOUNT_CONTROL = "bf967a68-0de6-11d0-a285-00aa003049e2"
# What is not to be written by LDAP, or not in one line. It runs with the Python that Samba is installed for.
_PREPARE = """
import sys, ldb
from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils
config, place, stale, *hidden = sys.argv[1:]
known = LoadParm()
known.load(config)
samdb = SamDB(url=place, session_info=system_session(), lp=known)
change = ldb.Message(ldb.Dn(samdb, stale))
change["pwdLastSet"] = ldb.MessageElement("116444736000000000", ldb.FLAG_MOD_REPLACE, "pwdLastSet")
samdb.modify(change, controls=[f"local_oid:{dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID}:0"])
for dn, attribute in zip(hidden[::2], hidden[1::2]):
    SDUtils(samdb).dacl_add_ace(dn, f"(OD;;RP;{attribute};;AU)")
"""


def why_not() -> str:
    """Return why Samba cannot run here; an empty text if it can."""
    if shutil.which("samba") is None or shutil.which("samba-tool") is None:
        return "Samba is not installed: apt-get install samba samba-ad-provision samba-dsdb-modules samba-vfs-modules"
    if os.geteuid() != 0:
        return "a domain controller of Samba takes root: its ports are 389 and 636"
    return next((f"port {port} is taken on all addresses" for port in _PORTS if not _is_free(port)), "")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((_address(), port))
            return True
    return False


def _address() -> str:
    """Return a loopback address that no other running process takes for its domain controller."""
    high, low = divmod(os.getpid(), 250)
    return f"127.{77 + high // 250}.{high % 250 + 1}.{low + 1}"


class Samba:
    """A running domain controller."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-ad-"))
        self.address = _address()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._provision()
            self._make_certificates()
            self.start()
            self._fill()
        except BaseException:
            self.close()
            raise

    @property
    def authority(self) -> str:
        """The authority that signed the certificate, which is for the address alone."""
        return str(self.folder / "authority.pem")

    @property
    def urls(self) -> list[str]:
        return [f"ldaps://{self.address}", f"ldap://{self.address}"]

    def _provision(self) -> None:
        (self.folder / "run").mkdir()
        _run(
            *("samba-tool", "domain", "provision", f"--targetdir={self.folder}/dom", f"--realm={REALM}"),
            *(f"--domain={DOMAIN}", "--server-role=dc", "--dns-backend=NONE", f"--adminpass={ADMIN[1]}"),
            *("--host-name=dc1", f"--host-ip={self.address}", f"--option=interfaces={self.address}/8"),
            *("--option=bind interfaces only=yes", f"--option=log file={self.folder}/log"),
        )
        config = _CONFIG.format(folder=self.folder, address=self.address, realm=REALM, domain=DOMAIN)
        (self.folder / "smb.conf").write_text(config)

    def _make_certificates(self) -> None:
        authority = make_certificate(self.folder, "authority")
        own = make_certificate(self.folder, "dc1", names=f"IP:{self.address}", by=authority)
        own.key.chmod(0o600)

    def _fill(self) -> None:
        self.add(*SEED)
        hidden = {
            "veiled": [_TOKEN_GROUPS],
            "masked": [_TOKEN_GROUPS, _PRIMARY_GROUP],
            "shut": [_ACCOUNT_CONTROL],
        }
        each = [part for login, several in hidden.items() for one in several for part in (dn_of(login), one)]
        place = (f"{self.folder}/smb.conf", f"{self.folder}/dom/private/sam.ldb")
        _run("/usr/bin/python3", "-c", _PREPARE, *place, dn_of("stale"), *each)

    def start(self) -> None:
        with (self.folder / "out").open("ab") as out:
            # It ends when its standard input does, so no death of the tests leaves it running.
            config = self.folder / "smb.conf"
            self._process = subprocess.Popen(
                ["samba", "-s", config, "-i", "-M", "single", "--no-process-group", "--debug-stdout"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
            )
        poll(self._answers, seconds=60)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"Samba did not start:\n{(self.folder / 'out').read_text('utf-8', 'replace')}")
        with closing(socket.socket()) as probe:
            return probe.connect_ex((self.address, 636)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def change(self, ldif: str) -> None:
        """Apply changes as the administrator."""
        self._ask("ldapmodify", stdin=ldif)

    def add(self, *entries: str) -> None:
        self.change("\n".join(entry.replace("\n", "\nchangetype: add\n", 1) for entry in entries))

    def set(self, dn: str, name: str, value: object) -> None:
        """Replace an attribute of an entry."""
        self.change(f"dn: {dn}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n")

    def unlock(self, login: str) -> None:
        """Let somebody try again whom too many wrong passwords have locked."""
        self.set(dn_of(login), "lockoutTime", 0)

    def remove(self, dn: str) -> None:
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def find(self, wanted: str) -> list[str]:
        """Return the DNs of what fits a filter, as the directory's own tool has them."""
        lines = self._ask("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", BASE, wanted, "1.1").splitlines()
        return [line.removeprefix("dn: ") for line in lines if line.startswith("dn: ")]

    def _ask(self, tool: str, *more: str, stdin: str = "") -> str:
        env = {"PATH": os.environ["PATH"], "LDAPTLS_CACERT": self.authority}
        return _run(tool, "-x", "-H", self.urls[0], "-D", ADMIN[0], "-w", ADMIN[1], *more, stdin=stdin, env=env)


def _run(*command: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[:3]}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def running_samba() -> Iterator[Samba]:
    """Yield a domain controller, for a fixture."""
    server = Samba()
    yield server
    server.close()

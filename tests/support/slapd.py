"""A real OpenLDAP server on free ports, with TLS, nested groups, a password policy, and unauthenticated binds allowed.

It starts in a fraction of a second, and forgets everything when it is closed.
"""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from support.certificates import make_certificate
from support.waiting import poll

BASE = "dc=example,dc=org"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
SEARCHER = (f"cn=searcher,{BASE}", "let me look")
ADMIN = (f"cn=admin,{BASE}", "let me change")

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
allow bind_anon_cred bind_anon_dn
TLSCertificateFile {folder}/directory.pem
TLSCertificateKeyFile {folder}/directory.key
sizelimit 500
database mdb
suffix {base}
rootdn cn=admin,{base}
rootpw "let me change"
directory {folder}/db
maxsize 16777216
dbnosync
index objectClass,uid,member,entryUUID eq
overlay ppolicy
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=hidden,{base}" by dn.exact="cn=admin,{base}" write by * none
access to * by users read by * none
"""


def _unit(name: str) -> str:
    return f"dn: ou={name},{BASE}\nobjectClass: organizationalUnit\nou: {name}\n"


def person(uid: str, password: str, *more: str, dn: str = "") -> str:
    """Return the LDIF of a person."""
    lines = [
        f"dn: {dn or f'uid={uid},{PEOPLE}'}",
        "objectClass: inetOrgPerson",
        "objectClass: shadowAccount",
        f"uid: {uid}",
        f"cn: {uid.capitalize()} Person",
        "sn: Person",
        f"mail: {uid}@example.org",
        f"userPassword: {password}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def group(name: str, *members: str) -> str:
    """Return the LDIF of a group."""
    lines = [f"dn: cn={name},{GROUPS}", "objectClass: groupOfNames", f"cn: {name}"]
    return "\n".join([*lines, *(f"member: {each}" for each in members)]) + "\n"


def dn_of(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"


def group_dn(name: str) -> str:
    return f"cn={name},{GROUPS}"


_USUAL = f"pwdPolicySubentry: cn=usual,ou=policies,{BASE}"
_AGING = f"pwdPolicySubentry: cn=aging,ou=policies,{BASE}"
_ELSEWHERE = (
    f"dn: ou=elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n"
    "ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example,dc=org\n"
)
SEED = [
    f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
    *(_unit(name) for name in ("people", "groups", "policies", "other", "hidden")),
    f"dn: {SEARCHER[0]}\nobjectClass: person\ncn: searcher\nsn: searcher\nuserPassword: {SEARCHER[1]}\n",
    *(
        f"dn: cn={name},ou=policies,{BASE}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: {name}\n"
        f"pwdAttribute: userPassword\npwdLockout: TRUE\npwdMustChange: TRUE\n{extra}"
        for name, extra in (("usual", ""), ("aging", "pwdMaxAge: 86400\n"))
    ),
    person("alice", "alice password", "telephoneNumber: 1"),
    person("bob", "bob password"),
    person("twin", "twin password"),
    person("twin", "twin password", dn=f"uid=twin,ou=other,{BASE}"),
    person("locked", "locked password", "pwdAccountLockedTime: 000001010000Z", _USUAL),
    person("forced", "forced password", "pwdReset: TRUE", _USUAL),
    person("stale", "stale password", _AGING, "pwdChangedTime: 20200101000000Z"),
    person("ended", "ended password", "shadowExpire: 100"),
    person("leaver", "leaver password"),
    person("comma", "comma password", dn=f"cn=Comma\\, \\+Name \\#1,{PEOPLE}"),
    person("unseen", "unseen password", dn=f"uid=unseen,ou=hidden,{BASE}"),
    _ELSEWHERE,
    group("staff", dn_of("alice"), dn_of("bob"), f"cn=Comma\\, \\+Name \\#1,{PEOPLE}"),
    group("makers", group_dn("staff")),
    group("admins", group_dn("makers")),
    group("loop", group_dn("admins"), group_dn("again")),
    group("again", group_dn("loop")),
    *(group(f"deep{level}", group_dn(f"deep{level - 1}") if level else dn_of("bob")) for level in range(13)),
]


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Slapd:
    """A running server."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepass-slapd-"))
        self.port, self.tls_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()
        self.start()

    @property
    def authority(self) -> str:
        """The certificate that vouches for it: for 127.0.0.1, and for no name."""
        return str(self.folder / "directory.pem")

    @property
    def urls(self) -> list[str]:
        return [f"ldaps://127.0.0.1:{self.tls_port}", f"ldap://127.0.0.1:{self.port}"]

    def _prepare(self) -> None:
        (self.folder / "db").mkdir()
        make_certificate(self.folder, "directory", names="IP:127.0.0.1")
        (self.folder / "slapd.conf").write_text(_CONFIG.format(folder=self.folder, base=BASE))
        (self.folder / "seed.ldif").write_text("\n".join(SEED))
        config, seed = self.folder / "slapd.conf", self.folder / "seed.ldif"
        subprocess.run(
            ["/usr/sbin/slapadd", "-q", "-f", config, "-l", seed], check=True, capture_output=True, timeout=30
        )

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "/usr/sbin/slapd",
                    "-f",
                    self.folder / "slapd.conf",
                    "-h",
                    f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}",
                    "-d",
                    "stats",
                ],
                stdout=log,
                stderr=log,
            )
        poll(self._answers)

    def _answers(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.tls_port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def binds_of(self, dn: str) -> int:
        """Return how many binds with a name the server has seen."""
        return (self.folder / "log").read_text("utf-8", "replace").count(f'BIND dn="{dn}" method=128')

    def change(self, ldif: str) -> None:
        """Apply changes as the administrator."""
        subprocess.run(
            ["ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ADMIN[0], "-w", ADMIN[1]],
            input=ldif.encode(),
            check=True,
            capture_output=True,
            timeout=10,
        )

    def add(self, *entries: str) -> None:
        self.change("\n".join(entry.replace("\n", "\nchangetype: add\n", 1) for entry in entries))

    def remove(self, dn: str) -> None:
        self.change(f"dn: {dn}\nchangetype: delete\n")

    def uuid_of(self, dn: str) -> str:
        found = subprocess.run(
            [
                *("ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", f"ldap://127.0.0.1:{self.port}"),
                *("-D", ADMIN[0], "-w", ADMIN[1], "-b", dn, "-s", "base", "entryUUID"),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
        )
        return next(line.split()[1] for line in found.stdout.splitlines() if line.startswith("entryUUID:"))


def running_slapd() -> Iterator[Slapd]:
    """Yield a server, for a fixture."""
    server = Slapd()
    yield server
    server.close()

"""A plain name from a proxy that shows its certificate: it counts from that client, and others are not even heard."""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.certificates import Certificate, make_certificate
from support.server import PASSWORD, Reply, Server, exchange, gatepass, make_installation
from support.visitor import Visitor, forms_of

HOME, CALLED = "/settings/access-tokens", "proxy.example.com"
ALICE = {"X-Name": "alice"}
_CONFIG = """
[server]
tls_cert = "{cert}"
tls_key = "{key}"
tls_client_ca = "{authority}"
[providers.gate]
kind = "trusted_proxy"
header = "X-Name"
trust = "name"
certificate = "proxy.example.com"
"""


class Site:
    """A server that asks for certificates, and the clients that have some."""

    def __init__(self, folder: Path) -> None:
        self.own = make_certificate(folder, "server", names="IP:127.0.0.1")
        authority = make_certificate(folder, "authority")
        stranger = make_certificate(folder, "stranger")
        self.clients: dict[str, Certificate | None] = {
            "proxy": make_certificate(folder, "proxy", names=f"DNS:{CALLED},URI:spiffe://x", by=authority),
            "old style": make_certificate(folder, "old-style", subject=CALLED, by=authority),
            "colleague": make_certificate(folder, "colleague", names="DNS:other.example.com", by=authority),
            "called alike": make_certificate(
                folder, "alike", subject=CALLED, names="DNS:other.example.com", by=authority
            ),
            "forged": make_certificate(folder, "forged", names=f"DNS:{CALLED}", by=stranger),
            "nobody": None,
        }
        data = folder / "data"
        make_installation(data)
        config = _CONFIG.format(cert=self.own.cert, key=self.own.key, authority=authority.cert)
        (data / "gatepass.toml").write_text(config)
        self.server = Server(data)

    def visitor(self, client: str) -> Visitor:
        """Return a browser whose requests come with the certificate of `client`."""
        return Visitor(_Reached(self.server, self.own, self.clients[client]))  # type: ignore[arg-type]


class _Reached:
    """The server as one client reaches it."""

    def __init__(self, server: Server, own: Certificate, shown: Certificate | None) -> None:
        self._server = server
        self._tls = ssl.create_default_context(cafile=str(own.cert))
        if shown is not None:
            self._tls.load_cert_chain(shown.cert, shown.key)

    def request(
        self, method: str, path: str, *, raw: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Reply:
        connection = http.client.HTTPSConnection("127.0.0.1", self._server.port, timeout=seconds, context=self._tls)
        return exchange(connection, method, path, raw, headers)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("mutual"))
    with made.server:
        yield made


def pass_gate(visitor: Visitor, headers: Mapping[str, str] = ALICE) -> Reply:
    form = forms_of(visitor.get("/sign-in", headers))["/sign-in/gate"]
    return visitor.post("/sign-in/gate", form, headers)


@pytest.mark.parametrize("client", ["proxy", "old style"])
def test_whom_the_proxy_names_is_signed_in(site: Site, client: str) -> None:
    visitor = site.visitor(client)
    assert pass_gate(visitor).status == 303
    assert b"alice@gate" in visitor.get("/settings/profile", ALICE).body
    assert visitor.get(HOME, {"X-Name": "bob"}).status == 303


@pytest.mark.parametrize("client", ["colleague", "called alike"])
def test_another_client_of_the_same_authority_names_nobody(site: Site, client: str) -> None:
    assert pass_gate(site.visitor(client)).status == 401
    through = site.visitor("proxy")
    pass_gate(through)
    beside = site.visitor(client)
    beside.cookies = dict(through.cookies)
    assert beside.get(HOME, ALICE).status == 303
    assert beside.get("/v4/people/current", ALICE).status == 401
    assert through.get(HOME, ALICE).status == 200


@pytest.mark.parametrize("client", ["forged", "nobody"])
def test_a_client_without_a_certificate_of_the_authority_is_not_heard(site: Site, client: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        site.visitor(client).get("/livez")


@pytest.mark.parametrize("name", ["X_Name", "x-nAme_", "X.Name"])
def test_another_spelling_of_the_header_names_nobody(site: Site, name: str) -> None:
    assert pass_gate(site.visitor("proxy"), {name: "alice"}).status == 401
    assert pass_gate(site.visitor("proxy"), {**ALICE, name: "bob"}).status == 401


def test_everything_else_works_for_every_client_with_a_certificate(site: Site) -> None:
    visitor = site.visitor("colleague").sign_in()
    form = visitor.form("/settings/access-tokens/generate", "/settings/access-tokens/generate")
    made = visitor.post("/settings/access-tokens/generate", {**form, "lifetimeDays": "1", "password": PASSWORD})
    assert b"gpat_" in made.body


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ('tls_client_ca = "/nowhere.pem"', "server.tls_client_ca: needs server.tls_cert"),
        (
            'tls_client_ca = "/nowhere.pem"\ntls_cert = "{cert}"\ntls_key = "{key}"',
            "server.tls_client_ca: cannot be used",
        ),
        ('tls_client_ca = "{key}"\ntls_cert = "{cert}"\ntls_key = "{key}"', "server.tls_client_ca: cannot be used"),
    ],
)
def test_authorities_that_cannot_be_used_keep_the_server_from_starting(
    site: Site, tmp_path: Path, keys: str, why: str
) -> None:
    data = tmp_path / "data"
    make_installation(data)
    (data / "gatepass.toml").write_text("[server]\n" + keys.format(cert=site.own.cert, key=site.own.key))
    done = gatepass("serve", "--data", str(data), "--listen", "127.0.0.1:0", "--metrics-listen", "off")
    assert (done.returncode, why in done.stderr) == (1, True), done.stderr


def test_the_doctor_is_content_with_it(site: Site) -> None:
    told = json.loads(gatepass("doctor", "--data", str(site.server.data), "--json").stdout)
    found: dict[str, Any] = {each["check"]: each for each in told["checks"]}["providers"]
    assert "gate: ready" in str(found)

"""SAML: encrypted assertions, what we say ourselves, and one assertion for all nodes."""

import base64
import copy
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from gatepass.errors import BadConfiguration, NotAuthenticated
from gatepass.identity.saml import provider, toolkit
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.identity import Refusal, Refused
from gatepass.services.sign_in_identity import sign_in_identity
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import CALLBACK
from services.conftest import World
from services.conftest import world as world  # noqa: PLC0414  a fixture
from support import saml_idp
from support.saml_idp import ENTITY, PERSISTENT, SSO, encoded, encrypt, make_pair, sign
from support.saml_site import PAIR, Site
from support.saml_wrapping import SEALED

OWN = make_pair("own")
NS = {**saml_idp.NS, "md": "urn:oasis:names:tc:SAML:2.0:metadata"}


def with_key(folder: Path, clock: FakeClock, **options: object) -> Site:
    (folder / "own.pem").write_bytes(OWN.pem)
    return Site(folder, clock, **{"certificate": str(folder / "own.pem"), "key": OWN.key_pem, **options})


@pytest.fixture
def sealed(tmp_path: Path, clock: FakeClock) -> Site:
    return with_key(tmp_path, clock, encrypted=True)


@pytest.mark.parametrize("cipher", ["aes128-gcm", "aes256-gcm"])
@pytest.mark.parametrize("outer", [False, True])
def test_an_encrypted_assertion_is_read(sealed: Site, cipher: str, outer: bool) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate, cipher=cipher)
    if outer:
        sign(root, PAIR)
    assert sealed.takes(root).identity.subject == saml_idp.SUBJECT


def test_a_plain_assertion_is_refused_where_encrypted_ones_are_wanted(sealed: Site) -> None:
    assert "not encrypted" in sealed.refuses(saml_idp.signed(sealed.answer, PAIR))


@pytest.mark.parametrize(
    ("cipher", "wrap"), [("aes128-cbc", "rsa-oaep-mgf1p"), ("aes256-gcm", "rsa-1_5"), ("aes192-gcm", "rsa-oaep")]
)
def test_ciphers_that_tell_the_text_to_the_patient_are_refused(sealed: Site, cipher: str, wrap: str) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate, cipher=cipher, wrap=wrap)
    assert "is encrypted by" in sealed.refuses(root)


def test_what_is_not_for_our_key_cannot_be_decrypted(sealed: Site) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, make_pair("stranger").certificate)
    assert "cannot be decrypted" in sealed.refuses(root)


@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_cipher_cannot_be_decrypted(sealed: Site, place: int) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate)
    value = root.findall(".//{*}CipherValue")[place]
    raw = bytearray(base64.b64decode(value.text))
    raw[20] ^= 1
    value.text = base64.b64encode(raw).decode()
    assert "cannot be decrypted" in sealed.refuses(root)


@pytest.mark.parametrize(
    ("plain", "words"),
    [(b"<x/>", "something else"), (b"", "no XML"), (b"<!DOCTYPE x><x/>", "document type"), (b"\xff", "not UTF-8")],
)
def test_what_is_no_assertion_may_not_be_encrypted(sealed: Site, plain: bytes, words: str) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate, plain=plain)
    assert words in sealed.refuses(root)


@pytest.mark.parametrize(
    "part", ["EncryptedData", "EncryptionMethod", "KeyInfo", "EncryptedKey", "CipherData", "CipherValue"]
)
@pytest.mark.parametrize("twice", [False, True])
def test_an_envelope_with_a_part_missing_or_twice_is_refused(sealed: Site, part: str, twice: bool) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate)
    found = root.find(f".//{{*}}{part}")
    if twice:
        found.addnext(copy.deepcopy(found))
    else:
        found.getparent().remove(found)
    assert f"has {2 if twice else 0} times" in sealed.refuses(root)


def test_a_cipher_that_is_no_base64_is_refused(sealed: Site) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate)
    root.find(".//{*}CipherValue").text = "%%%"
    assert "no base64" in sealed.refuses(root)


@pytest.mark.parametrize("said", [None, 1, "True", ValueError("trouble")])
def test_only_a_yes_of_python3_saml_is_one(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    def is_valid(*_: object) -> object:
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(toolkit.OneLogin_Saml2_Response, "is_valid", is_valid)
    site = Site(tmp_path, clock)
    assert "python3-saml" in site.refuses(saml_idp.signed(site.answer, PAIR))


def test_what_was_encrypted_has_to_be_signed(sealed: Site) -> None:
    root = sealed.answer.tree()
    encrypt(root, OWN.certificate)
    assert "Signature" in sealed.refuses(root)
    sign(root, PAIR)  # the response alone
    assert "Signature" in sealed.refuses(root)


def test_a_stranger_cannot_sign_around_what_was_encrypted(sealed: Site) -> None:
    root = saml_idp.signed(sealed.answer, PAIR)
    encrypt(root, OWN.certificate)
    sign(root, make_pair("stranger"))
    assert "signxml" in sealed.refuses(root)


@pytest.mark.parametrize("name", SEALED)
@pytest.mark.parametrize("toolkit", [True, False])
def test_wrapping_inside_is_refused(sealed: Site, monkeypatch: pytest.MonkeyPatch, name: str, toolkit: bool) -> None:
    if not toolkit:
        monkeypatch.setattr(provider, "check_with_toolkit", lambda *_, **__: None)
    sealed.refuses(SEALED[name](sealed.answer, PAIR))


# -- What we say. --


def request_of(url: str) -> etree._Element:
    return etree.fromstring(zlib.decompress(base64.b64decode(parse_qs(urlsplit(url).query)["SAMLRequest"][0]), -15))


def test_a_request_asks_for_a_lasting_name_and_a_posted_answer(tmp_path: Path, clock: FakeClock) -> None:
    begun = Site(tmp_path, clock).provider.begin(CALLBACK)
    assert begun.posted
    assert begun.url.startswith(SSO + "?SAMLRequest=")
    assert set(parse_qs(urlsplit(begun.url).query)) == {"SAMLRequest"}
    root = request_of(begun.url)
    assert root.attrib == {
        "ID": begun.kept["request"],
        "Version": "2.0",
        "IssueInstant": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "Destination": SSO,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        "AssertionConsumerServiceURL": CALLBACK,
    }
    assert root.findtext("saml:Issuer", namespaces=NS) == ENTITY
    assert root.find("samlp:NameIDPolicy", NS).attrib == {"Format": PERSISTENT, "AllowCreate": "true"}


def test_no_two_requests_have_one_id(tmp_path: Path, clock: FakeClock) -> None:
    made = {Site(tmp_path, clock).provider.begin(CALLBACK).kept["request"] for _ in range(3)}
    assert len(made) == 3
    assert all(len(each) == 65 for each in made)


def test_a_request_is_signed_if_we_have_a_key(tmp_path: Path, clock: FakeClock) -> None:
    url = with_key(tmp_path, clock).provider.begin(CALLBACK).url
    given = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    signature = base64.b64decode(given.pop("Signature"))
    assert given["SigAlg"].endswith("rsa-sha256")
    OWN.certificate.public_key().verify(signature, urlencode(given).encode(), padding.PKCS1v15(), hashes.SHA256())


def test_our_metadata_say_who_we_are_and_what_we_take(tmp_path: Path, clock: FakeClock) -> None:
    root = etree.fromstring(Site(tmp_path, clock).provider.describe(CALLBACK))
    assert root.get("entityID") == ENTITY
    role = root.find("md:SPSSODescriptor", NS)
    assert (role.get("WantAssertionsSigned"), role.get("AuthnRequestsSigned")) == ("true", "false")
    services = role.findall("md:AssertionConsumerService", NS)
    assert [(each.get("Location"), each.get("Binding")) for each in services] == [
        (CALLBACK, "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
    ]
    assert role.find("md:KeyDescriptor", NS) is None
    assert role.find("md:SingleLogoutService", NS) is None


@pytest.mark.parametrize(("encrypted", "uses"), [(False, ["signing"]), (True, ["signing", "encryption"])])
def test_our_metadata_have_our_key(tmp_path: Path, clock: FakeClock, encrypted: bool, uses: list[str]) -> None:
    content = with_key(tmp_path, clock, encrypted=encrypted).provider.describe(CALLBACK)
    found = etree.fromstring(content).findall(".//md:KeyDescriptor", NS)
    assert [each.get("use") for each in found] == uses
    assert {each.findtext(".//ds:X509Certificate", namespaces=NS) for each in found} == {OWN.encoded}
    assert b"PRIVATE" not in content


def test_our_name_can_be_set(tmp_path: Path, clock: FakeClock) -> None:
    site = Site(tmp_path, clock, entity_id="urn:example:tokens")
    assert b'entityID="urn:example:tokens"' in site.provider.describe(CALLBACK)
    site.takes(saml_idp.signed(site.answer.changed(audience="urn:example:tokens"), PAIR))
    assert "audience" in site.refuses(saml_idp.signed(site.answer, PAIR))


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("encrypted", {"encrypted": True, "key": "", "certificate": ""}),
        ("key", {"key": "x"}),
        ("key", {"key": ""}),
        ("key", {"key": make_pair("curve", "ec").key_pem}),
        ("key", {"key": make_pair("short", bits=1024).key_pem}),
        ("certificate", {"certificate": "nowhere.pem"}),
        ("certificate", {"key": make_pair("stranger").key_pem}),
        ("subject_attribute", {"subject_attribute": "mail"}),
    ],
)
def test_a_key_that_does_not_fit_is_named(
    tmp_path: Path, clock: FakeClock, key: str, options: dict[str, object]
) -> None:
    with pytest.raises(BadConfiguration) as caught:
        with_key(tmp_path, clock, **options)
    assert caught.value.field == f"providers.corp.{key}"
    assert "PRIVATE" not in str(caught.value)


def test_a_certificate_that_ran_out_proves_nothing_and_is_told_when_tried(tmp_path: Path, clock: FakeClock) -> None:
    old = make_pair("ran-out", days=-1)
    site = Site(tmp_path, clock, old)
    assert "expired" in site.refuses(saml_idp.signed(site.answer, old))
    assert [bool(step.trouble) for step in site.provider.steps()] == [False, True]
    assert [step.trouble for step in Site(tmp_path, clock).provider.steps()] == ["", ""]


def test_nobody_can_be_looked_up(tmp_path: Path, clock: FakeClock) -> None:
    told = Site(tmp_path, clock).provider.look_up("anna")
    assert isinstance(told, Refused)
    assert told.reason is Refusal.UNKNOWN


# -- One assertion, many nodes. --


def test_an_assertion_lets_somebody_in_once_on_all_nodes(tmp_path: Path, clock: FakeClock, world: World) -> None:
    site = Site(tmp_path, clock)
    other = Site(tmp_path, clock)  # as another node has it
    nodes = [
        replace(
            world.deps,
            clock=clock,
            providers={"corp": ConfiguredProvider(id="corp", name="Corp", provider=each.provider)},
        )
        for each in (site, other)
    ]
    text = encoded(saml_idp.signed(site.answer, PAIR))
    assert sign_in_identity(nodes[0], site.takes(text)).handle
    other.kept = site.kept
    for deps in reversed(nodes):
        with pytest.raises(NotAuthenticated):
            sign_in_identity(deps, other.takes(text))
        assert world.events()[-1].details["reason"] == Refusal.REPLAYED.value

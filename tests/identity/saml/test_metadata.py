"""SAML: metadata of identity providers, which say where and by whose key, and lower nothing."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity import build_provider
from gatepass.identity.saml import Options
from gatepass.identity.saml.idp import Idp, read_idp
from gatepass.identity.saml.names import NotProven
from gatepass.model.identity import Finished
from gatepass.testing.fakes import START, FakeClock
from gatepass.testing.provider_suite import CALLBACK
from support import saml_idp
from support.saml_idp import IDP, SSO, Answer, encoded, make_pair, metadata

PAIR = make_pair("idp")
WEAK = "urn:oasis:names:tc:SAML:2.0:metadata"


def read(text: str | bytes, entity_id: str = "") -> Idp:
    return read_idp(text.encode() if isinstance(text, str) else text, entity_id=entity_id, now=START)


def several(*entities: str) -> str:
    return f'<md:EntitiesDescriptor xmlns:md="{WEAK}">{"".join(entities)}</md:EntitiesDescriptor>'


def test_metadata_say_where_and_by_whose_key() -> None:
    found = read(metadata(PAIR))
    assert (found.entity_id, found.sign_in_url, found.valid_until) == (IDP, SSO, None)
    assert [each.encode() for each in found.certificates] == [PAIR.pem]


def test_a_mark_a_declaration_and_comments_may_stand_in_metadata() -> None:
    assert read('\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- ours -->' + metadata(PAIR)).entity_id == IDP


def test_a_key_for_anything_signs_and_one_for_encryption_does_not() -> None:
    assert len(read(metadata(PAIR, use="")).certificates) == 1
    with pytest.raises(NotProven, match="0 certificates"):
        read(metadata(PAIR, use=' use="encryption"'))


def test_of_several_providers_the_named_one_is_taken() -> None:
    text = several(metadata(PAIR), metadata(make_pair("old"), entity_id="https://other.example.org"))
    assert read(text, "https://other.example.org").certificates == (make_pair("old").pem.decode(),)
    with pytest.raises(NotProven, match="describe 2"):
        read(text)
    with pytest.raises(NotProven, match=r"describe 0 .*'https://nobody"):
        read(text, "https://nobody.example.org")
    with pytest.raises(NotProven, match="describe 2"):
        read(several(metadata(PAIR), metadata(make_pair("old"))), IDP)


def test_metadata_that_are_over_are_refused() -> None:
    ends = START + timedelta(days=1)
    text = metadata(PAIR, attributes=f' validUntil="{saml_idp.stamp(ends)}"')
    assert read(text).valid_until == ends
    with pytest.raises(NotProven, match="were valid until"):
        read_idp(text.encode(), entity_id="", now=ends)


def test_metadata_switch_no_check_off() -> None:
    plain = metadata(PAIR)
    lowered = plain.replace("<md:IDPSSODescriptor ", '<md:IDPSSODescriptor WantAuthnRequestsSigned="false" x="y" ')
    assert read(lowered) == read(plain)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no XML"),
        ("<x/>", "describe 0"),
        ("<!DOCTYPE x>" + metadata(PAIR), "document type"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + metadata(PAIR), "document type"),
        (metadata(PAIR).encode("utf-16"), "not UTF-8"),
        (metadata(PAIR) + " " * 1024 * 1024, "bytes"),
        (metadata(PAIR, entity_id=""), "describe 0"),
        (metadata(PAIR).replace(saml_idp.P, "urn:oasis:names:tc:SAML:1.1:protocol"), "describe 0"),
        (metadata(PAIR).replace("HTTP-Redirect", "SOAP"), "no place"),
        (metadata(PAIR, sso="http://idp.example.org/sso"), "no https"),
        (metadata(PAIR, sso="javascript:alert(1)"), "no https"),
        (metadata(PAIR, sso="https://[broken"), "no https"),
        (metadata(PAIR, sso="https:///sso"), "no https"),
        (metadata(PAIR, sso="https://idp.example.org/sso#x"), "no https"),
        (metadata(), "0 certificates"),
        (metadata(*(make_pair(f"many-{number}", "ec") for number in range(11))), "11 certificates"),
        (metadata(PAIR).replace(PAIR.encoded, "AAAA"), "cannot be read"),
        (metadata(PAIR).replace(PAIR.encoded, "%%%"), "cannot be read"),
        (metadata(make_pair("short", bits=1024)), "neither RSA"),
        (metadata(PAIR, attributes=' validUntil="soon"'), "for an instant"),
        (metadata(PAIR, attributes=' validUntil="2026-13-01T00:00:00Z"'), "for an instant"),
    ],
    ids=lambda value: None if len(value) < 40 else "text",  # keys and certificates are others in each process
)
def test_metadata_that_cannot_be_used_are_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(NotProven, match=words):
        read(text)


@pytest.mark.parametrize("place", ["", "nowhere.xml", "ftp://idp.example.org", "http://idp.example.org/metadata"])
def test_a_place_that_cannot_be_used_is_named_at_the_start(place: str, clock: FakeClock) -> None:
    with pytest.raises(BadConfiguration, match=r"providers\.corp\.metadata"):
        build_provider("saml", Options(metadata=place), provider_id="corp", clock=clock)


def test_authorities_that_cannot_be_read_are_named(clock: FakeClock) -> None:
    options = Options(metadata="https://idp.example.org/", tls_ca="nowhere.pem")
    with pytest.raises(BadConfiguration, match=r"providers\.corp\.tls_ca"):
        build_provider("saml", options, provider_id="corp", clock=clock)


def test_a_file_holds_as_long_as_it_says(tmp_path: Path, clock: FakeClock) -> None:
    ends = clock.now() + timedelta(hours=1)
    (tmp_path / "idp.xml").write_text(metadata(PAIR, attributes=f' validUntil="{saml_idp.stamp(ends)}"'))
    provider = build_provider("saml", Options(metadata=str(tmp_path / "idp.xml")), provider_id="corp", clock=clock)
    provider.begin(CALLBACK)
    clock.advance(hours=1)
    with pytest.raises(Unavailable, match="valid until"):
        provider.begin(CALLBACK)


class Place:
    """An address with metadata at it. Counts who asks."""

    def __init__(self) -> None:
        self.text: str | None = metadata(PAIR)
        self.status = 200
        self.asked = 0
        place = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place.asked += 1
                self.send_response(place.status)
                self.send_header("Location", "https://evil.example.org/")
                self.end_headers()
                self.wfile.write((place.text or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/metadata?id=1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def place() -> Iterator[Place]:
    opened = Place()
    yield opened
    opened.close()


def over(place: Place, clock: FakeClock, **options: object):
    return build_provider("saml", Options(**{"metadata": place.url, **options}), provider_id="corp", clock=clock)


def test_an_address_is_asked_when_it_is_needed_and_each_hour(place: Place, clock: FakeClock) -> None:
    provider = over(place, clock)
    assert place.asked == 0
    for _ in range(3):
        provider.begin(CALLBACK)
    assert place.asked == 1
    clock.advance(hours=1)
    provider.begin(CALLBACK)
    assert place.asked == 2


def test_a_new_key_is_taken_within_the_hour(place: Place, clock: FakeClock) -> None:
    provider, other = over(place, clock), make_pair("old")
    provider.begin(CALLBACK)
    place.text = metadata(other)
    clock.advance(hours=1)
    begun = provider.begin(CALLBACK)
    answer = Answer(begun.kept["request"], clock.now() - timedelta(hours=1), confirmation_ends=timedelta(hours=2))
    answer = answer.changed(ends=timedelta(hours=2))
    text = encoded(saml_idp.signed(answer, other))
    assert isinstance(provider.finish({"SAMLResponse": text}, begun.kept, CALLBACK), Finished)


@pytest.mark.parametrize("trouble", ["away", "redirect", "nonsense", "another provider", "a DOCTYPE", "too long"])
def test_what_was_known_is_kept_for_a_day(place: Place, clock: FakeClock, trouble: str) -> None:
    provider = over(place, clock)
    provider.begin(CALLBACK)
    if trouble in {"away", "redirect"}:
        place.status = {"away": 503, "redirect": 302}[trouble]
    else:
        place.text = {
            "nonsense": "<x/>",
            "another provider": metadata(PAIR, entity_id="https://evil.example.org"),
            "a DOCTYPE": "<!DOCTYPE x>" + metadata(PAIR),
            "too long": metadata(PAIR) + " " * 1024 * 1024,
        }[trouble]
    clock.advance(hours=23, minutes=59)
    provider.begin(CALLBACK)
    clock.advance(minutes=1)
    with pytest.raises(Unavailable, match="no metadata"):
        provider.begin(CALLBACK)
    place.status, place.text = 200, metadata(PAIR)
    clock.advance(minutes=1)
    provider.begin(CALLBACK)


def test_an_address_that_never_answered_is_an_outage_and_is_asked_once_a_minute(place: Place, clock: FakeClock) -> None:
    place.status = 500
    provider = over(place, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            provider.begin(CALLBACK)
        with pytest.raises(Unavailable):
            provider.finish({"SAMLResponse": ""}, {"request": "x"}, CALLBACK)
    assert place.asked == 1
    place.status = 200
    clock.advance(minutes=1)
    provider.begin(CALLBACK)


def test_nobody_at_the_address_is_an_outage(clock: FakeClock, place: Place) -> None:
    place.close()
    with pytest.raises(Unavailable, match="does not answer"):
        over(place, clock).begin(CALLBACK)


def test_a_certificate_of_nobody_known_is_an_outage(tmp_path: Path, place: Place, clock: FakeClock) -> None:
    (tmp_path / "key.pem").write_text(PAIR.key_pem)
    (tmp_path / "crt.pem").write_bytes(PAIR.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt.pem", tmp_path / "key.pem")
    place.server.socket = context.wrap_socket(place.server.socket, server_side=True)
    with pytest.raises(Unavailable, match="certificate"):
        over(place, clock, metadata=place.url.replace("http:", "https:")).begin(CALLBACK)

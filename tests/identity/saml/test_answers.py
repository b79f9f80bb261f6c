"""SAML: what is read of a right answer, and that every wrong one is refused, each by its own check."""

import base64
import inspect
import types
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from gatepass.identity.saml import assertion, document, people, provider, shape, signed
from gatepass.identity.saml.names import NotProven
from gatepass.model.identity import Finished, Refused
from gatepass.testing.fakes import FakeClock
from gatepass.testing.provider_suite import CALLBACK, RedirectProviderSuite
from support import saml_idp
from support.saml_corpus import CASES
from support.saml_idp import ENTITY, IDP, SUBJECT, Answer, assertion_of, encoded, make_pair, sign
from support.saml_site import PAIR, Site


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Site:
    return Site(tmp_path, clock)


@pytest.fixture
def toolkit_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "check_with_toolkit", lambda *_, **__: None)


class TestRedirect(RedirectProviderSuite):
    @pytest.fixture
    def provider(self, site: Site):
        return site.provider

    @pytest.fixture
    def answers(self, clock: FakeClock):
        class Idp:
            subject = SUBJECT

            def to(self, begun):
                return {"SAMLResponse": encoded(saml_idp.signed(Answer(begun.kept["request"], clock.now()), PAIR))}

        return Idp()


# -- What is taken. --


@pytest.mark.parametrize("what", ["assertion", "both"])
def test_what_was_signed_is_who_they_are(site: Site, what: str) -> None:
    finished = site.takes(saml_idp.signed(site.answer, PAIR, what=what))
    identity = finished.identity
    assert (identity.provider, identity.subject, identity.login) == ("corp", SUBJECT, "anna")
    assert (identity.name, identity.email, identity.email_verified) == ("Anna Öz", "anna@example.org", False)
    assert identity.groups == {"staff", "token-admins"}
    assert identity.reference == "_s1"


def test_an_assertion_is_remembered_until_it_would_not_be_taken_anyway(site: Site, toolkit_off: None) -> None:
    answer = site.answer.changed(assertion_id="_once", ends=timedelta(minutes=3))
    (once,) = site.takes(saml_idp.signed(answer, PAIR)).once
    assert (once.key, once.until) == ("_once", site.clock.now() + timedelta(minutes=4))
    text = encoded(saml_idp.signed(answer, PAIR))
    site.clock.advance(timedelta(minutes=3, seconds=59))
    site.takes(text)
    site.clock.advance(seconds=1)
    assert "ended" in site.refuses(text)


@pytest.mark.parametrize("method", ["rsa-sha256", "rsa-sha384", "rsa-sha512"])
def test_good_signatures_are_taken(site: Site, method: str) -> None:
    site.takes(saml_idp.signed(site.answer, PAIR, signature=saml_idp.MORE + method, digest="sha512"))


def test_a_key_on_an_elliptic_curve_signs_too(tmp_path: Path, clock: FakeClock) -> None:
    site, pair = Site(tmp_path, clock, make_pair("curve", "ec")), make_pair("curve", "ec")
    site.takes(saml_idp.signed(site.answer, pair, signature=saml_idp.MORE + "ecdsa-sha256"))


def test_any_certificate_of_the_metadata_may_have_signed(site: Site) -> None:
    site.takes(saml_idp.signed(site.answer, make_pair("old"), what="both"))


def test_a_declaration_and_lines_of_base64_are_taken(site: Site) -> None:
    raw = etree.tostring(saml_idp.signed(site.answer, PAIR), xml_declaration=True, encoding="UTF-8")
    site.takes("\r\n".join(base64.b64encode(raw).decode()[at : at + 76] for at in range(0, 4 * len(raw) // 3 + 4, 76)))


def test_qualifiers_that_are_ours_are_taken(site: Site) -> None:
    qualifiers = f' NameQualifier="{IDP}" SPNameQualifier="{ENTITY}"'
    site.takes(saml_idp.signed(site.answer.changed(qualifiers=qualifiers), PAIR))


@pytest.mark.parametrize("seconds", [-60, 60])
def test_clocks_may_differ_by_a_minute(site: Site, toolkit_off: None, seconds: int) -> None:
    edge = timedelta(seconds=seconds)
    times = (
        {"begins": edge}
        if seconds > 0
        else {"ends": edge + timedelta(seconds=1), "session_ends": edge + timedelta(seconds=1)}
    )
    site.takes(saml_idp.signed(site.answer.changed(**times), PAIR))
    off = {name: value + timedelta(seconds=1 if seconds > 0 else -1) for name, value in times.items()}
    site.refuses(saml_idp.signed(site.answer.changed(**off), PAIR))


def test_a_subject_may_be_an_attribute(tmp_path: Path, clock: FakeClock) -> None:
    site = Site(tmp_path, clock, subject_attribute="employeeNumber")
    transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    answer = site.answer.changed(format=transient, attributes={"employeeNumber": ("4711",)})
    identity = site.takes(saml_idp.signed(answer, PAIR)).identity
    assert (identity.subject, identity.login) == ("4711", "4711")
    for values in ((), ("4711", "4712")):
        answer = site.answer.changed(attributes={"employeeNumber": values})
        assert "not one" in site.refuses(saml_idp.signed(answer, PAIR))


def test_an_address_counts_only_where_the_site_trusts_it(tmp_path: Path, clock: FakeClock) -> None:
    site = Site(tmp_path, clock, trust_email=True)
    assert site.takes(saml_idp.signed(site.answer, PAIR)).identity.email_verified is True
    nobody = site.answer.changed(attributes={"uid": ("anna",)})
    identity = site.takes(saml_idp.signed(nobody, PAIR)).identity
    assert (identity.email, identity.email_verified) == (None, False)


# -- What is refused. --


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_answer_is_refused(site: Site, name: str) -> None:
    site.refuses(CASES[name](site.answer, PAIR))


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_answer_is_refused_without_python3_saml_too(site: Site, toolkit_off: None, name: str) -> None:
    site.refuses(CASES[name](site.answer, PAIR))


_ALONE = (
    "nothing signed",
    "only the response signed",
    "signed by a stranger",
    "response signed by a stranger",
    "another name put in, assertion signed",
    "signature: SHA-1 signature",
    "signature: SHA-1 digest",
    "audience of another",
    "recipient of another",
    "destination of another",
    "issuer of another",
    "answer to another request",
    "confirmation over",
    "two signed assertions",
    *(f"wrapping {number}, assertion signed" for number in range(1, 9)),
)


@pytest.mark.parametrize("name", _ALONE)
def test_python3_saml_refuses_it_by_itself(site: Site, name: str) -> None:
    idp = site.provider._source.idp()
    known = {"idp": idp, "entity_id": ENTITY, "callback": CALLBACK, "request_id": site.kept["request"]}
    right = base64.b64decode(encoded(saml_idp.signed(site.answer, PAIR)))
    provider.check_with_toolkit(right, **known)
    with pytest.raises(NotProven, match="python3-saml"):
        provider.check_with_toolkit(base64.b64decode(CASES[name](site.answer, PAIR)), **known)


def test_without_a_request_of_its_own_a_browser_brings_nothing(site: Site) -> None:
    root = site.answer.changed(in_response_to="", confirmed_request="").tree()
    for each in (root, root.find(".//saml:SubjectConfirmationData", saml_idp.NS)):
        each.set("InResponseTo", "")
    sign(assertion_of(root), PAIR)
    for kept in ({}, {"request": ""}):
        refused = site.finish(encoded(root), kept)
        assert isinstance(refused, Refused)
        assert "answers nothing" in (refused.detail or "")


def test_what_was_signed_is_all_that_is_read(site: Site) -> None:
    """Whatever one adds around the signed assertion, and gets through, adds nothing."""
    root = saml_idp.signed(site.answer, PAIR)
    raw = etree.tostring(root)
    found = signed.signed_assertion(raw, shape.check_shape(root), [PAIR.pem.decode()])
    assert found.getroottree().getroot() is found
    assert found.find("ds:Signature", saml_idp.NS) is None
    with pytest.raises(NotProven, match="something else"):
        signed._signed(raw, f"./{{{saml_idp.A}}}Assertion/", [PAIR.pem.decode()], (found.tag, "_other"))


Mutant = tuple[types.ModuleType, str, str, str]
MUTANTS: tuple[Mutant, ...] = (
    (document, 'if "<!" in text or "<?" in text:', "if False:", "comment before the assertion, assertion signed"),
    (document, 'if "<!" in text or "<?" in text:', "if False:", "DOCTYPE"),
    (document, 'if "\\0" in text:', "if False:", "UTF-16 without a mark"),
    (shape, "_require(root.tag == RESPONSE", "_require(True", "another kind of response"),
    (shape, '_require(root.get("Version")', '_require("2.0"', "SAML 1.1"),
    (shape, "    _check_ids(root)\n", "", "id twice"),
    (shape, "_require(set(tags) <= _IN_RESPONSE", "_require(True", "extension of the response"),
    (
        shape,
        "_require(max(tags.count(ISSUER), tags.count(SIGNATURE)) <= 1",
        "_require(True",
        "two issuers of the response",
    ),
    (shape, "_require(tags.count(STATUS) == 1", "_require(True", "two statuses"),
    (shape, "_require(element in places", "_require(True", "an assertion in an attribute"),
    (shape, "_require(set(tags) <= _IN_ASSERTION", "_require(True", "an assertion about permissions"),
    (shape, '_require(assertion.get("Version")', '_require("2.0"', "an assertion of SAML 1.1"),
    (shape, "_require(tags.count(tag) == 1", "_require(True", "twice saml:Subject"),
    (shape, "_require(_ID.match(identity) is not None", "_require(True", "an endless id"),
    (shape, 'in ([], ["KeyInfo"])', "is not None", "an object in the signature"),
    (shape, '_require(canonical.get("Algorithm")', "_require(EXCLUSIVE", "signature: inclusive form"),
    (shape, 'method.get("Algorithm") in SIGNATURES', "True", "signature: SHA-1 signature"),
    (
        shape,
        "_require(dict(reference.attrib)",
        '_require({"URI": f"#{identity}"}',
        "assertion signed over the response",
    ),
    (shape, '[each.get("Algorithm") for each in transforms]', "[ENVELOPED, EXCLUSIVE]", "signature: with comments"),
    (shape, 'digest.get("Algorithm") in DIGESTS', "True", "signature: SHA-1 digest"),
    (signed, "if shape.is_signed:", "if False:", "response signed by a stranger"),
    (
        assertion,
        '    _equal(root.get("Destination"), expected.callback, "Destination")\n',
        "",
        "destination of another",
    ),
    (
        assertion,
        '    _equal(root.get("InResponseTo"), expected.request_id, "InResponseTo")\n',
        "",
        "answer to another request outside",
    ),
    (assertion, "if issuer is not None:", "if False:", "another issuer of the response"),
    (assertion, "if status != SUCCESS:", "if False:", "status: the provider refuses"),
    (assertion, '    _equal(_text(assertion.find(ISSUER)), expected.issuer, "issuer")\n', "", "issuer of another"),
    (assertion, 'if each.get("Method") == BEARER', "if True", "another way of confirmation"),
    (assertion, '    _equal(data.get("Recipient"), expected.callback, "Recipient")\n', "", "recipient of another"),
    (
        assertion,
        '_equal(data.get("InResponseTo"), expected.request_id',
        '_equal("", ""',
        "answer to another request inside",
    ),
    (assertion, '_check_begin(data.get("NotBefore")', "_check_begin(None", "confirmation not yet"),
    (
        assertion,
        'end = _check_end(data.get("NotOnOrAfter"), expected.now, "confirmation")',
        'end = instant(data.get("NotOnOrAfter"))',
        "confirmation over",
    ),
    (assertion, "    if end is None:\n        raise", "    if False:\n        raise", "confirmation without an end"),
    (assertion, "if not {each.tag for each in conditions} <= _CONDITIONS:", "if False:", "an unknown condition"),
    (assertion, "if not restrictions:", "if False:", "without an audience"),
    (assertion, "if expected.entity_id not in audiences:", "if False:", "audience of another"),
    (
        assertion,
        "for restriction in restrictions:",
        "for restriction in restrictions[:1]:",
        "two audience restrictions",
    ),
    (assertion, '_check_begin(conditions.get("NotBefore")', "_check_begin(None", "not yet"),
    (assertion, 'return _check_end(conditions.get("NotOnOrAfter"), expected.now, "assertion")', "return None", "over"),
    (assertion, '_check_end(statement.get("SessionNotOnOrAfter")', "_check_end(None", "session over"),
    (assertion, "if len(found) != 1:\n        return None", "if not found:\n        return None", "two names"),
    (assertion, "if len(element):", "if False:", "an element in the name, signed"),
    (people, "if subject.casefold() in", "if None in", "an e-mail address that calls itself lasting"),
    (people, "        check_subject(subject)\n", "        pass\n", "an endless name"),
    (people, "claims.name_id.format != PERSISTENT", "False", "a name that changes"),
    (people, "name.qualifier not in {None, issuer}", "False", "a name that another provider gave"),
    (people, "name.sp_qualifier not in {None, entity_id}", "False", "a name for another service"),
    (provider, "if len(text) > _MOST_CHARACTERS:", "if False:", "more than 256 KiB"),
)
"""A check, what it is without it, and the answer that nothing else refuses then (python3-saml left aside)."""


def mutate(monkeypatch: pytest.MonkeyPatch, module: types.ModuleType, old: str, new: str) -> None:
    """Run the functions of a module as if its source read otherwise."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, old
    other = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), module.__file__ or "", "exec"), vars(other))  # noqa: S102  our own source, with a check less
    for name, thing in vars(module).items():
        if isinstance(thing, types.FunctionType) and thing.__module__ == module.__name__:
            monkeypatch.setattr(thing, "__code__", vars(other)[name].__code__)


def _shaped(text: str) -> bool:
    """Tell whether the first two steps take a response."""
    try:
        shape.check_shape(document.read_document(base64.b64decode(text)).root)
    except NotProven:
        return False
    return True


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each[3])
def test_each_check_is_what_refuses_its_answer(site: Site, monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    module, old, new, name = mutant
    text = CASES[name](site.answer, PAIR)

    def taken() -> bool:
        # Of what the first two steps refuse, later ones refuse much again.
        return _shaped(text) if module in {document, shape} else isinstance(site.finish(text), Finished)

    assert not taken()
    mutate(monkeypatch, module, old, new)
    monkeypatch.setattr(provider, "check_with_toolkit", lambda *_, **__: None)
    assert taken()

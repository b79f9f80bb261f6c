"""The provider: sends the browser out with a request, and takes one answer to it."""

import base64
import binascii
from collections.abc import Iterable, Mapping

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity.saml.assertion import Claims, Expected, check_response, read_assertion
from gatepass.identity.saml.document import Document, read_document
from gatepass.identity.saml.encryption import open_assertion
from gatepass.identity.saml.idp import Idp
from gatepass.identity.saml.names import ENCRYPTED_ASSERTION, NotProven
from gatepass.identity.saml.options import Options
from gatepass.identity.saml.own_key import OwnKey, read_own_key
from gatepass.identity.saml.people import identity_of
from gatepass.identity.saml.requests import Self, new_request_id, own_metadata, request_url
from gatepass.identity.saml.shape import Shape, check_shape
from gatepass.identity.saml.signed import check_response_signature, signed_assertion
from gatepass.identity.saml.source import Source, open_source
from gatepass.identity.saml.toolkit import check_with_toolkit
from gatepass.interfaces import Clock, Step
from gatepass.model.identity import Begun, Finished, Identity, Once, Refusal, Refused

_MOST_CHARACTERS = 256 * 1024
_CALLBACK, _METADATA = "/callback", "/metadata"


class SamlProvider:
    """A SAML 2.0 service provider for one identity provider."""

    def __init__(
        self, options: Options, source: Source, own_key: OwnKey | None, *, provider_id: str, clock: Clock
    ) -> None:
        """Take everything ready."""
        self._options = options
        self._source = source
        self._own_key = own_key
        self._id = provider_id
        self._clock = clock

    def close(self) -> None:
        """Nothing is held open."""

    def describe(self, callback: str) -> bytes:
        """Return our metadata."""
        return own_metadata(self._self(callback))

    def steps(self) -> Iterable[Step]:
        """Read the metadata. More cannot be tried: the rest is between a browser and the provider's page."""
        words = f"metadata of the identity provider at {self._options.metadata}"
        try:
            idp = self._source.idp()
        except Unavailable as error:
            yield Step(words, str(error), "is the address right, and its certificate of a known authority (`tls_ca`)?")
            return
        yield Step(f"{words}: {idp.entity_id}, sign-in at {idp.sign_in_url}")
        ends_at = idp.certificates_end_at
        trouble = f"ran out on {ends_at:%Y-%m-%d}" if ends_at <= self._clock.now() else ""
        yield Step(f"{len(idp.certificates)} certificates for signing, the last until {ends_at:%Y-%m-%d}", trouble)

    def look_up(self, login: str) -> Identity | Refused:
        """Find nobody: people are seen when they come."""
        return Refused(Refusal.UNKNOWN, detail=f"nobody can be looked up by SAML, {login!r} neither")

    def begin(self, callback: str) -> Begun:
        """Return where the browser goes with a request of its own."""
        idp, request_id = self._source.idp(), new_request_id()
        url = request_url(self._self(callback), idp, request_id=request_id, now=self._clock.now())
        return Begun(url, {"request": request_id}, posted=True)

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], callback: str) -> Finished | Refused:
        """Read the posted answer to the request of this browser."""
        idp, me = self._source.idp(), self._self(callback)
        expected = Expected(idp.entity_id, me.entity_id, callback, kept.get("request", ""), self._clock.now())
        try:
            # SECURITY: without a request of this browser's own, an answer is somebody else's, or nobody's.
            if not expected.request_id:
                raise NotProven("answers nothing that was asked for here")
            claims = self._verified(_decoded(answer.get("SAMLResponse", "")), idp, expected)
            identity = identity_of(
                claims, self._options, provider_id=self._id, issuer=idp.entity_id, entity_id=me.entity_id
            )
        except NotProven as error:
            return Refused(Refusal.INVALID, detail=f"the response {error}")
        return Finished(identity, (Once(claims.id, claims.ends_at),))

    def _verified(self, raw: bytes, idp: Idp, expected: Expected) -> Claims:
        document = read_document(raw)
        shape = check_shape(document.root)
        check_response(document.root, expected)
        if (shape.assertion.tag == ENCRYPTED_ASSERTION) != self._options.encrypted:
            raise NotProven("has an encrypted assertion" if not self._options.encrypted else "is not encrypted")
        if self._options.encrypted:
            document, shape = self._opened(document, shape, idp)
        check_with_toolkit(
            document.raw,
            idp=idp,
            entity_id=expected.entity_id,
            callback=expected.callback,
            request_id=expected.request_id,
        )
        # SECURITY: only what was signed is read from here on.
        return read_assertion(signed_assertion(document.raw, shape, idp.certificates), expected)

    def _opened(self, document: Document, shape: Shape, idp: Idp) -> tuple[Document, Shape]:
        """Return the response with its assertion in plain."""
        if shape.is_signed:
            check_response_signature(document.raw, shape.root.get("ID"), idp.certificates)
        if self._own_key is None:  # not reached: `encrypted` needs a key
            raise NotProven("is encrypted, and there is no key")
        opened = open_assertion(shape, self._own_key)
        return opened, check_shape(opened.root)

    def _self(self, callback: str) -> Self:
        return Self(
            entity_id=self._options.entity_id or callback.removesuffix(_CALLBACK) + _METADATA,
            callback=callback,
            own_key=self._own_key,
            encrypted=self._options.encrypted,
            persistent=not self._options.subject_attribute,
        )


def build_saml(options: Options, *, provider_id: str, clock: Clock) -> SamlProvider:
    """Return the provider. Raises BadConfiguration naming the option."""
    section = f"providers.{provider_id}"
    if options.subject_attribute in options.email_attributes:
        raise BadConfiguration(
            f"{section}.subject_attribute", "must not be an e-mail address: it may become somebody else's"
        )
    return SamlProvider(
        options,
        open_source(options, section=section, clock=clock),
        read_own_key(options, section=section),
        provider_id=provider_id,
        clock=clock,
    )


def _decoded(text: str) -> bytes:
    """Return what a form field holds in base64, perhaps in lines. Raises NotProven."""
    if len(text) > _MOST_CHARACTERS:
        raise NotProven(f"has more than {_MOST_CHARACTERS} characters")
    joined = "".join(text.split())
    try:
        raw = base64.b64decode(joined, validate=True)
    except (binascii.Error, ValueError):
        raise NotProven("is no base64") from None
    if not raw or base64.b64encode(raw).decode() != joined:
        raise NotProven("is no base64")
    return raw

"""A signed assertion that a proxy adds to each request."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from gatepass.errors import BadConfiguration
from gatepass.identity.fetching import Fetcher, examine, is_safe_url
from gatepass.identity.signed import (
    SKEW,
    Claims,
    Keys,
    check_algorithms,
    check_audience,
    check_issuer,
    check_times,
    claim_at,
    external_id_of,
    instant_in,
    read_signed,
    sub_in,
    subject_of,
    text_in,
    texts_of,
)
from gatepass.identity.trusted_proxy.header import sole_value
from gatepass.identity.trusted_proxy.options import Options
from gatepass.interfaces import Clock, Step
from gatepass.model.identity import Carrier, Identity, NotProven, Refusal, Refused


class SignedAssertion:
    """Believes a header that is signed by a known issuer, for this site, now."""

    def __init__(self, options: Options, header: str, provider_id: str, clock: Clock) -> None:
        """Read `header`, a name in lower case. Raises BadConfiguration; nobody is asked anything yet."""
        section = f"providers.{provider_id}"
        for key in ("issuer", "audience"):
            if not getattr(options, key):
                raise BadConfiguration(f"{section}.{key}", "must be what the assertions say")
        if not is_safe_url(options.jwks):
            raise BadConfiguration(f"{section}.jwks", f"must be an https address, not {options.jwks!r}")
        check_algorithms(options.algorithms, key=f"{section}.algorithms")
        self._options = options
        self._header = header
        self._id = provider_id
        self._clock = clock
        self._fetcher = Fetcher(ca=options.tls_ca, proxy=options.proxy, section=section)
        self._keys = Keys(lambda: self._fetcher.get(options.jwks), clock)

    def require_carrier(self, *, is_socket: bool, asks_certificates: bool) -> None:
        """Need none: the signature proves it."""

    def close(self) -> None:
        """Let go of open connections."""
        self._fetcher.close()

    def read_headers(self, headers: Sequence[tuple[str, str]], carrier: Carrier) -> Identity | Refused:  # noqa: ARG002  the signature proves it
        """Return for whom the assertion vouches."""
        try:
            token = read_signed(sole_value(headers, self._header), self._keys, algorithms=self._options.algorithms)
            self._check(token.claims)
            return self._identity(token.claims)
        except NotProven as error:
            return Refused(Refusal.INVALID, detail=str(error))

    def subject_for(self, external_id: str) -> str:
        """Return the key of the person with that `sub`."""
        return subject_of(self._options.issuer, external_id)

    def external_id_of(self, subject: str) -> str | None:
        """Return their `sub`, None if it cannot be told."""
        return external_id_of(self._options.issuer, subject)

    def steps(self) -> Iterator[Step]:
        """Try what can be tried without a person."""
        return examine((f"keys at {self._options.jwks}", self._keys.require, ""))

    def look_up(self, login: str) -> Refused:  # noqa: ARG002  only who comes is told of
        """Return that nobody can be looked up."""
        return Refused(Refusal.UNKNOWN, detail="a proxy tells of people only when they come")

    def _check(self, claims: Claims) -> None:
        options, now = self._options, self._clock.now()
        check_issuer(claims, options.issuer)
        check_audience(claims, options.audience, party=False)
        check_times(claims, now)
        issued, most = instant_in(claims, "iat"), options.max_age_seconds
        if most and (issued is None or now - issued > timedelta(seconds=most) + SKEW):
            raise NotProven("made too long ago")
        if "events" in claims:
            raise NotProven("another kind of token")

    def _identity(self, claims: Claims) -> Identity:
        options, sub = self._options, sub_in(claims)
        return Identity(
            provider=self._id,
            subject=subject_of(options.issuer, sub),
            login=text_in(claims, options.login_claim) or sub,
            name=text_in(claims, "name"),
            email=text_in(claims, "email"),
            email_verified=options.emails_are_verified or claims.get("email_verified") is True,
            groups=texts_of(claim_at(claims, options.groups_claim)),
        )

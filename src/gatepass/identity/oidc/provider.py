"""The OpenID Connect provider: to its page and back, and out again."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from gatepass.errors import BadConfiguration, Unavailable
from gatepass.identity.fetching import Fetcher, Kept, examine, is_safe_url
from gatepass.identity.oidc.claims import (
    Expected,
    check_id_token,
    check_logout_token,
    identity_of,
    lacks,
    session_of,
)
from gatepass.identity.oidc.discovery import Metadata, discover
from gatepass.identity.oidc.options import Options
from gatepass.identity.signed import (
    Claims,
    Keys,
    check_algorithms,
    external_id_of,
    is_equal,
    read_signed,
    sub_in,
    subject_of,
)
from gatepass.interfaces import Clock, Step
from gatepass.model.identity import Begun, Ended, Finished, NotProven, Once, Refusal, Refused
from gatepass.model.secret import generate_handle

_METADATA_LIFETIME = timedelta(hours=1)
_ANSWER_LIFETIME = timedelta(minutes=15)
"""Longer than any browser keeps what it began."""
_CODE_LENGTH = 4096
_CLIENT_AUTH = ("", "basic", "post")
_CHANGES_HANDS = frozenset({"email", "name", "nickname", "preferred_username", "unique_name", "upn"})
_NOT_NOW = frozenset({"server_error", "temporarily_unavailable"})
_OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})


class OidcProvider:
    """Sends browsers to an OpenID provider, and reads what they and it bring back."""

    def __init__(self, options: Options, provider_id: str, clock: Clock) -> None:
        """Check the options; nobody is asked anything yet."""
        section = f"providers.{provider_id}"
        _check(options, section)
        self._options = options
        self._id = provider_id
        self._clock = clock
        self._fetcher = Fetcher(ca=options.tls_ca, proxy=options.proxy, section=section)
        self._metadata: Kept[Metadata] = Kept(
            lambda: discover(self._fetcher, options.issuer), clock, lifetime=_METADATA_LIFETIME
        )
        self._keys = Keys(lambda: self._fetcher.get(self._metadata.get().jwks_uri), clock)

    def close(self) -> None:
        """Let go of open connections."""
        self._fetcher.close()

    def begin(self, callback: str) -> Begun:
        """Return the provider's page, and what its answer has to fit."""
        state, nonce, verifier = (generate_handle().reveal() for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._options.client_id,
            "redirect_uri": callback,
            "scope": " ".join(self._options.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        if self._options.prompt:
            asked["prompt"] = self._options.prompt
        if self._options.max_age_seconds:
            asked["max_age"] = str(self._options.max_age_seconds)
        kept = {"state": state, "nonce": nonce, "verifier": verifier}
        return Begun(_with_query(self._metadata.get().authorization_endpoint, asked), kept)

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], callback: str) -> Finished | Refused:
        """Turn the code of an answer into an identity, if everything about it fits."""
        try:
            code = self._code(answer, kept)
            tokens = self._tokens(code, kept, callback)
            return self._identified(tokens, kept)
        except NotProven as error:
            return Refused(Refusal.INVALID, detail=str(error))

    def sign_out_url(self, back: str) -> str | None:
        """Return the provider's page for signing out (RP-Initiated Logout 1.0), None if that is not wanted or had."""
        endpoint = self._metadata.get().end_session_endpoint if self._options.sign_out_there else None
        asked = {"client_id": self._options.client_id, "post_logout_redirect_uri": back}
        return _with_query(endpoint, asked) if endpoint else None

    def read_logout(self, text: str) -> Ended | Refused:
        """Read a logout token (Back-Channel Logout 1.0)."""
        try:
            token = read_signed(text, self._keys, algorithms=self._options.algorithms)
            token_id, until = check_logout_token(token, self._options, self._clock.now())
            claims = token.claims
            # With another claim as the key, its sub names nobody here, and the session has to.
            key = self._options.subject_claim
            sub = sub_in(claims, key) if key in claims else None
            reference = session_of(claims)
            if sub is None and reference is None:
                raise NotProven("a logout token about nobody")
        except NotProven as error:
            return Refused(Refusal.INVALID, detail=str(error))
        subject = subject_of(self._options.issuer, sub) if sub else None
        return Ended(self._id, subject, reference, Once(f"logout {token_id}", until))

    def subject_for(self, external_id: str) -> str:
        """Return the key of the person with that `sub`."""
        return subject_of(self._options.issuer, external_id)

    def external_id_of(self, subject: str) -> str | None:
        """Return their `sub`, None if it cannot be told."""
        return external_id_of(self._options.issuer, subject)

    def steps(self) -> Iterator[Step]:
        """Try what can be tried without a person."""
        return examine(
            (
                f"discovery document of {self._options.issuer}",
                self._metadata.get,
                "the issuer must be its own, to the letter",
            ),
            ("keys", self._keys.require, ""),
            (
                "client id and secret",
                self._try_client,
                "compare client_id, client_secret and client_auth with the provider's",
            ),
        )

    def look_up(self, login: str) -> Refused:  # noqa: ARG002  a provider of this kind tells only of who signs in
        """Return that nobody can be looked up."""
        return Refused(Refusal.UNKNOWN, detail="an OpenID provider tells of people only when they sign in")

    def _try_client(self) -> None:
        with suppress(NotProven):  # a code that nobody has; the client was looked at before it
            self._tokens("none", {"verifier": generate_handle().reveal()}, "http://localhost/")

    def _code(self, answer: Mapping[str, str], kept: Mapping[str, str]) -> str:
        """Return the code of an answer to what this browser began."""
        if not is_equal(answer.get("state"), kept.get("state", "")):
            raise NotProven("an answer to something else")
        # SECURITY: a provider that names itself always does, so that another's answer is not taken for its own.
        named = answer.get("iss")
        if (named is not None or self._metadata.get().says_issuer) and named != self._options.issuer:
            raise NotProven("an answer of another issuer")
        if "error" in answer:
            if answer["error"] in _NOT_NOW:
                raise Unavailable("the identity provider says that it cannot answer just now")
            raise NotProven("the provider refused")
        code = answer.get("code", "")
        if not 0 < len(code) <= _CODE_LENGTH or not code.isascii() or not code.isprintable():
            raise NotProven("an answer without a code")
        return code

    def _tokens(self, code: str, kept: Mapping[str, str], callback: str) -> Claims:
        """Exchange the code (RFC 6749, 4.1.3). Raises NotProven if it is none, Unavailable for everything else."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": kept.get("verifier", ""),
        }
        metadata = self._metadata.get()
        headers = self._authorise(form, metadata)
        answer = self._fetcher.ask("POST", metadata.token_endpoint, headers=headers, form=form)
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status == HTTPStatus.OK and isinstance(body.get("id_token"), str):
            return body
        error = body["error"] if isinstance(body.get("error"), str) else None
        if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED} and error in _OUR_FAULT:
            raise Unavailable(f"the identity provider does not take this client: {error}")
        if answer.status == HTTPStatus.BAD_REQUEST and error is not None and error not in _NOT_NOW:
            raise NotProven("the provider does not know the code")
        raise Unavailable(f"the token endpoint answered {answer.status}, without an id token")

    def _authorise(self, form: dict[str, str], metadata: Metadata) -> dict[str, str]:
        """Add the client's secret to the form, or return it as headers (RFC 6749, 2.3.1)."""
        client_id, secret = self._options.client_id, self._options.client_secret
        takes_basic = not metadata.client_auth or "client_secret_basic" in metadata.client_auth
        if not secret or (self._options.client_auth or ("basic" if takes_basic else "post")) == "post":
            form |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
            return {}
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def _identified(self, tokens: Claims, kept: Mapping[str, str]) -> Finished:
        token = read_signed(tokens.get("id_token"), self._keys, algorithms=self._options.algorithms)
        given = tokens.get("access_token")
        access_token = given if isinstance(given, str) and given.isascii() and given.isprintable() else ""
        nonce, now = kept.get("nonce", ""), self._clock.now()
        expected = Expected(nonce, access_token, now, self._options.max_age_seconds)
        check_id_token(token, self._options, expected)
        identity = identity_of(token.claims, self._userinfo(token.claims, access_token), self._options, self._id)
        return Finished(identity, (Once(f"nonce {nonce}", now + _ANSWER_LIFETIME),))

    def _userinfo(self, claims: Claims, access_token: str) -> Claims:
        """Return what the provider tells of the user besides, if anything is lacking."""
        endpoint = self._metadata.get().userinfo_endpoint
        if not self._options.userinfo or endpoint is None or not access_token or not lacks(claims, self._options):
            return {}
        found: Any = self._fetcher.get(endpoint, bearer=access_token)
        if not isinstance(found, dict):
            raise Unavailable("the identity provider told nothing of the user")
        return found


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(url: str, fields: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


def _check(options: Options, section: str) -> None:
    """Raise BadConfiguration for options that cannot work."""
    if not is_safe_url(options.issuer, query=False):
        raise BadConfiguration(f"{section}.issuer", f"must be an https address, not {options.issuer!r}")
    if not options.client_id:
        raise BadConfiguration(f"{section}.client_id", "must be what the provider calls this site")
    if options.client_auth not in _CLIENT_AUTH:
        raise BadConfiguration(f"{section}.client_auth", f"must be basic or post, not {options.client_auth!r}")
    if "openid" not in options.scopes:
        raise BadConfiguration(f"{section}.scopes", "must have 'openid' among them")
    if not options.subject_claim or options.subject_claim in _CHANGES_HANDS:
        raise BadConfiguration(
            f"{section}.subject_claim", f"must never become somebody else's, as {options.subject_claim!r} does"
        )
    if options.max_age_seconds < 0:
        raise BadConfiguration(f"{section}.max_age_seconds", "must be 0 or more")
    check_algorithms(options.algorithms, key=f"{section}.algorithms")

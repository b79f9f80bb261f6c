"""An OpenID provider of the tests, in this process: it says and signs whatever a test tells it to.

It signs by itself, not with the library that the checks use.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT_ID, CLIENT_SECRET = "gatepass", "kept ~ secret/+"
ALICE = {"sub": "alice", "email": "alice@example.com", "email_verified": True, "name": "Alice Öz", "groups": ["staff"]}


def encode(content: Any) -> str:
    """Return bytes or a text in base64, anything else as JSON in it."""
    if not isinstance(content, bytes | str):
        content = json.dumps(content)
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@cache
def key_for(algorithm: str, name: str = "first") -> Any:
    """Return a private key; each name has another."""
    if algorithm in {"RS256", "PS256"}:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "SHORT":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  what must be refused
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def public_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk_of(key: Any, **fields: str) -> dict[str, str]:
    """Return the public part as a JSON Web Key."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        found = public.public_numbers()
        return {"kty": "RSA", "n": number(found.n), "e": number(found.e), "use": "sig", **fields}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        x, y = (encode(each.to_bytes(32, "big")) for each in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", **fields}
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw), "use": "sig", **fields}


def sign(algorithm: str, key: Any, message: bytes) -> bytes:
    if algorithm == "none":
        return b""
    if algorithm.startswith("HS"):  # with the public key, as if that were a shared secret
        return hmac.digest(public_pem(key), message, "sha256")
    if algorithm in {"RS256", "RS512"}:
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256() if algorithm == "RS256" else hashes.SHA512())
    if algorithm == "PS256":
        return key.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    if algorithm == "ES256":
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(message)


def make_token(claims: Mapping[str, Any], *, key: Any, algorithm: str = "RS256", **header: Any) -> str:
    """Return a signed token. A header of None is left out."""
    head = {name: each for name, each in {"alg": algorithm, "typ": "JWT", **header}.items() if each is not None}
    message = f"{encode(head)}.{encode(claims)}".encode()
    return f"{message.decode()}.{encode(sign(algorithm, key, message))}"


@dataclass
class OpenId:
    """The provider. What stands in its fields is what it does; `reset` makes it honest again."""

    now: datetime
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(ALICE))
    claims: dict[str, Any] = field(default_factory=dict)
    """Over what an id token would say; None takes a claim away."""
    header: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = None
    """What it signs with; None: the key it publishes as `k1`."""
    keys: list[dict[str, str]] | None = None
    """What it publishes."""
    answer: dict[str, Any] = field(default_factory=dict)
    """Over what the browser brings back; None takes a field away."""
    metadata: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    """Over what the token endpoint answers."""
    token_status: int = 200
    token_body: bytes | None = None
    userinfo: dict[str, Any] | None = None
    """What it tells of the user besides; None: nothing, with 401."""
    down: frozenset[str] = frozenset()
    """Paths that answer 500."""
    bodies: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Paths with an answer of the test's own."""
    takes_codes_twice: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    """Path, headers and form of each request."""

    def authorise(self, url: str) -> dict[str, str]:
        """Sign in on its page; return what the browser brings back."""
        asked = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        code = f"code-{len(self.codes)}-{hashlib.sha256(asked['state'].encode()).hexdigest()[:16]}"
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **self.answer}
        return {name: value for name, value in answer.items() if value is not None}

    def id_token(self, asked: Mapping[str, str], access_token: str) -> str:
        half = hashlib.sha512 if self.algorithm == "EdDSA" else hashlib.sha256
        digest = half(access_token.encode()).digest()
        at = int(self.now.timestamp())
        told = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": at,
            "exp": at + 300,
            "nonce": asked["nonce"],
            "at_hash": encode(digest[: len(digest) // 2]),
            "sid": "sid-1",
            **self.person,
            **self.claims,
        }
        return self.sign({name: value for name, value in told.items() if value is not None})

    def sign(self, claims: Mapping[str, Any]) -> str:
        key = self.key or key_for(self.algorithm if self.algorithm in {"ES256", "EdDSA"} else "RS256")
        return make_token(claims, key=key, algorithm=self.algorithm, **{"kid": "k1", **self.header})

    def logout_token(self, **changes: Any) -> str:
        at = int(self.now.timestamp())
        told = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": at,
            "exp": at + 120,
            "jti": "logout-1",
            "sub": "alice",
            "sid": "sid-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **changes,
        }
        return self.sign({name: value for name, value in told.items() if value is not None})

    def respond(self, path: str, headers: dict[str, str], form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, headers, form))
        if path in self.bodies:
            return self.bodies[path]
        if path in self.down:
            return 500, {}, b"{}"
        if path == "/.well-known/openid-configuration":
            return self._json(200, self._metadata())
        if path == "/jwks":
            return self._json(200, {"keys": self._published()})
        if path == "/userinfo":
            return self._json(401, {}) if self.userinfo is None else self._json(200, self.userinfo)
        return self._exchange(form) if path == "/token" else self._json(404, {})

    def _metadata(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorise",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/leave?tenant=1",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.metadata,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _published(self) -> list[dict[str, str]]:
        if self.keys is not None:
            return self.keys
        kind = self.algorithm if self.algorithm in {"ES256", "EdDSA"} else "RS256"
        return [jwk_of(key_for(kind), kid="k1")]

    def _exchange(self, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.token_body is not None or self.token_status != 200:
            return self.token_status, {"content-type": "application/json"}, self.token_body or b"{}"
        asked = self.codes.get(form.get("code", ""))
        challenge = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = asked is not None and asked["redirect_uri"] == form.get("redirect_uri")
        if asked is None or not fits or asked["code_challenge"] != challenge:
            return self._json(400, {"error": "invalid_grant"})
        if not self.takes_codes_twice:
            del self.codes[form["code"]]
        token = "access-token-1"
        made = {"access_token": token, "token_type": "Bearer", "id_token": self.id_token(asked, token), **self.tokens}
        return self._json(200, {name: value for name, value in made.items() if value is not None})

    @staticmethod
    def _json(status: int, body: Any) -> tuple[int, dict[str, str], bytes]:
        return status, {"content-type": "application/json"}, json.dumps(body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that had enough."""


def be_honest(provider: OpenId) -> OpenId:
    """Let a provider forget all that a test has made of it, but for where it is; return it."""
    honest = OpenId(datetime.now(UTC), issuer=provider.issuer)
    for each in fields(OpenId):
        setattr(provider, each.name, getattr(honest, each.name))
    return provider


@contextmanager
def running_openid() -> Iterator[OpenId]:
    """Run a provider at an address of this machine."""
    provider = OpenId(datetime.now(UTC))
    listening = Listening(provider)
    yield provider
    listening.close()


class Listening:
    """An `OpenId` at an address of this machine."""

    def __init__(self, provider: OpenId) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("content-length", 0))
                form = {name: each[0] for name, each in parse_qs(self.rfile.read(length).decode()).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, sent, body = provider.respond(urlsplit(self.path).path, headers, form)
                self.send_response(status)
                for name, value in {**sent, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        provider.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

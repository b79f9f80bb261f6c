"""A small client of the REST API, for the commands that talk to a server."""

import base64
import http.client
import json
import re
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import click

from gatepass.cli.output import Refused, Unreachable
from gatepass.errors import InvalidInput, NotAuthenticated, TooManyRequests
from gatepass.model.origin import is_loopback, is_origin
from gatepass.model.secret import Secret
from gatepass.server.settings import environment_value

DEFAULT_URL = "http://127.0.0.1:8420"
_SECONDS = 30
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Client:
    """Talks to one server as one person. Asks for a password at most once, and only if needed."""

    url: str
    email: str | None = None
    insecure_http: bool = False
    _authorization: Secret | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the address before anything secret could be sent to it."""
        if not is_origin(self.url):
            # What was given is not shown: it may hold a password.
            raise InvalidInput("GATEPASS_URL", "must be like https://tokens.example.com")
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.insecure_http:
            raise InvalidInput(
                "GATEPASS_URL", "is plain HTTP to another machine", hint="use https, or say --insecure-http"
            )

    def get(self, path: str, **query: Any) -> Any:
        """Return the body of a GET."""
        return self.call("GET", path, query=query).body

    def list(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Return all rows of a list, page after page."""
        after: dict[str, str] = {}
        while True:
            rows = self.get(path, **query, **after, limit=_PAGE)["data"]
            yield from rows
            if len(rows) < _PAGE:
                return
            after = {"after": rows[-1].get("tokenId") or rows[-1]["id"]}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        authorization: Secret | None = None,
        wait: int | None = None,
    ) -> Reply:
        """Send a request, raise what the server refuses: NotAuthenticated, Refused, TooManyRequests.

        `wait` is for how many seconds the server may wait for others before it answers (RFC 7240).
        """
        target = path + (f"?{urlencode(given)}" if (given := _given(query)) else "")
        headers = {"Accept": "application/json"}
        headers["Authorization"] = (authorization or self._credentials()).reveal()
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return _raised(self._send(method, target, content, headers, seconds=_SECONDS + (wait or 0)))

    def _send(
        self, method: str, target: str, content: bytes | None, headers: Mapping[str, str], *, seconds: float
    ) -> Reply:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        try:
            connection.request(method, target, content, dict(headers))
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"{self.url} does not answer: {_reason(error)}", hint="is GATEPASS_URL right, and the server running?"
            ) from None
        finally:
            connection.close()
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            raise Unreachable(f"{self.url} does not answer as Gatepass does (status {response.status})") from None
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, parsed)

    def change_password(self, new: Secret) -> None:
        """Ask for the old password and replace it; a token is not enough for this."""
        email = self.email or prompt("E-mail address")
        old = ask_password("Current password")
        body = {"currentPassword": old.reveal(), "newPassword": new.reveal()}
        self.call("PUT", "/v4/people/current/password", body, authorization=_basic(email, old))

    def _credentials(self) -> Secret:
        if self._authorization is None:
            token = environment_value("GATEPASS_TOKEN")
            if token and self.email is None:
                self._authorization = bearer(Secret(token))
            else:
                self._authorization = self._asked()
        return self._authorization

    def _asked(self) -> Secret:
        try:
            return _basic(self.email or prompt("E-mail address"), ask_password("Password"))
        except InvalidInput as error:
            raise NotAuthenticated(str(error)) from None

    def person(self, name: str) -> dict[str, Any]:
        """Return the person with this id or e-mail address."""
        if "@" not in name:
            found: dict[str, Any] = self.get(f"/v4/people/{quote(name, safe='')}")
            return found
        for row in self.get("/v4/people", q=name)["data"]:
            if row["email"].lower() == name.lower():
                return dict(row)
        raise Refused(f"there is no person {name!r}", hint="`gatepass user list` shows everybody")


def bearer(token: Secret) -> Secret:
    """Return the header for a token. Raises NotAuthenticated for text that no token can be, without showing it."""
    if re.fullmatch(r"[!-~]+", token.reveal()) is None:
        raise NotAuthenticated("the token holds spaces, line ends or other characters that no token has")
    return Secret(f"Bearer {token.reveal()}")


def _basic(email: str, password: Secret) -> Secret:
    return Secret(f"Basic {base64.b64encode(f'{email}:{password.reveal()}'.encode()).decode()}")


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _raised(reply: Reply) -> Reply:
    if reply.status < 400:
        return reply
    told = (reply.body or {}).get("exception", {}) if isinstance(reply.body, dict) else {}
    words = told.get("details") or told.get("message") or f"status {reply.status}"
    if reply.status == 401:
        raise NotAuthenticated("the server does not accept these credentials")
    if reply.status == 429:
        wait = int(reply.headers.get("retry-after", "1"))
        raise TooManyRequests(f"{words} Try again in {wait} s.", retry_after=wait)
    if reply.status == 503:
        raise Unreachable(words)
    raise Refused(words[:1].lower() + words[1:].removesuffix("."), hint=_HINTS.get(told.get("name", "")))


_HINTS = {
    "RouteNotFoundException": "tokens are switched off: `gatepass settings set apiAccessTokens.enabled true`",
    "DataNotFoundException": "`gatepass token list` and `gatepass user list` show what there is",
}


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def prompt(words: str) -> str:
    """Ask for a line; without a terminal, read it from standard input."""
    if sys.stdin.isatty():
        answer: str = click.prompt(words, err=True)
        return answer
    return _line(words)


def ask_password(words: str, *, twice: bool = False) -> Secret:
    """Ask for a password without showing it; without a terminal, read a line of standard input."""
    if sys.stdin.isatty():
        return Secret(click.prompt(words, hide_input=True, confirmation_prompt=twice, err=True))
    return Secret(_line(words))


def _line(words: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise InvalidInput(words, "is missing: there is no terminal to ask at, and standard input is empty")
    return line.removesuffix("\n").removesuffix("\r")


def read_password_file(path: str, *, option: str = "--password-file") -> Secret:
    """Read a secret from a file that an option names, `-` for standard input; one final newline is dropped."""
    try:
        with click.open_file(path, "r", encoding="utf-8") as file:
            return Secret(file.read().removesuffix("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(option, f"cannot read {path!r}: {getattr(error, 'strerror', 'not UTF-8')}") from None


def client_options(function: Any) -> Any:
    """Add the options of every command that talks to a server, and hand it a Client."""

    @click.option("--url", help=f"The server. [default: GATEPASS_URL or {DEFAULT_URL}]")
    @click.option("--email", help="Sign in as this person; the password is asked for. [default: GATEPASS_TOKEN]")
    @click.option("--insecure-http", is_flag=True, help="Allow plain HTTP to another machine.")
    def wrapped(url: str | None, email: str | None, *, insecure_http: bool, **others: Any) -> Any:
        chosen = url or environment_value("GATEPASS_URL") or DEFAULT_URL
        return function(Client(chosen.rstrip("/"), email, insecure_http), **others)

    wrapped.__name__ = function.__name__
    wrapped.__doc__ = function.__doc__
    wrapped.__click_params__ = [*getattr(function, "__click_params__", []), *wrapped.__click_params__]  # type: ignore[attr-defined]
    return wrapped

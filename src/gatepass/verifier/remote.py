"""A source on another host: a Gatepass server, asked over HTTP with the credential of a registered verifier.

It is told ids and digests of tokens, never a token. Standard library only: connections are kept and
used again, nothing is redirected, and whatever is no proper answer is an outage.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from gatepass.errors import BadConfiguration, NotAuthenticated, Unavailable
from gatepass.interfaces.verification import Fetched, Followed
from gatepass.model.origin import is_loopback, is_origin
from gatepass.model.presented import PresentedToken
from gatepass.model.secret import Secret
from gatepass.model.verdict import Verdict
from gatepass.verifier.follower import Follower
from gatepass.verifier.instance import instance_name
from gatepass.verifier.replies import read_followed, read_verdicts

LOOK_UP_SECONDS = 1.5
MOST_AT_ONCE = 256
"""Tokens in one look-up."""
_MOST_BYTES = 8 * 1024 * 1024
_MOST_IDLE = 8


class Upstream:
    """Which server, and how it is reached."""

    def __init__(
        self, url: str, credential: Secret, *, ca_file: str | None = None, insecure_http: bool = False
    ) -> None:
        """Check the address before anything secret could be sent to it. Raises BadConfiguration.

        `ca_file` holds the certificates to trust instead of the system's.
        """
        if not is_origin(url):
            # What was given is not shown: it may hold a password.
            raise BadConfiguration("upstream", "must be like https://tokens.example.com")
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = _trusting(ca_file)
        elif not is_loopback(self._host) and not insecure_http:
            raise BadConfiguration("upstream", "is plain HTTP to another machine", hint="use https")
        self.url = url.rstrip("/")
        self._credential = credential

    def open(self) -> http.client.HTTPConnection:
        """Return a connection that will connect when it is used."""
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=LOOK_UP_SECONDS)
        return http.client.HTTPSConnection(self._host, self._port, timeout=LOOK_UP_SECONDS, context=self._tls)

    def headers(self) -> dict[str, str]:
        """Return what every request carries."""
        return {"Authorization": f"Bearer {self._credential.reveal()}", "Content-Type": "application/json"}


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    try:
        # SECURITY: certificate and host name are checked.
        tls = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadConfiguration("ca_file", f"cannot be used: {error}") from None
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return tls


class RemoteSource:
    """Verdicts and changes from a server. Look-ups may come from any thread, polls from one."""

    def __init__(self, upstream: Upstream, follower: Follower, *, grace: float = 0) -> None:
        """Ask `upstream` for verdicts that are kept with the numbers of `follower`.

        `grace` is for how many seconds beyond the bound memory should be answered from.
        """
        self.instance = instance_name()
        """How this process is told from others with the same credential."""
        self._process = os.getpid()
        self._upstream = upstream
        self._follower = follower
        self._grace = grace
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._following: http.client.HTTPConnection | None = None
        self._has_stopped = False

    def peek(self, presented: PresentedToken) -> Verdict | None:  # noqa: ARG002  the protocol's signature
        """Return None: the server is always asked."""
        return None

    def fetch(self, presented: Sequence[PresentedToken]) -> Fetched:
        """Look tokens up, MOST_AT_ONCE at most."""
        if not self._follower.clocks_agree:
            raise Unavailable(
                "this machine's clock differs from the server's, so it cannot tell which tokens have ended"
            )
        tokens = [{"id": str(each.id), "digest": each.digest.hex()} for each in presented]
        life = self._follower.life
        verdicts, epoch, revision = read_verdicts(self.send("verdicts", {"tokens": tokens}), presented)
        return Fetched(verdicts, self._follower.number_of(epoch, revision, life=life))

    def follow(self, after: int, epoch: str, *, wait: float) -> Followed:
        """Poll for changes."""
        question = {"instance": self.instance, "after": after, "epoch": epoch, "wait": wait, "grace": self._grace}
        if self._following is None:
            self._following = self._upstream.open()
        try:
            reply = self._ask(self._following, "follow", question, seconds=wait + LOOK_UP_SECONDS)
        except BaseException:
            self._following.close()
            raise
        return read_followed(reply)

    def stop_following(self) -> None:
        """Break the connection of the poll that is under way, and let no other one begin."""
        self._has_stopped = True
        sock = self._following and self._following.sock
        if sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def send(self, name: str, content: Mapping[str, Any]) -> Any:
        """Ask on one of the kept connections; return the reply. Raises Unavailable.

        SECURITY: also for a credential of ours that is refused: it says nothing about any token.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._upstream.open()
        try:
            reply = self._ask(connection, name, content, seconds=LOOK_UP_SECONDS)
        except NotAuthenticated as error:
            connection.close()
            raise Unavailable(str(error)) from None
        except BaseException:
            connection.close()
            raise
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def leave(self) -> None:
        """Tell the server that nothing is answered from memory here any more. SECURITY: only when that is so."""
        with suppress(Unavailable):
            self.send("leave", {"instance": self.instance})

    def close(self) -> None:
        """Let go of the connections. No poll may be under way."""
        if self._following is not None:
            self._following.close()
        while self._idle:
            self._idle.pop().close()

    def _ask(
        self, connection: http.client.HTTPConnection, name: str, content: Mapping[str, Any], *, seconds: float
    ) -> Any:
        body = json.dumps(content).encode()
        try:
            if connection.sock is not None:
                try:
                    return self._exchange(connection, name, body, seconds)
                except ConnectionError:  # the server had closed what we kept: a new one, once
                    connection.close()
            return self._exchange(connection, name, body, seconds)
        except (http.client.HTTPException, OSError) as error:
            raise Unavailable(f"{self._upstream.url} does not answer: {reason_of(error)}") from None

    def _exchange(self, connection: http.client.HTTPConnection, name: str, body: bytes, seconds: float) -> Any:
        if self._has_stopped and name == "follow":
            raise Unavailable("following has ended")
        if os.getpid() != self._process:
            # SECURITY: two processes on one connection would get each other's replies.
            raise Unavailable("this verifier was opened before the process forked; open one in each process")
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(seconds)
        connection.request("POST", f"/verifiers/v1/{name}", body, self._upstream.headers())
        response = connection.getresponse()
        raw = response.read(_MOST_BYTES + 1)
        if response.status == http.client.UNAUTHORIZED:
            raise NotAuthenticated(f"{self._upstream.url} does not accept the credential of this verifier")
        if response.status != http.client.OK or len(raw) > _MOST_BYTES:
            raise Unavailable(f"{self._upstream.url} answers with status {response.status}")
        try:
            return json.loads(raw)
        except ValueError:
            raise Unavailable("the server does not answer as Gatepass does") from None


def reason_of(error: Exception) -> str:
    """Say why a server could not be asked, without anything that was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return getattr(error, "strerror", None) or type(error).__name__

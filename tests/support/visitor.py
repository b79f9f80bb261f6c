"""A browser without a screen: keeps cookies, fills the forms it is shown, follows nothing by itself."""

from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from support.server import EMAIL, PASSWORD, Reply, Server


class _Forms(HTMLParser):
    """Finds the forms of a page and the values their fields start with."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._fields = self.forms.setdefault(given.get("action") or "", {})
        elif tag == "input" and self._fields is not None and given.get("name"):
            boxed = given.get("type") in {"checkbox", "radio"}
            if not boxed or "checked" in given:
                self._fields[given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


class Visitor:
    """One browser at one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, seconds: float = 30) -> Reply:
        return self._send("GET", path, None, headers, seconds=seconds)

    def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a form as a page of this server would."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self._send("POST", path, urlencode(form).encode(), sent)

    def submit(self, shown_on: str, action: str, **fields: str) -> Reply:
        """Open a page, fill its form and send it. Fields are named as in the form."""
        return self.post(action, {**self.form(shown_on, action), **fields})

    def form(self, shown_on: str, action: str) -> dict[str, str]:
        """Return what the form on a page starts with."""
        return forms_of(self.get(shown_on))[action]

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> "Visitor":
        reply = self.submit("/sign-in", "/sign-in", email=email, password=password)
        assert reply.status == 303, reply.body
        return self

    def _send(
        self, method: str, path: str, raw: bytes | None, headers: Mapping[str, str] | None, *, seconds: float = 30
    ) -> Reply:
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = self.server.request(method, path, raw=raw, headers=sent, seconds=seconds)
        for line in reply.headers.get_all("set-cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return reply

    def sign_out(self) -> None:
        form = forms_of(self.get("/settings/profile"))["/sign-out"]
        assert self.post("/sign-out", form).status == 303


def forms_of(reply: Reply) -> dict[str, dict[str, str]]:
    """Return the forms of a page by their action."""
    parser = _Forms()
    parser.feed(reply.body.decode())
    return parser.forms

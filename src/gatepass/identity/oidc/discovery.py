"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatepass.errors import Unavailable
from gatepass.identity.fetching import Fetcher, is_safe_url

_PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The addresses of a provider, each of https, and what it can do."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    says_issuer: bool
    """Whether its answers name it (RFC 9207)."""
    client_auth: frozenset[str]
    """How clients may show their secret."""


def discover(fetcher: Fetcher, issuer: str) -> Metadata:
    """Fetch what the issuer says of itself. Raises Unavailable also if it cannot be used."""
    found = fetcher.get(issuer.removesuffix("/") + _PATH)
    if not isinstance(found, dict):
        raise Unavailable("the discovery document is none")
    # SECURITY: to the letter, or one provider could speak for another (Discovery, 4.3).
    if found.get("issuer") != issuer:
        raise Unavailable(f"the discovery document of {issuer} is of another issuer")
    methods = found.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise Unavailable(f"{issuer} does not take PKCE with S256")
    return Metadata(
        authorization_endpoint=_address(found, "authorization_endpoint"),
        token_endpoint=_address(found, "token_endpoint"),
        jwks_uri=_address(found, "jwks_uri"),
        userinfo_endpoint=_optional(found, "userinfo_endpoint"),
        end_session_endpoint=_optional(found, "end_session_endpoint"),
        says_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        client_auth=_texts(found.get("token_endpoint_auth_methods_supported")),
    )


def _address(found: Mapping[str, Any], name: str) -> str:
    url = found.get(name)
    if not isinstance(url, str) or not is_safe_url(url):
        raise Unavailable(f"the discovery document has no safe {name}")
    return url


def _optional(found: Mapping[str, Any], name: str) -> str | None:
    return None if found.get(name) is None else _address(found, name)


def _texts(value: object) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()

"""Checks of the operator's configuration: how people and proxies reach the server."""

import ipaddress
from collections.abc import Mapping

from gatepass.errors import BadConfiguration
from gatepass.model.origin import is_loopback
from gatepass.server.doctor.finding import Check, Finding, Premises, ok, warning, wrong
from gatepass.server.settings import Config, require_safe_listen, split_listen

_FEWEST_BITS = {4: 8, 6: 32}
"""A network with fewer is no network of proxies."""


def check_listen(premises: Premises) -> Finding:
    """Find an address that would carry passwords in clear text."""
    config = premises.config
    try:
        require_safe_listen(config)
    except BadConfiguration as error:
        return wrong(str(error), error.hint)
    if config.server.insecure_http and not config.is_tls:
        return warning("server.insecure_http is on", "leave it out where passwords cross a network")
    return ok(f"{config.server.listen}, {'TLS' if config.is_tls else 'plain HTTP'}")


def check_public_url(premises: Premises) -> Finding:
    """Find links and cookies that are not for https."""
    url = premises.config.server.public_url
    if not url and not premises.config.is_tls:
        return warning(
            "server.public_url is not set: links and cookies are for plain HTTP on this machine",
            "set it to the https address that people type",
        )
    if url.startswith("http://"):
        return warning(f"{url} is plain HTTP: cookies are not Secure", "serve it with https")
    return ok(url or "server.public_url is not set; the server speaks TLS itself")


def check_trusted_proxies(premises: Premises) -> Finding:
    """Find whoever could say which client he is, and a proxy that could not."""
    config = premises.config
    trusted = config.server.trusted_proxies
    if wide := [each for each in trusted if _is_wide(each)]:
        return wrong(
            f"{wide[0]} is nearly everybody: any client may invent its address",
            "name the proxies alone in server.trusted_proxies",
        )
    if not trusted and _has_proxy(config):
        return warning(
            "server.public_url is https and the server is not, so there is a proxy; nobody is trusted to name clients:"
            " all share its address, and one throttle",
            "name it in server.trusted_proxies",
        )
    return ok(", ".join(trusted) or "nobody may name clients")


def _is_wide(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return False  # `unix`
    return network.prefixlen < _FEWEST_BITS[network.version]


def _has_proxy(config: Config) -> bool:
    host, _ = split_listen(config.server.listen, key="server.listen")
    return config.server.public_url.startswith("https://") and not config.is_tls and (not host or is_loopback(host))


CHECKS: Mapping[str, Check] = {
    "listen": check_listen,
    "public url": check_public_url,
    "proxies": check_trusted_proxies,
}

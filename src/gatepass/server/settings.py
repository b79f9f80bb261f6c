"""Operator configuration: flags, environment, files, defaults. The one reader of the environment.

A value comes from the first of: a flag, `GATEPASS_SECTION__KEY`, `GATEPASS_SECTION__KEY_FILE`,
the configuration file, the default. An unknown key is an error that names it.
"""

import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gatepass.errors import BadConfiguration
from gatepass.interfaces import ConfiguredProvider
from gatepass.model.origin import is_loopback, is_origin
from gatepass.server import provider_settings
from gatepass.server.converting import section_of
from gatepass.server.provider_settings import Provider

FILE_NAME = "gatepass.toml"
_PREFIX = "GATEPASS_"
_TRUSTED_UNIX = "unix"
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Section `server`: addresses, and whom to trust."""

    listen: str = "127.0.0.1:8420"
    """HOST:PORT or unix:PATH; port 0 picks a free one."""
    metrics_listen: str = ""
    """HOST:PORT or `off`; empty means 127.0.0.1:8421 if that is free."""
    public_url: str = ""
    """What people type: links, cookies and origin checks go by it. Empty: the listen address."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses, networks or `unix` whose X-Forwarded-For is believed."""
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    """Authorities (PEM), a certificate of which every client must have. Empty: clients need none."""
    insecure_http: bool = False
    """Allow plain HTTP on an address that is not loopback."""


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Section `store`: where everything is kept."""

    data: str = "gatepass-data"
    journal: str = ""
    """The file of the revocation journal; empty: `gatepass.journal` in the directory `data`."""
    """The directory of the key file and, unless `database` is set, of the database."""
    database: str = ""
    """`postgresql://…`: a PostgreSQL database takes the place of the file."""


@dataclass(frozen=True, slots=True)
class SignInConfig:
    """Section `sign_in`: passwords and their throttle."""

    local: bool = True
    """Whether people sign in with passwords that are kept here."""
    site_words: tuple[str, ...] = ()
    """Words of this site that are no passwords."""
    free_failures_per_account: int = 5
    free_failures_per_address: int = 5
    """Raise this where many people share one address."""
    unknown_tokens_per_minute: int = 60
    """Unknown tokens from one address before `/v4` answers 429 to more of them."""


@dataclass(frozen=True, slots=True)
class LogConfig:
    """Section `log`."""

    level: str = "info"
    format: str = "json"
    """`json` or `text`."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, with the origin of each value."""

    server: ServerConfig = field(default_factory=ServerConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    sign_in: SignInConfig = field(default_factory=SignInConfig)
    log: LogConfig = field(default_factory=LogConfig)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    """Identity providers by their id, in the order of their buttons."""
    origins: Mapping[str, str] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """Return the value of `section.key`, or of `providers.ID.key`."""
        section, _, name = key.partition(".")
        if section == provider_settings.SECTION:
            provider_id, _, name = name.partition(".")
            return self.providers[provider_id].value(name)
        return getattr(getattr(self, section), name)

    def is_secret(self, key: str) -> bool:
        """Tell whether `gatepass config show` hides a key."""
        section, _, rest = key.partition(".")
        provider_id, _, name = rest.partition(".")
        return key in SECRET_KEYS or (
            section == provider_settings.SECTION and name in self.providers[provider_id].secrets
        )

    @property
    def is_tls(self) -> bool:
        """Tell whether the server itself speaks TLS."""
        return bool(self.server.tls_cert)

    @property
    def is_on_socket(self) -> bool:
        """Tell whether requests come over a unix socket, and in no other way."""
        return self.server.listen.startswith("unix:")


SECTIONS: Mapping[str, type] = {
    "server": ServerConfig,
    "store": StoreConfig,
    "sign_in": SignInConfig,
    "log": LogConfig,
}
SECRET_KEYS: frozenset[str] = frozenset({"store.database"})
"""Keys that `gatepass config show` hides: they are secrets, or hold one."""


def load_config(
    flags: Mapping[str, Any],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    draft: str | None = None,
    with_providers: bool = True,
) -> Config:
    """Merge all sources and check the result.

    `flags` maps `section.key` to a value, None meaning "not given". Without `file`, `gatepass.toml`
    in the data directory is read if it exists. With `draft` the file is taken to hold that. What is said of identity
    providers is left unread without `with_providers`. Raises BadConfiguration naming the key.
    """
    _require_no_password(flags.get("store.database"))
    given = _given(flags, environment)
    path = file or _usual_file(given)
    for key, value in _from_file(path, required=file is not None, draft=draft).items():
        given.setdefault(key, (value, str(path)))
    providers = provider_settings.read_providers(given) if with_providers else {}
    keys = [*_all_keys(), *(key for each in providers.values() for key in provider_settings.keys_of(each))]
    config = Config(
        **{name: section_of(name, kind, given) for name, kind in SECTIONS.items()},
        providers=providers,
        origins={key: given[key][1] if key in given else "default" for key in keys},
    )
    _check(config)
    return config


def find_file(flags: Mapping[str, Any], *, environment: Mapping[str, str] | None = None) -> Path:
    """Return where the configuration file is if none is named, whether or not there is one."""
    return _usual_file(_given(flags, environment))


def _given(flags: Mapping[str, Any], environment: Mapping[str, str] | None) -> dict[str, tuple[Any, str]]:
    """Return what flags and environment say."""
    environment = os.environ if environment is None else environment  # noqa: TID251  here it is read
    return _from_environment(environment) | {key: (value, "flag") for key, value in flags.items() if value is not None}


def _usual_file(given: Mapping[str, tuple[Any, str]]) -> Path:
    data, _ = given.get("store.data", (StoreConfig().data, ""))
    return Path(data) / FILE_NAME


def _require_no_password(database: str | None) -> None:
    """Raise BadConfiguration for a password in a flag."""
    # SECURITY: every process of the machine can read the command lines of the others.
    if database and (urlsplit(database).password is not None or "password=" in database.lower()):
        raise BadConfiguration(
            "--database",
            "holds a password, and everybody on this machine can read a command line",
            hint="put the URL into a file and name it in GATEPASS_STORE__DATABASE_FILE, or the password into ~/.pgpass",
        )


def environment_value(name: str) -> str | None:
    """Return one of the few environment variables that are not configuration (`GATEPASS_URL`)."""
    return os.environ.get(name) or None  # noqa: TID251


def _all_keys() -> list[str]:
    return [f"{section}.{each.name}" for section, kind in SECTIONS.items() for each in fields(kind)]


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for name, text in environment.items():
        if not name.startswith(_PREFIX) or "__" not in name:
            continue
        key = name.removeprefix(_PREFIX).lower().replace("__", ".", 1)
        if key.startswith(f"{provider_settings.SECTION}."):
            key = key.replace("__", ".", 1)
        direct = not key.endswith("_file")
        key = key.removesuffix("_file")
        _require_known(key, name)
        if direct:
            found[key] = (text, name)
        elif f"{_PREFIX}{key.upper().replace('.', '__')}" not in environment:
            try:
                found[key] = (Path(text).read_text("utf-8").removesuffix("\n"), name)
            except (OSError, UnicodeDecodeError) as error:
                raise BadConfiguration(name, f"cannot read {text!r}: {error}") from None
    return found


def _from_file(path: Path, *, required: bool, draft: str | None) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text("utf-8") if draft is None else draft)
    except FileNotFoundError:
        if required:
            raise BadConfiguration(str(path), "does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfiguration(str(path), f"cannot be read: {error}") from None
    found = {}
    for section, values in content.items():
        if not isinstance(values, dict):
            raise BadConfiguration(f"{path}: {section}", "must be a section, like [server]")
        for key, value in values.items():
            if section != provider_settings.SECTION:
                _require_known(f"{section}.{key}", f"{path}: {section}.{key}")
                found[f"{section}.{key}"] = value
            elif not isinstance(value, dict):
                raise BadConfiguration(f"{path}: {section}.{key}", f"must be a section, like [{section}.corp]")
            else:
                found |= {f"{section}.{key}.{name}": each for name, each in value.items()}
    return found


def _require_known(key: str, shown: str) -> None:
    if key.startswith(f"{provider_settings.SECTION}.") and key.count(".") == 2:
        return  # which keys there are depends on the kind
    if key not in _all_keys():
        raise BadConfiguration(shown, "is not a configuration key", hint="`gatepass config show` lists them all")


def _check(config: Config) -> None:
    _check_server(config.server)
    if config.store.database and not config.store.database.startswith(_POSTGRES):
        raise BadConfiguration("store.database", "must be like postgresql://gatepass@db.example.com/gatepass")
    if config.log.level not in {"debug", "info", "warning", "error"}:
        raise BadConfiguration("log.level", f"must be debug, info, warning or error, not {config.log.level!r}")
    if config.log.format not in {"json", "text"}:
        raise BadConfiguration("log.format", f"must be json or text, not {config.log.format!r}")
    for each in fields(config.sign_in):
        value = getattr(config.sign_in, each.name)
        if isinstance(value, int) and not isinstance(value, bool) and value < 1:
            raise BadConfiguration(f"sign_in.{each.name}", "must be at least 1")


def _check_server(server: ServerConfig) -> None:
    split_listen(server.listen, key="server.listen")
    if server.metrics_listen not in {"", "off"}:
        host, _ = split_listen(server.metrics_listen, key="server.metrics_listen")
        if not host:
            raise BadConfiguration("server.metrics_listen", "must be HOST:PORT or off")
    if bool(server.tls_cert) != bool(server.tls_key):
        raise BadConfiguration("server.tls_cert", "needs server.tls_key, and the other way round")
    if server.tls_client_ca and not server.tls_cert:
        raise BadConfiguration("server.tls_client_ca", "needs server.tls_cert: certificates are shown over TLS")
    if server.public_url:
        _check_public_url(server.public_url)
    for network in server.trusted_proxies:
        if network != _TRUSTED_UNIX and not _is_network(network):
            raise BadConfiguration("server.trusted_proxies", f"{network!r} is no address, no network and not `unix`")


def require_way_in(config: Config) -> None:
    """Raise BadConfiguration if nobody could sign in."""
    if not config.sign_in.local and not any(each.config.enabled for each in config.providers.values()):
        raise BadConfiguration("sign_in.local", "is off, and so is every identity provider: nobody could sign in")


def require_carriers(config: Config, providers: Iterable[ConfiguredProvider]) -> None:
    """Raise BadConfiguration if requests do not come in a way that the word of a proxy among `providers` needs."""
    for each in providers:
        if each.proxy is not None:
            each.proxy.require_carrier(
                is_socket=config.is_on_socket, asks_certificates=bool(config.server.tls_client_ca)
            )


SAFE_SERVER = (
    "give --tls-cert and --tls-key, set server.public_url to the https address of your proxy, or say --insecure-http"
)


def require_safe_listen(config: Config, *, hint: str = SAFE_SERVER) -> None:
    """Raise BadConfiguration with `hint` if passwords and tokens would cross a network in clear text."""
    safe = config.is_tls or config.server.insecure_http or config.server.public_url.startswith("https://")
    for key, listen in (
        ("server.listen", config.server.listen),
        ("server.metrics_listen", config.server.metrics_listen),
    ):
        host = "" if listen in {"", "off"} else split_listen(listen, key=key)[0]
        if not host or is_loopback(host) or safe:
            continue
        raise BadConfiguration(
            key,
            f"{listen!r} is reachable from other machines, and this is plain HTTP",
            hint=hint,
        )


def public_url_of(config: Config, address: str) -> str:
    """Return the URL of a server at `address` (HOST:PORT or unix:PATH), as people reach it, without a final slash."""
    if config.server.public_url:
        return config.server.public_url.rstrip("/")
    scheme = "https" if config.is_tls else "http"
    return "http://localhost" if address.startswith("unix:") else f"{scheme}://{address}"


def split_listen(listen: str, *, key: str) -> tuple[str, int]:
    """Read HOST:PORT; a unix socket gives an empty host. Raises BadConfiguration naming `key`."""
    if listen.startswith("unix:") and len(listen) > len("unix:"):
        return "", 0
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise BadConfiguration(key, f"must be HOST:PORT or unix:PATH, not {listen!r}")
    return host, int(port)


def _check_public_url(url: str) -> None:
    if not is_origin(url):
        raise BadConfiguration("server.public_url", f"must be like https://tokens.example.com, not {url!r}")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True

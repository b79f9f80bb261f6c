"""`gatepass idp add` and `remove`: sections of the configuration file."""

import stat
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from gatepass.cli.client import ask_password, read_password_file
from gatepass.cli.options import Place, place_options
from gatepass.cli.output import json_option, show_json
from gatepass.connect import SystemClock
from gatepass.errors import BadConfiguration, Conflict, InvalidInput, NotFound
from gatepass.identity import KINDS, find_kind
from gatepass.model.identity import check_provider_id
from gatepass.server.installation import exists, opened
from gatepass.server.provider_file import provider_ids_in, with_section, without_section
from gatepass.server.provider_settings import SECTION, ProviderConfig, configured
from gatepass.server.settings import Config, require_way_in
from gatepass.services.count_provider_users import ProviderUsers, count_provider_users
from gatepass.stores.files import PRIVATE, replace_private

_PRESETS = {"active-directory": ("ldap", {"flavour": "ad"})}
"""Names of kinds that stand for a kind and keys of it."""


@click.command()
@click.argument("provider_id", metavar="ID")
@click.argument("given", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--kind", required=True, help=f"One of {', '.join([*KINDS, *_PRESETS])}.")
@click.option("--secret-file", "files", multiple=True, metavar="KEY=FILE", help="Read a secret; - is standard input.")
@click.option("--ask", "asked", multiple=True, metavar="KEY", help="Ask for a secret.")
@click.option("--enable", is_flag=True, help="Let people sign in by it when the server is started again.")
@place_options
@json_option
def add(
    provider_id: str,
    given: tuple[str, ...],
    *,
    kind: str,
    files: tuple[str, ...],
    asked: tuple[str, ...],
    enable: bool,
    place: Place,
    as_json: bool,
) -> None:
    """Write a provider into the configuration file, switched off unless --enable is given.

    A KEY that is a list is given once for each of its values. Secrets are read from files or asked for, and are
    written into the file, which nobody else may be able to read then. Nothing is written that `serve` would refuse
    of a provider.
    """
    check_provider_id(provider_id)
    kind, preset = _PRESETS.get(kind, (kind, {}))
    known = {each.name: each for kinds in (ProviderConfig, find_kind(kind).options) for each in fields(kinds)}
    secret_keys = {name for name, each in known.items() if each.metadata.get("secret")}
    lists = {name for name, each in known.items() if isinstance(each.default, tuple)}
    values: dict[str, Any] = {"kind": kind, "enabled": enable, **preset, **_values(given, lists, secret_keys)}
    secrets = dict(_secrets(files, asked, secret_keys))
    path, text = _read(place)
    if provider_id in provider_ids_in(text):
        raise Conflict(f"there is a provider {provider_id!r} already", hint=f"it stands in {path}")
    config = place.load(draft=with_section(text, provider_id, values | secrets), with_providers=True)
    _require_own(config, provider_id, [*values, *secrets], path)
    provider = config.providers[provider_id]
    configured(provider, clock=SystemClock()).provider.close()
    # As `serve` reads them, so that numbers are written as numbers.
    settled = {name: provider.value(name) for name in (*values, *secrets)}
    _write(path, with_section(text, provider_id, settled), holds_secrets=bool(secrets))
    if as_json:
        show_json({"id": provider_id, "kind": kind, "enabled": enable, "file": str(path)})
        return
    click.echo(f"added {provider_id} ({kind}) to {path}, {'switched on' if enable else 'switched off'}")
    click.echo(f"next: gatepass idp test {provider_id}", err=True)
    then = "start the server again" if enable else f"set `enabled = true` in {path} and start the server again"
    click.echo(f"then: {then}", err=True)


@click.command()
@click.argument("provider_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place_options
@json_option
def remove(provider_id: str, place: Place, *, yes: bool, as_json: bool) -> None:
    """Take a provider out of the configuration file. Its people stay, and cannot sign in any more.

    Their tokens go on working until they end, and nobody asks the directory about them: who is to be refused has
    to be disabled.
    """
    path, text = _read(place)
    if provider_id not in provider_ids_in(text):
        raise NotFound(f"there is no provider {provider_id!r} in {path}", hint="`gatepass idp list` shows them all")
    rest = without_section(text, provider_id)
    config = place.load(draft=rest)
    if not config.sign_in.local:
        require_way_in(place.load(draft=rest, with_providers=True))
    people = _people(config, provider_id)
    if not yes:
        for line in _consequences(provider_id, people):
            click.echo(line, err=True)
        click.confirm(f"Remove {provider_id}?", abort=True, err=True)
    _write(path, rest, holds_secrets=False)
    if as_json:
        counted = {"people": people.all, "disabled": people.disabled} if people else {}
        show_json({"removed": provider_id, "file": str(path), **counted})
        return
    click.echo(f"removed {provider_id} from {path}")
    click.echo("next: start the server again", err=True)


def _values(given: Iterable[str], lists: set[str], secret_keys: set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for each in given:
        name, text = _pair(each)
        if name in secret_keys:
            # SECURITY: every process of the machine can read the command lines of the others.
            raise InvalidInput(name, "is a secret: give it with --secret-file or --ask")
        if name in {"kind", "enabled"}:
            raise InvalidInput(name, f"is said by --{name.removesuffix('d')}")
        if name in lists:
            values.setdefault(name, []).append(text)
        elif name in values:
            raise InvalidInput(name, "is given twice")
        else:
            values[name] = text
    return values


def _secrets(files: Iterable[str], asked: Iterable[str], secret_keys: set[str]) -> Iterator[tuple[str, str]]:
    wanted: list[tuple[str, str | None]] = [*map(_pair, files), *((name, None) for name in asked)]
    for name, file in wanted:
        if name not in secret_keys:
            raise InvalidInput(
                name, f"is no secret of this kind; those are: {', '.join(sorted(secret_keys)) or 'none'}"
            )
        secret = ask_password(name) if file is None else read_password_file(file, option="--secret-file")
        yield name, secret.reveal()


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise InvalidInput("KEY=VALUE", "must have a name before a '='")
    return name, value


def _read(place: Place) -> tuple[Path, str]:
    """Return the configuration file and what it holds; nothing if it is not there yet."""
    path = place.file
    try:
        return path, path.read_bytes().decode("utf-8")  # with the line ends that it has
    except FileNotFoundError:
        return path, ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(str(path), f"cannot be read: {error}") from None


def _require_own(config: Config, provider_id: str, names: Iterable[str], path: Path) -> None:
    """Raise Conflict if something else than the file says what these keys are."""
    for name in names:
        key = f"{SECTION}.{provider_id}.{name}"
        if config.origins[key] != str(path):
            raise Conflict(f"{key} is said by {config.origins[key]} already", hint="the file would not be heard")


def _write(path: Path, text: str, *, holds_secrets: bool) -> None:
    path = path.resolve()
    like = path.stat() if path.exists() else None
    if like is not None and holds_secrets and stat.S_IMODE(like.st_mode) & ~PRIVATE:
        words = "can be read by others, and a secret is to go into it"
        raise BadConfiguration(str(path), words, hint=f"chmod 600 {path}")
    replace_private(path, text.encode(), like=like)


def _people(config: Config, provider_id: str) -> ProviderUsers | None:
    """Return how many people there are, None without an installation."""
    if not exists(Path(config.store.data)):
        return None
    with opened(config) as deps:
        return count_provider_users(deps, provider_id)


def _consequences(provider_id: str, people: ProviderUsers | None) -> Iterator[str]:
    if people is None:
        yield "There is no installation here, so nobody was counted."
    elif people.all == 0:
        yield f"Nobody signs in by {provider_id}."
    else:
        yield f"People who sign in by {provider_id}: {people.all}, of them disabled: {people.disabled}."
        yield "They stay, and cannot sign in any more once the server is started again. Sessions end within 12 hours."
        yield "THEIR TOKENS GO ON WORKING until they expire, and nobody asks the directory about them any more."
        yield "Who is to be refused has to be disabled: under People, or with `gatepass user disable`."

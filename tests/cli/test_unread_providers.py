"""Identity providers that cannot be read stop the commands that have to do with them, and no other."""

from pathlib import Path

import pytest

from support.server import EMAIL, PASSWORD, gatepass, make_installation


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("unread") / "data"
    make_installation(made)
    (made / "gatepass.toml").write_text('[providers.corp]\nkind = "of tomorrow"\n')
    return made


@pytest.mark.parametrize(
    "command",
    ["settings set apiAccessTokens.enabled true", "key rotate", "db check", "db upgrade", "verifiers add orders"],
)
def test_a_command_that_needs_the_store_alone_does_its_work(data: Path, command: str) -> None:
    done = gatepass(*command.split(), "--data", str(data))
    assert done.returncode == 0, done.stderr


def test_the_way_back_in_is_open(data: Path) -> None:
    done = gatepass("user", "recover", EMAIL, "--password-file", "-", "--data", str(data), stdin=PASSWORD)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["serve", "idp list", "idp test corp", "config show", "doctor"])
def test_a_command_that_needs_them_names_what_is_wrong(data: Path, command: str) -> None:
    done = gatepass(*command.split(), "--data", str(data))
    assert done.returncode == 1
    assert "providers.corp.kind: must be one of" in done.stderr


def test_what_is_wrong_otherwise_stops_every_command(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text("[sever]\nlisten = 'unix:s'\n")
    done = gatepass("db", "check", "--data", str(data), "--config", str(config))
    assert done.returncode == 1
    assert "sever.listen: is not a configuration key" in done.stderr

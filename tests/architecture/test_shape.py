"""What ARCHITECTURE.md and CONTRIBUTING.md say about the shape, held by reading the tree."""

import ast
import base64
import hashlib
import json
import os
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "gatepass"
MODULES = sorted(SRC.rglob("*.py"))
TRACKED = [ROOT / name for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in TRACKED if path.suffix == ".py"], ids=name_of)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_opens_with_what_it_owns_in_one_to_six_lines(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    limit = 12 if path.parent.name == "testing" else 8
    assert docstring
    assert len(docstring.splitlines()) <= limit


@pytest.mark.parametrize("path", [path for path in MODULES if "testing" not in path.parts], ids=name_of)
def test_no_check_is_an_assert(path: Path) -> None:
    """Under `python -O` an assert does nothing."""
    assert not [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Assert)]


SECRETS = {"mac", "digest", "csrf", "handle_hash", "secret"}


def comparisons_of_secrets(source: str) -> list[int]:
    """Return the lines that compare something secret by an operator, whose time tells how much of it fits."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            operands = [node.left, *node.comparators]
            names = {getattr(each, "attr", getattr(each, "id", "")).strip("_") for each in operands}
            found += [node.lineno] if names & SECRETS else []
    return found


@pytest.mark.parametrize("path", [path for path in MODULES if "testing" not in path.parts], ids=name_of)
def test_secrets_are_compared_in_constant_time(path: Path) -> None:
    assert comparisons_of_secrets(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line", ["a.mac == b", "x != digest", "given == csrf", "f(x) == link.handle_hash", "a < b == _secret"]
)
def test_a_careless_comparison_of_secrets_is_noticed(line: str) -> None:
    assert comparisons_of_secrets(line) == [1]


@pytest.mark.parametrize("path", sorted((SRC / "services").glob("*.py")), ids=name_of)
def test_a_use_case_is_a_file_with_a_function_of_its_name(path: Path) -> None:
    helpers = {
        "__init__",
        "access",
        "deps",
        "last_admin",
        "local_sign_in",
        "record_event",
        "retry",
        "settle",
        "throttle",
    }
    if path.stem not in helpers:
        module = import_module(f"gatepass.services.{path.stem}")
        assert callable(getattr(module, path.stem))


NAMES = {
    ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES
}


def imports_of(path: Path) -> set[str]:
    """Return our own modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = {f"{node.module}.{alias.name}" for alias in node.names} & NAMES.keys()
            found |= modules or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & NAMES.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: imports_of(path) - {name} for name, path in NAMES.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for each in sorted(graph[name]):
                visit(each, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_every_policy_is_in_its_table() -> None:
    from gatepass.policies import POLICIES

    files = {path.stem for path in (SRC / "policies").glob("*.py")} - {"__init__"}
    assert {type(policy).__module__.rpartition(".")[2] for policy in POLICIES} == files


def test_every_rest_module_is_in_the_route_table() -> None:
    from gatepass.server.api.openapi import OPERATIONS

    files = {path.stem for path in (SRC / "server" / "api").glob("*.py")}
    nouns = files - {"__init__", "routing", "shapes", "receipts", "openapi", "health"}
    assert {operation.handler.__module__.rpartition(".")[2] for operation in OPERATIONS} == nouns


def test_every_page_module_is_in_the_page_table() -> None:
    from gatepass.server.web.routes import PAGES

    handlers = {page.get or page.post for page in PAGES}
    files = {path.stem for path in (SRC / "server" / "web").glob("*.py") if "PAGES = (" in path.read_text("utf-8")}
    assert files - {"routes"} <= {handler.__module__.rpartition(".")[2] for handler in handlers if handler}


def test_every_command_is_in_the_group() -> None:
    import click

    from gatepass.cli.commands import commands

    context = click.Context(commands)
    found = {name: commands.get_command(context, name) for name in commands.list_commands(context)}
    assert [command.name for command in found.values() if command] == list(found)
    assert set(found) == {
        "init",
        "serve",
        "verifier",
        "token",
        "user",
        "verifiers",
        "settings",
        "key",
        "db",
        "idp",
        "config",
        "doctor",
    }


def test_every_kind_of_event_has_words_on_the_page() -> None:
    from gatepass.model.event import ACTIONS
    from gatepass.server.web.audit import TITLES

    assert set(ACTIONS) == set(TITLES)


def test_every_error_is_told_on_purpose() -> None:
    from gatepass import errors
    from gatepass.server.problems import UNAVAILABLE, problem_of

    known = [each for each in vars(errors).values() if isinstance(each, type)]
    kinds = [kind for kind in known if issubclass(kind, errors.GatepassError)]
    untold = {
        kind.__name__
        for kind in kinds
        if problem_of(kind.__new__(kind)) is UNAVAILABLE and not issubclass(kind, errors.TryLater)
    }
    assert untold == {"GatepassError"}


def test_the_families_of_errors_are_six() -> None:
    from gatepass.errors import GatepassError

    families = {kind.__name__ for kind in GatepassError.__subclasses__() if kind.__module__ == "gatepass.errors"}
    assert families == {"InvalidInput", "NotAuthenticated", "NotAllowed", "NotFound", "Conflict", "TryLater"}


def test_every_vendored_file_is_the_one_that_is_listed() -> None:
    folder = SRC / "server" / "web" / "static"
    listed = json.loads((folder / "vendored.json").read_text("utf-8"))
    assert listed
    for name, entry in listed.items():
        digest = hashlib.sha384((folder / name).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == entry["sha384"]
        assert {"package", "version", "licence"} <= entry.keys()


def test_templates_have_nothing_inline() -> None:
    for path in (SRC / "server" / "web" / "templates").glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text), path.name


@pytest.mark.parametrize("path", [path for path in TRACKED if path.suffix == ".md"], ids=name_of)
def test_links_of_the_docs_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), target


def test_every_document_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        relative = path.relative_to(ROOT / "docs")
        if relative.name != "README.md":
            assert relative.name in (decisions if relative.parent.name == "decisions" else index), relative


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def test_no_tracked_file_names_a_registry_or_a_place_of_a_machine() -> None:
    # Put together here, so that this file does not name them either.
    parts = ("pypi" + r"\.org", "registry" + r"\.npmjs", r"deb\." + "debian", "/" + "work/", "(?<!emit-)index" + "-url")
    words = re.compile("|".join(parts))
    for path in TRACKED:
        if path.suffix not in {".png", ".ico"} and path.is_file():
            found = words.search(path.read_text("utf-8", "replace"))
            assert not found, f"{path}: {found[0] if found else ''}"


def test_what_shares_a_fixture_of_its_module_is_kept_on_one_worker(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads the group from the end of a test's id, and newer versions of pytest may not put it there."""
    if os.environ.get("PYTEST_XDIST_WORKER") is None:
        pytest.skip("there is one worker")
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]
    assert all("@" in item.nodeid for item in grouped)

"""`gatepass doctor`: what is wrong here, and what to do about it."""

from collections.abc import Iterable
from typing import Any

import click

from gatepass.cli.options import Place, place_options
from gatepass.cli.output import DONE, FAILED, json_option, show_json
from gatepass.cli.verifier import read_elsewhere, require_fitting, upstream_options
from gatepass.model.secret import Secret
from gatepass.server.doctor import examine
from gatepass.server.doctor.finding import Finding, Level
from gatepass.server.doctor.upstream import examine_upstream
from gatepass.verifier.remote import Upstream

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.WRONG: "red", Level.SKIPPED: None}


@click.command()
@place_options
@upstream_options
@click.option("--insecure-http", is_flag=True, help="Allow plain HTTP to another machine.")
@json_option
def doctor(place: Place, *, as_json: bool, insecure_http: bool, **elsewhere: Any) -> int:
    """Check an installation on this machine's disk, and say what to do about what is wrong.

    With --upstream, check a verifier's machine instead: is its server reached, its credential accepted, its clock
    right. Nothing is repaired. The exit code is 1 if something is wrong, and 0 if there are warnings only.
    """
    require_fitting(place, elsewhere)
    if elsewhere["upstream"]:
        given = read_elsewhere(insecure_http=insecure_http, **elsewhere)
        credential = Secret(given["credential"])
        upstream = Upstream(given["upstream"], credential, ca_file=given["ca_file"], insecure_http=insecure_http)
        findings = dict(examine_upstream(upstream, credential))
    else:
        findings = dict(examine(place.load(with_providers=True)))
    is_wrong = any(finding.level is Level.WRONG for finding in findings.values())
    if as_json:
        rows = [{"check": name, **_row(finding)} for name, finding in findings.items()]
        show_json({"ok": not is_wrong, "checks": rows})
    else:
        _show(findings.items())
    return FAILED if is_wrong else DONE


def _row(finding: Finding) -> dict[str, Any]:
    return {"level": finding.level.value, "message": finding.said, "hint": finding.hint}


def _show(findings: Iterable[tuple[str, Finding]]) -> None:
    for name, finding in findings:
        level = click.style(f"{finding.level.value:8}", fg=_COLOURS[finding.level])
        click.echo(f"{level} {name:13} {finding.said}")
        if finding.hint:
            click.echo(f"{'':22} {click.style('hint:', bold=True)} {finding.hint}")

"""`segue check`: whether the settings and the definitions are valid."""

from __future__ import annotations

import click
import msgspec

from segue.cli.options import CodeOptions, code_options, json_option, load, settings_in_force
from segue.cli.output import count, print_json, stdout_for_json
from segue.errors import InvalidConfigError
from segue.settings import check as check_settings


class CheckDocument(msgspec.Struct, frozen=True):
    """What `segue check --json` prints where all is well: how many of each there are, and warnings on the settings."""

    assets: int
    checks: int
    jobs: int
    resources: int
    warnings: tuple[str, ...]


@click.command()
@code_options
@json_option
def check(code: CodeOptions, as_json: bool) -> None:
    """Load the definitions and report every error, all at once.

    The exit code is 1 if there is an error.
    """
    settings = settings_in_force(code)
    findings = check_settings(settings)
    errors = [finding.message for finding in findings if finding.is_error]
    if errors:
        if len(errors) == 1:
            raise InvalidConfigError(errors[0])
        raise InvalidConfigError(f"{len(errors)} errors in the settings:", errors)
    with stdout_for_json(as_json):
        _, graph = load(settings)
    warnings = tuple(finding.message for finding in findings)
    manifest = graph.manifest
    document = CheckDocument(
        len(manifest.assets), len(manifest.checks), len(manifest.jobs), len(manifest.resources), warnings
    )
    if as_json:
        print_json(document)
        return
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(
        f"No errors: {count(document.assets, 'asset')}, {count(document.checks, 'check')}, "
        f"{count(document.jobs, 'job')}, {count(document.resources, 'resource')}."
    )

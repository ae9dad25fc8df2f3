"""`segue list`: what the definitions declare, with the state of assets and checks."""

from __future__ import annotations

import click
import msgspec

from segue.cli.documents import CheckDocument, check_document, verdict
from segue.cli.home import open_store
from segue.cli.options import CodeOptions, code_options, home_option, json_option, load, settings_in_force
from segue.cli.output import count, moment, print_json, print_table, stdout_for_json
from segue.cli.partitions import describe_partitions
from segue.model.graph import AssetGraph
from segue.model.stores import Store


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of `segue list assets --json`.

    Attributes:
        partitions: what its partitions are, in words; null without.
        last_materialized: when it was last made; null if never.
        last_run_id: the run that made it.
    """

    asset: str
    group: str
    kinds: tuple[str, ...]
    partitions: str | None
    external: bool
    last_materialized: float | None
    last_run_id: str | None


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """One job of `segue list jobs --json`."""

    job: str
    description: str | None
    assets: tuple[str, ...]
    checks: tuple[str, ...]


class ResourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One resource of `segue list resources --json`."""

    resource: str
    type: str
    description: str | None


@click.command("list")
@click.argument("what", type=click.Choice(["assets", "checks", "jobs", "resources"]), default="assets")
@code_options
@home_option
@json_option
def list_definitions(what: str, code: CodeOptions, home: str | None, as_json: bool) -> None:
    """List assets (the default), checks, jobs or resources.

    With --json: an object with one key, the kind requested, and a list.
    """
    settings = settings_in_force(code, home)
    with stdout_for_json(as_json):
        _, graph = load(settings)
    if what == "assets":
        with open_store(settings) as store:
            _print_assets(asset_rows(graph, store), as_json)
    elif what == "checks":
        with open_store(settings) as store:
            _print_checks(check_rows(graph, store), as_json)
    elif what == "jobs":
        _print_jobs(job_rows(graph), as_json)
    else:
        _print_resources(resource_rows(graph), as_json)


def asset_rows(graph: AssetGraph, store: Store) -> list[AssetRow]:
    """Every asset with where it stands, in order of declaration."""
    states = store.asset_states(None)
    rows: list[AssetRow] = []
    for key, node in graph.nodes.items():
        state = states.get(key)
        rows.append(
            AssetRow(
                asset=key.to_user_string(),
                group=node.group_name,
                kinds=node.kinds,
                partitions=None if node.partitions is None else describe_partitions(node.partitions),
                external=node.is_external,
                last_materialized=None if state is None else state.timestamp,
                last_run_id=None if state is None else state.run_id,
            )
        )
    return rows


def check_rows(graph: AssetGraph, store: Store) -> list[CheckDocument]:
    """Every check with its latest result."""
    states = store.check_states(list(graph.checks))
    rows: list[CheckDocument] = []
    for key, node in graph.checks.items():
        state = states.get(key)
        if state is None:
            rows.append(CheckDocument(check=key.to_user_string(), blocking=node.blocking, description=node.description))
        else:
            rows.append(check_document(state.evaluation, state.timestamp, state.run_id))
    return rows


def job_rows(graph: AssetGraph) -> list[JobRow]:
    """Every job with what it runs."""
    return [
        JobRow(
            job=node.name,
            description=node.description,
            assets=tuple(key.to_user_string() for key in node.assets),
            checks=tuple(f"{asset.to_user_string()}:{name}" for asset, name in node.checks),
        )
        for node in graph.jobs.values()
    ]


def resource_rows(graph: AssetGraph) -> list[ResourceRow]:
    """Every resource."""
    return [
        ResourceRow(resource=node.key, type=node.type_name, description=node.description)
        for node in graph.manifest.resources
    ]


def _print_assets(rows: list[AssetRow], as_json: bool) -> None:
    if as_json:
        print_json({"assets": rows})
        return
    lines = [
        (
            row.asset,
            row.group,
            ", ".join(row.kinds),
            row.partitions or "",
            "external" if row.external and row.last_materialized is None else moment(row.last_materialized) or "never",
        )
        for row in rows
    ]
    print_table(("ASSET", "GROUP", "KINDS", "PARTITIONS", "LAST MATERIALIZED"), lines, empty="No assets.")


def _print_checks(rows: list[CheckDocument], as_json: bool) -> None:
    if as_json:
        print_json({"checks": rows})
        return
    lines = [(row.check, "yes" if row.blocking else "", verdict(row), moment(row.timestamp)) for row in rows]
    print_table(("CHECK", "BLOCKING", "LAST RESULT", "AT"), lines, empty="No checks.")


def _print_jobs(rows: list[JobRow], as_json: bool) -> None:
    if as_json:
        print_json({"jobs": rows})
        return
    lines = [
        (row.job, count(len(row.assets), "asset"), count(len(row.checks), "check"), row.description or "")
        for row in rows
    ]
    print_table(("JOB", "ASSETS", "CHECKS", "DESCRIPTION"), lines, empty="No jobs.")


def _print_resources(rows: list[ResourceRow], as_json: bool) -> None:
    if as_json:
        print_json({"resources": rows})
        return
    lines = [(row.resource, row.type, row.description or "") for row in rows]
    print_table(("RESOURCE", "TYPE", "DESCRIPTION"), lines, empty="No resources.")

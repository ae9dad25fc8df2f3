"""`segue asset`: the description and state of an asset."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import msgspec

from segue.cli.documents import (
    CheckDocument,
    MaterializationDocument,
    RunDocument,
    materialization_document,
    run_document,
    verdict,
)
from segue.cli.find import find_asset
from segue.cli.freshness import FreshnessDocument, freshness_document, print_freshness
from segue.cli.home import open_store
from segue.cli.listing import check_rows
from segue.cli.metadata import as_text
from segue.cli.options import CodeOptions, code_options, home_option, json_option, load, settings_in_force
from segue.cli.output import duration, moment, print_heading, print_json, print_pairs, print_table, stdout_for_json
from segue.cli.partitions import gaps, stretches, write_stretches
from segue.cli.why import why
from segue.model.asset_words import without_kinds
from segue.model.event import EventType
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store

RECENT_RUNS = 5


class PartitionsDocument(msgspec.Struct, frozen=True):
    """How many partitions are there, and how many were made; each stretch is its first and last key."""

    total: int
    materialized: int
    missing: int
    materialized_stretches: tuple[tuple[str, str], ...]
    missing_stretches: tuple[tuple[str, str], ...]


class AssetDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as `segue asset --json` prints it.

    Attributes:
        upstream, downstream: the assets it is made from and those made from it.
        latest: its latest materialization; null if it was never made.
        partitions: null where it is not partitioned.
        freshness: how it stands against its freshness policy; null where it has none.
        recent_runs: the last runs that were to make it, newest first.
    """

    asset: str
    group: str
    description: str | None
    kinds: tuple[str, ...]
    owners: tuple[str, ...]
    tags: dict[str, str]
    code_version: str | None
    external: bool
    source: str | None
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    latest: MaterializationDocument | None
    partitions: PartitionsDocument | None
    checks: tuple[CheckDocument, ...]
    freshness: FreshnessDocument | None
    recent_runs: tuple[RunDocument, ...]


class AssetCommand(click.Group):
    """`segue asset KEY`, and `segue asset why KEY` beside it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args[:1] == ["why"] else ["show", *args])


@click.group(cls=AssetCommand)
def asset() -> None:
    """Show an asset; with `why KEY`, the evaluations of its automation condition."""


asset.add_command(why)


@asset.command("show")
@click.argument("key", metavar="KEY")
@code_options
@home_option
@json_option
def show_asset(key: str, code: CodeOptions, home: str | None, as_json: bool) -> None:
    """Show the asset KEY: description, dependencies, last materialization, freshness, partitions, checks and runs.

    'segue asset why KEY' says why its automation condition requested it, or did not.
    """
    settings = settings_in_force(code, home)
    with stdout_for_json(as_json):
        _, graph = load(settings)
    found = find_asset(key, graph.nodes, "in these definitions")
    with open_store(settings) as store:
        document = asset_document(graph, store, found)
    if as_json:
        print_json(document)
    else:
        _print(document)


def asset_document(graph: AssetGraph, store: Store, key: AssetKey) -> AssetDocument:
    """What an asset is and where it stands."""
    node = graph.node(key)
    state = store.asset_states([key]).get(key)
    latest = None if state is None else materialization_document(state.materialization, state.timestamp, state.run_id)
    made_at, policy = None if state is None else state.timestamp, node.freshness_policy
    source = None if node.computation is None else graph.computations[node.computation].source
    checks = {check.to_user_string() for check in graph.checks_of(key)}
    return AssetDocument(
        asset=key.to_user_string(),
        group=node.group_name,
        description=node.description,
        kinds=node.kinds,
        owners=node.owners,
        tags=without_kinds(node.tags),
        code_version=node.code_version,
        external=node.is_external,
        source=None if source is None else str(source),
        upstream=_names(graph.parents(key)),
        downstream=_names(graph.children(key)),
        latest=latest,
        partitions=_partitions(graph, store, key),
        checks=tuple(row for row in check_rows(graph, store) if row.check in checks),
        freshness=None if policy is None else freshness_document(policy, store, key, made_at, time.time()),
        recent_runs=_recent_runs(store, key),
    )


def _names(keys: Sequence[AssetKey]) -> tuple[str, ...]:
    return tuple(key.to_user_string() for key in keys)


def _partitions(graph: AssetGraph, store: Store, key: AssetKey) -> PartitionsDocument | None:
    definition = graph.node(key).partitions
    if definition is None:
        return None
    total = definition.get_num_partitions()
    keys = [each for each in store.partition_states(key) if definition.has_partition_key(each)]
    made = stretches(definition, keys)
    missing = gaps(definition, made)
    return PartitionsDocument(total, len(keys), total - len(keys), tuple(made), tuple(missing))


def _recent_runs(store: Store, key: AssetKey) -> tuple[RunDocument, ...]:
    which = EventFilter(asset_key=key, types=(EventType.ASSET_MATERIALIZATION_PLANNED,), ascending=False)
    planned = store.events(which, RECENT_RUNS)
    ids = tuple(dict.fromkeys(stored.event.run_id for stored in planned if stored.event.run_id is not None))
    return tuple(run_document(run) for run in store.list_runs(RunsFilter(run_ids=ids), None, None)) if ids else ()


def _print(document: AssetDocument) -> None:
    print_pairs(
        {
            "Asset": document.asset,
            "Description": document.description or "",
            "Group": document.group,
            "Kinds": ", ".join(document.kinds),
            "Owners": ", ".join(document.owners),
            "Tags": ", ".join(f"{key}={value}" if value else key for key, value in document.tags.items()),
            "Code version": document.code_version or "",
            "Source": "external: made elsewhere" if document.external else document.source or "",
            "Made from": ", ".join(document.upstream),
            "Makes": ", ".join(document.downstream),
        }
    )
    _print_latest(document.latest)
    if document.freshness is not None:
        print_freshness(document.freshness)
    if document.partitions is not None:
        print_heading("Partitions")
        print_pairs(
            {
                "Total": f"{document.partitions.total:,}",
                "Materialized": _number(document.partitions.materialized, document.partitions.materialized_stretches),
                "Missing": _number(document.partitions.missing, document.partitions.missing_stretches),
            }
        )
    if document.checks:
        print_heading("Checks")
        rows = [(check.check, verdict(check), moment(check.timestamp)) for check in document.checks]
        print_table(("CHECK", "LAST RESULT", "AT"), rows, empty="None.")
    print_heading("Recent runs")
    runs = [(run.run_id, run.status, moment(run.created_at), duration(run.duration)) for run in document.recent_runs]
    print_table(("RUN", "STATUS", "CREATED", "DURATION"), runs, empty="None.")


def _print_latest(latest: MaterializationDocument | None) -> None:
    print_heading("Latest materialization")
    if latest is None:
        click.echo("Never materialized.")
        return
    facts = {name: as_text(value) for name, value in latest.metadata.items()}
    about = {
        "At": moment(latest.timestamp),
        "Run": latest.run_id or "reported from outside a run",
        "Partition": latest.partition or "",
        "Description": latest.description or "",
        "Data version": latest.data_version or "",
    }
    print_pairs({**about, **{f"  {name}": text for name, text in facts.items()}})


def _number(number: int, found: Sequence[tuple[str, str]]) -> str:
    return f"{number:,}" + (f": {write_stretches(found)}" if number else "")

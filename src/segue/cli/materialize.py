"""`segue materialize`: materialize assets and run their checks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from segue.cli.documents import MaterializeDocument, NotRunDocument
from segue.cli.execution import Outcome, execute_batches, finish
from segue.cli.home import dynamic_keys, instance_of, open_store
from segue.cli.options import CodeOptions, code_options, home_option, json_option, load, settings_in_force, step_code
from segue.cli.output import stdout_for_json
from segue.cli.partitions import keys_of_range, parse_range
from segue.cli.requests import Batch, range_batches, single_batch
from segue.cli.run_config import read_run_config, read_tags
from segue.decide.asked_partitions import common_partitions, require_partition
from segue.errors import InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.request import RunRequest
from segue.model.selection import AssetSelection

if TYPE_CHECKING:
    from segue.model.partitions.key_range import PartitionKeyRange


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    select: str | None
    job: str | None
    partition: str | None
    partition_range: PartitionKeyRange | None


@click.command()
@code_options
@click.option(
    "-s",
    "--select",
    metavar="SELECTION",
    help="The assets to materialize, such as 'orders', '+report', 'group:shop'; default: all.",
)
@click.option("-j", "--job", metavar="NAME", help="Run this job; with --select, part of it.")
@click.option("-p", "--partition", metavar="KEY", help="The partition to materialize.")
@click.option(
    "--partition-range", metavar="FIRST...LAST", help=("A range of partitions to materialize, both ends included.")
)
@click.option("-c", "--config", metavar="CONFIG", help="Run config: JSON in braces, or a .json, .toml or .yaml file.")
@click.option("-t", "--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag for the runs; may be repeated.")
@click.option("--fail-fast", is_flag=True, help="If there are several runs: stop after the first failure.")
@home_option
@json_option
def materialize(
    code: CodeOptions,
    select: str | None,
    job: str | None,
    partition: str | None,
    partition_range: str | None,
    config: str | None,
    tags: tuple[str, ...],
    fail_fast: bool,
    home: str | None,
    as_json: bool,
) -> None:
    """Materialize assets and run their checks.

    Steps run in this process, or where the executor of the definitions says.

    The backfill policies of the assets say how to split a range of partitions into runs; the default is one per partition.
    A failed run does not stop the others, except those that depend on what it should have materialized.

    The exit code is 1 if a run failed, 130 after Ctrl-C.
    """
    if partition is not None and partition_range is not None:
        raise click.UsageError("Both --partition and --partition-range were provided; keep one.")
    wanted = Wanted(
        select=select,
        job=job,
        partition=partition,
        partition_range=None if partition_range is None else parse_range(partition_range),
    )
    request = RunRequest(run_config=read_run_config(config), tags=read_tags(tags), job_name=job)
    settings = settings_in_force(code, home)
    with stdout_for_json(as_json):
        definitions, graph = load(settings)
        with dynamic_keys(settings):
            batches = plan_batches(graph, wanted, request)
        with open_store(settings) as store:
            instance = instance_of(settings, store)
            outcome = execute_batches(
                definitions, instance, batches, step_code(settings), fail_fast=fail_fast, silent=as_json
            )
    finish(_document(outcome), as_json=as_json)


def plan_batches(graph: AssetGraph, wanted: Wanted, request: RunRequest) -> list[Batch]:
    """The runs that the command line asks for, in order.

    Raises:
        InvalidSubsetError: nothing to make, or no partition where one is needed, or one where none can be.
        UnknownPartitionError: a partition that does not exist.
    """
    keys = _selected(graph, wanted)
    if wanted.select is not None or wanted.job is None:
        request = request.with_replaced_attrs(asset_selection=tuple(keys))
    definition = common_partitions(graph, keys)
    partitioned = [key.to_user_string() for key in keys if graph.node(key).partitions is not None]
    if definition is None:
        if wanted.partition is not None or wanted.partition_range is not None:
            raise InvalidSubsetError(
                "A partition was given, but none of the selected assets is partitioned. Remove --partition, or "
                "select other assets."
            )
        return single_batch(keys, request)
    if wanted.partition_range is not None:
        return range_batches(graph, keys, keys_of_range(definition, wanted.partition_range), request)
    if wanted.partition is None:
        last = definition.get_last_partition_key()
        example = f" (the last is {last!r})" if last is not None else ""
        raise InvalidSubsetError(
            f"{_names(partitioned)} partitioned, but no partition was given. Add --partition KEY{example} or "
            "--partition-range FIRST...LAST, or select other assets with --select."
        )
    require_partition(definition, wanted.partition, datetime.now(UTC))
    return single_batch(keys, request.with_replaced_attrs(partition_key=wanted.partition))


def _selected(graph: AssetGraph, wanted: Wanted) -> list[AssetKey]:
    """The assets to make, in order of declaration; those made elsewhere are left out."""
    if wanted.job is not None and wanted.job not in graph.jobs:
        jobs = ", ".join(graph.jobs) or "none"
        raise InvalidSubsetError(f"There is no job {wanted.job!r} in these definitions; available: {jobs}.")
    pool = graph.materializable_keys if wanted.job is None else list(graph.jobs[wanted.job].assets)
    if wanted.select is None:
        if not pool and wanted.job is None:
            raise InvalidSubsetError(
                "There is nothing to materialize: these definitions have no asset with a function."
            )
        return pool
    found = AssetSelection.from_string(wanted.select).resolve(graph)
    keys = [key for key in pool if key in found and graph.node(key).computation is not None]
    if not keys:
        outside = ", ".join(sorted(key.to_user_string() for key in found))
        why = f"it names {outside}, which cannot be made here" if outside else "no asset matches it"
        place = "" if wanted.job is None else f" in job {wanted.job!r}"
        raise InvalidSubsetError(f"--select {wanted.select!r} matches nothing to materialize{place}: {why}.")
    return keys


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{shown} {'is' if len(names) == 1 else 'are'}"


def _document(outcome: Outcome) -> MaterializeDocument:
    not_run = tuple(
        NotRunDocument(tuple(key.to_user_string() for key in batch.assets), batch.partitions, reason)
        for batch, reason in outcome.not_run
    )
    success = not not_run and all(details.run.status == "success" for details in outcome.runs)
    return MaterializeDocument(success, tuple(outcome.runs), not_run)

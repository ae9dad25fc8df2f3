"""`segue launch`: a run for the control plane to start."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from segue.cli.control import location_with, open_plane
from segue.cli.options import home_option, json_option, location_option, settings_in_force
from segue.cli.output import print_json, stdout_for_json
from segue.cli.partitions import parse_range
from segue.cli.run_config import read_run_config, read_tags
from segue.decide.asked_partitions import require_run_partitions
from segue.decide.requests import wanted_run
from segue.errors import InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.selection import AssetSelection
from segue.model.tick_task import RequestedRun
from segue.storage.ids import new_id


@click.command()
@click.option("-j", "--job", metavar="NAME", help="The job to run; with --select, part of it.")
@click.option(
    "-s",
    "--select",
    metavar="SELECTION",
    help=("The assets to materialize, such as 'orders', '+report', 'group:shop'."),
)
@click.option("-p", "--partition", metavar="KEY", help="The partition to materialize.")
@click.option(
    "--partition-range",
    metavar="FIRST...LAST",
    help=("A range of partitions to materialize in one run, both ends included."),
)
@click.option("-c", "--config", metavar="CONFIG", help="Run config: JSON in braces, or a .json, .toml or .yaml file.")
@click.option("-t", "--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag for the run; may be repeated.")
@location_option
@home_option
@json_option
def launch(
    job: str | None,
    select: str | None,
    partition: str | None,
    partition_range: str | None,
    config: str | None,
    tags: tuple[str, ...],
    location: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Queue a run for the control plane ('segue dev' or 'segue serve').

    To execute it in this process instead, use 'segue materialize'.
    """
    if job is None and select is None:
        raise click.UsageError("Nothing to run: pass --job NAME, or --select SELECTION.")
    if partition is not None and partition_range is not None:
        raise click.UsageError("Both --partition and --partition-range were provided; keep one.")
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = location_with(plane, location, job, select)
        keys = None if select is None else selected(found.graph, select)
        bounds = (partition, partition) if partition_range is None else tuple(parse_range(partition_range))
        request = RequestedRun(
            job_name=job,
            asset_selection=keys,
            partition_start=bounds[0],
            partition_end=bounds[1],
            tags=read_tags(tags),
            run_config=dict(read_run_config(config) or {}),
        )
        wanted = wanted_run(
            request,
            found.graph,
            run_id=new_id(),
            now=time.time(),
            location=found.name,
            manifest_hash=found.manifest_hash,
            tags={},
        )
        require_run_partitions(found.graph, wanted.run, datetime.now(UTC))
        plane.control.enqueue(wanted)
    if as_json:
        print_json({"run_id": wanted.run.run_id, "location": found.name})
    else:
        click.echo(f"Run {wanted.run.run_id} is queued in {found.name}.")


def selected(graph: AssetGraph, text: str) -> tuple[AssetKey, ...]:
    """The assets of a selection, as far as they can be made.

    Raises:
        InvalidSubsetError: none.
    """
    keys = AssetSelection.from_string(text).resolve(graph) & set(graph.materializable_keys)
    if not keys:
        raise InvalidSubsetError(
            f"--select {text!r} matches nothing that can be materialized. 'segue list' lists the assets."
        )
    return tuple(sorted(keys))

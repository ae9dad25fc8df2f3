"""`segue wipe`: remove the records of an asset, or of some of its partitions."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click
import msgspec

from segue.cli.find import find_asset
from segue.cli.home import open_store
from segue.cli.options import CodeOptions, code_options, home_option, json_option, load, settings_in_force
from segue.cli.output import count, print_json, stdout_for_json
from segue.cli.partitions import keys_of_range, parse_range
from segue.errors import InvalidSubsetError, UnknownPartitionError
from segue.model.keys import AssetKey
from segue.model.stores import StateStore
from segue.settings import Settings

STAYS = "Stored values are not changed; a new materialization replaces them. Earlier runs and events are kept."


class WipeDocument(msgspec.Struct, frozen=True):
    """What `segue wipe --json` prints; `partitions` is null where the whole asset was wiped."""

    asset: str
    partitions: tuple[str, ...] | None


@click.command()
@click.argument("key", metavar="KEY")
@click.option(
    "-p", "--partition", "partitions", metavar="KEY", multiple=True, help="Only this partition; may be repeated."
)
@click.option("--partition-range", metavar="FIRST...LAST", help="Only this range of partitions, both ends included.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@code_options
@home_option
@json_option
def wipe(
    key: str,
    partitions: tuple[str, ...],
    partition_range: str | None,
    yes: bool,
    code: CodeOptions,
    home: str | None,
    as_json: bool,
) -> None:
    """Remove the records of the asset KEY: its materializations and check results.

    Only recorded state is removed: stored values, past runs and their events are kept. The code is not loaded, so you can
    also wipe assets that it no longer declares; with --partition-range it is loaded, to find the partitions of the range.
    """
    if partitions and partition_range is not None:
        raise click.UsageError("Both --partition and --partition-range were provided; keep one.")
    settings = settings_in_force(code, home)
    wanted: Sequence[str] | None = partitions or None
    if partition_range is not None:
        with stdout_for_json(as_json):
            wanted = _range(settings, key, partition_range)
    with open_store(settings) as store:
        asset = find_asset(key, store.asset_states(None), "that was ever materialized, so nothing is recorded of it")
        if wanted is not None:
            wanted = _recorded(store, asset, wanted, is_range=partition_range is not None)
        name = asset.to_user_string()
        what = name if wanted is None else f"{count(len(wanted), 'partition')} of {name}"
        _ask(what, yes=yes)
        store.wipe(asset, wanted, time.time())
    if as_json:
        print_json(WipeDocument(name, None if wanted is None else tuple(wanted)))
    else:
        click.echo(f"Wiped what was recorded of {what}. {STAYS}")


def _range(settings: Settings, key: str, text: str) -> Sequence[str]:
    limits = parse_range(text)
    _, graph = load(settings)
    asset = find_asset(key, graph.nodes, "in these definitions")
    definition = graph.node(asset).partitions
    if definition is None:
        raise InvalidSubsetError(f"Asset {key!r} is not partitioned. Remove --partition-range to wipe the whole asset.")
    return keys_of_range(definition, limits)


def _recorded(store: StateStore, asset: AssetKey, wanted: Sequence[str], *, is_range: bool) -> list[str]:
    """Those of the partitions that are recorded; a single one that is not is an error, in a range it is none."""
    recorded = store.partition_states(asset)
    missing = [each for each in wanted if each not in recorded]
    found = [each for each in wanted if each in recorded]
    if (missing and not is_range) or not found:
        raise UnknownPartitionError(
            f"Nothing is recorded of partition {missing[0]!r} of {asset.to_user_string()}, so nothing was wiped. "
            f"'segue asset {asset.to_user_string()}' lists its partitions."
        )
    return found


def _ask(what: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"Wiping {what} requires confirmation, but there is no terminal. Add --yes.")
    click.echo(f"This removes what is recorded of {what}. {STAYS}", err=True)
    click.confirm("Remove it?", abort=True, err=True)

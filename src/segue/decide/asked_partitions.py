"""Whether the partitions that are asked for are there, said before a run waits in the queue that can only fail. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from segue.errors import InvalidSubsetError, UnknownPartitionError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.opaque import OpaquePartitionsDefinition
from segue.model.run import Run


def require_run_partitions(graph: AssetGraph, run: Run, now: datetime) -> None:
    """Makes sure that what a run is to make has the partitions that it names, and that it names some where there are any.

    Partitions that only the user's code knows are taken as they are: the run finds out.

    Args:
        graph: the definitions of its location; dynamic partitions are those of the `partition_loading_context`.
        run: the one that is asked for.
        now: the moment, with a time zone.

    Raises:
        InvalidSubsetError: there are partitions and none is named, or the other way round, or they are of several sorts.
        UnknownPartitionError: a partition that is not there; names those that are.
    """
    named = [key for key in (run.partition_start, run.partition_end) if key is not None]
    job = graph.jobs.get(run.job_name)
    definition = None if job is None else job.partitions
    if definition is None:
        nodes = graph.nodes_of(run.asset_selection or frozenset[AssetKey]())
        # What is only looked at may be looked at as a whole.
        meant = sorted(node.key for node in nodes if named or not node.is_observable)
        definition = common_partitions(graph, meant)
    if definition is None:
        if named and all(graph.checks[key].partitions is None for key in run.asset_check_selection or ()):
            raise InvalidSubsetError(
                "A partition was provided, but none of the assets to run is partitioned. Leave the partition out."
            )
        return
    if run.partition_start is None or run.partition_end is None:
        raise InvalidSubsetError(
            "The assets to run are partitioned, but no partition was provided. Choose one with --partition or "
            "--partition-range (over HTTP: partition, partition_end)."
        )
    if any(isinstance(each, OpaquePartitionsDefinition) for each in (definition, *definition.axes)):
        return
    for key in named:
        require_partition(definition, key, now)


def require_partition(definition: PartitionsDefinition, key: str, now: datetime) -> None:
    """Makes sure that a partition exists.

    Raises:
        UnknownPartitionError: it does not; names the partitions there are.
    """
    if not definition.has_partition_key(key, now):
        raise UnknownPartitionError(f"Partition key {key!r} not found; {_known(definition, now)}.")


def common_partitions(graph: AssetGraph, assets: Sequence[AssetKey]) -> PartitionsDefinition | None:
    """The one partitions definition of these assets, None where none is partitioned.

    Raises:
        InvalidSubsetError: they have different ones.
    """
    found: dict[int, tuple[PartitionsDefinition, list[str]]] = {}
    for key in assets:
        own = graph.node(key).partitions
        if own is None:
            continue
        place = next((place for place, (other, _) in found.items() if own is other or own == other), len(found))
        found.setdefault(place, (own, []))[1].append(key.to_user_string())
    if len(found) > 1:
        groups = "; ".join(f"{', '.join(names)}: {definition!r}" for definition, names in found.values())
        raise InvalidSubsetError(
            f"The selected assets have different partitions definitions and cannot share a partition: {groups}. Select "
            "the assets of one definition with --select, and run the others separately."
        )
    return next((definition for definition, _ in found.values()), None)


def _known(definition: PartitionsDefinition, now: datetime) -> str:
    number = definition.get_num_partitions(now)
    if number == 0:
        return "there are no partitions yet"
    if number <= 8:
        return "available partition keys: " + ", ".join(repr(key) for key in definition.get_partition_keys(now))
    first, last = definition.get_first_partition_key(now), definition.get_last_partition_key(now)
    return f"there are {number:,} available partition keys, from {first!r} to {last!r}"

"""Which partitions a run makes: the one partitions definition of its assets and checks, and the keys of it that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Set
from datetime import datetime

from segue.errors import InvalidSubsetError, UnknownPartitionError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import AssetNode
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import PartitionSubset, subset_of_range


def run_partitions_definition(
    graph: AssetGraph,
    asset_keys: Set[AssetKey],
    check_keys: Collection[AssetCheckKey],
    partitions: tuple[str, str] | None,
) -> PartitionsDefinition | None:
    """The one partitions definition of the run's assets and checks, None without.

    Raises:
        InvalidSubsetError: there are several, or a partition key is superfluous.
    """
    if partitions is None and not check_keys and not graph.has_partitions:
        return None
    definition: PartitionsDefinition | None = None
    first: AssetKey | AssetCheckKey | None = None
    for key, node in [
        *((node.key, node) for node in graph.nodes_of(asset_keys)),
        *((key, graph.checks[key]) for key in check_keys),
    ]:
        own = node.partitions
        if own is None or (partitions is None and isinstance(node, AssetNode) and node.is_observable):
            continue
        if definition is None:
            definition, first = own, key
        elif own is not definition and own != definition and first is not None:
            raise InvalidSubsetError(
                f"{first.to_user_string()!r} and {key.to_user_string()!r} have different partitions definitions "
                "and cannot be materialized in one run: use separate runs."
            )
    if definition is None and partitions is not None:
        raise InvalidSubsetError(
            f"Partition key {partitions[0]!r} was provided, but nothing selected is partitioned: remove the "
            "partition key."
        )
    return definition


def run_subset_of(definition: PartitionsDefinition, partitions: tuple[str, str], now: datetime) -> PartitionSubset:
    """The partitions from the first to the last.

    Raises:
        UnknownPartitionError: a key that the definition does not have.
    """
    for key in dict.fromkeys(partitions):
        if not definition.has_partition_key(key, current_time=now):
            raise UnknownPartitionError(_unknown_partition(definition, key, now))
    return subset_of_range(definition, partitions[0], partitions[1], now)


def _unknown_partition(definition: PartitionsDefinition, key: str, now: datetime) -> str:
    first = definition.get_first_partition_key(current_time=now)
    last = definition.get_last_partition_key(current_time=now)
    known = "it has no partitions yet" if first is None else f"its partition keys range from {first!r} to {last!r}"
    return f"Partition key {key!r} not found in {definition!r}: {known}."

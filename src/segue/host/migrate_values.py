"""Moving the stored values of assets from the IO managers they have to another one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import GeneratorType
from typing import Any, TypeAlias, cast

import msgspec

from segue.defs.context import OpExecutionContext
from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.defs.log import get_logger
from segue.errors import InvalidInvocationError
from segue.execute.resources import OpenedResources, ResourceScope, set_up
from segue.host.asset_values import AssetValueLoader, output_context, value_scope
from segue.model.condition.subset import EntitySubset
from segue.model.condition.view import AssetGraphView
from segue.model.keys import AssetKey
from segue.model.listing import listed_graph
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.subset import keys_of_subset, subset_of_range
from segue.model.selection import AssetSelection, CoercibleToAssetSelection

_DESTINATION = "destination_io_manager"
Batch: TypeAlias = Sequence[
    str | None
]  # partition keys that are moved together; one None for an asset without partitions


class MigrateIOStorageResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the values: each asset, with its partitions, in those lists where something of it belongs."""

    migrated: tuple[EntitySubset, ...]
    skipped: tuple[EntitySubset, ...]
    failed: tuple[EntitySubset, ...]


def migrate_io_storage(
    *,
    definitions: Definitions | None = None,
    destination_io_manager: Any,
    instance: Instance | None = None,
    context: OpExecutionContext | None = None,
    selection: CoercibleToAssetSelection | None = None,
    should_skip: Callable[[AssetKey, str | None], bool] | None = None,
    batch_partitions: bool = False,
    transform: Callable[[Any], Any] | None = None,
) -> MigrateIOStorageResult:
    """Loads every stored value of assets with the IO manager of its asset, and stores it with another one.

    Nothing is recorded, and the old values stay where they are: afterwards, give the assets the new IO manager. A value that
    cannot be loaded or stored is logged, and the others are moved all the same; the last lines of the log name the assets of
    those that were not. A script ends with `sys.exit(bool(result.failed))`, so that nobody takes it for done.

    Values need no moving between Dagster and `FilesystemIOManager`: both keep them in the same files.

    Args:
        definitions: the assets and their resources.
        destination_io_manager: the IO manager that stores the values.
        instance: where it is recorded what was made.
        context: of an op that does the moving: its instance is used where none is given.
        selection: the assets; all materialized ones when None.
        should_skip: called with the asset and the partition (None without); if it returns True, the value is not moved.
        batch_partitions: whether partitions that follow each other are moved together, as a dict by partition key, as many
            as the backfill policy of the asset puts in one run.
        transform: converts the loaded value to the value to store.

    Returns:
        What was moved, was skipped, or failed.

    Raises:
        InvalidInvocationError: no definitions, or no instance.
    """
    told = context.instance if instance is None and context is not None else instance
    if definitions is None or told is None:
        raise InvalidInvocationError(
            "migrate_io_storage requires definitions= and instance= (or the context of an op)."
        )
    now = datetime.now(UTC)
    keys = _made(definitions, told, selection)
    view = AssetGraphView(listed_graph(definitions.asset_graph, keys, now, told), now)
    log = get_logger("migrate_io_storage")
    log.info("%d assets have values to move.", len(keys))
    with contextlib.ExitStack() as stack:
        loader = stack.enter_context(AssetValueLoader(definitions, told))
        scope = ResourceScope({_DESTINATION: destination_io_manager}, {}, None, told, log)
        move = _Move(definitions, told, loader, set_up([_DESTINATION], scope, stack), transform, view)
        for key in keys:
            log.info("Moving %s.", key.to_user_string())
            for batch in _batches(definitions, told, view, key, batch_partitions, should_skip or _keeps_all, move):
                try:
                    move.value(key, batch)
                except Exception:
                    log.exception("%s, partitions %s: the value could not be moved.", key.to_user_string(), batch)
                    move.note("failed", key, batch)
                else:
                    move.note("migrated", key, batch)
    result = move.result()
    log.info(
        "Moved %d, skipped %d, failed %d.",
        *(sum(each.size for each in part) for part in msgspec.structs.astuple(result)),
    )
    for subset in result.failed:
        log.error("Not moved: %d of %s; see the errors above.", subset.size, subset.key.to_user_string())
    return result


def _keeps_all(_key: AssetKey, _partition: str | None) -> bool:
    return False


def _made(definitions: Definitions, instance: Instance, selection: CoercibleToAssetSelection | None) -> list[AssetKey]:
    """The assets that are selected and were made."""
    graph = definitions.asset_graph
    wanted = graph.nodes if selection is None else AssetSelection.from_coercible(selection).resolve(graph)
    return sorted(instance.store.asset_states(sorted(wanted)))


def _batches(
    definitions: Definitions,
    instance: Instance,
    view: AssetGraphView,
    key: AssetKey,
    together: bool,
    should_skip: Callable[[AssetKey, str | None], bool],
    move: _Move,
) -> Iterator[Batch]:
    """The partitions of an asset that were made and are not skipped, in the order of the definition."""
    partitions = view.partitions_def(key)
    if partitions is None:
        if should_skip(key, None):
            move.note("skipped", key, [None])
        else:
            yield [None]
        return
    made = view.get_subset(key=key, partition_keys=instance.get_materialized_partitions(key))
    kept: list[str] = []
    for each in keys_of_subset(partitions, made.get_internal_subset_value(), view.effective_dt):
        if should_skip(key, each):
            move.note("skipped", key, [each])
        else:
            kept.append(each)
    size = _batch_size(definitions, key) if together else 1
    yield from _runs(partitions, kept, size, view.effective_dt)


def _runs(partitions: PartitionsDefinition, keys: Sequence[str], size: int | None, now: datetime) -> Iterator[Batch]:
    """Keys that follow each other in the definition, at most so many."""
    batch: list[str] = []
    for key in keys:
        follows = bool(batch) and partitions.index_of(key, now) == partitions.index_of(batch[-1], now) + 1
        if batch and (not follows or len(batch) == size):
            yield batch
            batch = []
        batch.append(key)
    if batch:
        yield batch


def _batch_size(definitions: Definitions, key: AssetKey) -> int | None:
    policy = definitions.get_assets_def(key).backfill_policy
    return None if policy is None else policy.max_partitions_per_run


class _Move:
    """Moves values, and keeps account of them."""

    def __init__(
        self,
        definitions: Definitions,
        instance: Instance,
        loader: AssetValueLoader,
        opened: OpenedResources,
        transform: Callable[[Any], Any] | None,
        view: AssetGraphView,
    ) -> None:
        self._definitions = definitions
        self._instance = instance
        self._loader = loader
        self._opened = opened
        self._transform = transform
        self._view = view
        self._parts: dict[str, dict[AssetKey, list[str | None]]] = {"migrated": {}, "skipped": {}, "failed": {}}

    def value(self, key: AssetKey, batch: Batch) -> None:
        """Moves the value of an asset, or of partitions of it that follow each other."""
        first, last = batch[0], batch[-1]
        single = first if len(batch) == 1 else None
        several = PartitionKeyRange(str(first), str(last)) if len(batch) > 1 else None
        value: Any = self._loader.load_asset_value(key, partition_key=single, partition_key_range=several)
        if self._transform is not None:
            value = self._transform(value)
        partitions, now = self._view.partitions_def(key), self._view.effective_dt
        subset = None
        if partitions is not None:
            subset = subset_of_range(partitions, str(first), str(last), now)
        scope = value_scope(key, partitions, subset, now, self._instance, self._opened, _DESTINATION, single)
        manager: Any = self._opened.by_key[_DESTINATION]
        given = manager.handle_output(output_context(self._definitions.described, key, scope, None), value)
        if isinstance(given, GeneratorType):
            for _ in cast("Iterator[object]", given):
                continue

    def note(self, how: str, key: AssetKey, batch: Batch) -> None:
        """Takes note of what became of partitions."""
        self._parts[how].setdefault(key, []).extend(batch)

    def result(self) -> MigrateIOStorageResult:
        """What became of all."""
        return MigrateIOStorageResult(**{how: self._subsets(parts) for how, parts in self._parts.items()})

    def _subsets(self, parts: Mapping[AssetKey, Sequence[str | None]]) -> tuple[EntitySubset, ...]:
        return tuple(
            self._view.get_full_subset(key=key)
            if self._view.partitions_def(key) is None
            else self._view.get_subset(key=key, partition_keys=[each for each in keys if each is not None])
            for key, keys in parts.items()
        )

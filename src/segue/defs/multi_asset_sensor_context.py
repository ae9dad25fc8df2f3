"""What the function of a sensor over several assets is called with: their materializations, and a cursor for each asset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.instance import Instance
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.tick_context import DeclaredGraph, either_definitions
from segue.errors import InvalidInvocationError, InvariantViolationError
from segue.model.asset_cursor import START, AssetCursor, Seen, advanced, decode_cursors, encode_cursors
from segue.model.event import EventType
from segue.model.event_log import EventLogRecord
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_choice import default_mapping, downstream_subset
from segue.model.partitions.subset import keys_of_subset, subset_of_keys
from segue.model.selection import AssetSelection
from segue.model.stores import EventFilter


class MultiAssetSensorEvaluationContext(SensorEvaluationContext):
    """The context of the function of a multi-asset sensor.

    Make one for tests with `build_multi_asset_sensor_context`. The materializations it gives are those after the cursor; the
    function says with `advance_cursor` or `advance_all_cursors` which of them it has taken care of; that holds from the
    next evaluation on.

    Args:
        monitored_assets: the assets.
        arguments: those of `SensorEvaluationContext`.
    """

    builder: ClassVar[str] = "build_multi_asset_sensor_context"

    def __init__(self, *, monitored_assets: Sequence[AssetKey] | AssetSelection = (), **arguments: Any) -> None:
        super().__init__(**arguments)
        self._monitored = monitored_assets
        self._keys: Sequence[AssetKey] | None = None
        self._cursors = decode_cursors(self._cursor)
        self._advanced_cursors = dict(self._cursors)  # what is read while the function runs stays the same
        self._advanced = False

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "monitored_assets": self._monitored}

    @property
    def asset_keys(self) -> Sequence[AssetKey]:
        """The assets that the sensor looks at."""
        if self._keys is None:
            monitored = self._monitored
            keys = monitored.resolve(self._graph()) if isinstance(monitored, AssetSelection) else monitored
            self._keys = sorted(keys) if isinstance(monitored, AssetSelection) else list(keys)
        return self._keys

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition | None]:
        """The definition of each of the assets; None for external ones."""
        declared = () if self._definitions is None else self._definitions.assets
        by_key = {key: each for each in declared if isinstance(each, AssetsDefinition) for key in each.keys}
        return {key: by_key.get(key) for key in self.asset_keys}

    def update_cursor(self, cursor: str | None) -> None:
        """Raises InvariantViolationError: the cursors are advanced, not set."""
        raise InvariantViolationError(
            "A multi-asset sensor has a cursor for each asset: call advance_cursor or advance_all_cursors."
        )

    def latest_materialization_records_by_key(
        self, asset_keys: Sequence[AssetKey] | None = None
    ) -> Mapping[AssetKey, EventLogRecord | None]:
        """The last materialization of each asset after its cursor; None if there is none."""
        found: dict[AssetKey, EventLogRecord | None] = {}
        for key in self.asset_keys if asset_keys is None else asset_keys:
            records = self._records(key, limit=1, ascending=False)
            found[key] = records[0] if records else None
        return found

    def materialization_records_for_key(
        self, asset_key: AssetKey, limit: int | None = None
    ) -> Iterable[EventLogRecord]:
        """The materializations of an asset after its cursor, oldest first."""
        return self._records(asset_key, limit=limit, ascending=True)

    def get_trailing_unconsumed_events(self, asset_key: AssetKey) -> Sequence[EventLogRecord]:
        """The materializations before the cursor that were passed over when it was advanced, oldest first."""
        ids = sorted(self._place(asset_key).unconsumed.values())
        return [record for each in ids for record in self._between(asset_key, each - 1, each + 1)]

    def latest_materialization_records_by_partition(
        self, asset_key: AssetKey, after_cursor_partition: bool | None = False
    ) -> Mapping[str, EventLogRecord]:
        """The last materialization of each partition that was not consumed, oldest first.

        Args:
            asset_key: the asset.
            after_cursor_partition: whether only partitions after the one at the cursor count.

        Raises:
            InvariantViolationError: the asset has no partitions.
        """
        definition = self._partitions(asset_key)
        latest: dict[str, EventLogRecord] = {}
        for record in [
            *self.get_trailing_unconsumed_events(asset_key),
            *self._records(asset_key, None, ascending=True),
        ]:
            partition = record.event.partition
            if partition is not None:
                latest.pop(partition, None)
                latest[partition] = record
        at_cursor = self.get_cursor_partition(asset_key)
        if after_cursor_partition and at_cursor is not None:
            now = datetime.now(UTC)
            place = definition.index_of(at_cursor, now)
            latest = {key: record for key, record in latest.items() if definition.index_of(key, now) > place}
        return latest

    def latest_materialization_records_by_partition_and_asset(self) -> Mapping[str, Mapping[AssetKey, EventLogRecord]]:
        """The last materialization of each partition that was not consumed, by partition and asset."""
        found: dict[str, dict[AssetKey, EventLogRecord]] = {}
        for key in self.asset_keys:
            for partition, record in self.latest_materialization_records_by_partition(key).items():
                found.setdefault(partition, {})[key] = record
        return found

    def get_cursor_partition(self, asset_key: AssetKey | None) -> str | None:
        """The partition of the materialization at an asset's cursor.

        Raises:
            InvalidInvocationError: no asset named, and several looked at.
        """
        if asset_key is None and len(self.asset_keys) != 1:
            raise InvalidInvocationError("This sensor monitors several assets: specify the asset key.")
        return self._place(self.asset_keys[0] if asset_key is None else asset_key).partition

    def all_partitions_materialized(self, asset_key: AssetKey, partitions: Sequence[str] | None = None) -> bool:
        """Whether these partitions (default: all) were ever materialized.

        Raises:
            InvariantViolationError: the asset has no partitions.
        """
        wanted = (
            self._partitions(asset_key).get_partition_keys(None, self.instance) if partitions is None else partitions
        )
        return set(wanted) <= self.instance.get_materialized_partitions(asset_key)

    def get_downstream_partition_keys(
        self, partition_key: str, from_asset_key: AssetKey, to_asset_key: AssetKey
    ) -> Sequence[str]:
        """The partitions of one asset that depend on a partition of another.

        Raises:
            InvariantViolationError: one of them has no partitions.
        """
        upper, lower = self._partitions(from_asset_key), self._partitions(to_asset_key)
        deps = self._graph().node(to_asset_key).deps
        mapping = next((dep.mapping for dep in deps if dep.key == from_asset_key), None) or default_mapping(
            upper, lower
        )
        now = datetime.now(UTC)
        upper, lower = upper.listed(now, self.instance), lower.listed(now, self.instance)
        upstream = subset_of_keys(upper, [partition_key], now)
        return keys_of_subset(lower, downstream_subset(mapping, upstream, upper, lower, now), now)

    def advance_cursor(self, materialization_records_by_key: Mapping[AssetKey, EventLogRecord | None]) -> None:
        """Says of materializations that they are taken care of; None says nothing of an asset."""
        for key, record in materialization_records_by_key.items():
            place = self._advanced_place(key)
            if record is not None:
                between = self._between(key, place.storage_id, record.storage_id)
                seen = [_seen(each) for each in between]
                self._advanced_cursors[key] = advanced(place, _seen(record), seen)
        self._advanced = True

    def advance_all_cursors(self) -> None:
        """Says of all materializations so far that they are taken care of."""
        for key, record in self.latest_materialization_records_by_key().items():
            place = self._advanced_place(key)
            if record is not None:
                self._advanced_cursors[key] = AssetCursor(record.storage_id, record.event.partition)
            elif place.unconsumed:
                self._advanced_cursors[key] = AssetCursor(place.storage_id, place.partition)
        self._advanced = True

    @property
    def cursor_has_been_advanced(self) -> bool:
        """Whether the function has said anything of what it took care of."""
        return self._advanced

    def update_cursor_after_evaluation(self) -> None:
        """Puts what was advanced into `cursor`; what is read from then on is what comes after it."""
        if self._advanced:
            self._cursors = dict(self._advanced_cursors)
            self._cursor, self._cursor_updated = encode_cursors(self._cursors), True

    def _place(self, asset_key: AssetKey) -> AssetCursor:
        if asset_key not in self.asset_keys:
            shown = ", ".join(key.to_user_string() for key in self.asset_keys)
            raise InvalidInvocationError(
                f"{asset_key.to_user_string()!r} is not monitored by this sensor; its assets are: {shown}."
            )
        return self._cursors.get(asset_key, START)

    def _advanced_place(self, asset_key: AssetKey) -> AssetCursor:
        return self._advanced_cursors.get(asset_key, self._place(asset_key))

    def _records(self, key: AssetKey, limit: int | None, *, ascending: bool) -> Sequence[EventLogRecord]:
        return self._events(key, self._place(key).storage_id, None, limit, ascending)

    def _between(self, key: AssetKey, after: int, before: int) -> Sequence[EventLogRecord]:
        return self._events(key, after, before, None, True)

    def _events(
        self, key: AssetKey, after: int, before: int | None, limit: int | None, ascending: bool
    ) -> Sequence[EventLogRecord]:
        which = EventFilter(
            asset_key=key,
            types=(EventType.ASSET_MATERIALIZATION,),
            after=after,
            before=before,
            settled=True,  # behind a cursor, what commits late would never be seen
            ascending=ascending,
        )
        return self.instance.store.events(which, limit)

    def _graph(self) -> AssetGraph:
        if self._definitions is None:
            raise InvariantViolationError(
                "The context has no definitions to find assets in: pass definitions= to "
                "build_multi_asset_sensor_context."
            )
        return self._definitions.asset_graph

    def _partitions(self, asset_key: AssetKey) -> PartitionsDefinition:
        found = self._graph().node(asset_key).partitions
        if found is None:
            raise InvariantViolationError(f"The asset {asset_key.to_user_string()!r} is not partitioned.")
        return found


def _seen(record: EventLogRecord) -> Seen:
    return Seen(record.storage_id, record.event.partition)


def build_multi_asset_sensor_context(
    *,
    monitored_assets: Sequence[AssetKey] | AssetSelection,
    repository_def: DeclaredGraph | None = None,
    instance: Instance | None = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    cursor_from_latest_materializations: bool = False,
    resources: Mapping[str, object] | None = None,
    definitions: DeclaredGraph | None = None,
    last_sensor_start_time: float | None = None,
) -> MultiAssetSensorEvaluationContext:
    """A context to call a sensor over several assets with in a test.

    Args:
        monitored_assets: the assets.
        repository_def: superseded by `definitions`.
        instance: where the materializations are recorded.
        cursor: the cursor that the last evaluation set.
        repository_name: superseded; the name of a group of definitions.
        cursor_from_latest_materializations: whether all materializations so far count as taken care of.
        resources: by key: objects, or resources that are set up on first use.
        definitions: where the assets are declared.
        last_sensor_start_time: when the sensor was switched on, in seconds since 1970 UTC.

    Raises:
        InvalidInvocationError: not exactly one of `definitions` and `repository_def`, or both `cursor` and
            `cursor_from_latest_materializations`.
    """
    found = either_definitions("build_multi_asset_sensor_context", definitions, repository_def)
    if found is None:
        raise InvalidInvocationError("build_multi_asset_sensor_context: definitions= was not provided.")
    if cursor is not None and cursor_from_latest_materializations:
        raise InvalidInvocationError(
            "build_multi_asset_sensor_context: both cursor and cursor_from_latest_materializations were provided; keep "
            "one."
        )
    context = MultiAssetSensorEvaluationContext(
        monitored_assets=monitored_assets,
        instance=instance,
        cursor=cursor,
        repository_name=repository_name,
        resources=resources,
        definitions=found,
        last_sensor_start_time=last_sensor_start_time,
    )
    if not cursor_from_latest_materializations:
        return context
    context.advance_all_cursors()
    context.update_cursor_after_evaluation()
    return context.copied()

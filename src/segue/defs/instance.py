"""The instance: what is recorded of runs and assets, as users ask for it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.defs.bindings import bound
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    EventType,
    StepMaterializationData,
    StoredEvent,
)
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.run import Run
from segue.model.stores import CheckState, EventFilter, RunFilter, Store


class Instance:
    """Runs, events and the state of assets, over one store.

    Get one with `Instance.get()`, `Instance.ephemeral()` or `Instance.local_temp(folder)`; it is a context manager.

    Args:
        store: the database.
        storage_directory: where the default IO manager keeps values.
        owned: what to release when the instance is closed (a temporary folder).
    """

    def __init__(self, store: Store, storage_directory: Path, owned: object = None) -> None:
        self.store = store
        self._storage_directory = storage_directory
        self._owned = owned

    @staticmethod
    def ephemeral(tempdir: str | None = None) -> Instance:
        """An instance in memory, with values in a temporary folder; gone when it is closed."""
        return bound("ephemeral_instance")(tempdir)

    @staticmethod
    def local_temp(tempdir: str | None = None) -> Instance:
        """An instance with a database of its own in this folder; in a temporary one when none is given."""
        return bound("local_instance")(tempdir)

    @staticmethod
    def get() -> Instance:
        """The instance that the settings name: SEGUE_HOME, segue.toml, or `.segue` in the project."""
        return bound("default_instance")()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the store and removes what was temporary."""
        self.store.close()
        cleanup = getattr(self._owned, "cleanup", None)
        if cleanup is not None:
            cleanup()

    def storage_directory(self) -> str:
        """The folder in which the default IO manager keeps values."""
        return str(self._storage_directory)

    def get_run_by_id(self, run_id: str) -> Run | None:
        """The run, or None."""
        return self.store.get_run(run_id)

    def get_runs(
        self, filters: RunFilter | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[Run]:
        """Runs, newest first.

        Args:
            filters: which.
            limit: at most so many.
            cursor: the run id to go on from.
        """
        return self.store.list_runs(filters or RunFilter(), limit, cursor)

    def all_logs(self, run_id: str, of_type: EventType | None = None) -> Sequence[StoredEvent]:
        """The events of a run, oldest first."""
        return self.store.events(EventFilter(run_id=run_id, types=None if of_type is None else (of_type,)), None)

    def has_asset_key(self, asset_key: AssetKey) -> bool:
        """Whether the asset was ever made (and not wiped since)."""
        return asset_key in self.store.asset_states([asset_key])

    def get_asset_keys(self) -> Sequence[AssetKey]:
        """The assets that were made, sorted."""
        return sorted(self.store.asset_states(None))

    def get_latest_materialization_event(self, asset_key: AssetKey) -> StoredEvent | None:
        """The last event that says the asset was made; None when it was not, or was wiped."""
        state = self.store.asset_states([asset_key]).get(asset_key)
        if state is None:
            return None
        payload = StepMaterializationData(state.materialization)
        return StoredEvent(state.storage_id, Event(state.timestamp, payload, run_id=state.run_id))

    def get_materialized_partitions(self, asset_key: AssetKey) -> set[str]:
        """The partitions that were made."""
        return set(self.store.partition_states(asset_key))

    def get_latest_check_results(
        self, keys: Sequence[AssetCheckKey] | None = None
    ) -> Mapping[AssetCheckKey, CheckState]:
        """The last result of each of these checks, or of all."""
        return self.store.check_states(keys)

    def report_runless_asset_event(
        self, asset_event: AssetMaterialization | AssetObservation | AssetCheckEvaluation
    ) -> None:
        """Records what happened to an asset outside of any run."""
        if isinstance(asset_event, AssetMaterialization):
            payload = StepMaterializationData(asset_event)
        elif isinstance(asset_event, AssetObservation):
            payload = AssetObservationData(asset_event)
        else:
            payload = AssetCheckEvaluationData(asset_event)
        self.store.append([Event(time.time(), payload)])

    def wipe_assets(self, asset_keys: Sequence[AssetKey]) -> None:
        """Removes the recorded state of assets; stored values and past events stay."""
        for key in asset_keys:
            self.store.wipe(key, None, time.time())

"""The instance: what is recorded of runs and assets, as users ask for it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from segue.defs.bindings import bound
from segue.defs.instance_assets import InstanceAssets
from segue.defs.instance_events import InstanceEvents
from segue.defs.instance_partitions import InstancePartitions
from segue.defs.instance_reports import InstanceReports
from segue.defs.instance_runs import InstanceRuns
from segue.model.stores import Store


class Instance(InstanceRuns, InstanceEvents, InstanceAssets, InstancePartitions, InstanceReports):
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

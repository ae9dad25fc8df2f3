"""The instance: what is recorded of runs and assets, as users ask for it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from segue.defs.bindings import bound
from segue.defs.instance_assets import InstanceAssets
from segue.defs.instance_checks import InstanceChecks
from segue.defs.instance_events import InstanceEvents
from segue.defs.instance_partitions import InstancePartitions
from segue.defs.instance_ref import InstanceRef
from segue.defs.instance_reports import InstanceReports
from segue.defs.instance_runs import InstanceRuns
from segue.errors import InvariantViolationError
from segue.model.concurrency import Concurrency
from segue.model.step_settings import StepSettings
from segue.model.stored_content import ArtifactSettings
from segue.model.stores import Store


class Instance(InstanceRuns, InstanceEvents, InstanceAssets, InstancePartitions, InstanceChecks, InstanceReports):
    """Runs, events and the state of assets, over one store.

    Get one with `Instance.get()`, `Instance.ephemeral()` or `Instance.local_temp(folder)`; it is a context manager.

    Args:
        store: the database.
        storage_directory: where the default IO manager stores values.
        owned: what to release when the instance is closed (a temporary folder).
        home: the folder of the database; None for one in memory.
        concurrency: the settings for what may happen at once.
        database: the URL of the database where it is not in `home`.
        artifacts: what the store keeps apart from the event log, and where.
        steps: the settings for how steps are run.
    """

    def __init__(
        self,
        store: Store,
        storage_directory: Path,
        owned: object = None,
        home: Path | None = None,
        concurrency: Concurrency | None = None,
        database: str | None = None,
        artifacts: ArtifactSettings | None = None,
        steps: StepSettings | None = None,
    ) -> None:
        self.store = store
        self.concurrency = concurrency or Concurrency()
        self.artifacts = artifacts or ArtifactSettings()
        self.steps = steps or StepSettings()
        self._storage_directory = storage_directory
        self._owned = owned
        self._home = home
        self._database = database

    @staticmethod
    def ephemeral(tempdir: str | None = None) -> Instance:
        """An instance in memory, with values in a temporary folder; gone when it is closed."""
        return bound("ephemeral_instance")(tempdir)

    @staticmethod
    def local_temp(tempdir: str | None = None) -> Instance:
        """An instance with a database of its own in this folder; in a temporary one when none is given."""
        return bound("local_instance")(tempdir)

    @staticmethod
    def from_ref(instance_ref: InstanceRef) -> Instance:
        """The instance that another one's `get_ref` names."""
        return bound("local_instance")(
            instance_ref.root_directory, instance_ref.values_directory, None, instance_ref.database
        )

    def get_ref(self) -> InstanceRef:
        """Where this instance is kept, for another process to open it.

        Raises:
            InvariantViolationError: it is kept in memory only.
        """
        if self._home is None:
            raise InvariantViolationError(
                "This instance only exists in memory, so no other process can open it. Use Instance.local_temp(folder)."
            )
        return InstanceRef(str(self._home), str(self._storage_directory), self._database)

    @staticmethod
    def get() -> Instance:
        """The instance that the settings name: SEGUE_DATABASE, SEGUE_HOME, segue.toml, or `.segue` in the project."""
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

    def dispose(self) -> None:
        """The same as `close`."""
        self.close()

    @property
    def is_persistent(self) -> bool:
        """Whether what it records outlives the process."""
        return self._home is not None

    @property
    def is_ephemeral(self) -> bool:
        """Whether what it records is kept in memory only."""
        return self._home is None

    @property
    def root_directory(self) -> str:
        """The folder in which everything is kept; of an instance in memory, that of the values."""
        return str(self._home or self._storage_directory.parent)

    def storage_directory(self) -> str:
        """The folder in which the default IO manager keeps values."""
        return str(self._storage_directory)

"""Errors of Dagster that nothing here raises: their names resolve, so that code that catches them can be imported.

Each says why it is not raised, or what is raised in its stead. None stands for a wider error of ours: an `except` clause must
not catch more here than it did.
"""

from __future__ import annotations

from segue.errors import SegueError, UserCodeExecutionError


class DagsterAssetBackfillDataLoadError(SegueError):
    """Never raised: what a backfill has done is kept in rows of its own, and read without the code."""


class DagsterBackfillFailedError(SegueError):
    """Never raised: a backfill that fails is recorded as failed, with its error."""


class DagsterDefinitionChangedDeserializationError(SegueError):
    """Never raised: what is stored is read by its own manifest, whatever the code has become."""


class DagsterEventLogInvalidForRun(SegueError):
    """Never raised: the state of a run is folded from its events as they are stored."""


class DagsterExecutionPlanSnapshotNotFoundError(SegueError):
    """Never raised: a plan is stored with its run."""


class DagsterHomeNotSetError(SegueError):
    """Never raised: without a setting, the home folder is the one that `segue.toml` or the default names."""


class DagsterInvalidAssetKey(SegueError):
    """Never raised: an invalid key is refused with `InvalidDefinitionError` or `WrongTypeError`."""


class DagsterInvalidDeserializationVersionError(SegueError):
    """Never raised: a database of another version is refused with `StorageVersionError`."""


class DagsterLaunchFailedError(SegueError):
    """Never raised: a run that cannot be launched is recorded as failed, with its error."""


class DagsterMaxRetriesExceededError(SegueError):
    """Never raised: a step that has used up its retries fails with the error of its last attempt."""


class DagsterObjectStoreError(SegueError):
    """Never raised: the error of an object store is passed on as it is."""


class DagsterRunAlreadyExists(SegueError):
    """Never raised: a run's id is made where the run is recorded."""


class DagsterRunConflict(SegueError):
    """Never raised: a run's id is made where the run is recorded."""


class DagsterRunTooLargeError(SegueError):
    """Never raised: a run has no size limit."""


class DagsterSnapshotDoesNotExist(SegueError):
    """Never raised: a manifest is kept as long as a run that names it."""


class DagsterTypeLoadingError(UserCodeExecutionError):
    """Never raised: a step whose type loader raises fails with the exception of the loader."""


class DagsterUndefinedDataVersionError(SegueError):
    """Never raised: an asset without a data version has none, which is not an error."""


class DagsterUnknownStepStateError(SegueError):
    """Never raised: the state of each step is known from the events of its run."""


class FreshnessPolicySensorExecutionError(UserCodeExecutionError):
    """Never raised: freshness is watched by the daemon, without a sensor."""


class HookExecutionError(UserCodeExecutionError):
    """Never raised: a hook that raises is recorded as an event of its run, and the run goes on."""


class JobError(UserCodeExecutionError):
    """Never raised: the errors of a run are those of its steps and resources."""


class PartitionExecutionError(UserCodeExecutionError):
    """Never raised: what the functions of a partitioned config raise is passed on as it is."""


class RunStatusSensorExecutionError(UserCodeExecutionError):
    """Never raised: what a sensor raises is recorded with its tick, as it is."""


class SensorExecutionError(UserCodeExecutionError):
    """Never raised: what a sensor raises is recorded with its tick, as it is."""

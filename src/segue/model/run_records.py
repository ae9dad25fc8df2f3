"""Which runs users ask for, and what they get: runs with their place in the store, and what a run came to."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from segue.errors import WrongArgumentError
from segue.model.arguments import require_sequence, require_type
from segue.model.run import HasName, Run, RunStatus
from segue.model.tags import BACKFILL_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG


class RunOrder(enum.Enum):
    """What runs are listed by. The value is what users write."""

    ID = "id"
    CREATED = "create_timestamp"
    UPDATED = "update_timestamp"


_KINDS: Mapping[str, type] = {
    "job_name": str,
    "snapshot_id": str,
    "tags": Mapping,
    **dict.fromkeys(("updated_after", "updated_before", "created_after", "created_before"), datetime),
}


class RunsFilter(msgspec.Struct, frozen=True):
    """A filter for runs; what is left out matches any.

    Attributes:
        run_ids: only these.
        job_name: of this job.
        statuses: in one of these statuses.
        tags: that have all of these; a list of values means one of them.
        snapshot_id: planned from the definitions with this hash (`Run.manifest_hash`).
        updated_after, updated_before: exclusive bounds on when status or tags changed last; without a zone they are UTC.
        created_after, created_before: exclusive bounds on when they were created.
        exclude_subruns: leaves out the runs of backfills.

    Raises:
        InvalidInvocationError: a value of another type.
    """

    run_ids: Sequence[str] | None = None
    job_name: str | None = None
    statuses: Sequence[RunStatus] | None = None
    tags: Mapping[str, str | Sequence[str]] | None = None
    snapshot_id: str | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    exclude_subruns: bool | None = None

    def __post_init__(self) -> None:
        write = msgspec.structs.force_setattr
        for name, element in (("run_ids", str), ("statuses", RunStatus)):
            if getattr(self, name) is not None:
                require_sequence(self, name, getattr(self, name), element)
        for name, kind in _KINDS.items():
            if getattr(self, name) is not None:
                require_type(self, name, getattr(self, name), kind)
        write(self, "run_ids", None if self.run_ids is None else tuple(self.run_ids))
        write(self, "statuses", tuple(self.statuses or ()))
        write(self, "tags", {key: _values(value) for key, value in (self.tags or {}).items()})

    @property
    def tag_values(self) -> Mapping[str, tuple[str, ...]]:
        """The tags, each with the values that it may have."""
        return {key: (each,) if isinstance(each, str) else tuple(each) for key, each in (self.tags or {}).items()}

    @property
    def created(self) -> tuple[float | None, float | None]:
        """The bounds on the time of creation, in seconds since 1970, UTC."""
        return _seconds(self.created_after), _seconds(self.created_before)

    @property
    def updated(self) -> tuple[float | None, float | None]:
        """The bounds on the time of the last change, in seconds since 1970, UTC."""
        return _seconds(self.updated_after), _seconds(self.updated_before)

    @staticmethod
    def for_backfill(backfill_id: str) -> RunsFilter:
        """The runs of a backfill."""
        return RunsFilter(tags={BACKFILL_TAG: backfill_id})

    @staticmethod
    def for_schedule(schedule: HasName) -> RunsFilter:
        """The runs that a schedule requested."""
        return RunsFilter(tags={SCHEDULE_NAME_TAG: schedule.name})

    @staticmethod
    def for_sensor(sensor: HasName) -> RunsFilter:
        """The runs that a sensor requested."""
        return RunsFilter(tags={SENSOR_NAME_TAG: sensor.name})


def _values(value: str | Sequence[str]) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        return tuple(value)
    raise WrongArgumentError(f"RunsFilter: a tag value must be a string or a list of strings, got {value!r}.")


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


class RunRecord(msgspec.Struct, frozen=True):
    """A run with its place in the store: `storage_id` grows with every run that is created."""

    storage_id: int
    dagster_run: Run

    @property
    def create_timestamp(self) -> datetime:
        """When it was created, in UTC."""
        return datetime.fromtimestamp(self.dagster_run.created_at, UTC)

    @property
    def update_timestamp(self) -> datetime:
        """When its status or its tags changed last, in UTC."""
        return datetime.fromtimestamp(self.dagster_run.updated_at, UTC)

    @property
    def start_time(self) -> float | None:
        """When it began to execute, in seconds since 1970, UTC; None if it has not."""
        return self.dagster_run.started_at

    @property
    def end_time(self) -> float | None:
        """When it ended, in seconds since 1970, UTC; None if it has not."""
        return self.dagster_run.ended_at

"""What schedules and sensors answer when they are asked: one tick, as values."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from segue.errors import WrongArgumentError
from segue.model.arguments import require_sequence, require_type, wrong_argument
from segue.model.checks import AssetCheckEvaluation
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.named_fields import NamedFields
from segue.model.partitions.store_after import DynamicPartitionsRequest
from segue.model.request import RunRequest


class DefaultScheduleStatus(enum.Enum):
    """Whether a schedule runs before anyone has switched it on or off."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class CatchUp(enum.StrEnum):
    """What becomes of the times of a schedule that passed while no control plane ran.

    SKIP: none of them is decided. LATEST: the last one is. ALL: each is, the oldest first, up to a number of them that is set
    for the deployment: the last ones. A break of up to a minute, in which another control plane takes over or the database is
    away, is none: what was due in it is decided.
    """

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class DefaultSensorStatus(enum.Enum):
    """Whether a sensor runs before anyone has switched it on or off."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class SensorType(enum.Enum):
    """What a sensor looks at."""

    STANDARD = "STANDARD"
    RUN_STATUS = "RUN_STATUS"
    ASSET = "ASSET"
    MULTI_ASSET = "MULTI_ASSET"
    FRESHNESS_POLICY = "FRESHNESS_POLICY"
    AUTO_MATERIALIZE = "AUTO_MATERIALIZE"
    AUTOMATION = "AUTOMATION"
    UNKNOWN = "UNKNOWN"


class SkipReason(NamedFields, msgspec.Struct, frozen=True):
    """Why a schedule or sensor requests no run this time.

    Attributes:
        skip_message: for people.
    """

    skip_message: str | None = None

    def __post_init__(self) -> None:
        require_type(self, "skip_message", self.skip_message, (str, type(None)))


class RunReaction(msgspec.Struct, frozen=True):
    """That a run-status sensor answered to a run without asking for another one.

    Attributes:
        run_id: the run it answered to; None where the sensor was called directly.
    """

    run_id: str | None = None


AssetEvent: TypeAlias = AssetMaterialization | AssetObservation | AssetCheckEvaluation


class SensorResult(NamedFields):
    """Everything that one evaluation of a sensor may answer. Immutable, equal by value.

    Args:
        run_requests: the runs it requests.
        skip_reason: why it requests none; a string becomes a `SkipReason`.
        cursor: the `context.cursor` of the next evaluation.
        dynamic_partitions_requests: partitions to add or remove before the runs are created.
        asset_events: events of external assets to record.

    Raises:
        WrongArgumentError: both runs and a reason to skip, or an argument of a wrong type.
    """

    __slots__ = ("asset_events", "cursor", "dynamic_partitions_requests", "run_requests", "skip_reason")
    run_requests: Sequence[RunRequest]
    skip_reason: SkipReason | None
    cursor: str | None
    dynamic_partitions_requests: Sequence[DynamicPartitionsRequest]
    asset_events: Sequence[AssetEvent]

    def __init__(
        self,
        run_requests: Sequence[RunRequest] | None = None,
        skip_reason: str | SkipReason | None = None,
        cursor: str | None = None,
        dynamic_partitions_requests: Sequence[DynamicPartitionsRequest] | None = None,
        asset_events: Sequence[AssetEvent] | None = None,
    ) -> None:
        if run_requests and skip_reason:
            raise WrongArgumentError("SensorResult: both run_requests and skip_reason were provided; keep one.")
        require_type(self, "skip_reason", skip_reason, (str, SkipReason, type(None)))
        require_type(self, "cursor", cursor, (str, type(None)))
        events = (AssetMaterialization, AssetObservation, AssetCheckEvaluation)
        write = object.__setattr__
        write(self, "run_requests", require_sequence(self, "run_requests", run_requests or [], RunRequest))
        write(self, "skip_reason", SkipReason(skip_reason) if isinstance(skip_reason, str) else skip_reason)
        write(self, "cursor", cursor)
        write(self, "dynamic_partitions_requests", self._partition_requests(dynamic_partitions_requests))
        write(self, "asset_events", require_sequence(self, "asset_events", asset_events or [], events))

    def _partition_requests(self, values: Sequence[object] | None) -> list[object]:
        found = require_sequence(self, "dynamic_partitions_requests", values or [], object)
        for index, value in enumerate(found):
            if not hasattr(value, "partitions_def_name") or not hasattr(value, "partition_keys"):
                expected = "a request from build_add_request or build_delete_request"
                raise wrong_argument(self, f"dynamic_partitions_requests[{index}]", value, expected)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"SensorResult is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SensorResult) and self._asdict() == other._asdict()

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds requests, which hold mappings

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in _RESULT_FIELDS if getattr(self, name)]
        return f"SensorResult({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        return (SensorResult, tuple(getattr(self, name) for name in _RESULT_FIELDS))


_RESULT_FIELDS = ("run_requests", "skip_reason", "cursor", "dynamic_partitions_requests", "asset_events")


class ScheduleTick(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule answered.

    Attributes:
        run_requests: the runs it asks for, tags and config filled in.
        skip_message: why there are none.
    """

    run_requests: Sequence[RunRequest] = []
    skip_message: str | None = None


class SensorTick(msgspec.Struct, frozen=True, kw_only=True):
    """What a sensor answered.

    Attributes:
        run_requests: the runs it asks for, tags and config filled in.
        skip_message: why there are none.
        cursor: what the next evaluation goes on from.
        run_reactions: the runs it answered to without asking for another one.
        dynamic_partitions_requests: partitions to add or remove before the runs are created.
        asset_events: what it has seen of assets.
    """

    run_requests: Sequence[RunRequest] = []
    skip_message: str | None = None
    cursor: str | None = None
    run_reactions: Sequence[RunReaction] = ()
    dynamic_partitions_requests: Sequence[DynamicPartitionsRequest] = ()
    asset_events: Sequence[AssetEvent] = ()

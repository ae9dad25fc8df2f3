"""Events: everything that happens, as values. The log of them is the truth; every state is a fold over it.

An event is a header (`Event`) and a payload. Each payload has an explicit wire tag, the name of its event type, so that a
class may be renamed and stored events still be read. `SCHEMA_VERSION` rises when a payload changes in a way that
older readers would misread.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from segue.model.checks import AssetCheckEvaluation
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue
from segue.model.run import FailureReason

SCHEMA_VERSION = 1


class EventType(str, enum.Enum):
    """The kinds of events that are recorded. The value is the wire tag."""

    ENGINE_EVENT = "ENGINE_EVENT"
    RUN_START = "RUN_START"
    RUN_SUCCESS = "RUN_SUCCESS"
    RUN_FAILURE = "RUN_FAILURE"
    RUN_CANCELED = "RUN_CANCELED"
    RESOURCE_INIT_STARTED = "RESOURCE_INIT_STARTED"
    RESOURCE_INIT_SUCCESS = "RESOURCE_INIT_SUCCESS"
    RESOURCE_INIT_FAILURE = "RESOURCE_INIT_FAILURE"
    STEP_START = "STEP_START"
    STEP_RESTARTED = "STEP_RESTARTED"
    STEP_UP_FOR_RETRY = "STEP_UP_FOR_RETRY"
    STEP_FAILURE = "STEP_FAILURE"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_SKIPPED = "STEP_SKIPPED"
    LOADED_INPUT = "LOADED_INPUT"
    STEP_INPUT = "STEP_INPUT"
    STEP_OUTPUT = "STEP_OUTPUT"
    HANDLED_OUTPUT = "HANDLED_OUTPUT"
    ASSET_MATERIALIZATION_PLANNED = "ASSET_MATERIALIZATION_PLANNED"
    ASSET_MATERIALIZATION = "ASSET_MATERIALIZATION"
    ASSET_OBSERVATION = "ASSET_OBSERVATION"
    ASSET_CHECK_EVALUATION_PLANNED = "ASSET_CHECK_EVALUATION_PLANNED"
    ASSET_CHECK_EVALUATION = "ASSET_CHECK_EVALUATION"
    ASSET_WIPED = "ASSET_WIPED"
    LOG_MESSAGE = "LOG_MESSAGE"


class ErrorInfo(msgspec.Struct, frozen=True):
    """An exception as data.

    Attributes:
        message: the exception's own text, with its class in front.
        cls_name: the class, qualified.
        stack: the formatted frames of user code (and of the libraries it called), outermost first.
        cause: the exception it was raised from, or while handling.
    """

    message: str
    cls_name: str
    stack: tuple[str, ...] = ()
    cause: ErrorInfo | None = None

    def to_string(self) -> str:
        """The traceback as Python prints it, causes first."""
        before = ""
        if self.cause is not None:
            before = self.cause.to_string() + "\nThe above exception led to the following one:\n\n"
        frames = "Traceback (most recent call last):\n" + "".join(self.stack) if self.stack else ""
        return before + frames + self.message


class Payload(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """Base of the payloads; the tag of each is its event type."""

    @property
    def type(self) -> EventType:
        """The event type."""
        return EventType(self.__struct_config__.tag)


class EngineEventData(Payload, frozen=True, tag="ENGINE_EVENT"):
    """Segue says what it does."""

    message: str


class RunStartData(Payload, frozen=True, tag="RUN_START"):
    """The run began to execute."""

    worker: str | None = None


class RunSuccessData(Payload, frozen=True, tag="RUN_SUCCESS"):
    """Every step of the run ended well or was skipped."""


class RunFailureData(Payload, frozen=True, tag="RUN_FAILURE"):
    """The run failed."""

    reason: FailureReason
    message: str
    failed_steps: tuple[str, ...] = ()
    error: ErrorInfo | None = None


class RunCanceledData(Payload, frozen=True, tag="RUN_CANCELED"):
    """The run was stopped on request."""

    message: str = ""


class ResourceInitStartedData(Payload, frozen=True, tag="RESOURCE_INIT_STARTED"):
    """Resources are being set up."""

    resource_keys: tuple[str, ...]


class ResourceInitSuccessData(Payload, frozen=True, tag="RESOURCE_INIT_SUCCESS"):
    """Resources are ready."""

    resource_keys: tuple[str, ...]


class ResourceInitFailureData(Payload, frozen=True, tag="RESOURCE_INIT_FAILURE"):
    """A resource could not be set up."""

    resource_keys: tuple[str, ...]
    error: ErrorInfo


class StepStartData(Payload, frozen=True, tag="STEP_START"):
    """The first attempt of a step began."""


class StepRestartedData(Payload, frozen=True, tag="STEP_RESTARTED"):
    """A later attempt of a step began; `attempt` is 2 for the first retry."""

    attempt: int


class StepRetryData(Payload, frozen=True, tag="STEP_UP_FOR_RETRY"):
    """An attempt failed and another will follow after `seconds_to_wait`."""

    attempt: int
    seconds_to_wait: float
    error: ErrorInfo | None = None


class StepFailureData(Payload, frozen=True, tag="STEP_FAILURE"):
    """The last attempt of a step failed."""

    error: ErrorInfo
    attempt: int = 1
    metadata: dict[str, AnyMetadataValue] = {}


class StepSuccessData(Payload, frozen=True, tag="STEP_SUCCESS"):
    """A step ended well; `duration_ms` is its wall time in milliseconds."""

    duration_ms: float = 0.0


class StepSkippedData(Payload, frozen=True, tag="STEP_SKIPPED"):
    """A step had nothing to work on, because an optional input was not made."""

    reason: str = ""


class LoadedInputData(Payload, frozen=True, tag="LOADED_INPUT"):
    """An IO manager loaded an input."""

    input_name: str
    manager_key: str
    upstream_step_key: str | None = None
    upstream_output_name: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}


class StepInputData(Payload, frozen=True, tag="STEP_INPUT"):
    """An input is ready for user code."""

    input_name: str


class StepOutputData(Payload, frozen=True, tag="STEP_OUTPUT"):
    """User code gave an output; of a dynamic one, the value under `mapping_key`."""

    output_name: str
    metadata: dict[str, AnyMetadataValue] = {}
    mapping_key: str | None = None


class HandledOutputData(Payload, frozen=True, tag="HANDLED_OUTPUT"):
    """An IO manager stored an output."""

    output_name: str
    manager_key: str
    metadata: dict[str, AnyMetadataValue] = {}
    mapping_key: str | None = None


class AssetMaterializationPlannedData(Payload, frozen=True, tag="ASSET_MATERIALIZATION_PLANNED"):
    """A run intends to make an asset: one partition, a range of them (`partition_end`), or all of it."""

    asset_key: AssetKey
    partition: str | None = None
    partition_end: str | None = None


class StepMaterializationData(Payload, frozen=True, tag="ASSET_MATERIALIZATION"):
    """An asset, or one of its partitions, was made."""

    materialization: AssetMaterialization


class AssetObservationData(Payload, frozen=True, tag="ASSET_OBSERVATION"):
    """An asset was looked at."""

    asset_observation: AssetObservation


class AssetCheckPlannedData(Payload, frozen=True, tag="ASSET_CHECK_EVALUATION_PLANNED"):
    """A run intends to run a check."""

    asset_key: AssetKey
    check_name: str


class AssetCheckEvaluationData(Payload, frozen=True, tag="ASSET_CHECK_EVALUATION"):
    """A check ran."""

    evaluation: AssetCheckEvaluation


class AssetWipedData(Payload, frozen=True, tag="ASSET_WIPED"):
    """The recorded state of an asset was removed, or of some of its partitions."""

    asset_key: AssetKey
    partitions: tuple[str, ...] | None = None


class LogMessageData(Payload, frozen=True, tag="LOG_MESSAGE"):
    """A line that user code logged; `level` is logging's number."""

    level: int
    message: str
    error: ErrorInfo | None = None


AnyPayload: TypeAlias = (
    EngineEventData
    | RunStartData
    | RunSuccessData
    | RunFailureData
    | RunCanceledData
    | ResourceInitStartedData
    | ResourceInitSuccessData
    | ResourceInitFailureData
    | StepStartData
    | StepRestartedData
    | StepRetryData
    | StepFailureData
    | StepSuccessData
    | StepSkippedData
    | LoadedInputData
    | StepInputData
    | StepOutputData
    | HandledOutputData
    | AssetMaterializationPlannedData
    | StepMaterializationData
    | AssetObservationData
    | AssetCheckPlannedData
    | AssetCheckEvaluationData
    | AssetWipedData
    | LogMessageData
)


class Event(msgspec.Struct, frozen=True):
    """One thing that happened.

    Attributes:
        timestamp: seconds since 1970, UTC.
        payload: what happened.
        step_key: the step it happened in; None for the run as a whole.
        run_id: the run; None for what is reported from outside a run.
    """

    timestamp: float
    payload: AnyPayload
    step_key: str | None = None
    run_id: str | None = None

    @property
    def event_type(self) -> EventType:
        """The kind of event."""
        return self.payload.type

    @property
    def event_type_value(self) -> str:
        """The wire name of the kind of event."""
        return self.payload.type.value

    @property
    def event_specific_data(self) -> AnyPayload:
        """The payload, under the name users of the compatible API know."""
        return self.payload

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset the event is about, if any."""
        return subject_of(self.payload)[0]

    @property
    def partition(self) -> str | None:
        """The partition the event is about, if any."""
        return subject_of(self.payload)[1]

    @property
    def is_step_failure(self) -> bool:
        """Whether a step failed for good."""
        return isinstance(self.payload, StepFailureData)

    @property
    def is_step_success(self) -> bool:
        """Whether a step ended well."""
        return isinstance(self.payload, StepSuccessData)

    @property
    def materialization(self) -> AssetMaterialization:
        """What was made; only on ASSET_MATERIALIZATION events."""
        if isinstance(self.payload, StepMaterializationData):
            return self.payload.materialization
        raise AttributeError(f"A {self.event_type_value} event has no materialization.")

    @property
    def asset_check_evaluation_data(self) -> AssetCheckEvaluation:
        """What a check found; only on ASSET_CHECK_EVALUATION events."""
        if isinstance(self.payload, AssetCheckEvaluationData):
            return self.payload.evaluation
        raise AttributeError(f"A {self.event_type_value} event has no check evaluation.")

    @property
    def step_failure_data(self) -> StepFailureData:
        """How a step failed; only on STEP_FAILURE events."""
        if isinstance(self.payload, StepFailureData):
            return self.payload
        raise AttributeError(f"A {self.event_type_value} event has no failure.")


class StoredEvent(msgspec.Struct, frozen=True):
    """An event with its place in the log: `storage_id` grows with every event of the store."""

    storage_id: int
    event: Event


def subject_of(payload: AnyPayload) -> tuple[AssetKey | None, str | None]:
    """The asset and the partition that a payload is about."""
    if isinstance(payload, StepMaterializationData):
        return payload.materialization.asset_key, payload.materialization.partition
    if isinstance(payload, AssetObservationData):
        return payload.asset_observation.asset_key, payload.asset_observation.partition
    if isinstance(payload, AssetCheckEvaluationData):
        return payload.evaluation.asset_key, payload.evaluation.partition
    if isinstance(payload, AssetMaterializationPlannedData):
        return payload.asset_key, payload.partition
    if isinstance(payload, (AssetCheckPlannedData, AssetWipedData)):
        return payload.asset_key, None
    return None, None

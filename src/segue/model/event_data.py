"""What events say: one frozen struct for each kind, tagged with the name of its event type. Those about a run as a whole stand
in `run_events`.

A class may be renamed and stored events still be read. `SCHEMA_VERSION` rises when a payload changes in a way that
older readers would misread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from segue.errors import ExecutionHandleOutputError, ExecutionLoadInputError, ExecutionStepExecutionError
from segue.model.checks import AssetCheckEvaluation
from segue.model.error_info import ErrorInfo, ErrorSource, IOSide, UserFailureData
from segue.model.failure_class import FailureClass
from segue.model.freshness import FreshnessState
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, ExpectationResult
from segue.model.metadata import AnyMetadataValue
from segue.model.run_events import (
    ApprovalGivenData,
    ApprovalRefusedData,
    EngineEventData,
    Payload,
    ResourceInitFailureData,
    ResourceInitStartedData,
    ResourceInitSuccessData,
    RunCanceledData,
    RunCancelingData,
    RunEnqueuedData,
    RunFailureData,
    RunStartData,
    RunStartingData,
    RunSuccessData,
    RunSuspendedData,
)
from segue.model.step_values import StepOutputHandle, TypeCheckData
from segue.model.usage import StepUsage

SCHEMA_VERSION = 1


class StepStartData(Payload, frozen=True, tag="STEP_START"):
    """The first attempt of a step began."""


class StepRestartedData(Payload, frozen=True, tag="STEP_RESTARTED"):
    """A later attempt of a step began; `attempt` is 2 for the first retry."""

    attempt: int


_IO_ERRORS = {"input": ExecutionLoadInputError, "output": ExecutionHandleOutputError}


class StepRetryData(Payload, frozen=True, tag="STEP_UP_FOR_RETRY"):
    """An attempt failed and another will follow after `seconds_to_wait`."""

    attempt: int
    seconds_to_wait: float
    error: ErrorInfo | None = None
    failure_class: FailureClass | None = None


class StepFailureData(Payload, frozen=True, tag="STEP_FAILURE"):
    """The last attempt of a step failed.

    Attributes:
        raised: the exception.
        attempt: which attempt it was.
        user_failure_data: what user code said, where it raised `Failure`.
        is_unforeseen: whether user code raised it, and not `Failure` on purpose.
        failure_class: what sort of failure it is; None in what was recorded before classes were.
        usage: what the attempt used, where that was measured.
        io_side: `input` or `output`, where an IO manager raised it while it loaded the one or stored the other.
    """

    raised: ErrorInfo = msgspec.field(name="error")
    attempt: int = 1
    user_failure_data: UserFailureData | None = None
    is_unforeseen: bool = False
    failure_class: FailureClass | None = None
    usage: StepUsage | None = None
    io_side: IOSide | None = None

    @property
    def error(self) -> ErrorInfo:
        """The exception as Dagster tells it: an unforeseen one of user code is the cause of an ExecutionStepExecutionError, one
        of an IO manager that of an ExecutionLoadInputError or ExecutionHandleOutputError."""
        if not self.is_unforeseen:
            return self.raised
        name = ExecutionStepExecutionError.__name__ if self.io_side is None else _IO_ERRORS[self.io_side].__name__
        return ErrorInfo(f"{name}: user code raised {self.raised.message}", name, (), self.raised)

    @property
    def error_source(self) -> ErrorSource:
        """Whose error it is."""
        if self.is_unforeseen:
            return ErrorSource.USER_CODE_ERROR
        return ErrorSource.INTERRUPT if self.failure_class is FailureClass.KILLED else ErrorSource.FRAMEWORK_ERROR

    @property
    def metadata(self) -> Mapping[str, AnyMetadataValue]:
        """The facts that user code gave with the failure."""
        return {} if self.user_failure_data is None else self.user_failure_data.metadata

    @property
    def error_display_string(self) -> str:
        """What to show of it: what user code says of a failure on purpose, with the error."""
        if self.user_failure_data is None or not self.user_failure_data.description:
            return self.raised.to_string()
        return f"{self.user_failure_data.description}\n\n{self.raised.to_string()}"


class StepSuccessData(Payload, frozen=True, tag="STEP_SUCCESS"):
    """A step ended well; `duration_ms` is its wall time in milliseconds, `usage` what it used, where that was measured."""

    duration_ms: float = 0.0
    usage: StepUsage | None = None


class StepSkippedData(Payload, frozen=True, tag="STEP_SKIPPED"):
    """A step had nothing to work on, because an optional input was not made."""

    reason: str = ""


class StepExpectationResultData(Payload, frozen=True, tag="STEP_EXPECTATION_RESULT"):
    """User code says whether something it expected holds."""

    expectation_result: ExpectationResult


class LoadedInputData(Payload, frozen=True, tag="LOADED_INPUT"):
    """An IO manager loaded an input."""

    input_name: str
    manager_key: str
    upstream_step_key: str | None = None
    upstream_output_name: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}  # noqa: RUF012 reason: msgspec gives each value a dict of its own


class StepInputData(Payload, frozen=True, tag="STEP_INPUT"):
    """An input is ready for user code; `checked` says what the check of its type said, where that is more than yes."""

    input_name: str
    checked: TypeCheckData | None = None

    @property
    def type_check_data(self) -> TypeCheckData:
        """What the check of its type said."""
        return self.checked or TypeCheckData(True, self.input_name)


class StepOutputData(Payload, frozen=True, tag="STEP_OUTPUT"):
    """User code gave an output; of a dynamic one, the value under `mapping_key`.

    Attributes:
        step_key: the step; not recorded, as the event says it: `Event.step_output_data` fills it in.
    """

    output_name: str
    metadata: dict[str, AnyMetadataValue] = {}  # noqa: RUF012 reason: msgspec gives each value a dict of its own
    mapping_key: str | None = None
    checked: TypeCheckData | None = None
    step_key: str | None = None

    @property
    def step_output_handle(self) -> StepOutputHandle:
        """Which output of the run it is."""
        return StepOutputHandle(self.step_key or "", self.output_name, self.mapping_key)

    @property
    def type_check_data(self) -> TypeCheckData:
        """What the check of its type said."""
        return self.checked or TypeCheckData(True, self.output_name)


class HandledOutputData(Payload, frozen=True, tag="HANDLED_OUTPUT"):
    """An IO manager stored an output."""

    output_name: str
    manager_key: str
    metadata: dict[str, AnyMetadataValue] = {}  # noqa: RUF012 reason: msgspec gives each value a dict of its own
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

    @property
    def partition_keys(self) -> tuple[str, ...] | None:
        """The same as `partitions`."""
        return self.partitions


class FreshnessChangedData(Payload, frozen=True, tag="FRESHNESS_STATE_CHANGE"):
    """An asset stands otherwise against its freshness policy; `last_updated` is in seconds since 1970, UTC."""

    asset_key: AssetKey
    state: FreshnessState
    previous_state: FreshnessState
    last_updated: float | None = None


class HookCompletedData(Payload, frozen=True, tag="HOOK_COMPLETED"):
    """A hook ran after a step."""

    hook_name: str


class HookSkippedData(Payload, frozen=True, tag="HOOK_SKIPPED"):
    """A hook had nothing to do after this attempt of a step."""

    hook_name: str


class HookErroredData(Payload, frozen=True, tag="HOOK_ERRORED"):
    """A hook raised; the step stays as it ended."""

    hook_name: str
    error: ErrorInfo


class CapturedStream(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt of a step wrote to stdout or stderr.

    Attributes:
        place: where it is kept: a path or a URL.
        size: how many bytes were written.
        dropped: how many of them are not kept, because they were too many.
    """

    place: str
    size: int
    dropped: int = 0


class LogsCapturedData(Payload, frozen=True, tag="LOGS_CAPTURED"):
    """An attempt of a step has ended that wrote to stdout or stderr."""

    attempt: int = 1
    stdout: CapturedStream | None = None
    stderr: CapturedStream | None = None


class LogMessageData(Payload, frozen=True, tag="LOG_MESSAGE"):
    """A line that user code logged; `level` is logging's number."""

    level: int
    message: str
    error: ErrorInfo | None = None


AnyPayload: TypeAlias = (
    EngineEventData
    | RunEnqueuedData
    | RunStartingData
    | RunSuspendedData
    | ApprovalGivenData
    | ApprovalRefusedData
    | RunStartData
    | RunSuccessData
    | RunFailureData
    | RunCancelingData
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
    | StepExpectationResultData
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
    | FreshnessChangedData
    | HookCompletedData
    | HookSkippedData
    | HookErroredData
    | LogsCapturedData
    | LogMessageData
)


def data_of(payload: AnyPayload, step_key: str | None) -> AnyPayload | AssetCheckEvaluation:
    """What an event of a step says: its payload, which knows the step; of a check that ran, the evaluation."""
    if isinstance(payload, StepOutputData):
        return msgspec.structs.replace(payload, step_key=step_key)
    return payload.evaluation if isinstance(payload, AssetCheckEvaluationData) else payload


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
    if isinstance(payload, (AssetCheckPlannedData, AssetWipedData, FreshnessChangedData)):
        return payload.asset_key, None
    return None, None

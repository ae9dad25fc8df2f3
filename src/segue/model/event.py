"""Events: everything that happens, as values. The log of them is the truth; every state is a fold over it.

An event is a header (`Event`) and a payload; both, and the kinds of events, are imported from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from segue.model.checks import AssetCheckEvaluation
from segue.model.event_data import (
    SCHEMA_VERSION,
    AnyPayload,
    AssetCheckEvaluationData,
    AssetCheckPlannedData,
    AssetMaterializationPlannedData,
    AssetObservationData,
    AssetWipedData,
    CapturedStream,
    EngineEventData,
    ErrorInfo,
    FreshnessChangedData,
    HandledOutputData,
    HookCompletedData,
    HookErroredData,
    HookSkippedData,
    LoadedInputData,
    LogMessageData,
    LogsCapturedData,
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
    StepExpectationResultData,
    StepFailureData,
    StepInputData,
    StepMaterializationData,
    StepOutputData,
    StepRestartedData,
    StepRetryData,
    StepSkippedData,
    StepStartData,
    StepSuccessData,
    UserFailureData,
    data_of,
    subject_of,
)
from segue.model.event_message import message_of
from segue.model.event_type import ALERT_EVENTS, FAILURE_EVENTS, HOOK_EVENTS, RUN_EVENTS, STEP_EVENTS, EventType
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization
from segue.model.node_handle import NodeHandle, StepHandle
from segue.model.step_values import StepOutputHandle, TypeCheckData

__all__ = [
    "SCHEMA_VERSION",
    "AnyPayload",
    "AssetCheckEvaluationData",
    "AssetCheckPlannedData",
    "AssetMaterializationPlannedData",
    "AssetObservationData",
    "AssetWipedData",
    "CapturedStream",
    "EngineEventData",
    "ErrorInfo",
    "Event",
    "EventType",
    "FreshnessChangedData",
    "HandledOutputData",
    "HookCompletedData",
    "HookErroredData",
    "HookSkippedData",
    "LoadedInputData",
    "LogMessageData",
    "LogsCapturedData",
    "Payload",
    "ResourceInitFailureData",
    "ResourceInitStartedData",
    "ResourceInitSuccessData",
    "RunCanceledData",
    "RunCancelingData",
    "RunEnqueuedData",
    "RunFailureData",
    "RunStartData",
    "RunStartingData",
    "RunSuccessData",
    "StepExpectationResultData",
    "StepFailureData",
    "StepInputData",
    "StepMaterializationData",
    "StepOutputData",
    "StepOutputHandle",
    "StepRestartedData",
    "StepRetryData",
    "StepSkippedData",
    "StepStartData",
    "StepSuccessData",
    "TypeCheckData",
    "UserFailureData",
    "subject_of",
]

Data = TypeVar("Data", bound=Payload)


class Event(msgspec.Struct, frozen=True):
    """One thing that happened.

    What is said of one kind of event only (`step_failure_data`, say) raises AttributeError on all others.

    Attributes:
        timestamp: seconds since 1970, UTC.
        payload: what happened.
        step_key: the step it happened in; None for the run as a whole.
        run_id, job_name: the run and its job; None for what is reported from outside a run.
    """

    timestamp: float
    payload: AnyPayload
    step_key: str | None = None
    run_id: str | None = None
    job_name: str | None = None

    @property
    def event_type(self) -> EventType:
        """The kind of event."""
        return self.payload.type

    @property
    def event_type_value(self) -> str:
        """The wire name of the kind of event."""
        return self.payload.type.value

    @property
    def event_specific_data(self) -> AnyPayload | AssetCheckEvaluation:
        """The payload, under the name users of the compatible API know; of ASSET_CHECK_EVALUATION, the evaluation."""
        return data_of(self.payload, self.step_key)

    @property
    def message(self) -> str:
        """The event in a sentence for people."""
        return message_of(self.payload, self.step_key, self.job_name)

    @property
    def node_name(self) -> str | None:
        """The name of the op or asset function in its graph: the last part of the step key, without a mapping key."""
        return None if self.step_key is None else self.step_key.partition("[")[0].rpartition(".")[2]

    @property
    def node_handle(self) -> NodeHandle | None:
        """The path of the op or asset function in the job: the names in its step key."""
        return None if self.step_key is None else NodeHandle.from_string(self.step_key.partition("[")[0])

    @property
    def step_handle(self) -> StepHandle | None:
        """The step in which it happened, and its path in the job."""
        key, handle = self.step_key, self.node_handle
        return None if key is None or handle is None else StepHandle(handle, key)

    @property
    def logging_tags(self) -> Mapping[str, str]:
        """What says where it happened, by name: run_id, job_name, step_key, op_name, as far as they are known."""
        tags = {"run_id": self.run_id, "job_name": self.job_name, "step_key": self.step_key, "op_name": self.node_name}
        return {name: value for name, value in tags.items() if value is not None}

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset the event is about, if any."""
        return subject_of(self.payload)[0]

    @property
    def partition(self) -> str | None:
        """The partition the event is about, if any."""
        return subject_of(self.payload)[1]

    @property
    def is_step_event(self) -> bool:
        """Whether it happened in a step."""
        return self.event_type in STEP_EVENTS

    @property
    def is_job_event(self) -> bool:
        """Whether it is about the run as a whole."""
        return self.event_type in RUN_EVENTS

    @property
    def is_hook_event(self) -> bool:
        """Whether it says what became of a hook."""
        return self.event_type in HOOK_EVENTS

    @property
    def is_alert_event(self) -> bool:
        """Whether it is about an alert."""
        return self.event_type in ALERT_EVENTS

    @property
    def is_failure(self) -> bool:
        """Whether a step or the run failed or was stopped."""
        return self.event_type in FAILURE_EVENTS

    @property
    def is_job_success(self) -> bool:
        """Whether the run ended well."""
        return isinstance(self.payload, RunSuccessData)

    @property
    def is_job_failure(self) -> bool:
        """Whether the run failed."""
        return isinstance(self.payload, RunFailureData)

    is_run_failure = is_job_failure

    @property
    def is_engine_event(self) -> bool:
        """Whether Segue says what it does."""
        return isinstance(self.payload, EngineEventData)

    @property
    def is_resource_init_failure(self) -> bool:
        """Whether a resource could not be set up."""
        return isinstance(self.payload, ResourceInitFailureData)

    @property
    def is_step_start(self) -> bool:
        """Whether the first attempt of a step began."""
        return isinstance(self.payload, StepStartData)

    @property
    def is_step_restarted(self) -> bool:
        """Whether a later attempt of a step began."""
        return isinstance(self.payload, StepRestartedData)

    @property
    def is_step_up_for_retry(self) -> bool:
        """Whether an attempt failed and another will follow."""
        return isinstance(self.payload, StepRetryData)

    @property
    def is_step_failure(self) -> bool:
        """Whether a step failed for good."""
        return isinstance(self.payload, StepFailureData)

    @property
    def is_step_success(self) -> bool:
        """Whether a step ended well."""
        return isinstance(self.payload, StepSuccessData)

    @property
    def is_step_skipped(self) -> bool:
        """Whether a step was skipped."""
        return isinstance(self.payload, StepSkippedData)

    @property
    def is_successful_output(self) -> bool:
        """Whether user code gave an output."""
        return isinstance(self.payload, StepOutputData)

    @property
    def is_handled_output(self) -> bool:
        """Whether an IO manager stored an output."""
        return isinstance(self.payload, HandledOutputData)

    @property
    def is_loaded_input(self) -> bool:
        """Whether an IO manager loaded an input."""
        return isinstance(self.payload, LoadedInputData)

    @property
    def is_expectation_result(self) -> bool:
        """Whether user code says if something it expected holds."""
        return isinstance(self.payload, StepExpectationResultData)

    @property
    def is_step_materialization(self) -> bool:
        """Whether it is a materialization of an asset."""
        return isinstance(self.payload, StepMaterializationData)

    @property
    def is_asset_materialization_planned(self) -> bool:
        """Whether a run plans to materialize an asset."""
        return isinstance(self.payload, AssetMaterializationPlannedData)

    @property
    def is_asset_observation(self) -> bool:
        """Whether an asset was looked at."""
        return isinstance(self.payload, AssetObservationData)

    @property
    def step_input_data(self) -> StepInputData:
        """Which input is ready; of STEP_INPUT."""
        return self._data(StepInputData)

    @property
    def step_output_data(self) -> StepOutputData:
        """The output; of STEP_OUTPUT."""
        return msgspec.structs.replace(self._data(StepOutputData), step_key=self.step_key)

    @property
    def step_success_data(self) -> StepSuccessData:
        """How long the step took; of STEP_SUCCESS."""
        return self._data(StepSuccessData)

    @property
    def step_failure_data(self) -> StepFailureData:
        """How the step failed; of STEP_FAILURE."""
        return self._data(StepFailureData)

    @property
    def step_retry_data(self) -> StepRetryData:
        """Why and when it is tried again; of STEP_UP_FOR_RETRY."""
        return self._data(StepRetryData)

    @property
    def step_materialization_data(self) -> StepMaterializationData:
        """The materialization; of ASSET_MATERIALIZATION."""
        return self._data(StepMaterializationData)

    @property
    def materialization(self) -> AssetMaterialization:
        """The materialization; of ASSET_MATERIALIZATION."""
        return self._data(StepMaterializationData).materialization

    @property
    def asset_observation_data(self) -> AssetObservationData:
        """The observation; of ASSET_OBSERVATION."""
        return self._data(AssetObservationData)

    @property
    def asset_materialization_planned_data(self) -> AssetMaterializationPlannedData:
        """The planned materialization; of ASSET_MATERIALIZATION_PLANNED."""
        return self._data(AssetMaterializationPlannedData)

    @property
    def asset_check_planned_data(self) -> AssetCheckPlannedData:
        """The planned check; of ASSET_CHECK_EVALUATION_PLANNED."""
        return self._data(AssetCheckPlannedData)

    @property
    def asset_check_evaluation_data(self) -> AssetCheckEvaluation:
        """The result of a check; of ASSET_CHECK_EVALUATION."""
        return self._data(AssetCheckEvaluationData).evaluation

    @property
    def asset_wiped_data(self) -> AssetWipedData:
        """The wiped records; of ASSET_WIPED."""
        return self._data(AssetWipedData)

    @property
    def asset_freshness_state_change_data(self) -> FreshnessChangedData:
        """How the freshness of an asset changed; of FRESHNESS_STATE_CHANGE."""
        return self._data(FreshnessChangedData)

    @property
    def hook_completed_data(self) -> HookCompletedData:
        """Which hook ran; only on HOOK_COMPLETED events."""
        return self._data(HookCompletedData)

    @property
    def hook_skipped_data(self) -> HookSkippedData:
        """Which hook had nothing to do; only on HOOK_SKIPPED events."""
        return self._data(HookSkippedData)

    @property
    def hook_errored_data(self) -> HookErroredData:
        """Which hook raised, and what; only on HOOK_ERRORED events."""
        return self._data(HookErroredData)

    @property
    def step_expectation_result_data(self) -> StepExpectationResultData:
        """The expectation; of STEP_EXPECTATION_RESULT."""
        return self._data(StepExpectationResultData)

    @property
    def job_failure_data(self) -> RunFailureData:
        """Why the run failed; of RUN_FAILURE."""
        return self._data(RunFailureData)

    @property
    def job_canceled_data(self) -> RunCanceledData:
        """Why the run was stopped; of RUN_CANCELED."""
        return self._data(RunCanceledData)

    @property
    def engine_event_data(self) -> EngineEventData:
        """What Segue says of itself; of ENGINE_EVENT."""
        return self._data(EngineEventData)

    def _data(self, kind: type[Data]) -> Data:
        if isinstance(self.payload, kind):
            return self.payload
        raise AttributeError(f"This {self.event_type_value} event has no {kind.__struct_config__.tag} data.")

"""Small runs and events for the rules."""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetMaterializationPlannedData,
    Event,
    LogMessageData,
    RunFailureData,
    RunStartData,
    RunSuccessData,
    StepMaterializationData,
    StepOutputData,
    StepStartData,
    StepSuccessData,
)
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import Store

PLAN = b'{"plan":1}'
MANIFEST = b'{"manifest":1}'


def add_run(
    store: Store,
    run_id: str,
    *payloads: AnyPayload,
    job_name: str = "daily",
    status: RunStatus = RunStatus.NOT_STARTED,
    tags: dict[str, str] | None = None,
    created_at: float = 1.0,
) -> Run:
    """Creates a run with first events at 1.0, 2.0 and so on."""
    run = Run(run_id=run_id, job_name=job_name, status=status, tags=tags or {}, created_at=created_at)
    store.create_run(run, PLAN, MANIFEST, events_of(run_id, payloads))
    return run


def events_of(run_id: str | None, payloads: Sequence[AnyPayload], start: float = 1.0) -> list[Event]:
    """The payloads as events of a run of the job `daily` (where a run is named), a second apart."""
    job_name = None if run_id is None else "daily"
    return [Event(start + index, payload, None, run_id, job_name) for index, payload in enumerate(payloads)]


def add_events(store: Store, run_id: str | None, *payloads: AnyPayload, start: float = 1.0) -> int:
    """Appends the payloads in one batch; gives the last storage id."""
    return store.append(events_of(run_id, payloads, start))


def made(
    asset: str | Sequence[str], partition: str | None = None, data_version: str | None = None, **metadata: object
) -> StepMaterializationData:
    """That an asset was made; metadata by name."""
    key = AssetKey(asset)
    return StepMaterializationData(
        AssetMaterialization(key, metadata=metadata, partition=partition, data_version=data_version)
    )


def checked(asset: str, name: str, passed: bool = True) -> AssetCheckEvaluationData:
    """What a check found."""
    return AssetCheckEvaluationData(AssetCheckEvaluation(AssetKey(asset), name, passed))


def planned(asset: str) -> AssetMaterializationPlannedData:
    """That a run intends to make an asset."""
    return AssetMaterializationPlannedData(AssetKey(asset))


def started(worker: str | None = None) -> RunStartData:
    """That a run began."""
    return RunStartData(worker)


def succeeded() -> RunSuccessData:
    """That a run ended well."""
    return RunSuccessData()


def failed(reason: FailureReason = FailureReason.STEP_FAILURE) -> RunFailureData:
    """That a run failed."""
    return RunFailureData(reason, "it failed")


def logged(message: str) -> LogMessageData:
    """A line of the log."""
    return LogMessageData(20, message)


def step_events(run_id: str, step_key: str, asset: str, timestamp: float = 1.0) -> list[Event]:
    """What one step that makes an asset records, more or less."""
    payloads: list[AnyPayload] = [
        StepStartData(),
        logged("working"),
        logged("still working"),
        StepOutputData("result"),
        made(asset, rows=12),
        logged("nearly done"),
        logged("done"),
        StepSuccessData(12.5),
    ]
    return [Event(timestamp, payload, step_key, run_id) for payload in payloads]

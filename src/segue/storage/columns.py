"""Values as columns: how keys, runs, events and states stand in a database, and how they are read back.

Nothing here knows a dialect. A body is the canonical JSON of a value; the columns beside it exist to be searched, or
because they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from segue.errors import InvariantViolationError, StorageVersionError
from segue.model import codec
from segue.model.backfill import Backfill
from segue.model.event import (
    SCHEMA_VERSION,
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    Event,
    StepMaterializationData,
)
from segue.model.event_log import EventLogEntry, EventLogRecord
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import AssetState, CheckState, ObservationState, PartitionState

Row: TypeAlias = tuple[Any, ...]
Value = TypeVar("Value")

decode_backfill = codec.decoder(Backfill).decode
_decode_run = codec.decoder(Run)
_decode_payload = codec.decoder(AnyPayload)
_decode_materialization = codec.decoder(StepMaterializationData)
_decode_observation = codec.decoder(AssetObservationData)
_decode_evaluation = codec.decoder(AssetCheckEvaluationData)
_encode_text = msgspec.json.Encoder().encode
_decode_parts = msgspec.json.Decoder(tuple[str, ...]).decode


@lru_cache(maxsize=65536)
def key_text(key: AssetKey) -> str:
    """An asset key as text: the JSON list of its parts, so that it can be read back whatever the parts hold."""
    return _encode_text(key.parts).decode()


@lru_cache(maxsize=65536)
def key_from_text(text: str) -> AssetKey:
    """The key that `key_text` wrote."""
    return AssetKey(_decode_parts(text))


def json_list(values: Sequence[object]) -> str:
    """Strings, or lists of strings, as one parameter: `json_each(?)` makes rows of it."""
    # No column holds such a string (`require_text`), and SQLite would look for the part before the character.
    return _encode_text([value for value in values if not (isinstance(value, str) and "\0" in value)]).decode()


def require_text(*texts: str | None) -> None:
    """Refuses what some databases cannot hold in a column of text.

    Raises:
        InvariantViolationError: a text with a NUL character in it.
    """
    for text in texts:
        if text is not None and "\0" in text:
            raise InvariantViolationError(
                f"{text!r} contains a NUL character, which is not allowed in names, tags and partition keys; "
                "nothing was recorded."
            )


class RunState(NamedTuple):
    """The columns of a run that its events change; all else of it stands in its body and stays."""

    status: RunStatus
    worker: str | None
    started_at: float | None
    ended_at: float | None
    failure_reason: FailureReason | None
    updated_at: float


def state_of(run: Run) -> RunState:
    """The part of a run that changes; one that was never updated was so when it was created."""
    updated_at = max(run.updated_at, run.created_at)
    return RunState(run.status, run.worker, run.started_at, run.ended_at, run.failure_reason, updated_at)


def state_columns(state: RunState) -> Row:
    """That part as columns: status, worker, started_at, ended_at, failure_reason, updated_at."""
    reason = state.failure_reason
    return (
        state.status.value,
        state.worker,
        state.started_at,
        state.ended_at,
        None if reason is None else reason.value,
        state.updated_at,
    )


def state_from_columns(columns: Row) -> RunState:
    """What `state_columns` wrote."""
    status, worker, started_at, ended_at, reason, updated_at = columns
    failure_reason = None if reason is None else FailureReason(reason)
    return RunState(RunStatus(status), worker, started_at, ended_at, failure_reason, updated_at)


def run_from_row(row: Row) -> Run:
    """A run from the columns run_id, body, status, worker, started_at, ended_at, failure_reason, updated_at."""
    run_id, body, *columns = row
    state = state_from_columns(tuple(columns))
    run = _decode(_decode_run, body, f"The run {run_id}")
    return msgspec.structs.replace(
        run,
        status=state.status,
        worker=state.worker,
        started_at=state.started_at,
        ended_at=state.ended_at,
        failure_reason=state.failure_reason,
        updated_at=state.updated_at,
    )


def run_body(run: Run) -> bytes:
    """The body of a run."""
    return codec.encode(run)


def event_from_row(row: Row) -> EventLogRecord:
    """An event from the columns id, run_id, timestamp, step_key, version, body, and the job_name of its run."""
    storage_id, run_id, timestamp, step_key, version, body, job_name = row
    payload = _decode(_decode_payload, body, f"The event {storage_id}", version)
    return EventLogRecord(storage_id, EventLogEntry.of(Event(timestamp, payload, step_key, run_id, job_name)))


def asset_state_from_row(row: Row) -> AssetState:
    """The state of an asset from the columns asset_key, storage_id, run_id, timestamp, body."""
    text, storage_id, run_id, timestamp, body = row
    data = _decode(_decode_materialization, body, f"The state of {text}")
    return AssetState(key_from_text(text), storage_id, run_id, timestamp, data.materialization)


def observation_state_from_row(row: Row) -> ObservationState:
    """The latest observation from the columns asset_key, storage_id, run_id, timestamp, body."""
    text, storage_id, run_id, timestamp, body = row
    data = _decode(_decode_observation, body, f"The latest observation of {text}")
    return ObservationState(key_from_text(text), storage_id, run_id, timestamp, data.asset_observation)


def partition_state_from_row(row: Row) -> PartitionState:
    """The state of a partition from the columns partition, storage_id, run_id, timestamp, data_version."""
    return PartitionState(*row)


def check_state_from_row(row: Row) -> CheckState:
    """The state of a check from the columns asset_key, check_name, storage_id, run_id, timestamp, body."""
    text, name, storage_id, run_id, timestamp, body = row
    data = _decode(_decode_evaluation, body, f"The latest result of the check {name!r} on {text}")
    return CheckState(AssetCheckKey(key_from_text(text), name), storage_id, run_id, timestamp, data.evaluation)


def _decode(decoder: msgspec.json.Decoder[Value], body: bytes, what: str, version: int | None = None) -> Value:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        written = "" if version is None else f" (schema version {version}, this Segue knows {SCHEMA_VERSION})"
        raise StorageVersionError(
            f"{what} cannot be read{written}: {error}. Most likely a newer Segue wrote it: upgrade segue."
        ) from error

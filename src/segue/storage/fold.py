"""The fold of events into state, as it is done in every database: events in, rows out.

Pure: the caller passes what the runs were before, and gets what is to be removed, then written. Removals come first,
because a wipe inside a batch takes back what the batch said before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, get_args

from segue.errors import InvariantViolationError
from segue.model import codec
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetObservationData,
    AssetWipedData,
    Event,
    RunFailureData,
    RunStartData,
    StepFailureData,
    StepMaterializationData,
    StepRetryData,
    StepSuccessData,
    subject_of,
)
from segue.model.run import FINISHED_STATUSES, RunStatus, status_after
from segue.model.run_events import RunSuspendedData
from segue.storage.columns import Row, RunState, key_text, require_text, state_from_columns

TAGS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(AnyPayload)}
"""The wire name of each payload class."""

ASSET_TYPES = tuple(tag for tag in TAGS.values() if tag.startswith(("ASSET_", "FRESHNESS_")))
"""The types of the events that are about an asset."""

TOPIC_TYPES = frozenset(
    tag
    for tag in TAGS.values()
    if tag.startswith(("ASSET_", "FRESHNESS_", "RUN_")) or tag.endswith(("_FAILURE", "_RETRY"))
)
"""The types that are looked for across runs and are rare in the log: these have an index.

The others come with every step. Whoever looks for one of them soon meets it walking the log itself, and an index over
all types would cost a third of the time of a write.
"""

STEP_ENDS = frozenset((StepSuccessData, StepFailureData, StepRetryData))
"""The payloads that end an attempt of a step, and with it what the step holds."""

RUN_PAYLOADS = frozenset(kind for kind, tag in TAGS.items() if tag.startswith("RUN_"))
"""The payloads that change the state of a run."""

_NEWS = RUN_PAYLOADS | frozenset(kind for kind, tag in TAGS.items() if tag.startswith("ASSET_"))
_STATE_PAYLOADS = RUN_PAYLOADS.union(
    (StepMaterializationData, AssetObservationData, AssetCheckEvaluationData, AssetWipedData)
)
# The wire name of each payload class, its topic, whether it is about an asset, and whether it changes a state.
_KINDS = {
    kind: (tag, tag if tag in TOPIC_TYPES else "", tag in ASSET_TYPES, kind in _STATE_PAYLOADS)
    for kind, tag in TAGS.items()
}


class StateEvent(NamedTuple):
    """An event that changes a state: its place in the batch, its asset key as text (or ''), its encoded payload."""

    position: int
    event: Event
    key: str
    body: bytearray


Prepared: TypeAlias = tuple[list[Row], list[StateEvent]]
"""What `event_rows` gives."""


class Changes(NamedTuple):
    """What a batch does to the state tables: first remove, then write.

    Attributes:
        wiped_assets: keys whose rows go from assets, asset_observations, asset_partitions and asset_checks.
        wiped_partitions: pairs of key and partition whose rows go from asset_partitions.
        runs: run_id -> the new state.
        assets: asset_key -> (asset_key, storage_id, run_id, timestamp, body).
        observations: asset_key -> (asset_key, storage_id, run_id, timestamp, body).
        partitions: (asset_key, partition) -> (asset_key, partition, storage_id, run_id, timestamp, data_version).
        checks: (asset_key, name) -> (asset_key, check_name, storage_id, run_id, timestamp, body).
    """

    wiped_assets: list[str]
    wiped_partitions: list[tuple[str, str]]
    runs: dict[str, RunState]
    assets: dict[str, Row]
    observations: dict[str, Row]
    partitions: dict[tuple[str, str], Row]
    checks: dict[tuple[str, str], Row]

    @property
    def left_runs(self) -> list[str]:
        """The runs that have ended, or that no process works on before a person has answered: all their claims go."""
        left = FINISHED_STATUSES | {RunStatus.SUSPENDED}
        return [run_id for run_id, state in self.runs.items() if state.status in left]


def are_news(events: Iterable[Event]) -> bool:
    """Whether somebody may wait for one of these: what tells of runs and of assets, and not of what goes on in a step."""
    return not _NEWS.isdisjoint([type(event.payload) for event in events])


def event_rows(events: Sequence[Event]) -> Prepared:
    """Events as rows of the log, and those among them that change a state.

    Returns:
        Rows of (run_id, timestamp, type, topic, step_key, asset_key, partition, body), in order. The schema version is
        `SCHEMA_VERSION`; topic, asset_key and partition are '' where they are to be NULL, and the body is a bytearray:
        the drivers take these as they are, and look for a way to adapt each None (and sqlite3 each bytes).

    Raises:
        InvariantViolationError: a payload that is not one of `AnyPayload`.
    """
    rows: list[Row] = []
    changing: list[StateEvent] = []
    encode = codec.encode
    checked: str | None = None  # most events of a batch are of one step
    for index, event in enumerate(events):
        payload = event.payload
        kind = _KINDS.get(type(payload))
        if kind is None:
            name = type(payload).__qualname__
            raise InvariantViolationError(f"{name} is not the payload of an event: use one of AnyPayload.")
        tag, topic, is_about_asset, changes_state = kind
        body = bytearray(encode(payload))
        key = partition = ""
        if is_about_asset:
            asset_key, about = subject_of(payload)
            key = "" if asset_key is None else key_text(asset_key)
            partition = about or ""
            require_text(partition)
        step_key = event.step_key
        if step_key is not checked:
            require_text(step_key)
            checked = step_key
        rows.append((event.run_id, event.timestamp, tag, topic, step_key, key, partition, body))
        if changes_state:
            changing.append(StateEvent(index, event, key, body))
    return rows, changing


def ended_steps(events: Sequence[Event]) -> list[tuple[str, str]]:
    """The steps, each with its run, of which an attempt has ended: their claims go."""
    return [
        (event.run_id, event.step_key)
        for event in events
        if type(event.payload) in STEP_ENDS and event.run_id is not None and event.step_key is not None
    ]


def changes_of(changing: Sequence[StateEvent], ids: Sequence[int], runs: Mapping[str, Row]) -> Changes:
    """What follows from a batch of events.

    Args:
        changing: the events that change a state, in order.
        ids: the storage id of each event of the batch, or what is to become of it.
        runs: the state of each run they belong to before the batch, as `state_columns` writes it.

    Raises:
        InvariantViolationError: a run would go where it may not.
    """
    changes = Changes([], [], {}, {}, {}, {}, {})
    for position, event, key, body in changing:
        storage_id = ids[position]
        payload = event.payload
        if isinstance(payload, StepMaterializationData):
            _materialize(changes, event, payload, key, storage_id, body)
        elif isinstance(payload, AssetObservationData):
            changes.observations[key] = (key, storage_id, event.run_id, event.timestamp, body)
        elif isinstance(payload, AssetCheckEvaluationData):
            name = payload.evaluation.check_name
            row = (key, name, storage_id, event.run_id, event.timestamp, body)
            changes.checks[key, name] = row
        elif isinstance(payload, AssetWipedData):
            _wipe(changes, payload, key)
        elif event.run_id is None:
            raise InvariantViolationError(f"A {TAGS[type(payload)]} event needs a run_id: it is about a run.")
        else:
            before = changes.runs.get(event.run_id) or state_from_columns(runs[event.run_id])
            changes.runs[event.run_id] = _run_after(before, event, event.run_id)
    return changes


def _materialize(
    changes: Changes, event: Event, payload: StepMaterializationData, key: str, storage_id: int, body: bytearray
) -> None:
    materialization = payload.materialization
    changes.assets[key] = (key, storage_id, event.run_id, event.timestamp, body)
    if materialization.partition:
        version = materialization.data_version
        row = (key, materialization.partition, storage_id, event.run_id, event.timestamp, version)
        changes.partitions[key, materialization.partition] = row


def _wipe(changes: Changes, payload: AssetWipedData, key: str) -> None:
    if payload.partitions is not None:
        for partition in payload.partitions:
            changes.wiped_partitions.append((key, partition))
            changes.partitions.pop((key, partition), None)
        return
    changes.wiped_assets.append(key)
    changes.assets.pop(key, None)
    changes.observations.pop(key, None)
    for rows in (changes.partitions, changes.checks):
        for pair in [pair for pair in rows if pair[0] == key]:
            del rows[pair]


def _worker_after(before: RunState, payload: AnyPayload) -> str | None:
    if isinstance(payload, RunSuspendedData):
        return None
    return payload.worker if isinstance(payload, RunStartData) and payload.worker else before.worker


def _run_after(before: RunState, event: Event, run_id: str) -> RunState:
    payload = event.payload
    tag = TAGS[type(payload)]
    status = status_after(before.status, tag)
    if status is None:
        raise InvariantViolationError(
            f"The run {run_id} is {before.status.value} and cannot take the event {tag}; nothing was recorded. "
            "Most likely something else ended the run meanwhile: read the run again."
        )
    return RunState(
        status,
        _worker_after(before, payload),
        event.timestamp if status is RunStatus.STARTED and before.started_at is None else before.started_at,
        event.timestamp if status in FINISHED_STATUSES else before.ended_at,
        payload.reason if isinstance(payload, RunFailureData) else before.failure_reason,
        max(event.timestamp, before.updated_at),
    )

"""The state tables are what a naive fold over the log gives, whatever the events and however they are batched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import InvariantViolationError
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetWipedData,
    Event,
    EventType,
    RunCanceledData,
    RunFailureData,
    RunStartData,
    StepMaterializationData,
)
from segue.model.keys import AssetKey
from segue.model.run import FINISHED_STATUSES, Run, RunStatus, status_after
from segue.model.stores import EventFilter
from segue.storage.sqlite import SqliteStore, open_memory
from segue.testing.storage_contract.builders import add_run, checked, failed, logged, made, planned, started, succeeded

RUNS = ("r1", "r2")
ASSETS = ("a", "b")
PARTITIONS = ("p1", "p2", "p3")

of_assets = st.one_of(
    st.builds(made, st.sampled_from(ASSETS), st.none() | st.sampled_from(PARTITIONS), st.none() | st.just("v")),
    st.builds(checked, st.sampled_from(ASSETS), st.sampled_from(("fresh", "full")), st.booleans()),
    st.builds(
        AssetWipedData,
        st.builds(AssetKey, st.sampled_from(ASSETS)),
        st.none() | st.lists(st.sampled_from(PARTITIONS), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(planned, st.sampled_from(ASSETS)),
    st.just(logged("x")),
)
of_runs: st.SearchStrategy[AnyPayload] = st.one_of(
    st.builds(started, st.none() | st.just("w1")), st.just(succeeded()), st.just(failed()), st.just(RunCanceledData())
)
batches = st.lists(
    st.lists(
        st.builds(Event, st.integers(0, 100).map(float), of_assets)
        | st.builds(
            Event,
            st.integers(0, 100).map(float),
            of_assets | of_runs,
            run_id=st.sampled_from(RUNS),
            job_name=st.just("daily"),
        ),
        max_size=8,
    ),
    max_size=8,
)


@settings(deadline=None)
@given(batches)
def test_states_are_a_fold_over_the_log(batches: list[list[Event]]) -> None:
    store = open_memory()
    for run_id in RUNS:
        add_run(store, run_id)
    accepted: list[Event] = []
    for batch in batches:
        if _is_allowed(accepted + batch):
            accepted += batch
            store.append(batch)
        else:
            try:
                store.append(batch)
            except InvariantViolationError:
                continue
            raise AssertionError(f"The batch should have been refused: {batch}")
    assert [stored.event for stored in store.events(EventFilter(), None)] == accepted
    _assert_states(store)
    store.close()


def _is_allowed(events: list[Event]) -> bool:
    statuses: dict[str, RunStatus | None] = dict.fromkeys(RUNS, RunStatus.NOT_STARTED)
    for event in events:
        if event.run_id is not None:
            before = statuses[event.run_id]
            statuses[event.run_id] = None if before is None else status_after(before, event.event_type_value)
    return None not in statuses.values()


def _assert_states(store: SqliteStore) -> None:
    log = store.events(EventFilter(), None)
    assets: dict[AssetKey, tuple[object, ...]] = {}
    partitions: dict[tuple[AssetKey, str], tuple[object, ...]] = {}
    checks: dict[tuple[AssetKey, str], tuple[object, ...]] = {}
    runs = {run_id: Run(run_id=run_id, job_name="daily") for run_id in RUNS}
    for stored in log:
        event, payload = stored.event, stored.event.payload
        where = (stored.storage_id, event.run_id, event.timestamp)
        if isinstance(payload, StepMaterializationData):
            made_now = payload.materialization
            assets[made_now.asset_key] = (*where, made_now)
            if made_now.partition is not None:
                partitions[made_now.asset_key, made_now.partition] = (*where, made_now.data_version)
        elif isinstance(payload, AssetCheckEvaluationData):
            checks[payload.evaluation.asset_key, payload.evaluation.check_name] = (*where, payload.evaluation)
        elif isinstance(payload, AssetWipedData):
            key = payload.asset_key
            if payload.partitions is None:
                assets.pop(key, None)
                checks = {pair: state for pair, state in checks.items() if pair[0] != key}
            gone = PARTITIONS if payload.partitions is None else payload.partitions
            partitions = {pair: state for pair, state in partitions.items() if pair[0] != key or pair[1] not in gone}
        elif event.run_id is not None:
            runs[event.run_id] = _run_after(runs[event.run_id], event)
    assert {
        key: (state.storage_id, state.run_id, state.timestamp, state.materialization)
        for key, state in store.asset_states(None).items()
    } == assets
    assert {
        (key, name): (state.storage_id, state.run_id, state.timestamp, state.data_version)
        for key in map(AssetKey, ASSETS)
        for name, state in store.partition_states(key).items()
    } == partitions
    assert {
        tuple(key): (state.storage_id, state.run_id, state.timestamp, state.evaluation)
        for key, state in store.check_states(None).items()
    } == checks
    for run_id, run in runs.items():
        found = store.get_run(run_id)
        assert found is not None
        assert _changing(found) == _changing(run)


def _run_after(run: Run, event: Event) -> Run:
    fields = {name: getattr(run, name) for name in Run.__struct_fields__}
    status = status_after(run.status, event.event_type_value)
    if status is run.status:
        return run
    fields["status"] = status
    if event.event_type is EventType.RUN_START:
        assert isinstance(event.payload, RunStartData)
        fields["started_at"], fields["worker"] = event.timestamp, event.payload.worker
    if status in FINISHED_STATUSES:
        fields["ended_at"] = event.timestamp
    if isinstance(event.payload, RunFailureData):
        fields["failure_reason"] = event.payload.reason
    return Run(**fields)


def _changing(run: Run) -> tuple[object, ...]:
    return (run.status, run.worker, run.started_at, run.ended_at, run.failure_reason)

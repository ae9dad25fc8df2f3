"""Rules about the event log."""

from __future__ import annotations

from msgspec.structs import replace

from segue.model.event import (
    AnyPayload,
    AssetMaterializationPlannedData,
    AssetObservationData,
    EngineEventData,
    ErrorInfo,
    Event,
    EventType,
    StepExpectationResultData,
    StepFailureData,
    StepRetryData,
    UserFailureData,
)
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation, ExpectationResult
from segue.model.metadata import IntMetadataValue
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import (
    add_events,
    add_run,
    checked,
    events_of,
    logged,
    made,
    planned,
    started,
    step_events,
    succeeded,
)


def events_read_back_as_they_were_written(store: Store) -> None:
    error = ErrorInfo("ValueError: nö\n\x00", "ValueError", ("frame 1\n",), ErrorInfo("KeyError: 1", "KeyError"))
    payloads: list[AnyPayload] = [
        StepFailureData(error, 3),
        StepFailureData(error, 1, UserFailureData("on purpose", {"rows": IntMetadataValue(0)})),
        StepRetryData(1, 0.25, error),
        EngineEventData("it says", {"rows": IntMetadataValue(0)}, error, is_waiting=True),
        StepExpectationResultData(ExpectationResult(False, "label", "described", {"rows": IntMetadataValue(0)})),
        AssetMaterializationPlannedData(AssetKey(["a", "b"]), "2024-01-01", "2024-01-03"),
        AssetObservationData(AssetObservation("a", "seen", partition="p", tags={"k": "v"}, data_version="7")),
        made(["a", "b"], "p1", "v1", rows=12, share=0.5, text="ü", nothing=None, flag=True),
        checked("a", "fresh", False),
        logged("x" * 100_000),
    ]
    add_run(store, "r1")
    events = [
        Event(1700000000.123456 + index, payload, "step", "r1", "daily") for index, payload in enumerate(payloads)
    ]
    store.append(events)
    assert [stored.event for stored in store.events(EventFilter(), None)] == events


def ids_grow_and_append_gives_the_last(store: Store) -> None:
    assert store.append([]) == 0
    add_run(store, "r1", planned("a"), planned("b"))
    first = add_events(store, "r1", started())
    last = store.append(events_of("r1", [logged(str(number)) for number in range(100)]))
    ids = [stored.storage_id for stored in store.events(EventFilter(), None)]
    assert ids == sorted(set(ids))
    assert len(ids) == 103
    assert (first, last) == (ids[2], ids[-1])
    assert store.append([]) == last


def a_large_batch_keeps_its_order(store: Store) -> None:
    add_run(store, "r1")
    texts = [str(number) for number in range(2500)]
    store.append(events_of("r1", [logged(text) for text in texts]))
    stored = store.events(EventFilter(run_id="r1"), None)
    assert [getattr(entry.event.payload, "message", None) for entry in stored] == texts


def events_from_outside_have_no_run(store: Store) -> None:
    add_events(store, None, made("a"))
    (stored,) = store.events(EventFilter(asset_key=AssetKey("a")), None)
    assert stored.event.run_id is None
    assert stored.event.job_name is None
    assert store.asset_states(None)[AssetKey("a")].run_id is None


def events_are_filtered(store: Store) -> None:
    add_run(store, "r1", started())
    store.append(step_events("r1", "a", "a"))
    add_run(store, "r2", started())
    store.append(step_events("r2", "a", "a"))
    store.append(step_events("r2", "b", "b"))
    add_events(store, "r2", made("a", "p1"), made("a", "p2"), made("b", "p1"), checked("a", "fresh"), succeeded())
    everything = store.events(EventFilter(), None)
    key = AssetKey("a")
    kinds = (EventType.ASSET_MATERIALIZATION, EventType.ASSET_CHECK_EVALUATION)
    for which in (
        EventFilter(),
        EventFilter(run_id="r2"),
        EventFilter(run_id="nobody"),
        EventFilter(run_id="r2", types=kinds),
        EventFilter(run_id="r2", asset_key=key),
        EventFilter(run_id="r2", asset_key=key, types=kinds[:1], partitions=("p1",)),
        EventFilter(asset_key=key),
        EventFilter(asset_key=AssetKey("nothing")),
        EventFilter(asset_key=key, types=kinds[:1]),
        EventFilter(asset_key=key, types=(*kinds, EventType.RUN_START)),
        EventFilter(asset_key=key, partitions=("p1", "p2", "p2")),
        EventFilter(asset_key=key, partitions=("p1",), types=kinds[1:]),
        EventFilter(asset_key=key, partitions=tuple(f"p{number}" for number in range(2, 1000))),
        EventFilter(asset_key=key, partitions=()),
        EventFilter(types=(EventType.RUN_START, EventType.RUN_SUCCESS)),
        EventFilter(types=(EventType.RUN_START, EventType.STEP_START)),
        EventFilter(types=kinds, partitions=("p1",)),
        EventFilter(types=(EventType.LOG_MESSAGE,)),
        EventFilter(types=()),
        EventFilter(partitions=("p1",)),
        EventFilter(after_timestamp=2.0),
        EventFilter(asset_key=key, types=kinds[:1], after_timestamp=1.0, before_timestamp=2.5),
        EventFilter(storage_ids=(2, 5, 11, 5, 1000)),
        EventFilter(storage_ids=(2, 5, 11), types=kinds[:1], run_id="r1"),
        EventFilter(storage_ids=()),
        EventFilter(types=(EventType.RUN_START,), job_names=("daily", "other")),
        EventFilter(types=(EventType.RUN_START,), job_names=("other",)),
    ):
        expected = [stored.storage_id for stored in everything if _matches(which, stored)]
        assert _ids(store, which) == expected, which
        _assert_pages(store, which, expected)


def _matches(which: EventFilter, stored: EventLogRecord) -> bool:
    event = stored.event
    return (
        (which.run_id is None or event.run_id == which.run_id)
        and (which.asset_key is None or event.asset_key == which.asset_key)
        and (which.types is None or event.event_type in which.types)
        and (which.partitions is None or event.partition in which.partitions)
        and (which.after_timestamp is None or event.timestamp > which.after_timestamp)
        and (which.before_timestamp is None or event.timestamp < which.before_timestamp)
        and (which.storage_ids is None or stored.storage_id in which.storage_ids)
        and (which.job_names is None or event.job_name in which.job_names)
    )


def _assert_pages(store: Store, which: EventFilter, expected: list[int]) -> None:
    middle = expected[len(expected) // 2] if expected else 3
    after = [number for number in expected if number > middle]
    before = [number for number in expected if number < middle]
    assert _ids(store, replace(which, ascending=False)) == expected[::-1], which
    assert _ids(store, replace(which, after=middle), 2) == after[:2], which
    assert _ids(store, replace(which, before=middle, ascending=False), 2) == before[::-1][:2], which
    assert _ids(store, replace(which, after=middle - 2, before=middle + 2)) == [
        number for number in expected if abs(number - middle) < 2
    ], which


def _ids(store: Store, which: EventFilter, limit: int | None = None) -> list[int]:
    return [stored.storage_id for stored in store.events(which, limit)]


RULES = (
    events_read_back_as_they_were_written,
    ids_grow_and_append_gives_the_last,
    a_large_batch_keeps_its_order,
    events_from_outside_have_no_run,
    events_are_filtered,
)

"""The log of events as an instance answers about it: pages, filters, entries and records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

import segue as sg

A, B = sg.AssetKey("a"), sg.AssetKey(["b", "c"])
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def event_records(
    instance: sg.Instance, which: sg.EventRecordsFilter, limit: int | None = None, ascending: bool = False
) -> Sequence[sg.EventLogRecord]:
    with pytest.warns(DeprecationWarning, match="get_event_records is superseded: use fetch_materializations"):
        return instance.get_event_records(which, limit=limit, ascending=ascending)


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.instance_for_test() as made:
        yield made


def report(instance: sg.Instance, key: sg.AssetKey, count: int, partition: str | None = None) -> None:
    for number in range(count):
        instance.report_runless_asset_event(
            sg.AssetMaterialization(key, metadata={"number": number}, partition=partition, tags={"n": str(number)})
        )


@pytest.mark.parametrize("ascending", [True, False])
def test_pages_follow_one_another_until_there_are_no_more(instance: sg.Instance, ascending: bool) -> None:
    report(instance, A, 5)
    report(instance, B, 1)
    found: list[sg.EventLogRecord] = []
    cursor: str | None = None
    sizes: list[int] = []
    has_more = True
    while has_more:
        page = instance.fetch_materializations(A, limit=2, cursor=cursor, ascending=ascending)
        found += page.records
        sizes.append(len(page.records))
        cursor, has_more = page.cursor, page.has_more
    numbers = [
        record.asset_materialization.metadata["number"].value for record in found if record.asset_materialization
    ]
    assert sizes == [2, 2, 1]
    assert numbers == (list(range(5)) if ascending else [4, 3, 2, 1, 0])
    after = instance.fetch_materializations(A, limit=2, cursor=cursor, ascending=ascending)
    assert (after.records, after.cursor, after.has_more) == ([], cursor, False)


def test_records_of_an_asset_are_narrowed_down(instance: sg.Instance) -> None:
    report(instance, A, 2, "x")
    report(instance, A, 2, "y")
    every = instance.fetch_materializations(A, limit=10, ascending=True).records
    ids = [record.storage_id for record in every]
    times = [record.timestamp for record in every]
    for which, expected in [
        (sg.AssetRecordsFilter(A, asset_partitions=["y"]), ids[2:]),
        (sg.AssetRecordsFilter(A, after_storage_id=ids[0], before_storage_id=ids[3]), ids[1:3]),
        (sg.AssetRecordsFilter(A, storage_ids=[ids[1], ids[3]]), [ids[1], ids[3]]),
        (
            sg.AssetRecordsFilter(A, after_timestamp=times[1]),
            [i for i, t in zip(ids, times, strict=True) if t > times[1]],
        ),
        (
            sg.AssetRecordsFilter(A, before_timestamp=times[1]),
            [i for i, t in zip(ids, times, strict=True) if t < times[1]],
        ),
        (sg.AssetRecordsFilter(B), []),
    ]:
        found = instance.fetch_materializations(which, limit=10, ascending=True).records
        assert [record.storage_id for record in found] == expected, which
    wanted = sg.EventRecordsFilter(sg.EventType.ASSET_MATERIALIZATION, A, ["x"], after_cursor=ids[0])
    assert [record.storage_id for record in event_records(instance, wanted)] == [ids[1]]
    newest = event_records(instance, sg.EventRecordsFilter(sg.EventType.ASSET_MATERIALIZATION), limit=1)
    assert [record.partition_key for record in newest] == ["y"]


def test_what_was_wiped_is_not_fetched_any_more(instance: sg.Instance) -> None:
    report(instance, A, 2, "x")
    instance.report_runless_asset_event(sg.AssetObservation(A))
    instance.wipe_asset_partitions(A, ["x"])
    assert len(instance.fetch_materializations(A, limit=5).records) == 2
    instance.wipe_assets([A])
    instance.wipe_asset_partitions(A, ["x"])
    assert instance.fetch_materializations(A, limit=5).records == []
    assert instance.fetch_observations(A, limit=5).records == []
    assert instance.get_asset_records() == []
    report(instance, A, 1)
    assert len(instance.fetch_materializations(A, limit=5).records) == 1


def test_observations_are_apart_from_materializations(instance: sg.Instance) -> None:
    report(instance, A, 1)
    instance.report_runless_asset_event(sg.AssetObservation(A, metadata={"rows": 3}, tags={"k": "v"}))
    (seen,) = instance.fetch_observations(A, limit=5).records
    assert seen.asset_materialization is None
    assert seen.asset_observation == seen.asset_event == seen.event_log_entry.asset_observation
    assert seen.event_log_entry.tags == {"k": "v"}
    assert (seen.event_type, seen.asset_key, seen.run_id) == (sg.EventType.ASSET_OBSERVATION, A, "")


@sg.op
def say(context: sg.OpExecutionContext) -> sg.Output[int]:
    context.log.warning("look here")
    return sg.Output(1)


@sg.op
def fail() -> None:
    raise ValueError("no")


@sg.job
def talking() -> None:
    say()


@sg.job
def failing() -> None:
    fail()


def test_changes_of_status_are_fetched_by_kind_and_job(instance: sg.Instance) -> None:
    first = talking.execute_in_process(instance=instance)
    second = failing.execute_in_process(instance=instance, raise_on_error=False)
    starts = instance.fetch_run_status_changes(sg.EventType.RUN_START, limit=5, ascending=True).records
    assert [record.run_id for record in starts] == [first.run_id, second.run_id]
    wanted = sg.RunStatusChangeRecordsFilter(sg.EventType.RUN_START, job_names=["failing"])
    (start,) = instance.fetch_run_status_changes(wanted, limit=5).records
    assert (start.run_id, start.event_log_entry.job_name) == (second.run_id, "failing")
    (failure,) = instance.fetch_run_status_changes(sg.EventType.RUN_FAILURE, limit=5).records
    assert failure.event.is_run_failure
    for wrong in (sg.EventType.STEP_START, sg.EventType.ASSET_MATERIALIZATION):
        with pytest.raises(sg.InvalidInvocationError, match="the type of a run event"):
            instance.fetch_run_status_changes(wrong, limit=1)


def test_the_entries_of_a_run_are_events_and_lines(instance: sg.Instance) -> None:
    result = talking.execute_in_process(instance=instance)
    entries = instance.all_logs(result.run_id)
    assert [entry.event for entry in entries] == list(result.all_logs)
    assert [entry.dagster_event for entry in entries if entry.is_dagster_event] == list(result.all_events)
    (line,) = [entry for entry in entries if not entry.is_dagster_event]
    assert (line.user_message, line.message, line.level, line.step_key) == ("look here", "look here", 30, "say")
    assert (line.dagster_event, line.dagster_event_type, line.job_name) == (None, None, "talking")
    with pytest.raises(sg.InvariantViolationError):
        line.get_dagster_event()
    (start,) = instance.all_logs(result.run_id, of_type=sg.EventType.STEP_START)
    assert start.get_dagster_event().step_key == "say"
    assert (start.level, start.run_id) == (10, result.run_id)
    both = {sg.EventType.STEP_START, sg.EventType.STEP_SUCCESS}
    assert [entry.dagster_event_type for entry in instance.all_logs(result.run_id, of_type=both)] == [
        sg.EventType.STEP_START,
        sg.EventType.STEP_SUCCESS,
    ]


def test_the_records_of_a_run_come_in_pages(instance: sg.Instance) -> None:
    result = talking.execute_in_process(instance=instance)
    whole = instance.get_records_for_run(result.run_id)
    assert not whole.has_more
    first = instance.get_records_for_run(result.run_id, limit=3)
    rest = instance.get_records_for_run(result.run_id, cursor=first.cursor)
    assert first.has_more
    assert [*first.records, *rest.records] == whole.records
    backwards = instance.get_records_for_run(result.run_id, limit=2, ascending=False)
    assert backwards.records == list(whole.records)[::-1][:2]
    after = instance.logs_after(result.run_id, cursor=first.records[-1].storage_id, limit=1)
    assert after == [rest.records[0].event_log_entry]


def test_a_failure_matters_most(instance: sg.Instance) -> None:
    result = failing.execute_in_process(instance=instance, raise_on_error=False)
    levels = {entry.dagster_event_type: entry.level for entry in instance.all_logs(result.run_id)}
    assert levels[sg.EventType.STEP_FAILURE] == levels[sg.EventType.RUN_FAILURE] == 40
    assert levels[sg.EventType.STEP_START] == 10


def test_an_entry_survives_json_and_can_be_made_by_hand(instance: sg.Instance) -> None:
    result = talking.execute_in_process(instance=instance)
    for entry in instance.all_logs(result.run_id):
        assert sg.EventLogEntry.from_json(entry.to_json()) == entry
    with pytest.raises(sg.InvalidInvocationError):
        sg.EventLogEntry.from_json("{}")
    line = sg.EventLogEntry(None, "info", "hello", "r1", 5.0, "step", "daily")
    assert (line.level, line.user_message, line.run_id, line.step_key) == (20, "hello", "r1", "step")
    (start,) = [event for event in result.all_events if event.is_step_start]
    entry = sg.EventLogEntry(None, 10, "", "r2", 6.0, dagster_event=start)
    assert (entry.run_id, entry.timestamp, entry.step_key, entry.job_name) == ("r2", 6.0, "say", "talking")
    with pytest.raises(sg.InvalidInvocationError, match="loud"):
        sg.EventLogEntry(None, "loud", "", "r", 1.0)


def test_tags_of_an_asset(instance: sg.Instance) -> None:
    report(instance, A, 3)
    report(instance, B, 1)
    assert instance.get_event_tags_for_asset(A) == [{"n": "0"}, {"n": "1"}, {"n": "2"}]
    assert instance.get_event_tags_for_asset(A, {"n": "1"}) == [{"n": "1"}]
    last = instance.fetch_materializations(A, limit=1).records[0]
    assert instance.get_event_tags_for_asset(A, filter_event_id=last.storage_id) == [{"n": "2"}]


def test_the_last_event_of_each_partition(instance: sg.Instance) -> None:
    for partition in ("x", "y", "x"):
        report(instance, A, 1, partition)
        instance.report_runless_asset_event(sg.AssetObservation(A, partition=partition))
    made = {record.storage_id: record for record in instance.fetch_materializations(A, limit=9).records}
    for kind in (sg.EventType.ASSET_MATERIALIZATION, sg.EventType.ASSET_OBSERVATION):
        found = instance.get_latest_storage_id_by_partition(A, kind)
        records = event_records(instance, sg.EventRecordsFilter(kind, A), ascending=True)
        assert found == {record.partition_key: record.storage_id for record in records}
        assert instance.get_latest_storage_id_by_partition(A, kind, partitions={"y"}) == {"y": found["y"]}
        assert instance.get_latest_storage_id_by_partition(A, kind, after_cursor=found["y"]) == {"x": found["x"]}
    assert len(made) == 3


@pytest.mark.parametrize("wrong", ["x", "-1", ""])
def test_a_cursor_of_something_else_is_refused(instance: sg.Instance, wrong: str) -> None:
    with pytest.raises(sg.InvalidInvocationError, match="not a valid cursor"):
        instance.fetch_materializations(A, limit=1, cursor=wrong)
    with pytest.raises(sg.InvalidInvocationError, match="not a valid cursor"):
        instance.get_records_for_run("r", cursor=wrong)


def test_a_page_holds_at_least_one_record(instance: sg.Instance) -> None:
    with pytest.raises(sg.InvalidInvocationError, match="limit"):
        instance.fetch_materializations(A, limit=0)


def test_a_filter_needs_a_kind_of_event() -> None:
    with pytest.raises(sg.InvalidInvocationError, match="EventType"):
        sg.EventRecordsFilter("ASSET_MATERIALIZATION")  # pyright: ignore[reportArgumentType] reason: the mistake under test


@pytest.mark.parametrize(("ascending", "expected"), [(True, [[1, 2], [3, 4], [5]]), (False, [[5, 4], [3, 2], [1]])])
def test_a_list_is_cut_into_pages(ascending: bool, expected: list[list[int]]) -> None:
    cursor: str | None = None
    pages: list[list[int]] = []
    has_more = True
    while has_more:
        page = sg.PaginatedResults[int].create_from_sequence([1, 2, 3, 4, 5], 2, ascending, cursor)
        pages.append(list(page.results))
        cursor, has_more = page.cursor, page.has_more
    assert pages == expected


def test_a_cursor_of_a_sharded_log_is_a_place_in_this_one(instance: sg.Instance) -> None:
    report(instance, A, 3)
    ids = [record.storage_id for record in instance.fetch_materializations(A, limit=9, ascending=True).records]
    which = sg.EventRecordsFilter(
        sg.EventType.ASSET_MATERIALIZATION, A, after_cursor=sg.RunShardedEventsCursor(ids[0], run_updated_after=NOON)
    )
    assert [record.storage_id for record in event_records(instance, which, ascending=True)] == ids[1:]


@pytest.mark.parametrize(
    "which",
    [
        lambda: sg.AssetRecordsFilter("a"),  # pyright: ignore[reportArgumentType] reason: the mistake under test
        lambda: sg.AssetRecordsFilter(A, asset_partitions="x"),
        lambda: sg.EventRecordsFilter(sg.EventType.ASSET_MATERIALIZATION, asset_key="a"),  # pyright: ignore[reportArgumentType] reason: the mistake under test
    ],
)
def test_a_filter_takes_an_asset_key_and_a_list_of_partitions(which: Callable[[], object]) -> None:
    with pytest.raises(sg.WrongTypeError, match="asset_"):
        which()

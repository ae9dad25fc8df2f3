"""Records that an instance gives: runs, events, the latest of assets; what is stale and why; values moved and hooks called."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.storage.sqlite.database import DATABASE_NAME

A, B = sg.AssetKey("a"), sg.AssetKey("b")


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as made:
        yield made


@sg.asset(code_version="1")
def a() -> int:
    return 1


@sg.asset(deps=[a], code_version="1", check_specs=[sg.AssetCheckSpec("full", asset="b")])
def b() -> Iterator[Any]:
    yield sg.MaterializeResult()
    yield sg.AssetCheckResult(passed=True)


def test_a_record_of_a_run_has_its_times_and_place(instance: sg.Instance) -> None:
    done = sg.materialize([a, b], instance=instance)
    later = sg.materialize([a], instance=instance)
    newest, oldest = instance.get_run_records()
    assert isinstance(newest, sg.RunRecord)
    assert (newest.dagster_run.run_id, oldest.dagster_run.run_id) == (later.run_id, done.run_id)
    assert oldest.storage_id < newest.storage_id
    assert oldest.start_time is not None
    assert oldest.end_time is not None
    assert oldest.create_timestamp.timestamp() <= oldest.start_time <= oldest.end_time
    assert oldest.update_timestamp >= oldest.create_timestamp
    assert instance.get_run_records(sg.RunsFilter(run_ids=[done.run_id])) == [oldest]


def test_a_page_of_events_is_a_result_with_a_cursor(instance: sg.Instance) -> None:
    for _ in range(3):
        sg.materialize([a], instance=instance)
    page = instance.fetch_materializations(A, limit=2)
    assert isinstance(page, sg.EventRecordsResult)
    records, cursor, has_more = page
    assert (len(records), has_more) == (2, True)
    rest = instance.fetch_materializations(A, limit=2, cursor=cursor)
    assert [each.storage_id for each in rest.records] < [each.storage_id for each in records]


def test_an_entry_of_the_log_is_a_value(instance: sg.Instance) -> None:
    done = sg.materialize([a, b], instance=instance)
    entry = instance.get_latest_materialization_event(A)
    assert entry is not None
    again = pickle.loads(pickle.dumps(entry))
    assert again == entry
    assert len({again, entry, instance.get_latest_materialization_event(B)}) == 2
    assert repr(entry).startswith("EventLogEntry(")
    with pytest.raises(AttributeError, match="immutable"):
        entry.run_id = "other"  # pyright: ignore[reportAttributeAccessIssue] reason: that it is refused is the point
    assert entry.asset_check_evaluation is None
    evaluated = [each.asset_check_evaluation for each in instance.all_logs(done.run_id) if each.asset_check_evaluation]
    assert [(each.asset_key, each.check_name, each.passed) for each in evaluated] == [(B, "full", True)]


def test_the_latest_observation_stands_beside_the_latest_materialization(instance: sg.Instance) -> None:
    sg.materialize([a], instance=instance)
    (record,) = instance.get_asset_records([A])
    assert record.asset_entry.last_observation is None
    instance.report_runless_asset_event(sg.AssetObservation(A, metadata={"rows": 3}))
    (record,) = instance.get_asset_records([A])
    seen = record.asset_entry.last_observation
    assert seen is not None
    assert seen.asset_observation is not None
    assert seen.asset_observation.metadata["rows"].value == 3
    assert record.asset_entry.last_materialization is not None


def test_what_is_stale_says_why_and_what_is_behind_it(instance: sg.Instance) -> None:
    def state(definitions: sg.Definitions, key: sg.AssetKey) -> sg.StaleState:
        return sg.stale_states(definitions, instance)[key]

    definitions = sg.Definitions([a, b])
    assert state(definitions, A).status is sg.StaleStatus.MISSING
    sg.materialize([a, b], instance=instance)
    assert state(definitions, B) == sg.StaleState(sg.StaleStatus.FRESH)

    @sg.asset(name="a", code_version="2")
    def changed() -> int:
        return 1

    (cause,) = state(sg.Definitions([changed, b]), A).causes
    assert isinstance(cause, sg.StaleCause)
    assert (cause.key, cause.category) == (A, sg.StaleCauseCategory.CODE)
    assert cause.reason
    sg.materialize([changed], instance=instance)
    behind = state(sg.Definitions([changed, b]), B)
    assert behind.status is sg.StaleStatus.STALE
    assert [(each.category, each.dependency) for each in behind.causes] == [(sg.StaleCauseCategory.DATA, A)]


def test_provenance_names_the_versions_of_what_a_thing_was_made_from() -> None:
    provenance = sg.DataProvenance(
        code_version="1", input_data_versions={A: sg.DataVersion("7")}, input_storage_ids={A: 3}, is_user_provided=False
    )
    assert provenance.input_logical_versions == {A: sg.DataVersion("7")}


def test_values_that_were_moved_are_listed(instance: sg.Instance) -> None:
    sg.materialize([a], instance=instance)
    moved = sg.migrate_io_storage(
        definitions=sg.Definitions([a]), destination_io_manager=sg.InMemoryIOManager(), instance=instance
    )
    assert isinstance(moved, sg.MigrateIOStorageResult)
    assert [each.key for each in moved.migrated] == [A]
    assert (moved.skipped, moved.failed) == ((), ())


def test_a_hook_made_by_hand_says_whether_it_had_something_to_do(instance: sg.Instance) -> None:
    called: list[str] = []

    def look(context: sg.HookContext, events: Any) -> sg.HookExecutionResult:
        called.append(context.op.name)
        return sg.HookExecutionResult("look", is_skipped=context.op.name != "first")

    hook = sg.HookDefinition(name="look", hook_fn=look)

    @sg.op
    def first() -> None: ...

    @sg.op
    def second() -> None: ...

    @sg.job(hooks={hook})
    def watched() -> None:
        first()
        second()

    done = watched.execute_in_process(instance=instance)
    assert sorted(called) == ["first", "second"]
    ends = {event.step_key: event.event_type_value for event in done.all_events if event.is_hook_event}
    assert ends == {"first": "HOOK_COMPLETED", "second": "HOOK_SKIPPED"}


def test_a_reference_leads_another_process_to_the_same_instance() -> None:
    with sg.instance_for_test() as instance:
        sg.materialize([a], instance=instance)
        reference = pickle.loads(pickle.dumps(instance.get_ref()))
        assert instance.root_directory in repr(reference)
        with sg.Instance.from_ref(reference) as again:
            assert again.get_latest_materialization_event(A) == instance.get_latest_materialization_event(A)


def test_a_home_folder_whose_database_is_none_cannot_serve(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_text("nothing of a database" * 100)
    with pytest.raises(sg.StorageError, match=str(tmp_path)), sg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        instance.get_runs()

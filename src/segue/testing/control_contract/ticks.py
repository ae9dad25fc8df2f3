"""Rules about schedules, sensors and their ticks."""

from __future__ import annotations

import msgspec
import pytest

from segue.errors import InvariantViolationError, LeaseLostError
from segue.model.backfill import Backfill
from segue.model.condition.evaluation import AutomationConditionEvaluation
from segue.model.condition.snapshot import AutomationConditionNodeSnapshot
from segue.model.condition_record import ConditionCursor, ConditionRecord
from segue.model.control_stores import LoopLease
from segue.model.event import AssetObservationData, Event
from segue.model.instigator import InstigatorState, InstigatorStatus
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation
from segue.model.run import RunStatus
from segue.model.tick_record import PartitionChange, TickStatus
from segue.testing.control_contract.builders import SCHEDULE, SENSOR, Stores, schedule_tick, sensor_tick, wanted


def a_tick_is_written_with_its_runs(stores: Stores) -> None:
    (done,) = stores.control.commit_ticks([schedule_tick(100.0, wanted("a"), wanted("b"))])
    assert (done.created, done.known, done.is_repeated) == (("a", "b"), (), False)
    run = stores.store.get_run("a")
    assert run is not None
    assert run.status is RunStatus.QUEUED
    (entry,) = stores.control.ticks(SCHEDULE, 10)
    assert entry.tick.run_ids == ("a", "b")
    assert entry.tick.scheduled_at == 100.0
    state = stores.control.instigator_states()[SCHEDULE]
    assert (state.last_tick_at, state.status) == (100.0, InstigatorStatus.DECLARED)


def a_time_of_a_schedule_is_decided_once(stores: Stores) -> None:
    stores.control.commit_ticks([schedule_tick(100.0, wanted("a"))])
    (again,) = stores.control.commit_ticks([schedule_tick(100.0, wanted("b"))])
    (earlier,) = stores.control.commit_ticks([schedule_tick(50.0, wanted("c"))])
    assert again.is_repeated
    assert earlier.is_repeated
    assert stores.store.get_run("b") is None
    assert len(stores.control.ticks(SCHEDULE, 10)) == 1


def a_run_key_makes_one_run(stores: Stores) -> None:
    stores.control.commit_ticks([sensor_tick(10.0, wanted("a", "file-1"), cursor="1")])
    (done,) = stores.control.commit_ticks([sensor_tick(20.0, wanted("b", "file-1"), wanted("c", "file-2"), cursor="2")])
    assert (done.created, done.known) == (("c",), ("a",))
    assert stores.store.get_run("b") is None
    state = stores.control.instigator_states("main")[SENSOR]
    assert (state.cursor, state.last_run_key, state.last_tick_at) == ("2", "file-2", 20.0)


def run_keys_belong_to_their_sensor(stores: Stores) -> None:
    stores.control.commit_ticks([sensor_tick(10.0, wanted("a", "key"))])
    other = msgspec.structs.replace(SENSOR, name="other")
    commit = sensor_tick(10.0, wanted("b", "key"))
    commit = msgspec.structs.replace(commit, tick=msgspec.structs.replace(commit.tick, instigator=other))
    (done,) = stores.control.commit_ticks([commit])
    assert done.created == ("b",)


def what_was_asked_for_elsewhere_is_not_asked_for_again(stores: Stores) -> None:
    assert stores.control.add_run_keys(SENSOR, {"monday": "x", "tuesday": "y"}) == 2
    assert stores.control.add_run_keys(SENSOR, {"monday": "another", "sunday": "z"}) == 1
    (done,) = stores.control.commit_ticks(
        [sensor_tick(10.0, wanted("a", "monday"), wanted("b", "wednesday"), wanted("c", "sunday"))]
    )
    assert (done.created, done.known) == (("b",), ("x", "z"))
    assert stores.control.instigator_state(SENSOR).status is InstigatorStatus.DECLARED


def a_failed_tick_leaves_the_cursor_and_is_counted(stores: Stores) -> None:
    stores.control.commit_ticks([sensor_tick(10.0, cursor="1")])
    for at in (20.0, 30.0):
        stores.control.commit_ticks([sensor_tick(at, cursor="lost", status=TickStatus.FAILURE)])
    state = stores.control.instigator_states()[SENSOR]
    assert (state.cursor, state.failures, state.last_tick_at) == ("1", 2, 30.0)
    stores.control.commit_ticks([sensor_tick(40.0)])
    state = stores.control.instigator_states()[SENSOR]
    assert (state.cursor, state.failures) == ("1", 0)


def a_cursor_that_was_set_while_a_sensor_was_asked_stays(stores: Stores) -> None:
    def commit(at: float, asked_with: str | None, cursor: str) -> str | None:
        made = msgspec.structs.replace(sensor_tick(at, wanted(f"r{at:g}"), cursor=cursor), asked_with=asked_with)
        (done,) = stores.control.commit_ticks([made])
        assert done.created == (f"r{at:g}",)
        return stores.control.instigator_state(SENSOR).cursor

    assert commit(10.0, None, "1") == "1"
    stores.control.set_cursor(SENSOR, "by hand")
    assert commit(20.0, "1", "2") == "by hand"
    assert commit(30.0, "by hand", "3") == "3"


def all_ticks_of_one_commit_are_written_or_none(stores: Stores) -> None:
    with pytest.raises(InvariantViolationError):
        stores.control.commit_ticks([sensor_tick(10.0, wanted("a"), cursor="1"), schedule_tick(5.0, wanted("a"))])
    assert stores.store.get_run("a") is None
    assert stores.control.ticks(SENSOR, 10) == []
    assert SENSOR not in stores.control.instigator_states()


def a_tick_changes_partitions_and_records_what_it_saw(stores: Stores) -> None:
    stores.store.change_dynamic_partitions("files", ["old"], [], 1.0)
    seen = Event(10.0, AssetObservationData(AssetObservation(AssetKey("source"))))
    changes = (PartitionChange("files", ("new",)), PartitionChange("files", ("old",), is_removal=True))
    commit = msgspec.structs.replace(sensor_tick(10.0), partition_changes=changes, events=(seen,))
    stores.control.commit_ticks([commit])
    assert stores.store.dynamic_partitions("files") == ["new"]
    assert AssetKey("source") in stores.store.observation_states(None)


def a_loop_that_lost_its_lease_writes_nothing(stores: Stores) -> None:
    lease = LoopLease("loop/schedules", 1)
    with pytest.raises(LeaseLostError) as raised:
        stores.control.commit_ticks([schedule_tick(10.0, wanted("a"))], lease)
    assert raised.value.name == "loop/schedules"
    assert stores.store.get_run("a") is None
    assert stores.control.ticks(SCHEDULE, 10) == []


def ticks_are_listed_newest_first_in_pages(stores: Stores) -> None:
    for number in range(6):
        status = TickStatus.SKIPPED if number % 2 else TickStatus.SUCCESS
        stores.control.commit_ticks([schedule_tick(100.0 + number, status=status)])
    first = stores.control.ticks(SCHEDULE, 4)
    assert [entry.tick.scheduled_at for entry in first] == [105.0, 104.0, 103.0, 102.0]
    rest = stores.control.ticks(SCHEDULE, 4, first[-1].number)
    assert [entry.tick.scheduled_at for entry in rest] == [101.0, 100.0]
    skipped = stores.control.ticks(SCHEDULE, 10, None, [TickStatus.SKIPPED])
    assert [entry.tick.scheduled_at for entry in skipped] == [105.0, 103.0, 101.0]
    assert stores.control.ticks(SENSOR, 10) == []
    assert stores.control.ticks(SCHEDULE, 10, None, []) == []


def old_ticks_are_removed_and_stay_decided(stores: Stores) -> None:
    for at in (10.0, 20.0, 30.0):
        stores.control.commit_ticks([schedule_tick(at)])
    assert stores.control.delete_ticks(25.0, [TickStatus.SUCCESS], 1) == 1
    assert stores.control.delete_ticks(100.0, [TickStatus.SKIPPED], 10) == 0
    assert stores.control.delete_ticks(100.0, list(TickStatus), 10) == 2
    (again,) = stores.control.commit_ticks([schedule_tick(30.0)])
    assert again.is_repeated


def schedules_and_sensors_are_switched(stores: Stores) -> None:
    state = stores.control.set_instigator(SENSOR, InstigatorStatus.RUNNING, 5.0)
    assert (state.status, state.started_at) == (InstigatorStatus.RUNNING, 5.0)
    assert stores.control.set_instigator(SENSOR, InstigatorStatus.RUNNING, 9.0).started_at == 5.0
    assert stores.control.set_instigator(SENSOR, InstigatorStatus.STOPPED, 9.0).is_running(by_default=True) is False
    assert stores.control.set_instigator(SENSOR, InstigatorStatus.RUNNING, 12.0).started_at == 12.0
    stores.control.set_cursor(SENSOR, "by hand")
    assert stores.control.instigator_states("main")[SENSOR].cursor == "by hand"
    assert stores.control.instigator_states("elsewhere") == {}


def the_first_time_that_something_is_seen_running_stays(stores: Stores) -> None:
    stores.control.start_instigators([SCHEDULE, SENSOR], 5.0)
    stores.control.start_instigators([SENSOR], 9.0)
    states = stores.control.instigator_states()
    assert {each: state.started_at for each, state in states.items()} == {SCHEDULE: 5.0, SENSOR: 5.0}
    assert states[SENSOR].status is InstigatorStatus.DECLARED


def it_shows_when_anything_was_switched(stores: Stores) -> None:
    seen = [stores.control.switches(SENSOR.kind)]
    for change in (
        lambda: stores.control.start_instigators([SENSOR], 5.0),
        lambda: stores.control.set_instigator(SENSOR, InstigatorStatus.RUNNING, 6.0),
        lambda: stores.control.set_instigator(SENSOR, InstigatorStatus.STOPPED, 7.0),
        lambda: stores.control.set_instigator(SENSOR, InstigatorStatus.RUNNING, 8.0),
    ):
        change()
        seen.append(stores.control.switches(SENSOR.kind))
    assert len(set(seen)) == len(seen)
    stores.control.commit_ticks([sensor_tick(10.0, cursor="1"), schedule_tick(10.0)])
    stores.control.start_instigators([SCHEDULE], 5.0)
    assert stores.control.switches(SENSOR.kind) == seen[-1]


def the_state_of_one_is_read_alone(stores: Stores) -> None:
    assert stores.control.instigator_state(SENSOR) == InstigatorState(id=SENSOR)
    stores.control.commit_ticks([sensor_tick(10.0, cursor="1")])
    assert stores.control.instigator_state(SENSOR) == stores.control.instigator_states()[SENSOR]
    assert stores.control.instigator_state(SENSOR).cursor == "1"


def backfills_and_evaluations_are_written_with_the_tick(stores: Stores) -> None:
    last = stores.store.append([Event(9.0, AssetObservationData(AssetObservation(AssetKey("source"))))])
    snapshot = AutomationConditionNodeSnapshot("Missing", "missing", "u")
    records = tuple(
        ConditionRecord(
            key, 10.0 + number, number, AutomationConditionEvaluation(
                condition_snapshot=snapshot, key=key, candidate_subset=True, true_subset=False
            ),
        )
        for number, key in enumerate(("a", "b", "a"))
    )  # fmt: skip
    asked = Backfill(backfill_id="b", location="main", created_at=10.0)
    commit = msgspec.structs.replace(sensor_tick(10.0), backfills=(asked,), evaluations=records)
    stores.control.commit_ticks([commit])
    assert stores.control.get_backfill("b") == msgspec.structs.replace(asked, cursor=last)
    newest, oldest = stores.control.condition_evaluations("a", 10)
    assert (newest.record, oldest.record) == (records[2], records[0])
    assert stores.control.condition_evaluations("a", 10, newest.number) == [oldest]
    assert [entry.record for entry in stores.control.condition_evaluations("b", 1)] == [records[1]]
    assert stores.control.condition_evaluations("c", 1) == []


def what_conditions_remember_is_written_with_the_tick(stores: Stores) -> None:
    def commit(cursor: str, *changed: tuple[str, str | None]) -> None:
        cursors = tuple(ConditionCursor(*each) for each in changed)
        stores.control.commit_ticks(
            [msgspec.structs.replace(sensor_tick(10.0, cursor=cursor), condition_cursors=cursors)]
        )

    def remembered(sensor: str = SENSOR.name) -> dict[str, str]:
        return dict(stores.store.condition_cursors(SENSOR.location, sensor))

    assert remembered() == {}
    commit("1", ("a", "{}"), ("b", '{"requested":true}'))
    assert remembered() == {"a": "{}", "b": '{"requested":true}'}
    commit("2", ("a", '{"requested":true}'), ("b", None), ("c", None))
    assert remembered() == {"a": '{"requested":true}'}
    assert remembered("another") == {}
    assert stores.control.instigator_state(SENSOR).cursor == "2"


RULES = (
    what_conditions_remember_is_written_with_the_tick,
    backfills_and_evaluations_are_written_with_the_tick,
    it_shows_when_anything_was_switched,
    the_state_of_one_is_read_alone,
    the_first_time_that_something_is_seen_running_stays,
    a_tick_is_written_with_its_runs,
    a_time_of_a_schedule_is_decided_once,
    a_run_key_makes_one_run,
    run_keys_belong_to_their_sensor,
    what_was_asked_for_elsewhere_is_not_asked_for_again,
    a_failed_tick_leaves_the_cursor_and_is_counted,
    a_cursor_that_was_set_while_a_sensor_was_asked_stays,
    all_ticks_of_one_commit_are_written_or_none,
    a_tick_changes_partitions_and_records_what_it_saw,
    a_loop_that_lost_its_lease_writes_nothing,
    ticks_are_listed_newest_first_in_pages,
    old_ticks_are_removed_and_stay_decided,
    schedules_and_sensors_are_switched,
)

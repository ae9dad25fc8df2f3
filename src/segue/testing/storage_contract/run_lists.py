"""Rules about lists of runs by time and order, about their tags, and about their removal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from segue.errors import InvariantViolationError, RunNotFoundError
from segue.model.keys import AssetKey
from segue.model.run import RunStatus
from segue.model.run_records import RunOrder, RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tags import BACKFILL_TAG
from segue.testing.storage_contract.builders import (
    add_events,
    add_run,
    made,
    started,
    succeeded,
)


def at(seconds: float) -> datetime:
    """A moment, so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)


def _fill(store: Store) -> None:
    """Runs created at 100, 200, ... and changed last at 650, 600, ..."""
    for number, tags in enumerate(({"env": "prod"}, {"env": "test"}, {"env": "dev", BACKFILL_TAG: "b"}, {}), start=1):
        add_run(store, f"r{number}", tags=tags, job_name="daily" if number < 4 else "hourly", created_at=number * 100.0)
    for number in (4, 3, 2, 1):
        add_events(store, f"r{number}", started(), start=700.0 - number * 50)


def runs_are_found_by_time(store: Store) -> None:
    _fill(store)
    east = timezone(timedelta(hours=5))
    for which, expected in (
        (RunsFilter(created_after=at(200)), "43"),
        (RunsFilter(created_before=at(300)), "21"),
        (RunsFilter(created_after=at(100), created_before=at(400)), "32"),
        (RunsFilter(created_after=at(100).astimezone(east), job_name="daily"), "32"),
        (RunsFilter(created_after=at(200).replace(tzinfo=None)), "43"),
        (RunsFilter(updated_after=at(550)), "21"),
        (RunsFilter(updated_before=at(550)), "4"),
        (RunsFilter(updated_after=at(500), updated_before=at(650)), "32"),
        (RunsFilter(updated_after=at(500), created_after=at(150), tags={"env": ["test", "prod"]}), "2"),
        (RunsFilter(updated_after=at(500), statuses=[RunStatus.SUCCESS]), ""),
        (RunsFilter(run_ids=["r1", "r3"], created_after=at(100)), "3"),
        (RunsFilter(tags={"env": ("prod", "dev", "prod", "nothing")}), "31"),
        (RunsFilter(tags={"env": ["prod", "dev"], BACKFILL_TAG: ["a", "b"]}), "3"),
        (RunsFilter(tags={"env": []}), ""),
        (RunsFilter(exclude_subruns=True), "421"),
        (RunsFilter(exclude_subruns=False, job_name="hourly"), "4"),
    ):
        ids = [f"r{digit}" for digit in expected]
        assert _ids(store, which) == ids, which
        assert _ids(store, which, ascending=True) == ids[::-1], which
        assert _ids(store, which, limit=1) == ids[:1], which
        assert store.count_runs(which) == len(ids), which
        for place, run_id in enumerate(ids):
            assert _ids(store, which, behind=run_id) == ids[place + 1 :], (which, run_id)


def runs_are_found_by_the_definitions_they_were_planned_from(store: Store) -> None:
    run = add_run(store, "r1")
    other = replace(run, run_id="r2", manifest_hash=None)
    store.create_run(other, b"{}", b"other", [])
    found = store.get_run("r2")
    assert found is not None
    assert _ids(store, RunsFilter(snapshot_id=found.manifest_hash)) == ["r2"]
    assert _ids(store, RunsFilter(snapshot_id="nothing")) == []


def runs_come_in_the_order_that_is_asked_for(store: Store) -> None:
    _fill(store)
    for order, newest_first in (
        (RunOrder.ID, "4321"),
        (RunOrder.CREATED, "4321"),
        (RunOrder.UPDATED, "1234"),
    ):
        ids = [f"r{digit}" for digit in newest_first]
        for ascending, expected in ((False, ids), (True, ids[::-1])):
            records = store.run_records(RunsFilter(), None, None, order, ascending)
            assert [record.dagster_run.run_id for record in records] == expected
            page = store.run_records(RunsFilter(), 2, expected[0], order, ascending)
            assert [record.dagster_run.run_id for record in page] == expected[1:3]
            known = RunsFilter(run_ids=ids)
            page = store.run_records(known, 2, expected[0], order, ascending)
            assert [record.dagster_run.run_id for record in page] == expected[1:3]


def equal_times_are_told_apart_by_the_order_of_creation(store: Store) -> None:
    for number in range(5):
        add_run(store, f"r{number}", created_at=7.0)
    for order in RunOrder:
        found = store.run_records(RunsFilter(), 2, "r3", order, False)
        assert [record.dagster_run.run_id for record in found] == ["r2", "r1"]
        found = store.run_records(RunsFilter(created_after=at(6)), 2, "r1", order, True)
        assert [record.dagster_run.run_id for record in found] == ["r2", "r3"]


def a_record_says_when_the_run_changed_last(store: Store) -> None:
    add_run(store, "r1", created_at=5.0)
    (record,) = store.run_records(RunsFilter(), None, None, RunOrder.ID, False)
    assert (record.create_timestamp, record.update_timestamp) == (at(5), at(5))
    add_events(store, "r1", started(), start=7.0)
    add_events(store, "r1", succeeded(), start=6.0)
    (later,) = store.run_records(RunsFilter(), None, None, RunOrder.ID, False)
    assert (later.create_timestamp, later.update_timestamp) == (at(5), at(7))
    assert (later.storage_id, later.start_time, later.end_time) == (record.storage_id, 7.0, 6.0)


def tags_can_be_added_and_replaced(store: Store) -> None:
    run = add_run(store, "r1", tags={"env": "prod", "team": "sales"})
    store.add_run_tags("r1", {"env": "test", "new": "ü", "team": "sales"}, 9.0)
    found = store.get_run("r1")
    assert found is not None
    tags = {"env": "test", "team": "sales", "new": "ü"}
    assert found == replace(
        run, tags=tags, updated_at=9.0, plan_hash=found.plan_hash, manifest_hash=found.manifest_hash
    )
    for key, value in tags.items():
        assert _ids(store, RunsFilter(tags={key: value})) == ["r1"]
    assert _ids(store, RunsFilter(tags={"env": "prod"})) == []
    add_events(store, "r1", started(), start=20.0)
    again = store.get_run("r1")
    assert again is not None
    assert (again.tags, again.status) == (tags, RunStatus.STARTED)
    with pytest.raises(RunNotFoundError) as caught:
        store.add_run_tags("nobody", {"a": "b"}, 1.0)
    assert caught.value.invalid_run_id == "nobody"
    with pytest.raises(InvariantViolationError, match="NUL"):
        store.add_run_tags("r1", {"a": "\0"}, 1.0)


def tags_are_listed(store: Store) -> None:
    assert store.run_tag_keys() == []
    assert store.run_tag_values("env", "", None) == []
    for number in range(12):
        add_run(store, f"r{number}", tags={"env": "prod" if number % 2 else "", "n": f"{number}", "ü": "%"})
    assert store.run_tag_keys() == ["env", "n", "ü"]
    assert store.run_tag_values("env", "", None) == ["", "prod"]
    assert store.run_tag_values("n", "1", None) == ["1", "10", "11"]
    assert store.run_tag_values("n", "1", 2) == ["1", "10"]
    assert store.run_tag_values("n", "x", None) == []
    assert store.run_tag_values("ü", "%", None) == ["%"]
    assert store.run_tag_values("nothing", "", None) == []


def a_deleted_run_is_gone_and_what_it_made_stays(store: Store) -> None:
    add_run(store, "r1", started(), made("a", "p"), succeeded(), tags={"env": "prod"})
    add_run(store, "r2", tags={"env": "prod"})
    store.delete_run("nobody")
    store.delete_run("r1")
    assert store.get_run("r1") is None
    assert _ids(store, RunsFilter()) == _ids(store, RunsFilter(tags={"env": "prod"})) == ["r2"]
    assert store.events(EventFilter(run_id="r1"), None) == []
    assert set(store.asset_states(None)) == {AssetKey("a")}
    assert set(store.partition_states(AssetKey("a"))) == {"p"}
    add_run(store, "r1")
    assert _ids(store, RunsFilter()) == ["r1", "r2"]


def _ids(
    store: Store, which: RunsFilter, *, limit: int | None = None, behind: str | None = None, ascending: bool = False
) -> list[str]:
    records = store.run_records(which, limit, behind, RunOrder.ID, ascending)
    return [record.dagster_run.run_id for record in records]


RULES = (
    runs_are_found_by_time,
    runs_are_found_by_the_definitions_they_were_planned_from,
    runs_come_in_the_order_that_is_asked_for,
    equal_times_are_told_apart_by_the_order_of_creation,
    a_record_says_when_the_run_changed_last,
    tags_can_be_added_and_replaced,
    tags_are_listed,
    a_deleted_run_is_gone_and_what_it_made_stays,
)

"""The loop over backfills, end to end: from what is asked for to the last run that ended."""

from __future__ import annotations

import pytest
from backfill_case import KEYS, Case, chain, clean, days, named, ranged, raw, report, shown, targets
from plane import NOON

from segue.model.backfill import BackfillStatus, BackfillTarget, OffPeak
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import RunStatus


def test_a_chain_of_assets_is_made_upstream_first_and_ends_at_once() -> None:
    case = Case(targets=targets({raw: days((0, 2)), clean: days((0, 2)), report: None}), tags={"why": "test"})
    first, second = case.go_on()
    assert [shown(run) for run in first] == [(["clean", "raw"], KEYS[day], KEYS[day]) for day in range(3)]
    assert [shown(run) for run in second] == [(["report"], None, None)]
    run = first[0]
    assert {"dagster/backfill": "b", "why": "test", "dagster/partition": KEYS[0]}.items() <= run.tags.items()
    ended = case.backfill
    assert (ended.status, ended.runs, ended.failed_runs, ended.ended_at) == (
        BackfillStatus.COMPLETED_SUCCESS,
        4,
        0,
        NOON,
    )
    assert {each.key: each.partitions for each in ended.done} == {
        raw.key: days((0, 2)),
        clean.key: days((0, 2)),
        report.key: None,
    }
    assert set(case.plane.instance.get_materialized_partitions(raw.key)) == set(KEYS[:3])


def test_one_run_makes_a_range_where_the_policy_or_the_backfill_says_so() -> None:
    case = Case(targets=targets({ranged: days((0, 3), (6, 7)), raw: days((0, 1))}))
    (runs,) = case.go_on()
    assert sorted(shown(run) for run in runs) == [
        (["ranged"], KEYS[0], KEYS[3]),
        (["ranged"], KEYS[6], KEYS[7]),
        (["raw"], KEYS[0], KEYS[0]),
        (["raw"], KEYS[1], KEYS[1]),
    ]
    case = Case(targets=targets({raw: days((0, 9))}), single_run=True)
    ((run,),) = case.go_on()
    assert shown(run) == (["raw"], KEYS[0], KEYS[9])
    assert run.tags["dagster/asset_partition_range_end"] == KEYS[9]


def test_an_asset_that_needs_its_own_last_partition_is_made_in_order() -> None:
    case = Case(targets=targets({chain: days((0, 9))}))
    rounds = case.go_on()
    assert [[shown(run)[1] for run in runs] for runs in rounds] == [[key] for key in KEYS]


def test_dynamic_partitions_are_those_of_the_store() -> None:
    case = Case(targets=(BackfillTarget(named.key, PartitionSubset((("b", "c"),))),))
    case.plane.instance.add_dynamic_partitions("names", ["a", "b", "c", "d"])
    (runs,) = case.go_on()
    assert [shown(run)[1] for run in runs] == ["b", "c"]


def test_what_needs_something_that_failed_is_not_made() -> None:
    case = Case(targets=targets({raw: days((0, 2)), clean: days((0, 2)), report: None}), single_run=False)
    case.go_on(fails=lambda run: run.partition_start == KEYS[1])
    ended = case.backfill
    assert (ended.status, ended.failed_runs) == (BackfillStatus.COMPLETED_FAILED, 1)
    failed = {each.key: each.partitions for each in ended.failed}
    assert failed == {raw.key: days((1, 1)), clean.key: days((1, 1)), report.key: None}


def test_failed_runs_are_tried_again_and_say_so() -> None:
    case = Case(targets=targets({raw: days((0, 1))}), retries=2)
    left = [KEYS[1], KEYS[1]]
    rounds = case.go_on(fails=lambda run: run.partition_start in left and left.pop() == run.partition_start)
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS
    _, (second,), (third,) = rounds
    assert (second.tags["segue/backfill_attempt"], third.tags["segue/backfill_attempt"]) == ("2", "3")
    assert third.parent_run_id == second.run_id
    assert third.root_run_id == second.parent_run_id == third.tags["dagster/root_run_id"]
    case = Case(targets=targets({raw: days((0, 0))}), retries=1)
    assert len(case.go_on(fails=lambda run: True)) == 2
    assert case.backfill.status is BackfillStatus.COMPLETED_FAILED


def test_no_more_runs_at_once_than_it_may_have() -> None:
    case = Case(targets=targets({raw: days((0, 9))}), max_concurrent=3)
    assert [len(runs) for runs in case.go_on()] == [3, 3, 3, 1]


def test_paused_resumed_and_canceled() -> None:
    case = Case(targets=targets({raw: days((0, 9))}), max_concurrent=2)
    started = case.step()
    case.change(status=BackfillStatus.PAUSED)
    case.plane.end([run.run_id for run in started])
    assert case.step() == []
    assert not case.backfill.status.has_ended
    case.change(status=BackfillStatus.REQUESTED)
    started = case.step()
    assert [run.partition_start for run in started] == KEYS[2:4]
    case.plane.end([started[0].run_id])
    case.loop.round(case.plane.turn(NOON))  # one more run is queued
    case.change(status=BackfillStatus.CANCELING)
    case.loop.round(case.plane.turn(NOON))
    case.loop.cancels.settle()
    for run in case.plane.runs():
        if run.status is RunStatus.CANCELING:  # its process does as it was asked
            case.plane.cancel(run.run_id)
    case.loop.round(case.plane.turn(NOON))
    assert case.backfill.status is BackfillStatus.CANCELED
    statuses = [run.status for run in case.plane.runs()]
    assert statuses.count(RunStatus.SUCCESS) == 3
    assert statuses.count(RunStatus.CANCELED) == 2


def test_runs_start_only_in_the_hours_it_may() -> None:
    case = Case(targets=targets({raw: days((0, 1))}), off_peak=OffPeak(22, 6, "UTC"))
    noon = NOON - NOON % 86400 + 12 * 3600
    case.now = noon
    assert case.step() == []
    case.now = noon + 10 * 3600
    assert len(case.step()) == 2


def test_a_staggered_backfill_is_looked_at_when_its_next_run_is_due() -> None:
    case = Case(targets=targets({raw: days((0, 2))}), stagger=90.0)
    assert len(case.step()) == 1
    assert case.loop.round(case.plane.turn(NOON + 10)) == NOON + 90
    case.now = NOON + 90
    assert len(case.step()) == 1


def test_a_run_that_someone_deleted_counts_as_failed() -> None:
    case = Case(targets=targets({raw: days((0, 0))}))
    (run,) = case.step()
    case.plane.store.delete_run(run.run_id)
    case.step()
    assert case.backfill.status is BackfillStatus.COMPLETED_FAILED


def test_a_job_is_run_for_each_partition() -> None:
    case = Case(job_name="op_job", job_partitions=days((2, 5)), max_concurrent=3, tags={"why": "test"})
    rounds = case.go_on(fails=lambda run: run.partition_start == KEYS[3])
    assert [[run.partition_start for run in runs] for runs in rounds] == [KEYS[2:5], KEYS[5:6]]
    run = rounds[0][0]
    assert run.job_name == "op_job"
    assert {
        "dagster/backfill": "b",
        "team": "ops",
        "why": "test",
        "dagster/partition": KEYS[2],
    }.items() <= run.tags.items()
    ended = case.backfill
    assert (ended.status, ended.runs, ended.failed_runs) == (BackfillStatus.COMPLETED_FAILED, 4, 1)
    assert ended.failed_job_partitions == days((3, 3))
    case = Case(job_name="op_job", job_partitions=days((2, 3)), retries=1)
    left = [KEYS[2]]
    case.go_on(fails=lambda run: run.partition_start in left and bool(left.pop()))
    assert (case.backfill.status, case.backfill.runs) == (BackfillStatus.COMPLETED_SUCCESS, 3)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (BackfillStatus.REQUESTED, BackfillStatus.COMPLETED_FAILED),
        (BackfillStatus.CANCELING, BackfillStatus.CANCELED),
    ],
)
def test_a_backfill_of_a_job_that_was_never_there_says_so_and_ends(status: BackfillStatus, end: BackfillStatus) -> None:
    case = Case(job_name="gone", job_partitions=days((0, 0)), status=status)
    case.step()
    assert "gone" in (case.backfill.error or "")
    assert case.backfill.status is end

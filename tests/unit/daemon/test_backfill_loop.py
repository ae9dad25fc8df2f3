"""The loop over backfills, end to end: from what is asked for to the last run that ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from plane import NOON, Plane

import segue as sg
from segue.daemon.backfills import Backfills
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget, OffPeak
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import Run, RunStatus

DAYS = sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-11")
KEYS = [f"2026-01-{day:02}" for day in range(1, 11)]
NAMES = sg.DynamicPartitionsDefinition(name="names")


@sg.asset(partitions_def=DAYS)
def raw() -> None: ...


@sg.asset(partitions_def=DAYS, deps=[raw])
def clean() -> None: ...


@sg.asset(deps=[clean])
def report() -> None: ...


@sg.asset(partitions_def=DAYS, backfill_policy=sg.BackfillPolicy.single_run())
def ranged() -> None: ...


@sg.asset(partitions_def=NAMES)
def named() -> None: ...


@sg.asset(
    partitions_def=DAYS,
    deps=[sg.AssetDep("chain", partition_mapping=sg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))],
)
def chain() -> None: ...


@sg.op
def step() -> None: ...


@sg.job(partitions_def=DAYS, tags={"team": "ops"})
def op_job() -> None:
    step()


ASSETS = [raw, clean, report, ranged, named, chain]


class Case:
    """A plane with a backfill that goes on, round by round."""

    def __init__(self, **fields: Any) -> None:
        self.plane = Plane(sg.Definitions(assets=ASSETS, jobs=[op_job]))
        self.loop = Backfills(self.plane.store, self.plane.control, self.plane.locations)
        self.queue = self.plane.queue()
        given = {"backfill_id": "b", "location": "main", "created_at": NOON, **fields}
        given.setdefault("manifest_hash", self.plane.location.state.manifest_hash)
        self.plane.control.create_backfill(Backfill(**given))
        self.now = NOON

    @property
    def backfill(self) -> Backfill:
        found = self.plane.control.get_backfill("b")
        assert found is not None
        return found

    def change(self, **fields: Any) -> None:
        """What a person does to it."""
        before = self.backfill
        assert self.plane.control.update_backfill(msgspec.structs.replace(before, **fields), before)

    def step(self) -> list[Run]:
        """One round, and the runs that the queue starts after it."""
        self.loop.round(self.plane.turn(self.now))
        self.queue.round(self.plane.turn(self.now))
        self.queue.settle()
        started = self.plane.start()
        return [run for run in self.plane.runs() if run.run_id in started]

    def go_on(self, fails: Callable[[Run], bool] = lambda run: False) -> list[list[Run]]:
        """Rounds until it has ended, all runs of a round ending before the next."""
        found: list[list[Run]] = []
        for _ in range(100):
            runs = self.step()
            self.plane.end([run.run_id for run in runs], fails=fails)
            if runs:
                found.append(runs)
            if self.backfill.status.has_ended:
                return found
        raise AssertionError(f"It never ends: {self.backfill}")


def days(*ranges: tuple[int, int]) -> PartitionSubset:
    return PartitionSubset(tuple([(KEYS[first], KEYS[last]) for first, last in ranges]))


def targets(amounts: Mapping[sg.AssetsDefinition, PartitionSubset | None]) -> tuple[BackfillTarget, ...]:
    return tuple([BackfillTarget(asset.key, part) for asset, part in amounts.items()])


def shown(run: Run) -> tuple[list[str], str | None, str | None]:
    return sorted(key.to_user_string() for key in run.asset_selection), run.partition_start, run.partition_end


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


def end_started(case: Case) -> None:
    """Has all runs that go on end well."""
    case.plane.end([run.run_id for run in case.plane.runs() if run.status is RunStatus.STARTED])


def other(**fields: Any) -> sg.AssetsDefinition:
    """The asset `raw` as other code declares it."""

    @sg.asset(name="raw", **fields)
    def changed() -> None: ...

    return changed


def test_a_backfill_is_planned_by_the_definitions_it_began_with() -> None:
    case = Case(targets=targets({raw: days((0, 2)), clean: days((0, 2)), report: None}), max_concurrent=1)
    case.step()
    # Now one run may make all partitions, which lie elsewhere, and nothing depends on anything.
    later = sg.DailyPartitionsDefinition("2026-01-03", end_date="2026-02-01")
    ranged_raw = other(partitions_def=later, backfill_policy=sg.BackfillPolicy.single_run(), code_version="2")

    @sg.asset(name="clean", partitions_def=DAYS)
    def loose() -> None: ...

    case.plane.location.load(sg.Definitions(assets=[ranged_raw, loose, report]))
    end_started(case)
    rounds = case.go_on()
    assert [[shown(run) for run in runs] for runs in rounds] == [
        [(["clean", "raw"], KEYS[1], KEYS[1])],
        [(["clean", "raw"], KEYS[2], KEYS[2])],
        [(["report"], None, None)],
    ]
    assert {run.manifest_hash for runs in rounds for run in runs} == {case.plane.location.state.manifest_hash}
    ended = case.backfill
    assert (ended.status, ended.error) == (BackfillStatus.COMPLETED_SUCCESS, None)
    assert [(each.name, each.what) for each in ended.changes] == [
        ("raw", ("code version", "partitions", "backfill policy")),
        ("clean", ("dependencies",)),
    ]
    assert "raw (code version, partitions, backfill policy), clean (dependencies)" in (ended.warning or "")


def test_definitions_that_changed_elsewhere_are_told_apart_and_the_old_ones_may_come_back() -> None:
    case = Case(targets=targets({raw: days((0, 2))}), max_concurrent=1)
    case.step()
    case.plane.location.load(sg.Definitions(assets=[raw]))
    case.step()
    assert "have changed since" in (case.backfill.warning or "")
    assert "have not" in (case.backfill.warning or "")
    case.plane.location.load(sg.Definitions(assets=[other(partitions_def=DAYS, code_version="2")]))
    case.step()
    assert len(case.backfill.changes) == 1
    case.plane.location.load(sg.Definitions(assets=ASSETS, jobs=[op_job]))
    case.step()
    assert case.backfill.changes == ()
    end_started(case)
    case.go_on()
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS


def test_what_cannot_be_made_any_more_fails_when_the_rest_has_ended() -> None:
    case = Case(targets=targets({raw: days((0, 2)), clean: days((0, 2))}), max_concurrent=1, retries=3)
    (first,) = case.step()
    case.plane.end([first.run_id])
    case.plane.location.load(sg.Definitions(assets=[raw]))
    assert [[shown(run)[:2] for run in runs] for runs in case.go_on()] == [[(["raw"], key)] for key in KEYS[1:3]]
    ended = case.backfill
    assert ended.status is BackfillStatus.COMPLETED_FAILED
    assert {each.key: each.partitions for each in ended.failed} == {clean.key: days((1, 2))}
    assert (ended.error or "").startswith("The definitions that are loaded now cannot make clean:")
    assert [(each.name, each.what) for each in ended.changes] == [("clean", ("gone",))]


def test_a_run_is_not_tried_again_whose_asset_or_job_is_gone() -> None:
    case = Case(targets=targets({raw: days((0, 0))}), retries=3)
    case.step()
    case.plane.location.load(sg.Definitions(assets=[ranged]))
    case.plane.end([run.run_id for run in case.plane.runs()], fails=lambda run: True)
    assert case.step() == []
    assert (case.backfill.status, case.backfill.runs) == (BackfillStatus.COMPLETED_FAILED, 1)
    case = Case(job_name="op_job", job_partitions=days((0, 3)), max_concurrent=2, retries=3)
    first, second = case.step()
    case.plane.location.load(sg.Definitions(assets=[raw]))
    case.plane.end([first.run_id], fails=lambda run: True)
    assert case.step() == []
    assert not case.backfill.status.has_ended  # a run of it goes on
    case.plane.end([second.run_id])
    assert case.step() == []
    ended = case.backfill
    assert (ended.status, ended.failed_job_partitions) == (BackfillStatus.COMPLETED_FAILED, days((0, 0), (2, 3)))
    assert "no job 'op_job'" in (ended.error or "")
    assert "job op_job (gone)" in (ended.warning or "")


def test_what_was_dropped_by_mistake_goes_on_when_it_is_back_before_the_end() -> None:
    case = Case(targets=targets({raw: days((0, 3))}), max_concurrent=1)
    case.step()
    case.plane.location.load(sg.Definitions(assets=[ranged]))
    assert case.step() == []
    case.plane.location.load(sg.Definitions(assets=ASSETS, jobs=[op_job]))
    end_started(case)
    case.go_on()
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS


def test_a_backfill_that_does_not_say_its_definitions_is_pinned_to_those_of_its_first_round() -> None:
    case = Case(targets=targets({raw: days((0, 3))}), manifest_hash=None, max_concurrent=1)
    first = case.plane.location.state.manifest_hash
    case.step()
    case.plane.location.load(sg.Definitions(assets=[other()]))
    end_started(case)
    case.go_on()
    assert (case.backfill.status, case.backfill.manifest_hash) == (BackfillStatus.COMPLETED_SUCCESS, first)
    assert [each.what for each in case.backfill.changes] == [("partitions",)]


def test_definitions_that_are_not_stored_any_more_give_way_to_those_of_now() -> None:
    case = Case(targets=targets({raw: days((0, 0))}), manifest_hash="lost")
    case.go_on()
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS
    assert "not stored any more" in (case.backfill.warning or "")


def test_a_backfill_without_its_code_location_says_so_and_can_be_canceled() -> None:
    case = Case(targets=targets({raw: days((0, 0))}), location="elsewhere")
    assert case.step() == []
    assert "There is no code location 'elsewhere'" in (case.backfill.error or "")
    case.change(status=BackfillStatus.CANCELING)
    case.step()
    assert (case.backfill.status, case.backfill.error) == (BackfillStatus.CANCELED, None)


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

"""Backfills whose code is loaded anew while they go on: planned as they began, and warned of what has changed."""

from __future__ import annotations

from typing import Any

from backfill_case import ASSETS, DAYS, KEYS, Case, clean, days, op_job, ranged, raw, report, shown, targets

import segue as sg
from segue.model.backfill import BackfillStatus
from segue.model.run import RunStatus


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
    assert "but not those of the assets" in (case.backfill.warning or "")
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
    assert (ended.error or "").startswith("The definitions that are currently loaded can no longer materialize clean:")
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
    assert "The job 'op_job' was not found" in (ended.error or "")
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
    assert "no longer stored" in (case.backfill.warning or "")


def test_a_backfill_without_its_code_location_says_so_and_can_be_canceled() -> None:
    case = Case(targets=targets({raw: days((0, 0))}), location="elsewhere")
    assert case.step() == []
    assert "There is no code location 'elsewhere'" in (case.backfill.error or "")
    case.change(status=BackfillStatus.CANCELING)
    case.step()
    assert (case.backfill.status, case.backfill.error) == (BackfillStatus.CANCELED, None)

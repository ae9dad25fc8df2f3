"""Instances: where runs are recorded, what can be asked of them, and what they leave behind."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.model.event import Event, RunStartData
from segue.model.run import FailureReason, Run


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder in which temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@sg.asset
def a() -> int:
    return 1


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))
def part() -> int:
    return 1


@sg.asset_check(asset=a)
def good(a: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=a == 1, metadata={"value": a})


@sg.asset
def fails() -> None:
    raise ValueError


def test_nothing_temporary_is_left(temporary: Path) -> None:
    sg.materialize([a])
    sg.materialize_to_memory([a])
    sg.materialize([fails], raise_on_error=False)
    with pytest.raises(ValueError):  # noqa: PT011 - which one is not the point
        sg.materialize([fails])
    for make in (sg.Instance.ephemeral, sg.Instance.local_temp):
        with make() as instance:
            sg.materialize([a], instance=instance)
            assert list(temporary.iterdir())
        forgotten = make()
        sg.materialize([a], instance=forgotten)
        forgotten.close()
        forgotten.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_one_that_is_forgotten_goes_away(temporary: Path) -> None:
    for make in (sg.Instance.ephemeral, sg.Instance.local_temp):
        instance = make()
        sg.materialize([a], instance=instance)
        del instance
        gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_folder_of_ones_own_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with sg.Instance.local_temp(str(home)) as instance:
        run_id = sg.materialize([a], instance=instance).run_id
        assert instance.storage_directory() == str(home / "storage")
    with sg.Instance.local_temp(str(home)) as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.is_success
        assert instance.has_asset_key(a.key)

        @sg.asset
        def reads(a: int) -> int:
            return a + 1

        assert sg.materialize([a, reads], instance=instance, selection=[reads]).asset_value("reads") == 2


def test_values_of_an_ephemeral_one_may_lie_in_a_given_folder(tmp_path: Path) -> None:
    with sg.Instance.ephemeral(str(tmp_path)) as instance:
        sg.materialize([a], instance=instance)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_home_folder_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    with sg.Instance.get() as instance:
        sg.materialize([a], instance=instance)
        assert instance.storage_directory() == str(tmp_path / "home" / "storage")
    with sg.Instance.get() as instance:
        assert instance.has_asset_key(a.key)


def test_opening_the_home_ends_what_nobody_works_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path / "home"))
    with sg.Instance.get() as instance:
        instance.store.create_run(Run(run_id="r", job_name="j", created_at=1.0), b"{}", b"{}", [])
        instance.store.append([Event(2.0, RunStartData("1-gone"), run_id="r")])
    with sg.Instance.get() as instance:
        run = instance.get_run_by_id("r")
    assert run is not None
    assert (run.status, run.failure_reason) == (sg.RunStatus.FAILURE, FailureReason.INTERRUPTED)


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as found:
        yield found


def test_runs_come_newest_first(instance: sg.Instance) -> None:
    ids = [sg.materialize([a], instance=instance, tags={"n": str(n)}).run_id for n in range(3)]
    assert [run.run_id for run in instance.get_runs()] == ids[::-1]
    assert [run.run_id for run in instance.get_runs(limit=1)] == ids[2:]
    assert [run.run_id for run in instance.get_runs(cursor=ids[1])] == ids[:1]
    assert instance.get_run_by_id("none") is None
    run = instance.get_run_by_id(ids[1])
    assert run is not None
    assert (run.tags, run.asset_selection, run.status) == ({"n": "1"}, frozenset({a.key}), sg.RunStatus.SUCCESS)
    assert run.started_at is not None
    assert run.ended_at is not None
    assert run.created_at <= run.started_at <= run.ended_at


def test_the_latest_materialization(instance: sg.Instance) -> None:
    assert instance.get_latest_materialization_event(a.key) is None
    assert not instance.has_asset_key(a.key)
    sg.materialize([a], instance=instance)
    run_id = sg.materialize([a], instance=instance).run_id
    stored = instance.get_latest_materialization_event(a.key)
    assert stored is not None
    assert (stored.event.run_id, stored.event.asset_key) == (run_id, a.key)
    assert stored.event.materialization.metadata["path"].value.endswith("/a")


def test_partitions_and_checks(instance: sg.Instance) -> None:
    sg.materialize([part], instance=instance, partition_key="y")
    sg.materialize([a, good], instance=instance)
    assert instance.get_materialized_partitions(part.key) == {"y"}
    assert instance.get_materialized_partitions(a.key) == set()
    [state] = instance.get_latest_check_results().values()
    assert (state.key, state.evaluation.passed) == (good.check_key, True)
    assert instance.get_latest_check_results([sg.AssetCheckKey(a.key, "other")]) == {}


@pytest.mark.parametrize("partition", [None, "x"])
def test_what_happened_outside_of_runs_can_be_reported(instance: sg.Instance, partition: Any) -> None:
    key = sg.AssetKey(["elsewhere", "table"])
    event = sg.AssetMaterialization(key, metadata={"rows": 5}, partition=partition, tags={"by": "hand"})
    instance.report_runless_asset_event(event)
    stored = instance.get_latest_materialization_event(key)
    assert stored is not None
    assert (stored.event.run_id, stored.event.materialization) == (None, event)
    assert instance.get_materialized_partitions(key) == ({partition} if partition else set())
    instance.report_runless_asset_event(sg.AssetObservation(key))
    evaluation = sg.AssetCheckEvaluation(key, "c", False, {}, None, sg.AssetCheckSeverity.WARN, None, False, None)
    instance.report_runless_asset_event(evaluation)
    [state] = instance.get_latest_check_results().values()
    assert state.evaluation == evaluation
    assert list(instance.get_runs()) == []


def test_wiping_removes_the_state_and_keeps_the_past(instance: sg.Instance) -> None:
    run_id = sg.materialize([a], instance=instance).run_id
    sg.materialize([part], instance=instance, partition_key="x")
    instance.wipe_assets([a.key, part.key])
    assert instance.get_asset_keys() == []
    assert instance.get_materialized_partitions(part.key) == set()
    assert instance.all_logs(run_id, sg.EventType.ASSET_MATERIALIZATION)
    sg.materialize([a], instance=instance)
    assert instance.get_asset_keys() == [a.key]


def test_a_result_speaks_of_its_run_after_the_instance_is_gone() -> None:
    result = sg.materialize([a, good])
    assert result.success
    assert result.run.is_success
    assert result.run_id == result.run.run_id
    assert result.output_for_node("a") == 1
    assert {event.step_key for event in result.all_node_events} == {"a", "a_good"}
    assert [event.step_key for event in result.get_step_success_events()] == ["a", "a_good"]
    assert len(result.filter_events(lambda event: event.is_step_success)) == 2
    assert result.is_node_success("a")
    assert not result.is_node_failed("a")
    assert not result.is_node_untouched("a")
    assert result.is_node_untouched("none")
    assert result.retry_attempts_for_node("a") == 0

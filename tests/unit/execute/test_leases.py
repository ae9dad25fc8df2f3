"""Runs that are not this process's any more: nothing of them is recorded, and the error says so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

import segue as dg
from segue.model.event import EventType
from segue.model.run import RunStatus


@pytest.fixture
def instance() -> Iterator[dg.Instance]:
    with dg.Instance.ephemeral() as instance:
        yield instance


def test_a_run_that_was_ended_from_outside_records_nothing_more(instance: dg.Instance) -> None:
    called: list[str] = []

    @dg.asset
    def first(context: dg.AssetExecutionContext) -> int:
        called.append("first")
        context.instance.report_run_failed(context.run, "given up by the operator")
        return 1

    @dg.asset
    def second(first: int) -> int:
        called.append("second")
        return first

    with pytest.raises(dg.LeaseLostError, match="has ended \\(FAILURE\\)") as caught:
        dg.materialize([first, second], instance=instance)
    (run,) = instance.get_runs()
    assert caught.value.name == run.run_id
    assert run.status is RunStatus.FAILURE
    assert called == ["first"]
    assert instance.get_latest_materialization_event(dg.AssetKey("first")) is None
    types = [record.event_log_entry.dagster_event_type for record in instance.get_records_for_run(run.run_id).records]
    assert types[-1] is EventType.RUN_FAILURE


def test_user_code_cannot_swallow_that_the_run_is_lost(instance: dg.Instance) -> None:
    @dg.op
    def stubborn(context: dg.OpExecutionContext) -> int:
        context.instance.report_run_canceled(context.run)
        with contextlib.suppress(Exception):
            context.log_event(dg.AssetMaterialization("table"))
        return 1

    @dg.op
    def after(before: int) -> None:
        raise AssertionError("not reached")

    @dg.job
    def both() -> None:
        after(stubborn())

    with pytest.raises(dg.LeaseLostError):
        both.execute_in_process(instance=instance)
    (run,) = instance.get_runs()
    assert run.status is RunStatus.CANCELED
    assert instance.get_latest_materialization_event(dg.AssetKey("table")) is None

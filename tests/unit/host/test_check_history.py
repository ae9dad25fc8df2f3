"""What was recorded of the executions of checks."""

from __future__ import annotations

import pytest

import segue as sg
from segue.defs.instance_checks import AssetCheckExecutionRecordStatus as Status

ORDERS = sg.AssetCheckKey(sg.AssetKey("orders"), "not_empty")
OTHER = sg.AssetCheckKey(sg.AssetKey("orders"), "other")


@sg.asset
def orders() -> None: ...


@sg.asset_check(asset=orders)
def not_empty(context: sg.AssetCheckExecutionContext) -> sg.AssetCheckResult:
    if "raise" in context.run.tags:
        raise ValueError("no")
    return sg.AssetCheckResult(passed="fail" not in context.run.tags)


@sg.asset_check(asset=orders)
def other() -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=True)


def test_the_executions_of_a_check_are_told_newest_first() -> None:
    with sg.Instance.ephemeral() as instance:
        log = instance.event_log_storage
        assert log.get_asset_check_execution_history(ORDERS, limit=5) == []
        runs = [
            sg.materialize([orders, not_empty, other], tags=tags, instance=instance, raise_on_error=False).run_id
            for tags in ({}, {"fail": "1"}, {"raise": "1"})
        ]
        records = log.get_asset_check_execution_history(ORDERS, limit=5)
        assert [each.run_id for each in records] == runs[::-1]
        assert [each.status for each in records] == [Status.PLANNED, Status.FAILED, Status.SUCCEEDED]
        assert [each.evaluation.passed if each.evaluation else None for each in records] == [None, False, True]
        assert records[0].create_timestamp >= records[1].create_timestamp
        assert log.get_asset_check_execution_history(ORDERS, limit=1) == records[:1]
        assert log.get_asset_check_execution_history(ORDERS, limit=5, cursor=records[0].id) == records[1:]
        assert log.get_asset_check_execution_history(ORDERS, limit=5, status={Status.FAILED}) == records[1:2]
        latest = log.get_latest_asset_check_execution_by_key([ORDERS, OTHER])
        assert latest[ORDERS] == records[0]
        assert latest[OTHER].status is Status.SUCCEEDED
        with pytest.raises(sg.InvalidInvocationError, match="at least 1"):
            log.get_asset_check_execution_history(ORDERS, limit=0)


def test_what_is_reported_from_outside_belongs_to_no_run() -> None:
    with sg.Instance.ephemeral() as instance:
        evaluation = sg.AssetCheckEvaluation(ORDERS.asset_key, ORDERS.name, passed=True, partition="de")
        instance.report_runless_asset_event(evaluation)
        instance.report_runless_asset_event(evaluation)
        records = instance.event_log_storage.get_asset_check_execution_history(ORDERS, limit=5)
        assert [(each.run_id, each.partition) for each in records] == [("", "de"), ("", "de")]
        instance.wipe_assets([ORDERS.asset_key])
        assert instance.event_log_storage.get_asset_check_execution_history(ORDERS, limit=5) == []

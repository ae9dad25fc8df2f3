"""Assets, checks and what is run from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, assert_type

import segue as dg


@dg.asset
def orders() -> list[int]:
    return [1, 2]


@dg.asset(
    name="revenue",
    key_prefix=["shop", "daily"],
    ins={"orders": dg.AssetIn("orders")},
    deps=["rates", dg.AssetKey("currencies"), orders],
    group_name="money",
    owners=["team:finance", "ada@example.com"],
    tags={"tier": "gold"},
    kinds={"python"},
    metadata={"rows": 3, "page": dg.MetadataValue.url("https://example.com")},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL),
    partitions_def=dg.DailyPartitionsDefinition("2026-01-01"),
    backfill_policy=dg.BackfillPolicy.single_run(),
    automation_condition=dg.AutomationCondition.eager() & ~dg.AutomationCondition.in_progress(),
)
def revenue(context: dg.AssetExecutionContext, orders: list[int]) -> dg.Output[int]:
    assert_type(context.partition_key, str)
    assert_type(context.asset_key, dg.AssetKey)
    assert_type(context.partition_time_window, dg.TimeWindow)
    context.log.info("made %s", context.run.run_id)
    return dg.Output(sum(orders), metadata={"orders": len(orders)})


@dg.multi_asset(specs=[dg.AssetSpec("left", deps=[orders]), dg.AssetSpec("right")], can_subset=True)
def both(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key, metadata={"good": True})


@dg.multi_asset(outs={"first": dg.AssetOut(key="one"), "second": dg.AssetOut(is_required=False)})
def outputs() -> tuple[int, str]:
    return 1, "two"


@dg.asset_check(asset=orders, blocking=True)
def has_orders(orders: list[int]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bool(orders), severity=dg.AssetCheckSeverity.WARN, metadata={"n": len(orders)})


assert_type(orders, dg.AssetsDefinition)
assert_type(revenue, dg.AssetsDefinition)
assert_type(both, dg.AssetsDefinition)
assert_type(has_orders, dg.AssetChecksDefinition)
assert_type(orders.key, dg.AssetKey)

result = dg.materialize([orders, revenue, has_orders], partition_key="2026-01-02", tags={"why": "test"})
assert_type(result, dg.ExecuteInProcessResult)
assert_type(result.success, bool)
for event in result.all_events:
    assert_type(event, dg.Event)
    assert_type(event.event_type, dg.EventType)
with dg.Instance.ephemeral() as instance:
    assert_type(instance, dg.Instance)
    assert_type(dg.materialize([orders], instance=instance).run_id, str)
    runs = instance.get_runs(limit=3)
    assert_type([each.status for each in runs], list[dg.RunStatus])

selection = dg.AssetSelection.groups("money").upstream() | dg.AssetSelection.assets("orders") - dg.AssetSelection.all()
nightly = dg.define_asset_job("nightly", selection=selection, tags={"team": "finance"})
keys = dg.AssetKey(["shop", "daily", "revenue"])
assert_type(keys.path, Sequence[str])
defs = dg.Definitions(assets=[orders, revenue, both], asset_checks=[has_orders], jobs=[nightly])
assert_type(dg.Definitions.merge(defs), dg.Definitions)

dg.asset(nam="x")  # refused: reportCallIssue
dg.asset(name=3)  # refused: reportArgumentType
dg.AssetKey(3)  # refused: reportArgumentType
dg.AssetSpec("a", owners=3)  # refused: reportArgumentType
dg.AssetCheckResult(passed="yes")  # refused: reportArgumentType
dg.materialize(orders)  # refused: reportArgumentType
dg.RetryPolicy(max_retries="3")  # refused: reportArgumentType
dg.DailyPartitionsDefinition()  # refused: reportCallIssue
print(orders.nothing_like_this)  # refused: reportAttributeAccessIssue reportUnknownMemberType reportUnknownArgumentType

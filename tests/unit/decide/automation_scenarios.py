"""Scenarios of automation: definitions, then one evaluation after each step, through the public functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import segue as dg

Step = Callable[[dg.Instance], object] | timedelta | None
START = datetime(2024, 1, 5, 1, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2024-01-01")
LETTERS = dg.StaticPartitionsDefinition(["a", "b", "c"])
C = dg.AutomationCondition


def made(key: str, partition: str | None = None) -> Callable[[dg.Instance], object]:
    """The step in which an asset was made, outside of any run."""
    return lambda instance: instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))


def checked(asset: str, name: str, passed: bool) -> Callable[[dg.Instance], object]:
    """The step in which a check was executed, outside of any run."""
    return lambda instance: instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(asset_key=dg.AssetKey(asset), check_name=name, passed=passed, metadata={})
    )


def asset(
    name: str,
    condition: dg.AutomationCondition[dg.AssetOrCheckKey] | None = None,
    deps: Sequence[str | dg.AssetDep] = (),
    partitions: dg.PartitionsDefinition | None = None,
    **more: str,
) -> dg.AssetsDefinition:
    """An asset without anything inside."""

    @dg.asset(name=name, deps=list(deps), automation_condition=condition, partitions_def=partitions, **more)
    def made_here() -> None: ...

    return made_here


def check(
    name: str, of: str, condition: dg.AutomationCondition[dg.AssetOrCheckKey] | None = None, blocking: bool = False
) -> dg.AssetChecksDefinition:
    """A check that passes."""

    @dg.asset_check(name=name, asset=of, automation_condition=condition, blocking=blocking)
    def passes() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return passes


def evaluate(
    definitions: dg.Definitions | Iterable[dg.AssetsDefinition], *steps: Step
) -> list[dg.EvaluateAutomationConditionsResult]:
    """The result after each step; between two of them passes a minute, or the step's time."""
    defs = definitions if isinstance(definitions, dg.Definitions) else dg.Definitions(assets=list(definitions))
    found: list[dg.EvaluateAutomationConditionsResult] = []
    now = START
    with dg.Instance.ephemeral() as instance:
        for step in steps:
            if isinstance(step, timedelta):
                now += step
            elif step is not None:
                step(instance)
            cursor = found[-1].cursor if found else None
            found.append(dg.evaluate_automation_conditions(defs, instance, evaluation_time=now, cursor=cursor))
            now += timedelta(minutes=1)
    return found


def requested(
    definitions: dg.Definitions | Iterable[dg.AssetsDefinition], key: str, *steps: Step
) -> list[set[str | None]]:
    """What is asked for of one asset after each step."""
    return [set(each.get_requested_partitions(dg.AssetKey(key))) for each in evaluate(definitions, *steps)]

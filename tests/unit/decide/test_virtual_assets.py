"""Virtual assets: conditions look through them, and what is made from them is stale when what they show has changed."""

from __future__ import annotations

import pytest
from automation_scenarios import DAYS, C, made, requested

import segue as dg


def table(
    name: str,
    *deps: str | dg.AssetDep,
    condition: dg.AutomationCondition[dg.AssetKey] | None = None,
    partitions: dg.PartitionsDefinition | None = None,
    view: bool = False,
) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=list(deps), automation_condition=condition, partitions_def=partitions, is_virtual=view)
    def some() -> None: ...

    return some


MISSING = C.any_deps_match(C.missing())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (MISSING, [True, True, True]),  # the view itself is never made
        (MISSING.resolve_through_virtual(), [True, True, False]),
        (MISSING.resolve_through_virtual().allow(dg.AssetSelection.keys("left")), [True, False, False]),
        (MISSING.resolve_through_virtual().ignore(dg.AssetSelection.keys("left")), [True, True, False]),
        (C.all_deps_match(C.missing()).resolve_through_virtual(), [True, False, False]),
        ((~MISSING & ~C.in_progress()).resolve_through_virtual(), [False, False, True]),
    ],
)
def test_a_condition_sees_what_a_view_is_made_from(
    condition: dg.AutomationCondition[dg.AssetKey], expected: list[bool]
) -> None:
    assets = [
        table("left"),
        table("right"),
        table("joined", "left", "right", view=True),
        table("filtered", "joined", view=True),
        table("report", "filtered", condition=condition),
    ]

    asked = requested(assets, "report", None, made("left"), made("right"))

    assert [bool(each) for each in asked] == expected


def test_partitions_are_mapped_through_the_view() -> None:
    day_before = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    assets = [
        table("orders", partitions=DAYS),
        table("shifted", dg.AssetDep("orders", partition_mapping=day_before), partitions=DAYS, view=True),
        table("report", "shifted", partitions=DAYS, condition=C.any_deps_match(~C.missing()).resolve_through_virtual()),
    ]

    assert requested(assets, "report", None, made("orders", "2024-01-02")) == [set(), {"2024-01-03"}]


def test_what_is_made_from_a_view_is_stale_when_that_changes() -> None:
    assets = [
        table("orders"),
        table("view", "orders", view=True),
        table("view_of_view", "view", view=True),
        table("report", "view_of_view"),
    ]
    defs = dg.Definitions(assets=assets)

    def states(instance: dg.Instance) -> dict[str, str]:
        found = dg.stale_states(defs, instance)
        return {key.to_user_string(): state.status.value for key, state in found.items()}

    with dg.Instance.ephemeral() as instance:
        assert states(instance) == dict.fromkeys(["orders", "view", "view_of_view", "report"], "MISSING")
        dg.materialize(assets, selection=["orders"], instance=instance)
        dg.materialize(assets, selection=["report"], instance=instance)
        assert states(instance) == dict.fromkeys(["orders", "view", "view_of_view", "report"], "FRESH")
        dg.materialize(assets, selection=["orders"], instance=instance)
        assert states(instance) == {"orders": "FRESH", "view": "FRESH", "view_of_view": "FRESH", "report": "STALE"}
        causes = dg.stale_states(defs, instance)[dg.AssetKey("report")].causes
    assert [cause.dependency for cause in causes] == [dg.AssetKey("orders")]

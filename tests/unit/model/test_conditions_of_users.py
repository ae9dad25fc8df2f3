"""Conditions that users write: what their context and the parts of targets answer, and what they find again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import segue as sg

A, DOWN, UP = map(sg.AssetKey, ("a", "down", "up"))
KEYS = sg.StaticPartitionsDefinition(["p", "q"])


class Probe(sg.AutomationCondition[sg.AssetKey]):
    """Asks what the test wants to know, and is true of all."""

    def __init__(
        self, ask: Callable[[sg.AutomationContext], Any], remember: Callable[[sg.AutomationContext], Any]
    ) -> None:
        self.ask, self.remember = ask, remember

    @property
    def name(self) -> str:
        return "probe"

    def evaluate(self, context: sg.AutomationContext[sg.AssetKey]) -> sg.AutomationResult[sg.AssetKey]:
        self.ask(context)
        return sg.AutomationResult(context, context.candidate_subset, structured_cursor=self.remember(context))


def evaluated(
    probe: sg.AutomationCondition[sg.AssetKey], times: int = 1, partitions: sg.PartitionsDefinition | None = None
) -> list[int]:
    """How many partitions (or assets) each evaluation requested."""

    @sg.asset(partitions_def=partitions)
    def up() -> None: ...

    @sg.asset(deps=[up], automation_condition=probe, partitions_def=partitions)
    def a() -> None: ...

    @sg.asset(deps=[a], partitions_def=partitions)
    def down() -> None: ...

    definitions, cursor, found = sg.Definitions([up, a, down]), None, list[int]()
    with sg.Instance.ephemeral() as instance:
        for _ in range(times):
            result = sg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
            cursor = result.cursor
            found.append(result.total_requested)
    return found


def nothing(context: sg.AutomationContext) -> None:
    del context


def test_a_condition_finds_the_text_again_that_it_left() -> None:
    found: list[str | None] = []
    probe = Probe(
        lambda context: found.append(context.get_structured_cursor(as_type=str)), lambda _context: "remembered"
    )
    assert evaluated(probe, 3) == [1, 1, 1]
    assert found == [None, "remembered", "remembered"]


def test_a_condition_finds_the_part_again_that_it_left() -> None:
    found: list[Any] = []

    def ask(context: sg.AutomationContext) -> None:
        kept = context.get_structured_cursor(as_type=type(context.candidate_subset))
        found.append(None if kept is None else sorted(kept.expensively_compute_partition_keys()))
        assert context.get_structured_cursor(as_type=str) is None

    def remember(context: sg.AutomationContext) -> Any:
        return context.candidate_subset.compute_intersection_with_partition_keys({"q"})

    assert evaluated(Probe(ask, remember), 2, KEYS) == [2, 2]
    assert found == [None, ["q"]]


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(sg.SegueError, match="structured_cursor"):
        evaluated(Probe(nothing, lambda _context: 3))


def test_the_context_tells_of_the_evaluation_before() -> None:
    found: list[Any] = []

    def ask(context: sg.AutomationContext) -> None:
        before = context.previous_candidate_subset
        found.append((None if before is None else before.size, context.previous_evaluation_time is None))
        context.log.info("asked about %s", context.key)

    evaluated(Probe(ask, lambda _context: None), 2, KEYS)
    assert found == [(None, True), (2, False)]


def test_the_context_knows_what_was_requested_and_reaches_the_graph() -> None:
    found: list[Any] = []

    def ask(context: sg.AutomationContext) -> None:
        before = context.previous_temporal_context
        requested = context.get_previous_requested_subset(A)
        found.append(
            {
                "all": context.get_full_subset().size,
                "so far": dict(context.request_subsets_by_key),
                "before": None if before is None else before.effective_dt == context.previous_evaluation_time,
                "requested": None if requested is None else requested.size,
                "metadata": context.previous_metadata,
                "in graph": context.asset_graph_view.get_full_subset(key=UP).size,
                "same graph": context.asset_graph_view.asset_graph is context.asset_graph,
            }
        )

    assert evaluated(Probe(ask, lambda _context: None), 2, KEYS) == [2, 2]
    first = {
        "all": 2,
        "so far": {},
        "before": None,
        "requested": None,
        "metadata": None,
        "in graph": 2,
        "same graph": True,
    }
    assert found[0] == first
    assert {**found[1], "metadata": None} == {**first, "before": True, "requested": 2}


def test_a_condition_sees_the_metadata_that_it_gave_before() -> None:
    found: list[Any] = []

    class Counting(sg.AutomationCondition[sg.AssetKey]):
        @property
        def name(self) -> str:
            return "counting"

        def evaluate(self, context: sg.AutomationContext[sg.AssetKey]) -> sg.AutomationResult[sg.AssetKey]:
            before = context.previous_metadata
            number = 1 if not before else before["number"].value + 1
            found.append(number)
            return sg.AutomationResult(context, context.get_empty_subset(), metadata={"number": number})

    assert evaluated(Counting(), 3) == [0, 0, 0]
    assert found == [1, 2, 3]


def test_a_part_of_a_target_is_a_value_with_algebra_along_the_graph() -> None:
    def ask(context: sg.AutomationContext) -> None:
        whole = context.candidate_subset
        part = whole.compute_intersection_with_partition_keys({"p"})
        assert part == whole.compute_difference(whole.compute_difference(part))
        assert part != whole
        assert len({part, whole, part.compute_union(whole)}) == 2
        assert part.get_internal_value() == part.get_internal_subset_value()
        with pytest.raises(sg.InvariantViolationError, match="'a' is partitioned"):
            part.get_internal_bool_value()
        assert part.expensively_compute_asset_partitions() == {(A, "p")}
        for mapped, key in ((part.compute_parent_subset(UP), UP), (part.compute_child_subset(DOWN), DOWN)):
            assert mapped.key == key
            assert mapped.expensively_compute_partition_keys() == {"p"}
        with pytest.raises(AttributeError, match="immutable"):
            part.key = UP

    assert evaluated(Probe(ask, lambda _context: None), 1, KEYS) == [2]


def test_a_target_without_partitions_is_meant_or_not() -> None:
    def ask(context: sg.AutomationContext) -> None:
        whole, none = context.candidate_subset, context.get_empty_subset()
        assert (whole.get_internal_bool_value(), none.get_internal_value()) == (True, False)
        assert whole.expensively_compute_asset_partitions() == {(A, None)}
        assert none.expensively_compute_asset_partitions() == set()
        assert whole.compute_child_subset(DOWN).size == 1
        with pytest.raises(sg.InvariantViolationError, match="is not partitioned"):
            whole.get_internal_subset_value()

    assert evaluated(Probe(ask, lambda _context: None)) == [1]


def test_only_what_comes_with_segue_has_a_stored_form() -> None:
    own, eager = Probe(nothing, nothing), sg.AutomationCondition.eager()
    assert eager.is_serializable
    assert not own.is_serializable
    assert not (own & sg.AutomationCondition.missing()).is_serializable
    assert not eager.has_rule_condition
    with pytest.raises(AttributeError, match="immutable"):
        del eager.label


def test_a_node_has_an_id_for_each_place_below_each_parent() -> None:
    missing = sg.AutomationCondition.missing()
    found = missing.get_node_unique_ids(parent_unique_ids=["one", "other"], child_indices=[0, 1])
    assert len(set(found)) == 4
    assert found[0] == missing.get_node_unique_id(parent_unique_id="one", index=0)
    assert not missing.get_backcompat_node_unique_ids(parent_unique_id="one", index=0)


def test_a_freshness_policy_is_found_in_the_metadata_of_a_spec() -> None:
    policy = sg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1), warn_window=timedelta(minutes=30))
    assert sg.FreshnessPolicy.from_asset_spec_metadata({policy.metadata_key: policy}) == policy
    assert sg.FreshnessPolicy.from_asset_spec_metadata({}) is None
    assert type(policy).from_timedeltas(timedelta(hours=1), timedelta(minutes=30)) == policy

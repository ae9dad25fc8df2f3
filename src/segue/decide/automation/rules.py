"""What the conditions mean that have others inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from segue.decide.automation.leaf_rules import LEAF_RULES, evaluate_leaf, updated_so
from segue.errors import NotSupportedError
from segue.model.condition import leaves, operators, scopes
from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition
from segue.model.condition.context import AutomationContext, AutomationResult
from segue.model.condition.facts import Update
from segue.model.condition.subset import EntitySubset
from segue.model.cron_times import last_fire
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.metadata import FloatMetadataValue, IntMetadataValue
from segue.model.selection import AssetSelection


def evaluate_builtin(context: AutomationContext, condition: BuiltinAutomationCondition[Any]) -> AutomationResult:
    """The result of a condition that comes with Segue, or of a user's subclass of one that keeps its meaning.

    Asked about nothing it is true for nothing; what is inside is not asked then, unless something there remembers.
    """
    if context.candidate_subset.is_empty and not condition.has_memory:
        return AutomationResult(context, context.candidate_subset)
    for kind in type(condition).__mro__:
        rule = RULES.get(kind)
        if rule is not None:
            return rule(context, condition)
        if kind in LEAF_RULES:
            return evaluate_leaf(kind, context, condition)
    raise NotSupportedError(f"{type(condition).__name__} cannot be evaluated: implement evaluate(context).")


def _child(context: AutomationContext, child: AnyCondition, place: int, candidates: EntitySubset) -> AutomationResult:
    return context.for_child_condition(child, [place], candidates).evaluate()


def _and(context: AutomationContext, condition: operators.AndAutomationCondition[Any]) -> AutomationResult:
    """Each operand is asked about what the ones before left."""
    true = context.candidate_subset
    results: list[AutomationResult] = []
    for place, operand in enumerate(condition.operands):
        results.append(_child(context, operand, place, true))
        true = true.compute_intersection(results[-1].true_subset)
    return AutomationResult(context, true, child_results=results)


def _or(context: AutomationContext, condition: operators.OrAutomationCondition[Any]) -> AutomationResult:
    true = context.get_empty_subset()
    results: list[AutomationResult] = []
    for place, operand in enumerate(condition.operands):
        results.append(_child(context, operand, place, context.candidate_subset))
        true = true.compute_union(results[-1].true_subset)
    return AutomationResult(context, true, child_results=results)


def _not(context: AutomationContext, condition: operators.NotAutomationCondition[Any]) -> AutomationResult:
    result = _child(context, condition.operand, 0, context.candidate_subset)
    return AutomationResult(
        context, context.candidate_subset.compute_difference(result.true_subset), child_results=[result]
    )


def _newly_true(context: AutomationContext, condition: operators.NewlyTrueCondition[Any]) -> AutomationResult:
    """The operand is asked about everything: what is no candidate now may be one when it stops being new."""
    result = _child(context, condition.operand, 0, context.get_full_subset())
    node = context.node_cursor
    before = None if node is None else context.restored(node.extra)
    new = result.true_subset if before is None else result.true_subset.compute_difference(before)
    return AutomationResult(
        context,
        context.candidate_subset.compute_intersection(new),
        child_results=[result],
        structured_cursor=result.true_subset,
    )


def _since(context: AutomationContext, condition: operators.SinceCondition[Any]) -> AutomationResult:
    """Trigger and reset are asked about everything, and the result is kept for everything."""
    trigger = _child(context, condition.trigger_condition, 0, context.get_full_subset())
    reset = _child(context, condition.reset_condition, 1, context.get_full_subset())
    true = context.previous_true_subset or context.get_empty_subset()
    true = true.compute_union(trigger.true_subset).compute_difference(reset.true_subset)
    if not reset.true_subset.is_empty:
        at_once = trigger.true_subset.compute_intersection(reset.true_subset)
        true = true.compute_union(_reset_before(context, condition, at_once))
    metadata = dict(context.previous_metadata or {})
    for name, result in (("trigger", trigger), ("reset", reset)):
        if not result.true_subset.is_empty:
            metadata[f"{name}_evaluation_id"] = IntMetadataValue(context.evaluation_id)
            metadata[f"{name}_timestamp"] = FloatMetadataValue(context.evaluation_time.timestamp())
    return AutomationResult(context, true, child_results=[trigger, reset], metadata=metadata)


def _reset_before(
    context: AutomationContext, condition: operators.SinceCondition[Any], at_once: EntitySubset
) -> EntitySubset:
    """What was first reset, and then triggered: both between two evaluations, but the times of the two are known."""
    trigger = _moment(context, condition.trigger_condition)
    reset = _moment(context, condition.reset_condition)
    if at_once.is_empty or trigger is None or reset is None:
        return context.get_empty_subset()
    if isinstance(trigger, float) and isinstance(reset, float):
        return at_once if trigger > reset else context.get_empty_subset()

    def came_later(update: Update) -> bool:
        times = [each if isinstance(each, float) else update.timestamp for each in (trigger, reset)]
        return times[0] > times[1]

    return at_once.compute_intersection(updated_so(context, came_later))


def _moment(context: AutomationContext, condition: AnyCondition) -> float | Literal["update"] | None:
    """When a condition became true, in seconds since 1970: with the last update, or at one moment for all; None if unknown."""
    before = context.previous_evaluation_time
    match condition:
        case leaves.NewlyUpdatedCondition():
            return "update"
        case leaves.NewlyRequestedCondition() if before is not None:
            return before.timestamp()
        case leaves.CronTickPassedCondition():
            tick = last_fire(condition.cron_schedule, condition.cron_timezone, context.evaluation_time)
            return None if tick is None else tick.timestamp()
        case _:
            return None


def _deps(context: AutomationContext, condition: scopes.DepsAutomationCondition[Any]) -> AutomationResult:
    keys = _narrowed(context, condition, dependencies(context, context.key, condition.resolves_virtual_deps))
    return _neighbours(context, keys, condition.operand, up=True, every=condition.operator_type == "and")


def dependencies(context: AutomationContext, key: EntityKey, through_virtual: bool) -> Sequence[AssetKey]:
    """What a target depends on, sorted: the assets it is made from; for a check its asset and what else it reads."""
    graph = context.asset_graph
    if isinstance(key, AssetCheckKey):
        return sorted({key.asset_key, *graph.checks[key].dep_keys})
    if isinstance(key, AssetJobKey):
        return ()
    return sorted(graph.real_parents(key) if through_virtual else graph.parents(key))


def _checks(context: AutomationContext, condition: scopes.ChecksAutomationCondition[Any]) -> AutomationResult:
    graph = context.asset_graph
    keys = [
        key for key in sorted(graph.checks_of(context.key)) if graph.checks[key].blocking or not condition.blocking_only
    ]
    kept = _narrowed(context, condition, keys)
    return _neighbours(context, kept, condition.operand, up=False, every=condition.operator_type == "and")


def _neighbours(
    context: AutomationContext, keys: Sequence[EntityKey], operand: AnyCondition, *, up: bool, every: bool
) -> AutomationResult:
    """What the operand says about each of them, joined: all of them must be true, or any."""
    candidates = context.candidate_subset
    true = candidates if every else context.get_empty_subset()
    results: list[AutomationResult] = []
    for key in keys:
        child = scopes.EntityMatchesCondition[Any](key=key, operand=operand)
        results.append(_matches_in(context.for_child_condition(child, [None], candidates), child, up))
        found = results[-1].true_subset
        true = true.compute_intersection(found) if every else true.compute_union(found)
    return AutomationResult(context, true, child_results=results)


def _entity_matches(context: AutomationContext, condition: scopes.EntityMatchesCondition[Any]) -> AutomationResult:
    return _matches_in(context, condition, up=True)


def _matches_in(
    context: AutomationContext, condition: scopes.EntityMatchesCondition[Any], up: bool
) -> AutomationResult:
    """The operand is asked about what belongs to the candidates there; what belongs to its answer here is true."""
    direction, back = ("up", "down") if up else ("down", "up")
    there = context.candidate_subset.compute_mapped_subset(condition.key, direction)
    result = _child(context, condition.operand, 0, there)
    here = result.true_subset.compute_mapped_subset(context.key, back)
    return AutomationResult(context, context.candidate_subset.compute_intersection(here), child_results=[result])


def _narrowed(
    context: AutomationContext,
    condition: scopes.NarrowedCondition[Any],
    keys: Sequence[Any],  # Any: assets or checks, and what comes in goes out
) -> Sequence[Any]:
    """The neighbours that are allowed and not ignored."""
    for selection, wanted in ((condition.allow_selection, True), (condition.ignore_selection, False)):
        if selection is not None:
            chosen = _selected(context, selection)
            keys = [key for key in keys if (key in chosen) is wanted]
    return keys


def _selected(context: AutomationContext, selection: AssetSelection) -> frozenset[EntityKey]:
    graph = context.asset_graph
    assets = selection.resolve(graph, allow_missing=True)
    return frozenset([*assets, *selection.resolve_checks(graph, allow_missing=True)])


def _job_roots(context: AutomationContext, condition: scopes.JobRootAssetsAutomationCondition[Any]) -> AutomationResult:
    graph = context.asset_graph
    assets = frozenset(graph.jobs[context.key.job_name].assets)
    roots = sorted(key for key in assets if assets.isdisjoint(graph.parents(key)))
    return _neighbours(context, roots, condition.operand, up=True, every=condition.operator_type == "and")


def _any_downstream(context: AutomationContext, _: scopes.AnyDownstreamConditionsCondition[Any]) -> AutomationResult:
    """Each distinct condition downstream is asked as if it were that of the target."""
    true = context.get_empty_subset()
    results: list[AutomationResult] = []
    for downstream in downstream_conditions(context, context.key):
        child = context.for_child_condition(downstream, [None], context.candidate_subset)
        results.append(child.evaluate())
        true = true.compute_union(results[-1].true_subset)
    return AutomationResult(context, true, child_results=results)


def downstream_conditions(
    context: AutomationContext, key: EntityKey
) -> Sequence[scopes.DownstreamConditionWrapperCondition[Any]]:
    """The distinct conditions of all assets downstream, with who has them; those that ask downstream themselves are left out."""
    graph, conditions = context.asset_graph, context.evaluation.conditions
    holders: dict[AnyCondition, list[AssetKey]] = {}
    seen: set[AssetKey] = set()
    waiting: list[AssetKey] = list(graph.children(key)) if isinstance(key, AssetKey) else []
    while waiting:
        downstream = waiting.pop()
        if downstream in seen or downstream == key:
            continue
        seen.add(downstream)
        waiting.extend(graph.children(downstream))
        condition = conditions.get(downstream)
        if condition is not None and not _asks_downstream(condition):
            holders.setdefault(condition, []).append(downstream)
    found = [
        scopes.DownstreamConditionWrapperCondition[Any](downstream_keys=tuple(sorted(keys)), operand=condition)
        for condition, keys in holders.items()
    ]
    return sorted(found, key=lambda each: each.downstream_keys)


def _asks_downstream(condition: AnyCondition) -> bool:
    return isinstance(condition, scopes.AnyDownstreamConditionsCondition) or any(
        map(_asks_downstream, condition.children)
    )


def _downstream(
    context: AutomationContext, condition: scopes.DownstreamConditionWrapperCondition[Any]
) -> AutomationResult:
    result = _child(context, condition.operand, 0, context.candidate_subset)
    return AutomationResult(context, result.true_subset, child_results=[result])


RULES: Mapping[type, Callable[[AutomationContext, Any], AutomationResult]] = {
    operators.AndAutomationCondition: _and,
    operators.OrAutomationCondition: _or,
    operators.NotAutomationCondition: _not,
    operators.NewlyTrueCondition: _newly_true,
    operators.SinceCondition: _since,
    scopes.DepsAutomationCondition: _deps,
    scopes.ChecksAutomationCondition: _checks,
    scopes.EntityMatchesCondition: _entity_matches,
    scopes.JobRootAssetsAutomationCondition: _job_roots,
    scopes.AnyDownstreamConditionsCondition: _any_downstream,
    scopes.DownstreamConditionWrapperCondition: _downstream,
}

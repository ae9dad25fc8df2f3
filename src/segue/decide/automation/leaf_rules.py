"""What the conditions mean that look at their target alone: the part of the candidates they are true for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from segue.decide.cron import tick_between
from segue.model.condition import leaves
from segue.model.condition.base import BuiltinAutomationCondition
from segue.model.condition.context import AutomationContext, AutomationResult, reached
from segue.model.condition.facts import EntityFacts, Update
from segue.model.condition.subset import EntitySubset
from segue.model.freshness import FreshnessState
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.run import Run
from segue.model.tags import BACKFILL_TAG

NOTHING = EntityFacts()


def facts_of(context: AutomationContext) -> EntityFacts:
    """What is recorded of the target."""
    return context.evaluation.facts.entities.get(context.key, NOTHING)


def updated_so(context: AutomationContext, fits: Callable[[Update], bool]) -> EntitySubset:
    """The candidates whose last update fits."""
    return _among(context, [partition for partition, update in facts_of(context).latest.items() if fits(update)])


def _among(context: AutomationContext, partitions: Iterable[str | None]) -> EntitySubset:
    """The candidates among these partitions; None stands for a target without partitions."""
    candidates = context.candidate_subset
    if not candidates.is_partitioned:
        return candidates if None in partitions else context.get_empty_subset()
    names = {each for each in partitions if each is not None}
    return candidates.compute_intersection_with_partition_keys(names) if names else context.get_empty_subset()


def _all_or_nothing(context: AutomationContext, holds: bool) -> EntitySubset:
    return context.candidate_subset if holds else context.get_empty_subset()


def _missing(context: AutomationContext, _: object) -> EntitySubset:
    made = facts_of(context).made
    if not made:
        return context.candidate_subset
    return context.candidate_subset.compute_difference(EntitySubset(context.asset_graph_view, context.key, made))


def _run_in_progress(context: AutomationContext, _: object) -> EntitySubset:
    return _under_way(context, context.evaluation.facts.active_runs)


def _under_way(context: AutomationContext, runs: Iterable[Run]) -> EntitySubset:
    """What is part of an active run that has not made it yet."""
    latest = facts_of(context).latest
    found = context.get_empty_subset()
    for run in runs:
        made = _among(context, [each for each, update in latest.items() if update.run_id == run.run_id])
        found = found.compute_union(_targeted(context, run).compute_difference(made))
    return found


def _execution_failed(context: AutomationContext, _: object) -> EntitySubset:
    """What is part of a failed run, and was not made since that run began."""
    latest = facts_of(context).latest
    found = context.get_empty_subset()
    for run in context.evaluation.facts.failed_runs:
        began = run.created_at
        made = _among(context, [each for each, update in latest.items() if update.timestamp >= began])
        found = found.compute_union(_targeted(context, run).compute_difference(made))
    return found


def _targeted(context: AutomationContext, run: Run) -> EntitySubset:
    """The candidates that a run is to make."""
    key = context.key
    keys = run.asset_check_selection if isinstance(key, AssetCheckKey) else run.asset_selection
    if key not in keys:
        return context.get_empty_subset()
    definition = context.partitions_def
    if definition is None or run.partition_start is None:
        return context.candidate_subset
    now = context.evaluation_time
    ends = (run.partition_start, run.partition_end or run.partition_start)
    if not all(definition.contains(end, now) for end in ends):
        return context.get_empty_subset()
    first, last = (definition.index_of(end, now) for end in ends)
    return context.candidate_subset.compute_intersection_with_partition_keys(
        definition.keys_between(first, last + 1, now)
    )


def _backfill_in_progress(context: AutomationContext, _: object) -> EntitySubset:
    """What a backfill is still going to ask a run for, and what is part of an active run that it asked for."""
    runs = [run for run in context.evaluation.facts.active_runs if BACKFILL_TAG in run.tags]
    found = _under_way(context, runs)
    part = context.restored(facts_of(context).backfilling)
    return found if part is None else found.compute_union(context.candidate_subset.compute_intersection(part))


def _check_result(context: AutomationContext, condition: leaves.CheckResultCondition[Any]) -> EntitySubset:
    return _among(context, [each for each, passed in facts_of(context).passed.items() if passed is condition.passed])


def _initial_evaluation(context: AutomationContext, _: object) -> EntitySubset:
    """True where the target was never evaluated before, or was cut into partitions otherwise (or not at all)."""
    root = context.root_key
    return _all_or_nothing(context, context.get_previous_requested_subset(root) is None)


def _in_latest_time_window(
    context: AutomationContext, condition: leaves.InLatestTimeWindowCondition[Any]
) -> EntitySubset:
    view = context.asset_graph_view
    latest = view.compute_latest_time_window_subset(key=context.key, lookback_delta=condition.lookback_delta)
    return context.candidate_subset.compute_intersection(latest)


def _will_be_requested(context: AutomationContext, _: object) -> EntitySubset:
    """What this evaluation requested, as far as one run can make it together with the root of the condition."""
    requested = context.request_subsets_by_key.get(context.key)
    root = context.root_key
    if requested is None or not context.asset_graph_view.is_same_run(context.key, root):
        return context.get_empty_subset()
    return context.candidate_subset.compute_intersection(requested)


def _newly_requested(context: AutomationContext, _: object) -> EntitySubset:
    requested = context.get_previous_requested_subset(context.key)
    return context.get_empty_subset() if requested is None else context.candidate_subset.compute_intersection(requested)


def _is_new(context: AutomationContext) -> Callable[[Update], bool]:
    """Whether an update came after the evaluation before; never in the first one."""
    cursor = context.entity_cursor
    if cursor is None:
        return lambda _: False
    after, until = reached(context.evaluation.cursor, cursor), context.evaluation.facts.last_storage_id
    return lambda update: after < update.storage_id <= until  # what came while the facts were read is new next time


def _newly_updated(context: AutomationContext, condition: object) -> EntitySubset:
    """Updates since the evaluation before; for what is only observed, those with another data version."""
    if facts_of(context).is_observed:
        return _data_version_changed(context, condition)
    return updated_so(context, _is_new(context))


def _data_version_changed(context: AutomationContext, _: object) -> EntitySubset:
    facts, new = facts_of(context), _is_new(context)
    changed = [
        partition
        for partition, update in facts.latest.items()
        if new(update) and (partition not in facts.before or facts.before[partition].version != update.version)
    ]
    return _among(context, changed)


def _code_version_changed(context: AutomationContext, _: object) -> EntitySubset:
    node = context.node_cursor
    return _all_or_nothing(context, node is not None and node.text != code_version(context))


def code_version(context: AutomationContext) -> str | None:
    """The code version that the target declares."""
    key = context.key
    return context.asset_graph.node(key).code_version if isinstance(key, AssetKey) else None


def _cron_tick_passed(context: AutomationContext, condition: leaves.CronTickPassedCondition[Any]) -> EntitySubset:
    before = context.previous_evaluation_time
    passed = before is not None and tick_between(
        condition.cron_schedule, condition.cron_timezone, before, context.evaluation_time
    )
    return _all_or_nothing(context, passed)


def _freshness(context: AutomationContext, condition: leaves.FreshnessResultCondition[Any]) -> EntitySubset:
    return _all_or_nothing(context, facts_of(context).freshness is FreshnessState(condition.state))


def _executed_with_root_target(context: AutomationContext, _: object) -> EntitySubset:
    root = context.root_key
    if (
        context.key == root
    ):  # as its own dependency: the run made another partition of it than the one that is asked about
        return _all_or_nothing(context, False)

    def fits(run: Run) -> bool:
        return root in (run.asset_check_selection if isinstance(root, AssetCheckKey) else run.asset_selection)

    return _by_last_run(context, fits)


def _executed_with_tags(context: AutomationContext, condition: leaves.RunTagsCondition[Any]) -> EntitySubset:
    return _by_last_run(context, lambda run: condition.fits(run.tags))


def _by_last_run(context: AutomationContext, fits: Callable[[Run], bool]) -> EntitySubset:
    """The candidates whose last update was made by a run that fits."""
    runs: Mapping[str, Run] = context.evaluation.facts.runs

    def by_such_a_run(update: Update) -> bool:
        run = runs.get(update.run_id) if update.run_id is not None else None
        return run is not None and fits(run)

    return updated_so(context, by_such_a_run)


def _any_new_update_has_tags(context: AutomationContext, condition: leaves.RunTagsCondition[Any]) -> EntitySubset:
    return _by_new_updates(context, condition, any)


def _all_new_updates_have_tags(context: AutomationContext, condition: leaves.RunTagsCondition[Any]) -> EntitySubset:
    return _by_new_updates(context, condition, all)


def _by_new_updates(
    context: AutomationContext, condition: leaves.RunTagsCondition[Any], enough: Callable[[Iterable[bool]], bool]
) -> EntitySubset:
    runs: Mapping[str, Run] = context.evaluation.facts.runs

    def fits(update: Update) -> bool:
        run = runs.get(update.run_id) if update.run_id is not None else None
        return run is not None and condition.fits(run.tags)

    updates = facts_of(context).updates
    new = {partition: list(filter(_is_new(context), several)) for partition, several in updates.items()}
    return _among(context, [each for each, several in new.items() if several and enough(map(fits, several))])


LEAF_RULES: Mapping[type, Callable[[AutomationContext, Any], EntitySubset]] = {
    leaves.MissingAutomationCondition: _missing,
    leaves.RunInProgressAutomationCondition: _run_in_progress,
    leaves.BackfillInProgressAutomationCondition: _backfill_in_progress,
    leaves.ExecutionFailedAutomationCondition: _execution_failed,
    leaves.CheckResultCondition: _check_result,
    leaves.InitialEvaluationCondition: _initial_evaluation,
    leaves.InLatestTimeWindowCondition: _in_latest_time_window,
    leaves.WillBeRequestedCondition: _will_be_requested,
    leaves.NewlyRequestedCondition: _newly_requested,
    leaves.NewlyUpdatedCondition: _newly_updated,
    leaves.DataVersionChangedCondition: _data_version_changed,
    leaves.CodeVersionChangedCondition: _code_version_changed,
    leaves.CronTickPassedCondition: _cron_tick_passed,
    leaves.FreshnessResultCondition: _freshness,
    leaves.LatestRunExecutedWithRootTargetCondition: _executed_with_root_target,
    leaves.LatestRunExecutedWithTagsCondition: _executed_with_tags,
    leaves.AnyNewUpdateHasRunTagsCondition: _any_new_update_has_tags,
    leaves.AllNewUpdatesHaveRunTagsCondition: _all_new_updates_have_tags,
}


def evaluate_leaf(
    kind: type, context: AutomationContext, condition: BuiltinAutomationCondition[Any]
) -> AutomationResult:
    """The result of a condition that has no others inside."""
    true = LEAF_RULES[kind](context, condition)
    text = code_version(context) if isinstance(condition, leaves.CodeVersionChangedCondition) else None
    return AutomationResult(context, true, cursor=text)

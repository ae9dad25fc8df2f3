"""Automation conditions in the form in which Dagster serializes them, for text that was kept before a project came to Segue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast

from segue.errors import NotSupportedError
from segue.model.condition.base import AnyCondition
from segue.model.condition.kinds import KINDS, build
from segue.model.keys import AssetKey
from segue.model.selection import AssetSelection

CLASS_FIELD = "__class__"
_TAGS: Mapping[str, str] = {
    "AllChecksCondition": "all_checks_match",
    "AllDepsCondition": "all_deps_match",
    "AllJobRootAssetsMatchCondition": "all_job_root_assets_match",
    "AllNewUpdatesHaveRunTagsCondition": "all_new_updates_have_run_tags",
    "AndAssetCondition": "and",
    "AnyChecksCondition": "any_checks_match",
    "AnyDepsCondition": "any_deps_match",
    "AnyDownstreamConditionsCondition": "any_downstream_conditions",
    "AnyJobRootAssetsMatchCondition": "any_job_root_assets_match",
    "AnyNewUpdateHasRunTagsCondition": "any_new_update_has_run_tags",
    "BackfillInProgressAutomationCondition": "backfill_in_progress",
    "CheckResultCondition": "check_result",
    "CodeVersionChangedCondition": "code_version_changed",
    "CronTickPassedCondition": "cron_tick_passed",
    "DataVersionChangedCondition": "data_version_changed",
    "EntityMatchesCondition": "entity_matches",
    "FailedAutomationCondition": "execution_failed",
    "FreshnessResultCondition": "freshness_result",
    "InLatestTimeWindowCondition": "in_latest_time_window",
    "InProgressAutomationCondition": "run_in_progress",
    "InitialEvaluationCondition": "initial_evaluation",
    "LatestRunExecutedWithRootTargetCondition": "executed_with_root_target",
    "LatestRunExecutedWithTagsCondition": "executed_with_tags",
    "MissingAutomationCondition": "missing",
    "NewlyRequestedCondition": "newly_requested",
    "NewlyTrueCondition": "newly_true",
    "NewlyUpdatedCondition": "newly_updated",
    "NotAssetCondition": "not",
    "OrAssetCondition": "or",
    "SinceCondition": "since",
    "WillBeRequestedCondition": "will_be_requested",
}
_FIELDS: Mapping[str, str] = {"serializable_lookback_timedelta": "lookback_delta"}


def is_dagster_condition(data: Mapping[str, Any]) -> bool:
    """Whether this is the stored form of a condition of Dagster's."""
    return data.get(CLASS_FIELD) in _TAGS


def condition_from_dagster(data: Mapping[str, Any]) -> AnyCondition:
    """The condition that Dagster serialized so.

    Raises:
        NotSupportedError: there is something in it that has no counterpart.
    """
    tag = _TAGS[data[CLASS_FIELD]]
    known = {*KINDS[tag].fields, "label"}
    found = {_FIELDS.get(name, name): value for name, value in data.items() if value is not None}
    return build(tag, **{name: _read(value) for name, value in found.items() if name in known})


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(each) for each in cast("list[Any]", value))
    if not isinstance(value, dict):
        return value
    data = cast("dict[str, Any]", value)
    if is_dagster_condition(data):
        return condition_from_dagster(data)
    if "__set__" in data:
        return frozenset(data["__set__"])
    if "__enum__" in data:
        return data["__enum__"].rpartition(".")[2]
    name = data.get(CLASS_FIELD)
    if name is None:
        return data
    read = _VALUES.get(name)
    if read is None:
        raise NotSupportedError(
            f"The serialized automation condition contains {name!r}, which cannot be read: declare the condition again."
        )
    return read(data)


_VALUES: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "AssetKey": lambda data: AssetKey(data["path"]),
    "SerializableTimeDelta": lambda data: timedelta(data["days"], data["seconds"], data["microseconds"]),
    "AllSelection": lambda data: AssetSelection.all(bool(data.get("include_sources"))),
    "KeysAssetSelection": lambda data: AssetSelection.keys(*_read(data["selected_keys"])),
    "GroupsAssetSelection": lambda data: AssetSelection.groups(
        *data["selected_groups"], include_sources=bool(data.get("include_sources"))
    ),
    "TagAssetSelection": lambda data: AssetSelection.tag(
        data["key"], data["value"], include_sources=bool(data.get("include_sources"))
    ),
    "OrAssetSelection": lambda data: _joined(_read(data["operands"]), AssetSelection.__or__),
    "AndAssetSelection": lambda data: _joined(_read(data["operands"]), AssetSelection.__and__),
    "SubtractAssetSelection": lambda data: _read(data["left"]) - _read(data["right"]),
}


def _joined(
    selections: tuple[AssetSelection, ...], join: Callable[[AssetSelection, AssetSelection], AssetSelection]
) -> AssetSelection:
    first, *others = selections
    for other in others:
        first = join(first, other)
    return first

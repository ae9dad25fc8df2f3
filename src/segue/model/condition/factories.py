"""The static methods of `AutomationCondition`: every condition that comes with Segue, under the name users call it by."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from segue.model.condition.kinds import build
from segue.model.keys import AssetCheckKey, AssetKey, AssetOrCheckKey, CoercibleToAssetKey

if TYPE_CHECKING:
    from segue.model.condition.base import AutomationCondition, BuiltinAutomationCondition
    from segue.model.condition.operators import AndAutomationCondition
    from segue.model.condition.scopes import (
        ChecksAutomationCondition,
        DepsAutomationCondition,
        JobRootAssetsAutomationCondition,
    )

    AnyCondition: TypeAlias = AutomationCondition[Any]


class ConditionFactories:
    """What `AutomationCondition` offers without an instance."""

    __slots__ = ()

    @staticmethod
    def asset_matches(key: CoercibleToAssetKey, condition: AnyCondition) -> BuiltinAutomationCondition[Any]:
        """True for what belongs to the partitions of another asset for which the condition is true."""
        return build("entity_matches", key=AssetKey.from_coercible(key), operand=condition)

    @staticmethod
    def any_deps_match(condition: AnyCondition) -> DepsAutomationCondition[AssetOrCheckKey]:
        """True for what has a dependency for which the condition is true."""
        return build("any_deps_match", operand=condition)

    @staticmethod
    def all_deps_match(condition: AnyCondition) -> DepsAutomationCondition[AssetOrCheckKey]:
        """True where the condition is true for each dependency, in at least one of the partitions needed."""
        return build("all_deps_match", operand=condition)

    @staticmethod
    def any_checks_match(condition: AnyCondition, blocking_only: bool = False) -> ChecksAutomationCondition[AssetKey]:
        """True for an asset with a check (only blocking ones on request) for which the condition is true."""
        return build("any_checks_match", operand=condition, blocking_only=blocking_only)

    @staticmethod
    def all_checks_match(condition: AnyCondition, blocking_only: bool = False) -> ChecksAutomationCondition[AssetKey]:
        """True for an asset all of whose checks (only blocking ones on request) the condition is true for."""
        return build("all_checks_match", operand=condition, blocking_only=blocking_only)

    @staticmethod
    def any_job_root_assets_match(condition: AnyCondition) -> JobRootAssetsAutomationCondition[Any]:
        """True for a job with a root asset for which the condition is true."""
        label = f"any_job_root_assets_match({condition.get_label() or condition.name})"
        return build("any_job_root_assets_match", operand=condition, label=label)

    @staticmethod
    def all_job_root_assets_match(condition: AnyCondition) -> JobRootAssetsAutomationCondition[Any]:
        """True for a job all of whose root assets the condition is true for."""
        label = f"all_job_root_assets_match({condition.get_label() or condition.name})"
        return build("all_job_root_assets_match", operand=condition, label=label)

    @staticmethod
    def missing() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Never made, observed or executed."""
        return build("missing")

    @staticmethod
    def run_in_progress() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Part of a run that is waiting or under way and has not made it yet."""
        return build("run_in_progress")

    @staticmethod
    def backfill_in_progress() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Part of a backfill that has not ended, is not being canceled and has not made it yet, nor failed to.

        Of a backfill over the partitions of a job, and for checks, only what its runs under way are going to make counts.
        """
        return build("backfill_in_progress")

    @staticmethod
    def execution_failed() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """The last run that was to make it failed, and nothing made it since."""
        return build("execution_failed")

    @staticmethod
    def in_progress() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Part of a run or backfill that is under way."""
        either = ConditionFactories.run_in_progress() | ConditionFactories.backfill_in_progress()
        return either.with_label("in_progress")

    @staticmethod
    def check_passed() -> BuiltinAutomationCondition[AssetCheckKey]:
        """The last execution of the check passed."""
        return build("check_result", passed=True)

    @staticmethod
    def check_failed() -> BuiltinAutomationCondition[AssetCheckKey]:
        """The last execution of the check did not pass."""
        return build("check_result", passed=False)

    @staticmethod
    def initial_evaluation() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """The target is evaluated with this condition for the first time."""
        return build("initial_evaluation")

    @staticmethod
    def in_latest_time_window(lookback_delta: timedelta | None = None) -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """In the last time window that has ended, or within `lookback_delta` before its end; true without windows."""
        return build("in_latest_time_window", lookback_delta=lookback_delta)

    @staticmethod
    def will_be_requested() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Requested in this very evaluation."""
        return build("will_be_requested")

    @staticmethod
    def newly_updated() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Made, observed with a new data version, or executed since the evaluation before."""
        return build("newly_updated")

    @staticmethod
    def newly_requested() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Requested by the evaluation before."""
        return build("newly_requested")

    @staticmethod
    def code_version_changed() -> BuiltinAutomationCondition[AssetKey]:
        """Declared with another code version than in the evaluation before."""
        return build("code_version_changed")

    @staticmethod
    def data_version_changed() -> BuiltinAutomationCondition[AssetKey]:
        """Made or observed since the evaluation before, with another data version."""
        return build("data_version_changed")

    @staticmethod
    def cron_tick_passed(cron_schedule: str, cron_timezone: str = "UTC") -> BuiltinAutomationCondition[Any]:
        """A tick of the cron schedule lies between the evaluation before and this one."""
        return build("cron_tick_passed", cron_schedule=cron_schedule, cron_timezone=cron_timezone)

    @staticmethod
    def freshness_passed() -> BuiltinAutomationCondition[AssetKey]:
        """The asset is as fresh as its freshness policy asks for."""
        return build("freshness_result", state="PASS", label="freshness_passed")

    @staticmethod
    def freshness_warned() -> BuiltinAutomationCondition[AssetKey]:
        """The asset is old enough for its freshness policy to warn."""
        return build("freshness_result", state="WARN", label="freshness_warned")

    @staticmethod
    def freshness_failed() -> BuiltinAutomationCondition[AssetKey]:
        """The asset is older than its freshness policy allows."""
        return build("freshness_result", state="FAIL", label="freshness_failed")

    @staticmethod
    def newly_missing() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """Missing, and not so in the evaluation before."""
        return ConditionFactories.missing().newly_true().with_label("newly_missing")

    @staticmethod
    def executed_with_root_target() -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """The run that last made it was to make the root of the condition too."""
        return build("executed_with_root_target")

    @staticmethod
    def executed_with_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> BuiltinAutomationCondition[AssetOrCheckKey]:
        """The run that last made it has all these tags."""
        return build("executed_with_tags", tag_keys=tag_keys, tag_values=tag_values)

    @staticmethod
    def all_new_updates_have_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> BuiltinAutomationCondition[AssetKey]:
        """Made since the evaluation before, each time by a run with these tags."""
        return build("all_new_updates_have_run_tags", tag_keys=tag_keys, tag_values=tag_values)

    @staticmethod
    def any_new_update_has_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> BuiltinAutomationCondition[AssetKey]:
        """Made since the evaluation before, at least once by a run with these tags."""
        return build("any_new_update_has_run_tags", tag_keys=tag_keys, tag_values=tag_values)

    @staticmethod
    def any_deps_updated() -> DepsAutomationCondition[AssetOrCheckKey]:
        """A dependency was updated by a run that does not make the target as well, or will be requested."""
        updated = ConditionFactories.newly_updated() & ~ConditionFactories.executed_with_root_target()
        return ConditionFactories.any_deps_match(
            updated.with_label("newly_updated_without_root") | ConditionFactories.will_be_requested()
        ).with_label("any_deps_updated")

    @staticmethod
    def any_deps_missing() -> DepsAutomationCondition[AssetOrCheckKey]:
        """A dependency is missing and will not be requested."""
        return ConditionFactories.any_deps_match(
            ConditionFactories.missing() & ~ConditionFactories.will_be_requested()
        ).with_label("any_deps_missing")

    @staticmethod
    def any_deps_in_progress() -> DepsAutomationCondition[AssetOrCheckKey]:
        """A dependency is part of a run or backfill that is under way."""
        return ConditionFactories.any_deps_match(ConditionFactories.in_progress()).with_label("any_deps_in_progress")

    @staticmethod
    def all_deps_blocking_checks_passed() -> DepsAutomationCondition[AssetOrCheckKey]:
        """Every blocking check on every dependency passed, or will be requested."""
        passed = ConditionFactories.check_passed() | ConditionFactories.will_be_requested()
        checks = ConditionFactories.all_checks_match(passed, blocking_only=True)
        return ConditionFactories.all_deps_match(checks.with_label("all_blocking_checks_passed")).with_label(
            "all_deps_blocking_checks_passed"
        )

    @staticmethod
    def all_deps_updated_since_cron(
        cron_schedule: str, cron_timezone: str = "UTC"
    ) -> DepsAutomationCondition[AssetOrCheckKey]:
        """Every dependency was updated since the last tick of the cron schedule, or will be requested."""
        tick = ConditionFactories.cron_tick_passed(cron_schedule, cron_timezone)
        return ConditionFactories.all_deps_match(
            ConditionFactories.newly_updated().since(tick) | ConditionFactories.will_be_requested()
        ).with_label(f"all_deps_updated_since_cron({cron_schedule}, {cron_timezone})")

    @staticmethod
    @cache
    def eager() -> AndAutomationCondition[AssetOrCheckKey]:
        """As soon as a dependency was updated, or the target went missing; not while anything needed is missing.

        Only the latest time window; not while the target or a dependency is being made.
        """
        wanted = ConditionFactories.newly_missing() | ConditionFactories.any_deps_updated()
        return (
            ConditionFactories.in_latest_time_window()
            & wanted.since_last_handled()
            & ~ConditionFactories.any_deps_missing()
            & ~ConditionFactories.any_deps_in_progress()
            & ~ConditionFactories.in_progress()
        ).with_label("eager")

    @staticmethod
    def on_cron(cron_schedule: str, cron_timezone: str = "UTC") -> AndAutomationCondition[AssetOrCheckKey]:
        """Once after each tick of the cron schedule, when every dependency was updated since the tick.

        Only the latest time window.
        """
        return (
            ConditionFactories.in_latest_time_window()
            & ConditionFactories.cron_tick_passed(cron_schedule, cron_timezone).since_last_handled()
            & ConditionFactories.all_deps_updated_since_cron(cron_schedule, cron_timezone)
        ).with_label(f"on_cron({cron_schedule}, {cron_timezone})")

    @staticmethod
    def on_missing() -> AndAutomationCondition[AssetOrCheckKey]:
        """Once when the target went missing (a new partition, for instance) and nothing it needs is missing.

        Only the latest time window.
        """
        missing = ConditionFactories.missing().newly_true().since_last_handled()
        return (
            ConditionFactories.in_latest_time_window()
            & missing.with_label("missing_since_last_handled")
            & ~ConditionFactories.any_deps_missing()
        ).with_label("on_missing")

    @staticmethod
    def any_downstream_conditions() -> BuiltinAutomationCondition[AssetKey]:
        """True for what the condition of any asset downstream would be true for, if it were its own."""
        return build("any_downstream_conditions")

"""How an asset stands against its freshness policy at a moment: when it was last made in, state out."""

from __future__ import annotations

from datetime import UTC, datetime

from segue.model.cron_times import last_fire, next_fire
from segue.model.freshness import CronFreshnessPolicy, FreshnessPolicy, FreshnessState, TimeWindowFreshnessPolicy


def freshness_state(policy: FreshnessPolicy | None, last_updated: float | None, now: datetime) -> FreshnessState:
    """The state of an asset.

    Args:
        policy: what is asked of it; None where nothing is.
        last_updated: when it was last made, in seconds since 1970, UTC; None for never. Who makes it elsewhere says so by a
            materialization: an observation only tells that somebody looked.
        now: the moment, with a time zone.
    """
    if policy is None:
        return FreshnessState.NOT_APPLICABLE
    if last_updated is None:
        return FreshnessState.UNKNOWN
    if isinstance(policy, TimeWindowFreshnessPolicy):
        return _in_window(policy, now.timestamp() - last_updated)
    if isinstance(policy, CronFreshnessPolicy):
        return _by_deadline(policy, last_updated, now)
    return FreshnessState.UNKNOWN


def next_change(policy: FreshnessPolicy, last_updated: float | None, now: datetime) -> float | None:
    """When the state of an asset may become another without anything being made, in seconds since 1970, UTC; None for never.

    Args:
        policy: what is asked of it.
        last_updated: as of `freshness_state`.
        now: the moment, with a time zone.
    """
    if last_updated is None:
        return None
    if isinstance(policy, TimeWindowFreshnessPolicy):
        windows = [each for each in (policy.warn_window, policy.fail_window) if each is not None]
        # An age of exactly the window is still fine, so the change comes right behind it.
        ends = [last_updated + each.total_seconds() + 0.001 for each in windows]
        return min((end for end in ends if end > now.timestamp()), default=None)
    if isinstance(policy, CronFreshnessPolicy):
        following = next_fire(policy.deadline_cron, policy.timezone, now)
        return None if following is None else following.timestamp()
    return None


def _in_window(policy: TimeWindowFreshnessPolicy, age: float) -> FreshnessState:
    if age > policy.fail_window.total_seconds():
        return FreshnessState.FAIL
    if policy.warn_window is not None and age > policy.warn_window.total_seconds():
        return FreshnessState.WARN
    return FreshnessState.PASS


def _by_deadline(policy: CronFreshnessPolicy, last_updated: float, now: datetime) -> FreshnessState:
    deadline = last_fire(policy.deadline_cron, policy.timezone, now)
    if deadline is None:
        return FreshnessState.PASS
    earliest = (
        deadline.astimezone(UTC) - policy.lower_bound_delta
    )  # spans of time are counted in UTC, across clock changes
    return FreshnessState.PASS if last_updated >= earliest.timestamp() else FreshnessState.FAIL

"""Dagster's superseded freshness policy: how far the data of an asset may lag behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from segue.errors import InvalidDefinitionError
from segue.model.cron import cron_problem
from segue.model.cron_times import last_fire
from segue.model.freshness import CronFreshnessPolicy, FreshnessPolicy, TimeWindowFreshnessPolicy
from segue.model.partitions.zones import zone_named


class FreshnessMinutes(NamedTuple):
    """How late data is, in minutes: beyond what is allowed, and in all."""

    overdue_minutes: float
    lag_minutes: float


class LegacyFreshnessPolicy:
    """How many minutes the data may lag behind, at any moment or at each tick of a cron schedule. Immutable.

    Args:
        maximum_lag_minutes: the minutes.
        cron_schedule: the moments at which it is asked; any when None.
        cron_schedule_timezone: the time zone of the cron schedule; UTC when None.

    Raises:
        InvalidDefinitionError: an invalid cron schedule or time zone, or a time zone without a cron schedule.
    """

    def __init__(
        self,
        *,
        maximum_lag_minutes: float,
        cron_schedule: str | None = None,
        cron_schedule_timezone: str | None = None,
    ) -> None:
        problem = None if cron_schedule is None else cron_problem(cron_schedule)
        if problem is not None:
            raise InvalidDefinitionError(
                f"LegacyFreshnessPolicy: {cron_schedule!r} is not a valid cron schedule: {problem}."
            )
        if cron_schedule_timezone is not None:
            if cron_schedule is None:
                raise InvalidDefinitionError("LegacyFreshnessPolicy: cron_schedule_timezone requires cron_schedule.")
            zone_named(cron_schedule_timezone)
        self.maximum_lag_minutes = float(maximum_lag_minutes)
        self.cron_schedule = cron_schedule
        self.cron_schedule_timezone = cron_schedule_timezone

    @property
    def maximum_lag_delta(self) -> timedelta:
        """The allowed lag."""
        return timedelta(minutes=self.maximum_lag_minutes)

    def get_evaluation_tick(self, evaluation_time: datetime) -> datetime | None:
        """The last moment, at or before another, at which the lag is asked."""
        if self.cron_schedule is None:
            return evaluation_time
        return last_fire(self.cron_schedule, self.cron_schedule_timezone or "UTC", evaluation_time)

    def minutes_overdue(self, data_time: datetime | None, evaluation_time: datetime) -> FreshnessMinutes | None:
        """How late data is that reaches up to a time; None where nothing is known of it."""
        if data_time is None:
            return None
        tick = self.get_evaluation_tick(evaluation_time)
        if tick is None:
            return None
        lag = max(0.0, (tick.timestamp() - data_time.timestamp()) / 60)
        return FreshnessMinutes(max(0.0, lag - self.maximum_lag_minutes), lag)

    def to_freshness_policy(self) -> FreshnessPolicy:
        """The policy that comes nearest to it."""
        if self.cron_schedule is None:
            return TimeWindowFreshnessPolicy(fail_window=max(self.maximum_lag_delta, timedelta(minutes=1)))
        allowed = max(self.maximum_lag_delta, timedelta(minutes=1))
        return CronFreshnessPolicy(self.cron_schedule, allowed, self.cron_schedule_timezone or "UTC")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FreshnessPolicy):  # what an asset that was given the policy has of it
            return self.to_freshness_policy() == other
        return isinstance(other, LegacyFreshnessPolicy) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.to_freshness_policy())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value is not None)
        return f"LegacyFreshnessPolicy({shown})"

"""Run config that depends on the partition of the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from segue.defs.run_config import RunConfig
from segue.defs.superseded import renamed, warn_superseded
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongDeclarationError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import DynamicPartitionsDefinition, Partition
from segue.model.partitions.key_range import TimestampWithTimezone
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

AnyRunConfig = Mapping[str, Any] | RunConfig
ConfigOfKey = Callable[[str], AnyRunConfig]
TagsOfKey = Callable[[str], Mapping[str, str]]
ConfigOfWindow = Callable[[datetime, datetime], AnyRunConfig]
TagsOfWindow = Callable[[datetime, datetime], Mapping[str, str]]
Exclusions = Sequence[str | datetime | TimestampWithTimezone]


class PartitionedConfig:
    """The config of a job by partition, for `@job(config=...)` and `define_asset_job(config=...)`.

    Made most easily by a decorator: `@daily_partitioned_config(start_date=...)`, `@static_partitioned_config([...])` and so on.

    Args:
        partitions_def: how the job is partitioned.
        run_config_for_partition_fn: superseded: the config of a `Partition`.
        decorated_fn: the function that a call of this object calls.
        tags_for_partition_fn: superseded: the tags of a run of a `Partition`.
        run_config_for_partition_key_fn: the config of a partition key.
        tags_for_partition_key_fn: the tags of a run of a partition key.

    Raises:
        InvalidDefinitionError: no function for the config, or two; two for the tags.
    """

    is_job_config = True

    def __class_getitem__(cls, item: object) -> type[PartitionedConfig]:
        return cls

    def __init__(
        self,
        partitions_def: PartitionsDefinition,
        run_config_for_partition_fn: Callable[[Partition], AnyRunConfig] | None = None,
        decorated_fn: Callable[..., AnyRunConfig] | None = None,
        tags_for_partition_fn: Callable[[Partition], Mapping[str, str]] | None = None,
        run_config_for_partition_key_fn: ConfigOfKey | None = None,
        tags_for_partition_key_fn: TagsOfKey | None = None,
    ) -> None:
        if not isinstance(partitions_def, PartitionsDefinition):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(
                f"PartitionedConfig: partitions_def must be a PartitionsDefinition, got {partitions_def!r}."
            )
        if (run_config_for_partition_fn is None) == (run_config_for_partition_key_fn is None):
            raise WrongDeclarationError(
                "PartitionedConfig: provide run_config_for_partition_key_fn, or its superseded form "
                "run_config_for_partition_fn, and not both."
            )
        if not callable(run_config_for_partition_fn or run_config_for_partition_key_fn):
            raise WrongDeclarationError("PartitionedConfig: run_config_for_partition_key_fn must be a function.")
        if tags_for_partition_fn is not None and tags_for_partition_key_fn is not None:
            raise WrongDeclarationError(
                "PartitionedConfig: both tags_for_partition_key_fn and tags_for_partition_fn (superseded) were "
                "provided; keep the first."
            )
        self.partitions_def = partitions_def
        for parameter, given in (
            ("run_config_for_partition_fn", run_config_for_partition_fn),
            ("tags_for_partition_fn", tags_for_partition_fn),
        ):
            if given is not None:
                warn_superseded(f"{parameter} of PartitionedConfig", f"write {parameter.replace('_fn', '_key_fn')}")
        self.run_config_for_partition_fn = run_config_for_partition_fn
        self.run_config_for_partition_key_fn = run_config_for_partition_key_fn
        self.tags_for_partition_fn = tags_for_partition_fn
        self.tags_for_partition_key_fn = tags_for_partition_key_fn
        self._decorated_fn = decorated_fn

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """The partitions that exist at `current_time` (default: now)."""
        return self.partitions_def.get_partition_keys(current_time, dynamic_partitions_store)

    def get_run_config_for_partition_key(self, partition_key: str) -> Mapping[str, Any]:
        """The run config of a partition; it need not exist."""
        key = self.partitions_def.typed_key(partition_key)
        if self.run_config_for_partition_key_fn is not None:
            config = self.run_config_for_partition_key_fn(key)
        else:
            assert self.run_config_for_partition_fn is not None  # one of the two was given
            config = self.run_config_for_partition_fn(Partition(key))
        return config.to_config_dict() if isinstance(config, RunConfig) else config

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        """The tags of a run of a partition: the user's, and those that name the partition."""
        key = self.partitions_def.typed_key(partition_key)
        own: Mapping[str, str] | None = None
        if self.tags_for_partition_key_fn is not None:
            own = self.tags_for_partition_key_fn(key)
        elif self.tags_for_partition_fn is not None:
            own = self.tags_for_partition_fn(Partition(key))
        texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in (own or {}).items()}  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        return {**texts, **self.partitions_def.get_tags_for_partition_key(partition_key)}

    @staticmethod
    def from_flexible_config(
        config: PartitionedConfig | AnyRunConfig | None, partitions_def: PartitionsDefinition
    ) -> PartitionedConfig:
        """The config as one by partition: the same for all, where it is none yet.

        Raises:
            InvalidDefinitionError: it is one by partition, of other partitions.
        """
        if isinstance(config, PartitionedConfig):
            if config.partitions_def != partitions_def:
                raise InvalidDefinitionError(
                    f"The partitions definition of the config, {config.partitions_def!r}, does not match that of "
                    f"the job, {partitions_def!r}."
                )
            return config
        fixed: AnyRunConfig = {} if config is None else config
        return PartitionedConfig(partitions_def, run_config_for_partition_key_fn=lambda _: fixed)

    def __call__(self, *args: Any, **kwargs: Any) -> AnyRunConfig:
        """What the decorated function gives.

        Raises:
            InvalidInvocationError: it was not made by a decorator.
        """
        if self._decorated_fn is None:
            raise InvalidInvocationError(
                "This PartitionedConfig cannot be called: it was not made by a decorator. Use "
                "get_run_config_for_partition_key(key)."
            )
        return self._decorated_fn(*args, **kwargs)


def partitioned_config(
    partitions_def: PartitionsDefinition, tags_for_partition_key_fn: TagsOfKey | None = None
) -> Callable[[ConfigOfKey], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from partition key to run config.

    Args:
        partitions_def: how the job is partitioned.
        tags_for_partition_key_fn: the tags of a run of a partition key.
    """

    def decorate(function: ConfigOfKey) -> PartitionedConfig:
        return PartitionedConfig(
            partitions_def,
            decorated_fn=function,
            run_config_for_partition_key_fn=function,
            tags_for_partition_key_fn=tags_for_partition_key_fn,
        )

    return decorate


def static_partitioned_config(
    partition_keys: Sequence[str],
    tags_for_partition_fn: TagsOfKey | None = None,
    tags_for_partition_key_fn: TagsOfKey | None = None,
) -> Callable[[ConfigOfKey], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from partition key to run config, for partitions listed by name.

    Args:
        partition_keys: the partitions.
        tags_for_partition_fn: superseded by `tags_for_partition_key_fn`.
        tags_for_partition_key_fn: the tags of a run of a partition key.
    """
    return partitioned_config(
        StaticPartitionsDefinition(partition_keys),
        _tags_of_key("static_partitioned_config", tags_for_partition_key_fn, tags_for_partition_fn),
    )


def dynamic_partitioned_config(
    partition_fn: Callable[[datetime | None], Sequence[str]],
    tags_for_partition_fn: TagsOfKey | None = None,
    tags_for_partition_key_fn: TagsOfKey | None = None,
) -> Callable[[ConfigOfKey], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from partition key to run config, for partitions that a function gives.

    Args:
        partition_fn: a function of the current time that returns the partitions.
        tags_for_partition_fn: superseded by `tags_for_partition_key_fn`.
        tags_for_partition_key_fn: the tags of a run of a partition key.
    """
    return partitioned_config(
        DynamicPartitionsDefinition(partition_fn),
        _tags_of_key("dynamic_partitioned_config", tags_for_partition_key_fn, tags_for_partition_fn),
    )


def hourly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Exclusions | None = None,
) -> Callable[[ConfigOfWindow], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from start and end of an hour to run config.

    Args:
        start_date, minute_offset, timezone, fmt, end_offset, exclusions: see `HourlyPartitionsDefinition`.
        tags_for_partition_fn: the tags of a run, from start and end of the hour.
    """
    definition = HourlyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(definition, tags_for_partition_fn)


def daily_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Exclusions | None = None,
) -> Callable[[ConfigOfWindow], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from start and end of a day to run config.

    Args:
        start_date, minute_offset, hour_offset, timezone, fmt, end_offset, exclusions: see `DailyPartitionsDefinition`.
        tags_for_partition_fn: the tags of a run, from start and end of the day.
    """
    definition = DailyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(definition, tags_for_partition_fn)


def weekly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Exclusions | None = None,
) -> Callable[[ConfigOfWindow], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from start and end of a week to run config.

    Args:
        start_date, minute_offset, hour_offset, day_offset, timezone, fmt, end_offset, exclusions: see
            `WeeklyPartitionsDefinition`.
        tags_for_partition_fn: the tags of a run, from start and end of the week.
    """
    definition = WeeklyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        day_offset=day_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(definition, tags_for_partition_fn)


def monthly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 1,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: TagsOfWindow | None = None,
    exclusions: Exclusions | None = None,
) -> Callable[[ConfigOfWindow], PartitionedConfig]:
    """Makes a `PartitionedConfig` of a function from start and end of a month to run config.

    Args:
        start_date, minute_offset, hour_offset, day_offset, timezone, fmt, end_offset, exclusions: see
            `MonthlyPartitionsDefinition`.
        tags_for_partition_fn: the tags of a run, from start and end of the month.
    """
    definition = MonthlyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        day_offset=day_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(definition, tags_for_partition_fn)


def _by_window(
    definition: TimeWindowPartitionsDefinition, tags: TagsOfWindow | None
) -> Callable[[ConfigOfWindow], PartitionedConfig]:
    def decorate(function: ConfigOfWindow) -> PartitionedConfig:
        def config_of_key(key: str) -> AnyRunConfig:
            return function(*definition.time_window_for_partition_key(key))

        def tags_of_key(key: str) -> Mapping[str, str]:
            return {} if tags is None else tags(*definition.time_window_for_partition_key(key))

        return PartitionedConfig(
            definition,
            decorated_fn=function,
            run_config_for_partition_key_fn=config_of_key,
            tags_for_partition_key_fn=tags_of_key,
        )

    return decorate


def _tags_of_key(where: str, given: TagsOfKey | None, superseded: TagsOfKey | None) -> TagsOfKey | None:
    return renamed(where, "tags_for_partition_key_fn", given, "tags_for_partition_fn", superseded)

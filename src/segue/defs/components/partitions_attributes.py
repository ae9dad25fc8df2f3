"""What a file says of a partitions definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Model, Resolver
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition


class _Windows(Model):
    start_date: str = Field(..., description="Where the first window begins.")
    end_date: str | None = Field(None, description="Where the last window ends at the latest.")
    timezone: str | None = Field(None, description="The time zone of the windows, such as Europe/Berlin.")


class HourlyPartitionsDefinitionModel(_Windows):
    """One partition per hour."""

    type: Literal["hourly"] = "hourly"
    minute_offset: int = 0


class DailyPartitionsDefinitionModel(_Windows):
    """One partition per day."""

    type: Literal["daily"] = "daily"
    minute_offset: int = 0
    hour_offset: int = 0


class WeeklyPartitionsDefinitionModel(_Windows):
    """One partition per week."""

    type: Literal["weekly"] = "weekly"
    minute_offset: int = 0
    hour_offset: int = 0
    day_offset: int = 0


class MonthlyPartitionsDefinitionModel(_Windows):
    """One partition per month."""

    type: Literal["monthly"] = "monthly"
    minute_offset: int = 0
    hour_offset: int = 0
    day_offset: int = 1


class TimeWindowPartitionsDefinitionModel(_Windows):
    """One partition per window between the ticks of a cron line."""

    type: Literal["time_window"] = "time_window"
    fmt: str = Field(..., description="How keys are written, as for strftime.")
    cron_schedule: str = Field(..., description="When windows begin.")


class StaticPartitionsDefinitionModel(Model):
    """Partitions that are listed."""

    type: Literal["static"] = "static"
    partition_keys: list[str] = Field(..., description="The keys, in order.")


_BY_TYPE: dict[str, Callable[..., PartitionsDefinition]] = {
    "hourly": HourlyPartitionsDefinition,
    "daily": DailyPartitionsDefinition,
    "weekly": WeeklyPartitionsDefinition,
    "monthly": MonthlyPartitionsDefinition,
    "static": StaticPartitionsDefinition,
}

PartitionsModel: TypeAlias = (
    HourlyPartitionsDefinitionModel
    | DailyPartitionsDefinitionModel
    | WeeklyPartitionsDefinitionModel
    | MonthlyPartitionsDefinitionModel
    | TimeWindowPartitionsDefinitionModel
    | StaticPartitionsDefinitionModel
)


def resolve_partitions_def(context: ResolutionContext, model: Any) -> PartitionsDefinition | None:
    """The partitions definition that a file describes."""
    if model is None:
        return None
    if isinstance(model, str):
        raise context.error(f"a partitions definition is expected here, or a template that gives one; got {model!r}.")
    said = {name: context.at_path(name).resolve_value(value) for name, value in dict(model).items() if name != "type"}
    if isinstance(model, TimeWindowPartitionsDefinitionModel):
        return TimeWindowPartitionsDefinition(start=said.pop("start_date"), end=said.pop("end_date"), **said)
    return _BY_TYPE[model.type](**said)


ResolvedPartitionsDefinition: TypeAlias = Annotated[
    PartitionsDefinition | None,
    Resolver(
        resolve_partitions_def,
        model_field_type=PartitionsModel | None,
        description="How the asset is cut into partitions.",
        examples=[
            {"type": "daily", "start_date": "2024-01-27"},
            {"type": "static", "partition_keys": ["small", "large"]},
        ],
    ),
]

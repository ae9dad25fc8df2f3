"""What a template in a component's attributes can speak of: `env`, `dg`, `datetime`, `context`."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

from segue.errors import ResolutionError
from segue.model.condition.base import AutomationCondition
from segue.model.freshness import FreshnessPolicy
from segue.model.partitions.periodic import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

_REQUIRED = object()


class EnvScope:
    """The environment: `env.NAME` is its value or nothing, `env('NAME', default)` its value or the default."""

    def __call__(self, name: str, default: object = _REQUIRED) -> object:
        """The value of an environment variable.

        Raises:
            ResolutionError: it is not set, and there is no default.
        """
        value = os.environ.get(name)
        if value is not None:
            return value
        if default is not _REQUIRED:
            return default
        raise ResolutionError(
            f"The environment variable {name} is not set, and the template gives no default: set it, or write "
            f"env('{name}', 'a default')."
        )

    def __getattr__(self, name: str) -> str | None:
        if name.startswith("_") or name in ("jinja_pass_arg", "unsafe_callable", "alters_data"):
            raise AttributeError(name)  # asked of every value by the template engine
        return os.environ.get(name)

    def __getitem__(self, name: str) -> object:
        raise ResolutionError(f"env[{name!r}] does not read an environment variable: use env.{name} or env({name!r}).")


class ContextCalls(Protocol):
    """What a template can ask of the context of the component that it stands in."""

    @property
    def project_root(self) -> Path: ...

    @property
    def load_component(self) -> Callable[..., object]: ...

    @property
    def build_defs(self) -> Callable[..., object]: ...


def default_scope() -> Mapping[str, object]:
    """What every template can speak of."""
    return {
        "env": EnvScope(),
        "dg": SimpleNamespace(
            AutomationCondition=AutomationCondition,
            DailyPartitionsDefinition=DailyPartitionsDefinition,
            FreshnessPolicy=FreshnessPolicy,
            HourlyPartitionsDefinition=HourlyPartitionsDefinition,
            MonthlyPartitionsDefinition=MonthlyPartitionsDefinition,
            StaticPartitionsDefinition=StaticPartitionsDefinition,
            TimeWindowPartitionsDefinition=TimeWindowPartitionsDefinition,
            WeeklyPartitionsDefinition=WeeklyPartitionsDefinition,
        ),
        "datetime": SimpleNamespace(datetime=datetime.datetime, timedelta=datetime.timedelta),
        "automation_condition": AutomationCondition,
    }


def context_scope(context: ContextCalls) -> Mapping[str, object]:
    """What the templates of a component's file can speak of besides."""
    return {
        "context": SimpleNamespace(
            load_component=context.load_component,
            build_defs=context.build_defs,
            project_root=str(context.project_root),
        ),
        "project_root": str(context.project_root),
        "load_component_at_path": context.load_component,
        "build_defs_at_path": context.build_defs,
    }

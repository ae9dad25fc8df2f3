"""Whole `Definitions` out of modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType, UnionType
from typing import TypeVar

from segue.defs.definitions import Definitions
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.load import load_asset_checks_from_modules, load_assets_from_modules
from segue.defs.modules import calling_module, package_modules, require_modules, require_one_place
from segue.defs.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from segue.defs.schedule import ScheduleDefinition
from segue.defs.sensor import SensorDefinition

T = TypeVar("T")


def load_definitions_from_modules(
    modules: Iterable[ModuleType],
    resources: Mapping[str, object] | None = None,
    loggers: Mapping[str, object] | None = None,
    executor: object = None,
) -> Definitions:
    """Everything defined at the top level of modules: assets, checks, jobs, schedules and sensors.

    `Definitions` objects in them are not included: merge them.

    Args:
        modules: the modules to search.
        resources, loggers, executor: passed on to `Definitions`.

    Raises:
        InvalidDefinitionError: one name or key at two places.
    """
    found = require_modules(modules, "load_definitions_from_modules")
    return Definitions(
        assets=load_assets_from_modules(found, include_specs=True),
        asset_checks=load_asset_checks_from_modules(found),
        jobs=_named(found, "job", UnresolvedAssetJobDefinition | JobDefinition),
        schedules=_named(found, "schedule", ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition),
        sensors=_named(found, "sensor", SensorDefinition),
        resources=resources,
        loggers=loggers,
        executor=executor,
    )


def load_definitions_from_module(
    module: ModuleType,
    resources: Mapping[str, object] | None = None,
    loggers: Mapping[str, object] | None = None,
    executor: object = None,
) -> Definitions:
    """Everything defined at the top level of a module, as in `load_definitions_from_modules`.

    Args:
        module: the module to search.
        resources, loggers, executor: passed on to `Definitions`.
    """
    return load_definitions_from_modules([module], resources, loggers, executor)


def load_definitions_from_current_module(
    resources: Mapping[str, object] | None = None,
    loggers: Mapping[str, object] | None = None,
    executor: object = None,
) -> Definitions:
    """Everything defined at the top level of the calling module, above the call.

    Args:
        resources, loggers, executor: passed on to `Definitions`.
    """
    module = calling_module("load_definitions_from_current_module")
    return load_definitions_from_modules([module], resources, loggers, executor)


def load_definitions_from_package_module(
    package_module: ModuleType,
    resources: Mapping[str, object] | None = None,
    loggers: Mapping[str, object] | None = None,
    executor: object = None,
) -> Definitions:
    """Everything defined at the top level of a package and of every module below it, which are imported.

    Args:
        package_module: the package.
        resources, loggers, executor: passed on to `Definitions`.
    """
    return load_definitions_from_modules(package_modules(package_module), resources, loggers, executor)


def load_definitions_from_package_name(
    package_name: str,
    resources: Mapping[str, object] | None = None,
    loggers: Mapping[str, object] | None = None,
    executor: object = None,
) -> Definitions:
    """Everything of a package, by its name, as `load_definitions_from_package_module` takes it in.

    Args:
        package_name: the name under which the package is imported.
        resources, loggers, executor: passed on to `Definitions`.
    """
    return load_definitions_from_modules(package_modules(package_name), resources, loggers, executor)


def _named(modules: Iterable[ModuleType], what: str, kind: type[T] | UnionType) -> list[T]:
    """The values of a kind at the top of modules, each once.

    Raises:
        InvalidDefinitionError: two of one name.
    """
    found: dict[int, T] = {}
    places: dict[str, str] = {}
    for module in modules:
        for variable, value in vars(module).items():
            if isinstance(value, kind) and id(value) not in found:
                require_one_place(places, what, value.name, f"{module.__name__}.{variable}")
                found[id(value)] = value
    return list(found.values())

"""What the config of an executor says of steps that fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from segue.defs.config_schema.place import NO_VALUE
from segue.defs.executor import ExecutorDefinition


class ExecutorRules(msgspec.Struct, frozen=True):
    """How a run deals with steps that fail.

    Attributes:
        retries: whether they are tried again, where they have a policy or ask for it.
        requires_success: whether a step waits for the success of those that it depends on; if not, for their outputs only.
    """

    retries: bool = True
    requires_success: bool = True


def executor_rules(executor: ExecutorDefinition | None, run_config: Mapping[str, Any]) -> ExecutorRules:
    """The rules of a run.

    Args:
        executor: the executor of its job, with the config that it was given there; None for that of the deployment.
        run_config: the config of the run.
    """
    section: Mapping[str, Any] = run_config.get("execution") or {}
    config: Any = section
    if executor is not None:
        config = executor.config_schema.resolve_config(section.get("config", NO_VALUE))
    found = list(_mappings(config))
    return ExecutorRules(
        retries=not any("disabled" in _mapping(each.get("retries")) for each in found),
        requires_success=all(
            _mapping(each.get("step_dependency_config")).get("require_upstream_step_success", True) for each in found
        ),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """A mapping and those in it: the config of an executor may stand below the name of the executor."""
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        yield mapping
        for each in mapping.values():
            yield from _mappings(each)

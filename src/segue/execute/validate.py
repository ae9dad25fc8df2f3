"""Config is checked as a whole before a run is recorded, so that a typo costs no half run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.defs.config_schema.place import ROOT
from segue.defs.describe import Described
from segue.defs.op_config import violations_of_op
from segue.defs.resource_order import resource_order
from segue.defs.run_config import config_entry
from segue.errors import ConfigViolation, InvalidConfigError
from segue.execute.resources import config_violations, needed_resources
from segue.model.steps import GraphInputSource, OwnSource
from segue.plan.plan import Plan, PlanStep, StepInput


def validate_config(
    plan: Plan,
    described: Described,
    run_config: Mapping[str, Any],
    input_values: Mapping[str, object] | None = None,
) -> None:
    """Builds the config of each step and resource once, and makes sure that every input has a value.

    Raises:
        InvalidConfigError: some of it does not fit; one line for each violation of all.
    """
    lines: list[ConfigViolation | str] = []
    for step in plan.steps:
        entry = config_entry(run_config, "ops", step.path)
        lines.extend(violations_of_op(described.ops[step.computation], entry, ROOT.below("ops", step.path)))
        for each in step.inputs:
            if each.source is not None and not _has_value(step, each, run_config, input_values or {}):
                lines.append(
                    f"ops:{step.path}:inputs:{each.name}: nothing is connected to this input and it has no default; give a value "
                    "here."
                )
    resources = described.resources
    wanted = {*run_config.get("resources", {}), *needed_resources(plan, described)} & resources.keys()
    for key in resource_order(wanted, resources):
        lines.extend(config_violations(key, resources[key], run_config))
    if lines:
        raise InvalidConfigError("The run config does not fit:", lines)


def _has_value(
    step: PlanStep, each: StepInput, run_config: Mapping[str, Any], input_values: Mapping[str, object]
) -> bool:
    """Whether an input that no step gives gets its value from somewhere."""
    source = each.source
    if not isinstance(source, (OwnSource, GraphInputSource)) or each.has_default or each.io_manager_key:
        return True
    if not each.has_value or each.name in config_entry(run_config, "ops", step.path).get("inputs", {}):
        return True
    if isinstance(source, OwnSource):
        return False
    if source.path:
        return source.name in config_entry(run_config, "ops", source.path).get("inputs", {})
    return source.name in input_values or source.name in run_config.get("inputs", {})

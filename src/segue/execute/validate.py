"""Config is checked as a whole before a run is recorded, so that a typo costs no half run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.config_schema.place import ROOT
from segue.defs.config_schema.process import validate_config as check_values
from segue.defs.describe import Described
from segue.defs.input_config import input_field
from segue.defs.op_config import violations_of_op
from segue.defs.resource_order import resource_order
from segue.defs.run_config import config_entry
from segue.errors import ConfigErrorReason, ConfigViolation, InvalidConfigError
from segue.execute.resources import config_violations, needed_resources
from segue.execute.values import value_schema
from segue.model.steps import CollectSource, GraphInputSource, OutputSource, OwnSource
from segue.plan.plan import Plan, PlanStep, StepInput


def validate_config(
    plan: Plan,
    described: Described,
    run_config: Mapping[str, Any],
    input_values: Mapping[str, object] | None = None,
    found: Sequence[ConfigViolation] = (),
) -> None:
    """Makes sure that the config of each step and resource fits, that of defaults too, and that every input has a value.

    Args:
        plan: what is run.
        described: the definitions.
        run_config: by path of steps and key of resources.
        input_values: values for the inputs of the job.
        found: what is known not to fit.

    Raises:
        InvalidConfigError: some of it does not fit; one line for each violation of all.
    """
    lines: list[ConfigViolation | str] = list(found)
    for step in plan.steps:
        op = described.ops[step.computation]
        entry = config_entry(run_config, "ops", step.path)
        if op.config_field is not None and not op.config_field.is_required and "config" not in entry:
            lines.extend(violations_of_op(op, entry, ROOT.below("ops", step.path)))  # its defaults
        given: Mapping[str, Any] = entry.get("inputs") or {}
        for each in step.inputs:
            if isinstance(each.source, OwnSource) and each.name in given and not each.io_manager_key:
                place = ROOT.below("ops", step.path, "inputs", each.name)
                lines.extend(check_values(input_field(op.ins[each.name]).config_type, given[each.name], place).errors)
            if each.name in given and _is_fed(each, described.resources):
                lines.append(
                    ConfigViolation(
                        f"root:ops:{step.path}:inputs:{each.name} gives a value to an input that takes the output of another step: "
                        "take it out, or take the dependency out.",
                        ConfigErrorReason.FIELD_NOT_DEFINED,
                        ("ops", step.path, "inputs"),
                    )
                )
            if each.source is not None and not _has_value(step, each, run_config, input_values or {}):
                lines.append(
                    f"ops:{step.path}:inputs:{each.name}: nothing is connected to this input and it has no default; give a value "
                    "here."
                )
    resources = described.resources
    needed = needed_resources(plan.steps, described) if resources else ()
    wanted = {*run_config.get("resources", {}), *needed} & resources.keys()
    for key in resource_order(wanted, resources):
        lines.extend(config_violations(key, resources[key], run_config))
    if lines:
        raise InvalidConfigError("The run config does not fit:", lines)


def _is_fed(each: StepInput, resources: Mapping[str, object]) -> bool:
    """Whether another step gives an input its value, and its IO manager takes no config for it."""
    if not isinstance(each.source, (OutputSource, CollectSource)):
        return False
    key = each.io_manager_key or each.source.io_manager_key
    return value_schema(resources.get(key), key, "input") is None


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

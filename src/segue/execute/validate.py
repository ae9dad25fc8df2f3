"""Config is checked as a whole before a run is recorded, so that a typo costs no half run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from segue.defs.config_schema.place import ROOT
from segue.defs.describe import Described
from segue.defs.job_config import fitting_resources
from segue.defs.op_config import violations_of_op
from segue.defs.resource_order import resource_order
from segue.defs.run_config import config_entry
from segue.errors import ConfigViolation, InvalidConfigError
from segue.execute.resources import config_violations
from segue.plan.plan import Plan


def validate_config(
    plan: Plan,
    described: Described,
    run_config: Mapping[str, Any],
    needed: Set[str],
    found: Sequence[ConfigViolation],
) -> None:
    """Makes sure that the config of each step and resource fits, that of defaults too.

    Args:
        plan: what is run.
        described: the definitions.
        run_config: by path of steps and key of resources.
        needed: the keys of the resources and IO managers that the steps use.
        found: what is known not to fit.

    Raises:
        InvalidConfigError: some of it is invalid; all violations are reported, one per line.
    """
    lines: list[ConfigViolation | str] = list(found)
    for step in plan.steps:
        op = described.ops[step.computation]
        entry = config_entry(run_config, "ops", step.path)
        if op.config_field is not None and not op.config_field.is_required and "config" not in entry:
            lines.extend(violations_of_op(op, entry, ROOT.below("ops", step.path)))  # its defaults
    resources = described.resources
    wanted = {*run_config.get("resources", {}), *needed} & resources.keys()
    for key in fitting_resources(resource_order(wanted, resources), resources, run_config, found):
        lines.extend(config_violations(key, resources[key], run_config))
    if lines:
        raise InvalidConfigError("The run config is invalid:", lines)

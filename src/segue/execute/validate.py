"""Config is checked as a whole before a run is recorded, so that a typo costs no half run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.defs.describe import Described
from segue.defs.run_config import config_values
from segue.errors import InvalidConfigError
from segue.plan.plan import Plan


def validate_config(plan: Plan, described: Described, run_config: Mapping[str, Any]) -> None:
    """Builds the config of each step and resource once.

    Raises:
        InvalidConfigError: some of it does not fit; one line for each violation of all.
    """
    lines: list[str] = []
    for step in plan.steps:
        model = described.ops[step.computation].shape.config
        if model is None and step.computation not in run_config.get("ops", {}):
            continue
        where = f"ops:{step.computation}:config"
        if model is None:
            lines.append(
                f"{where}: the function takes no config; add a parameter `config` annotated with a Config class."
            )
            continue
        values = config_values(run_config, "ops", step.computation)
        lines.extend(
            _violations(lambda model=model, values=values, where=where: model.from_run_config(values or {}, where))
        )
    for key in run_config.get("resources", {}):
        resource: Any = described.resources.get(key)
        values = config_values(run_config, "resources", key)
        where = f"resources:{key}:config"
        if not hasattr(resource, "with_values"):
            lines.append(f"{where}: a {type(resource).__name__} takes no config; make it a ConfigurableResource.")
            continue
        lines.extend(
            _violations(lambda resource=resource, values=values, where=where: resource.with_values(values or {}, where))
        )
    if lines:
        raise InvalidConfigError("The run config does not fit:", lines)


def _violations(build: Any) -> tuple[str, ...]:
    try:
        build()
    except InvalidConfigError as error:
        return error.errors or (str(error),)
    return ()

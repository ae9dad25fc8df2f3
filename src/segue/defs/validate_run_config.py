"""Comparing a run config with a job without running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from segue.defs.bindings import bound
from segue.defs.config_schema.place import ROOT, Walk
from segue.defs.job_config import job_parts, resolve_job_config
from segue.defs.job_definition import JobDefinition
from segue.defs.run_config import RunConfig, config_entry, plain, raw_config
from segue.defs.run_config_schema import run_config_type
from segue.errors import InvalidConfigError
from segue.model.arguments import require_type
from segue.model.keys import DEFAULT_IO_MANAGER_KEY
from segue.model.steps import GraphInputSource, OwnSource


def validate_run_config(
    job_def: JobDefinition, run_config: Mapping[str, Any] | RunConfig | None = None
) -> Mapping[str, Any]:
    """Compares a run config with the ops and resources of a job, as the start of a run does.

    Args:
        job_def: the job.
        run_config: the config; that of the job when None.

    Returns:
        The config with all defaults, members of enums, and values from the environment.

    Raises:
        InvalidConfigError: it does not fit; everything that does not is named at once.
    """
    require_type("validate_run_config", "job_def", job_def, JobDefinition)
    parts = msgspec.structs.replace(
        job_parts(job_def, {DEFAULT_IO_MANAGER_KEY: None, **job_def.resource_defs}),
        executor=job_def.executor_def,
        complete=True,
    )
    given = job_def.run_config if run_config is None else run_config
    if job_def.config_mapping is not None:
        given = job_def.config_mapping.resolve_from_unvalidated_config(raw_config(given) or {})
    resolved = resolve_job_config(job_def.replaced(config=None), given, parts)
    found: list[Any] = list(resolved.violations)
    for key in sorted(job_def.required_resource_keys & job_def.resource_defs.keys()):
        found.extend(bound("config_violations")(key, job_def.resource_defs[key], resolved.config))
    found.extend(_inputs_without_value(job_def, resolved.config))
    if found:
        raise InvalidConfigError(f"The run config does not fit the job {job_def.name!r}:", found, given)
    values = run_config_type(parts).evaluate(plain(raw_config(given) or {}, "config"), ROOT, Walk())
    ops = values["ops"]
    if parts.graph is None:  # else it is the config of the graph, as it was given
        ops = {name: {**_nothing_said(entry), **entry} for name, entry in ops.items()}
    return {
        "ops": ops,
        "execution": {job_def.executor_def.name: values["execution"].get("config")},
        "resources": {key: {"config": None, **values["resources"].get(key, {})} for key in parts.resources},
        "loggers": values["loggers"],
    }


def _nothing_said(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the entry of a node of which nothing is said; a graph without config of its own takes none."""
    said: dict[str, Any] = {"inputs": {}, "outputs": None}
    return said if "ops" in entry else {"config": None, **said}


def _inputs_without_value(job: JobDefinition, config: Mapping[str, Any]) -> list[str]:
    """What to say of inputs that nothing is connected to and the config gives no value."""
    found: list[str] = []
    for step in job.flat.steps:
        for each in step.inputs:
            source = each.source
            if not each.has_value or each.has_default or each.io_manager_key is not None:
                continue
            if isinstance(source, GraphInputSource) and not source.path and source.name in job.input_values:
                continue
            places = [(step.path, each.name)]
            if isinstance(source, GraphInputSource):
                places.append((source.path, source.name))
            elif not isinstance(source, OwnSource):
                continue
            if not any(name in _inputs_of(config, path) for path, name in places):
                found.append(
                    f"ops:{step.path}:inputs:{each.name}: nothing is connected to this input and it has no default; give a value "
                    "here."
                )
    return found


def _inputs_of(config: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = config_entry(config, "ops", path) if path else config
    return entry.get("inputs") or {}

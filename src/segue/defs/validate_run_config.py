"""Comparing a run config with a job without running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from segue.defs.bindings import bound
from segue.defs.config_schema.place import ROOT, Walk
from segue.defs.graph import GraphDefinition
from segue.defs.job_config import fitting_resources, job_parts, resolve_job_config
from segue.defs.job_definition import JobDefinition
from segue.defs.op import OpDefinition
from segue.defs.op_config import values_of_op
from segue.defs.resource_definition import ResourceDefinition
from segue.defs.resource_order import with_needs
from segue.defs.run_config import RunConfig, config_entry, plain, raw_config, with_default_sections
from segue.defs.run_config_schema import run_config_type
from segue.errors import InvalidConfigError
from segue.model.arguments import require_kind, require_type
from segue.model.keys import DEFAULT_IO_MANAGER_KEY


def validate_run_config(
    job_def: JobDefinition, run_config: Mapping[str, Any] | RunConfig | None = None
) -> Mapping[str, Any]:
    """Compares a run config with the ops and resources of a job, as the start of a run does.

    Args:
        job_def: the job.
        run_config: the config; sections that it leaves out are those of the job's config.

    Returns:
        The config with all defaults, members of enums, and values from the environment: under `ops` an entry for each op and
        graph by its path (`graph.op`), under `resources` one for each that the job needs.

    Raises:
        InvalidConfigError: it is invalid; all violations are reported at once.
    """
    require_type("validate_run_config", "job_def", job_def, JobDefinition)
    require_kind("validate_run_config", "run_config", run_config, (Mapping, RunConfig))
    parts = msgspec.structs.replace(
        job_parts(job_def, {DEFAULT_IO_MANAGER_KEY: None, **job_def.resource_defs}),
        executor=job_def.executor_def,
        needed=with_needs(job_def.required_resource_keys, job_def.resource_defs),
        complete=True,
    )
    given = with_default_sections(run_config, job_def.run_config)
    if job_def.config_mapping is not None:
        given = job_def.config_mapping.resolve_from_unvalidated_config(raw_config(given) or {})
    resolved = resolve_job_config(job_def.replaced(config=None), given, parts)
    found: list[Any] = list(resolved.violations)
    declared = job_def.resource_defs
    keys = sorted(job_def.required_resource_keys & declared.keys())
    for key in fitting_resources(keys, declared, resolved.config, resolved.violations):
        found.extend(bound("config_violations")(key, job_def.resource_defs[key], resolved.config))
    if found:
        raise InvalidConfigError(f"The run config is invalid for the job {job_def.name!r}:", found, given)
    values = run_config_type(parts).evaluate(plain(raw_config(given) or {}, "config"), ROOT, Walk())
    needed = [key for key in parts.resources if key == DEFAULT_IO_MANAGER_KEY or key in job_def.required_resource_keys]
    return {
        "ops": dict(_nodes(job_def.graph, "", resolved.config.get("ops", {}))),
        "execution": {job_def.executor_def.name: values["execution"].get("config")},
        "resources": {key: {"config": _resource_config(key, parts.resources[key], resolved.config)} for key in needed},
        "loggers": values["loggers"],
    }


def _nodes(graph: GraphDefinition, prefix: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entry of each op and graph by its path, with the config that its config mappings give it."""
    for name, use in graph.uses.items():
        path, node = f"{prefix}{name}", use.definition
        entry: Mapping[str, Any] = entries.get(path, {})
        is_op = isinstance(node, OpDefinition)
        config = values_of_op(node, entry, ROOT.below("ops", path)) if is_op else None
        yield path, {"config": config, "inputs": entry.get("inputs") or {}, "outputs": entry.get("outputs")}
        if isinstance(node, GraphDefinition):
            yield from _nodes(node, f"{path}.", entries)


def _resource_config(key: str, declared: Any, config: Mapping[str, Any]) -> Any:
    """The config of a resource with all its defaults; None where it takes none."""
    entry = config_entry(config, "resources", key)
    if isinstance(declared, ResourceDefinition):
        return declared.resolve_config(entry, ROOT.below("resources", key))
    if getattr(declared, "segue_parameter_kind", None) != "resource":
        return entry.get("config")
    return declared.with_values(entry.get("config") or {}, f"resources:{key}:config").config_values

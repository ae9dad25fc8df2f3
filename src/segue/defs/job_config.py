"""The run config of a run: compared with what there is, config mappings applied, one entry for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, cast

import msgspec

from segue.defs.config_mapping import mapped_config
from segue.defs.config_schema.place import NO_VALUE, ROOT, Place, Walk
from segue.defs.graph import GraphDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.logger import default_loggers
from segue.defs.node import NodeDefinition
from segue.defs.resource_order import with_needs
from segue.defs.run_config import plain, raw_config, with_default_sections
from segue.defs.run_config_schema import (
    RunConfigParts,
    RunConfigSchema,
    is_selected,
    nodes_type,
    resource_config,
    run_config_type,
    selected_names,
)
from segue.defs.value_entries import value_entries
from segue.errors import ConfigViolation, InvalidConfigError
from segue.model.keys import DEFAULT_IO_MANAGER_KEY

_AS_GIVEN = ("resources", "inputs", "loggers")


class ResolvedConfig(msgspec.Struct, frozen=True):
    """The config of a run as its steps read it.

    Attributes:
        config: the sections `ops` (by path: `{"graph.op": {"config": ..., "inputs": ...}}`), `resources`, `inputs` and
            `loggers`.
        violations: what does not fit.
    """

    config: dict[str, Any]
    violations: Sequence[ConfigViolation]


def job_parts(
    job: JobDefinition,
    resources: Mapping[str, object],
    selected: Set[str] | None = None,
    untied: Set[tuple[str, str]] = frozenset(),
) -> RunConfigParts:
    """What the run config of a job of ops may speak of.

    Args:
        job: the job.
        resources: the resources, by key.
        selected: the paths of the steps that are run; all when None.
        untied: the inputs (path of the step, name) that nothing of the run is tied to.
    """
    return RunConfigParts(
        nodes={name: use.definition for name, use in job.graph.uses.items()},
        resources=resources,
        loggers=job.loggers or default_loggers(),
        executor=job.own_executor,
        graph=None if job.graph.config is None else job.graph,
        selected=selected,
        values=value_entries(job.flat.steps, job.flat.ops, resources, job.input_values, selected, untied),
    )


def resolve_job_config(job: JobDefinition, run_config: object, parts: RunConfigParts) -> ResolvedConfig:
    """The config of a run of a job, with the entry of each step under its path.

    Config mappings of the job and of its graphs are applied.

    Args:
        job: the job.
        run_config: what the run was started with; sections that it leaves out are those of the job's config.
        parts: what it may speak of.

    Raises:
        InvalidConfigError: it does not match the config mapping of the job.
        ConfigMappingFunctionError: the function of a config mapping raised.
    """
    given = with_default_sections(run_config, job.run_config)
    if job.config_mapping is not None:
        given = job.config_mapping.resolve_from_unvalidated_config({} if given is None else given)
    return resolve_run_config(given, parts)


def resolve_run_config(run_config: object, parts: RunConfigParts) -> ResolvedConfig:
    """The config of a run, compared with what there is, with the entry of each step under its path.

    Args:
        run_config: a mapping, a `RunConfig`, or None.
        parts: what it may speak of.
    """
    given = plain(raw_config(run_config) or {}, "config")
    walk = Walk()
    run_config_type(parts).evaluate(given, ROOT, walk)
    config = cast("Mapping[str, Any]", given if isinstance(given, Mapping) else {})
    found = {section: dict(_mapping(config.get(section))) for section in _AS_GIVEN if config.get(section)}
    steps: dict[str, Any] = {}
    to, entries, place = _Walked(steps, walk, parts), _mapping(config.get("ops")), ROOT.field("ops")
    if parts.graph is not None:
        entries, place = _inside(parts.graph, "", entries, place, to)
    _steps(parts.nodes, "", entries, place, to)
    if steps:
        found["ops"] = steps
    return ResolvedConfig(found, tuple(walk.violations))


def run_config_schema(job: JobDefinition) -> RunConfigSchema:
    """What the run config of a job looks like."""
    parts = job_parts(job, {DEFAULT_IO_MANAGER_KEY: None, **job.resource_defs})
    needed = with_needs(job.required_resource_keys, job.resource_defs)
    return RunConfigSchema(
        msgspec.structs.replace(parts, executor=job.executor_def, needed=needed, complete=True, is_shown=True)
    )


def fitting_resources(
    keys: Iterable[str], resources: Mapping[str, object], config: Mapping[str, Any], found: Sequence[ConfigViolation]
) -> list[str]:
    """Those of some resources of which nothing is known that does not fit, so that they can be asked themselves.

    Args:
        keys: which.
        resources: all of them, by key.
        config: the run config.
        found: what is known not to fit.
    """
    refused = {each.path[1] for each in found if len(each.path) > 1 and each.path[0] == "resources"}
    given: Mapping[str, Any] = config.get("resources", {})
    return [
        key for key in keys if key not in refused and (key in given or not resource_config(resources[key]).is_required)
    ]


class _Walked(msgspec.Struct, frozen=True):
    """What is gathered on the way through the graphs of a job."""

    steps: dict[str, Any]
    walk: Walk
    parts: RunConfigParts


def _steps(
    nodes: Mapping[str, NodeDefinition], prefix: str, entries: Mapping[str, Any], place: Place, to: _Walked
) -> None:
    """Puts the entries of one graph's nodes under their paths, and applies the config mappings of graphs."""
    for name in dict.fromkeys([*selected_names(nodes, prefix, to.parts), *(each for each in entries if each in nodes)]):
        node, given, path = nodes[name], entries.get(name), f"{prefix}{name}"
        if given is not None:
            to.steps[path] = dict(_mapping(given))
        if isinstance(node, GraphDefinition):
            inner, here = _inside(node, path, _mapping(given), place.field(name), to)
            _steps({each: use.definition for each, use in node.uses.items()}, f"{path}.", inner, here, to)


def _inside(
    graph: GraphDefinition, path: str, entry: Mapping[str, Any], place: Place, to: _Walked
) -> tuple[Mapping[str, Any], Place]:
    """The entries of the nodes in a graph, and where they stand: as they are given, or as its config mapping gives them."""
    if graph.config is None:
        return _mapping(entry.get("ops")), place.field("ops")
    if to.walk.violations or (path and not is_selected(path, to.parts)):
        return {}, place
    here = place.field("config")
    try:
        made = mapped_config(graph.config, entry.get("config", NO_VALUE), here)
    except InvalidConfigError as error:
        to.walk.violations.extend(error.errors or [ConfigViolation(str(error), path=here.path)])
        return {}, place
    there = Place(here.path, f"{here.text} (returned by the config mapping of the graph {graph.name!r})")
    inner = {name: use.definition for name, use in graph.uses.items()}
    nodes_type(inner, f"{path}." if path else "", to.parts).evaluate(made, there, to.walk)
    return _mapping(made), there


def _mapping(value: object) -> Mapping[str, Any]:
    """A value that is a mapping; an empty one in the place of what is none, which the walk has named."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}

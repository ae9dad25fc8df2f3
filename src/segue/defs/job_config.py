"""The run config of a job of ops: from sections in sections to one entry for each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from segue.defs.graph import GraphDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.run_config import RunConfig
from segue.errors import InvalidConfigError

_SECTIONS = ("ops", "resources", "inputs", "loggers", "execution")
_OP_ENTRIES = frozenset({"config", "inputs", "outputs"})


def resolve_job_config(job: JobDefinition, run_config: object, resources: Mapping[str, object]) -> dict[str, Any]:
    """The config of a run of a job, with the entry of each step under its path.

    Config mappings of the job and of its graphs are applied.

    Args:
        job: the job.
        run_config: what the run was started with; that of the job when None.
        resources: the names that may stand under `resources`.

    Returns:
        The sections `ops` (by path: `{"graph.op": {"config": ..., "inputs": ...}}`), `resources` and `inputs`.

    Raises:
        InvalidConfigError: a section or name that does not exist, or a value of the wrong form.
    """
    given: Any = run_config.to_config_dict() if isinstance(run_config, RunConfig) else run_config
    if given is None:
        given = job.run_config or {}
    if job.config_mapping is not None:
        given = mapped_config(job.config_mapping, given)
    if not isinstance(given, Mapping):
        raise InvalidConfigError(f"Run config is a RunConfig or a mapping, got {type(given).__name__}.")
    config = cast("Mapping[str, Any]", given)
    errors = [f"{key}: no such section; there are {', '.join(_SECTIONS)}." for key in config if key not in _SECTIONS]
    found: dict[str, Any] = {}
    steps: dict[str, Any] = {}
    if config.get("ops"):
        found["ops"] = steps
        _ops(job.graph, "", config["ops"], "ops", steps, errors)
    given_resources: Mapping[str, Any] = config.get("resources") or {}
    given_inputs: Mapping[str, Any] = config.get("inputs") or {}
    for key, entry in given_resources.items():
        if key not in resources:
            known = ", ".join(sorted(resources)) or "none"
            errors.append(f"resources:{key}: there is none of that name; there are {known}.")
        elif not isinstance(entry, Mapping) or set(cast("Mapping[str, Any]", entry)) - {"config"}:
            errors.append(f"resources:{key}: expected {{'config': {{...}}}}, got {entry!r}.")
    for key in given_inputs:
        if key not in job.graph.input_names:
            errors.append(
                f"inputs:{key}: the job has no such input; it has {', '.join(job.graph.input_names) or 'none'}."
            )
    if errors:
        raise InvalidConfigError(f"The run config does not fit the job {job.name!r}:", errors)
    for section in ("resources", "inputs"):
        if config.get(section):
            found[section] = dict(config[section])
    return found


def _ops(
    graph: GraphDefinition, prefix: str, entries: object, where: str, found: dict[str, Any], errors: list[str]
) -> None:
    """Puts the entries of one graph's nodes under their paths."""
    if not isinstance(entries, Mapping):
        errors.append(f"{where}: expected a mapping of names, got {entries!r}.")
        return
    for name, entry in cast("Mapping[str, Any]", entries).items():
        place = f"{where}:{name}"
        if name not in graph.uses:
            errors.append(f"{place}: there is none of that name; there are {', '.join(sorted(graph.uses))}.")
            continue
        definition = graph.uses[name].definition
        is_graph = isinstance(definition, GraphDefinition)
        allowed = frozenset({"ops", "config", "inputs"}) if is_graph else _OP_ENTRIES
        if entry is None:
            entry = {}
        if not isinstance(entry, Mapping) or set(cast("Mapping[str, Any]", entry)) - allowed:
            errors.append(f"{place}: expected a mapping with {', '.join(sorted(allowed))}, got {entry!r}.")
            continue
        found[f"{prefix}{name}"] = dict(cast("Mapping[str, Any]", entry))
        if isinstance(definition, GraphDefinition):
            inner: Any = found[f"{prefix}{name}"].get("ops")
            if definition.config_mapping is not None:
                if inner:
                    errors.append(f"{place}:ops: the graph has a config mapping; give {place}:config.")
                    continue
                inner = mapped_config(definition.config_mapping, found[f"{prefix}{name}"].get("config", {}))
            if inner:
                _ops(definition, f"{prefix}{name}.", inner, f"{place}:ops", found, errors)


def mapped_config(mapping: Any, config: object) -> Any:
    """What a config mapping makes of a config; fixed config is given as it is.

    Raises:
        InvalidConfigError: the config does not fit the mapping.
    """
    return mapping if isinstance(mapping, Mapping) else mapping.resolve(config)  # pyright: ignore[reportUnknownVariableType] reason: a user's mapping

"""What a run config may say of the values of steps: inputs that no step gives, and what IO managers are told of values."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any, Final

import msgspec

from segue.defs.config_schema.declared import DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.types import ANY
from segue.defs.input_config import input_field
from segue.defs.op import OpDefinition
from segue.model.steps import CollectSource, FanInSource, GraphInputSource, OutputSource, OwnSource

_ANY_VALUE: Final = Field(ANY, is_required=False)


class ValueEntries(msgspec.Struct, frozen=True):
    """The entries of inputs and outputs.

    Attributes:
        inputs: by path of the op or graph (that of the job is empty) and by input.
        outputs: by path of the op and by output.
    """

    inputs: Mapping[str, Mapping[str, Field]]
    outputs: Mapping[str, Mapping[str, Field]]


def value_entries(
    steps: Iterable[Any],
    ops: Mapping[str, OpDefinition],
    resources: Mapping[str, object],
    given: Collection[str] = (),
    selected: Set[str] | None = None,
    untied: Set[tuple[str, str]] = frozenset(),
) -> ValueEntries:
    """The entries of the values of steps.

    Args:
        steps: those of a flattened graph (`StepNode`), or of a plan (`PlanStep`).
        ops: the ops behind them, by path.
        resources: the resources, by key; IO managers among them may take config of inputs and outputs.
        given: the inputs of the job that whoever starts the run gives values for.
        selected: the paths of the steps that are run; all when None. What another step would give may be said for these.
        untied: the inputs (path of the step, name) that nothing of the run is tied to: their value must be said.
    """
    loading = _schemas(resources, "input")
    storing = _schemas(resources, "output")
    inputs: dict[str, dict[str, Field]] = {}
    outputs: dict[str, dict[str, Field]] = {}
    for step in steps:
        op = ops[step.path]
        for each in step.inputs:
            key = _loaded_by(each, ops) if loading else None
            if key in loading:
                inputs.setdefault(step.path, {})[each.name] = loading[key]
            elif isinstance(each.source, (OwnSource, GraphInputSource)) and each.has_value:
                _add_input(inputs, step.path, each, op, is_required=not _is_given(each.source, given))
            elif isinstance(each.source, FanInSource):
                for part in each.source.sources:
                    if isinstance(part, GraphInputSource):
                        entry = _ANY_VALUE if _is_given(part, given) else Field(ANY)
                        inputs.setdefault(part.path, {}).setdefault(part.name, entry)
                if all(_is_left_out(part, selected) for part in each.source.sources):
                    inputs.setdefault(step.path, {})[each.name] = _ANY_VALUE
            elif _is_left_out(each.source, selected) and each.has_value:
                _add_input(inputs, step.path, each, op, is_required=(step.path, each.name) in untied)
        if storing:
            for name, out in op.outs.items():
                if out.io_manager_key in storing:
                    outputs.setdefault(step.path, {})[name] = storing[out.io_manager_key]
    return ValueEntries(inputs, outputs)


def _is_given(source: object, given: Collection[str]) -> bool:
    """Whether whoever starts the run gives the value."""
    return isinstance(source, GraphInputSource) and not source.path and source.name in given


def _is_left_out(source: object, selected: Set[str] | None) -> bool:
    """Whether the step that would give a value is not run."""
    return selected is not None and isinstance(source, (OutputSource, CollectSource)) and source.step not in selected


def _loaded_by(each: Any, ops: Mapping[str, OpDefinition]) -> str | None:
    """The IO manager that loads an input; None where none does."""
    key: str | None = each.io_manager_key or getattr(each.source, "io_manager_key", None)
    if key or not isinstance(each.source, (OutputSource, CollectSource)):
        return key
    return ops[each.source.step].outs[each.source.output].io_manager_key


def _add_input(inputs: dict[str, dict[str, Field]], path: str, each: Any, op: OpDefinition, is_required: bool) -> None:
    """Adds the entry of an input that no step gives; of several ops behind one input of a graph, the first says its type."""
    is_required = is_required and not each.has_default and not each.io_manager_key
    place, name = (
        (each.source.path, each.source.name) if isinstance(each.source, GraphInputSource) else (path, each.name)
    )
    known = inputs.setdefault(place, {})
    if name not in known:
        known[name] = input_field(op.ins[each.name], is_required)
    elif is_required and not known[name].is_required:
        known[name] = Field(known[name].config_type, is_required=True)


def _schemas(resources: Mapping[str, object], side: str) -> dict[str, Field]:
    """The config that IO managers take of inputs, or of outputs, by their key."""
    found = ((key, value_schema(declared, key, side)) for key, declared in resources.items())
    return {key: schema.as_field() for key, schema in found if schema is not None}


def value_schema(manager: object, manager_key: str, side: str) -> DefinitionConfigSchema | None:
    """What the config of inputs, or of outputs, looks like that an IO manager takes; None where it takes none.

    Args:
        manager: the IO manager as it is declared.
        manager_key: its key, for errors.
        side: `input` or `output`.
    """
    found: Any = getattr(manager, f"{side}_config_schema", None)
    return declared_schema(found() if inspect.ismethod(found) else found, f"the {side}s of {manager_key!r}")

"""What may stand in the run config of a run, as one config type: its walk names everything that does not fit at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any, Final, cast

import msgspec

from segue.defs.config_mapping import ConfigMapping
from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.fields import fields_sample, refuse_missing, refuse_unknown
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Field, Permissive, Shape
from segue.defs.config_schema.types import ANY, ConfigType, ConfigTypeKind, wrong_form
from segue.defs.graph import GraphDefinition
from segue.defs.io_marks import is_nothing
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.defs.resource_definition import ResourceDefinition
from segue.defs.value_entries import ValueEntries
from segue.errors import ConfigErrorReason

_SHOWN = 20
_ANYTHING: Final = Field(ANY, is_required=False)
_VALUES: Final = Field(Permissive(), is_required=False)


class RunConfigParts(msgspec.Struct, frozen=True):
    """What a run config may speak of.

    Attributes:
        nodes: the ops and graphs under `ops`, by name.
        resources: the resources, by key.
        selected: the paths of the steps that are run, whose ops must be given config; all when None.
        loggers: the loggers, by key; any when None.
        executor: how the steps are executed; None for the way of the instance.
        needed: the keys of the resources that are set up, whose required config must be given.
        values: what may be said of inputs and outputs; anything when None.
        complete: whether defaults are filled in for what is not given.
        is_shown: whether the type is looked at, and no value compared with it.
        graph: the graph of the job, where it has config of its own, which then stands in the place of that of its nodes.
    """

    nodes: Mapping[str, NodeDefinition]
    resources: Mapping[str, object]
    selected: Set[str] | None = None
    loggers: Mapping[str, object] | None = None
    executor: Any = None
    needed: Set[str] = frozenset()
    values: ValueEntries | None = None
    complete: bool = False
    is_shown: bool = False
    graph: GraphDefinition | None = None


class Entries(ConfigType):
    """A mapping of names to entries of which most need nothing: what is not given costs nothing.

    Args:
        fields: makes the entry of a name.
        names: the names that there are.
        required: those that must be given.
        complete: whether entries that are not given are filled in.
    """

    kind = ConfigTypeKind.STRICT_SHAPE

    def __init__(
        self, field: Callable[[str], Field], names: Mapping[str, object], required: Mapping[str, None], complete: bool
    ) -> None:
        self._field = field
        self._names = names
        self._required = required
        self._complete = complete

    @property
    def key(self) -> str:
        return f"Entries@{id(self)}"

    @property
    def fields(self) -> Mapping[str, Field]:
        """All entries."""
        return {name: self._field(name) for name in self._names}

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return [each.config_type for each in self.fields.values()]

    @property
    def label(self) -> str:
        names = list(self._names)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return (", ".join(names[:_SHOWN]) or "nothing") + more

    @property
    def sample(self) -> Any:
        return fields_sample({name: self._field(name) for name in list(self._required)[:_SHOWN]})

    @property
    def has_implicit_default(self) -> bool:
        return not self._required

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return wrong_form(self, "dict", value, place, walk)
        given = cast("Mapping[Any, Any]", value)
        unknown = [name for name in given if name not in self._names]
        if unknown:
            known = dict.fromkeys(self._names, _ANYTHING)
            refuse_unknown(known, unknown, place, walk, self.label)
        missing = [name for name in self._required if name not in given]
        refuse_missing({name: self._field(name) for name in missing[:_SHOWN]}, missing[:_SHOWN], place, walk)
        wanted = self._names if self._complete else [name for name in given if name in self._names]
        found: dict[str, Any] = {}
        for name in wanted:
            if name not in missing:
                field, here = self._field(name), place.field(name)
                found[name] = field.config_type.evaluate(given.get(name, {}), here, walk)
        return found


def run_config_type(parts: RunConfigParts) -> Shape:
    """The type of the run config."""
    fields: dict[str, Field] = {
        "ops": Field(nodes_type(parts.nodes, "", parts) if parts.graph is None else _mapped_type(parts.graph, True)),
        "resources": Field(_resources_type(parts)),
        "execution": Field({"config": _field_of(parts.executor)}),
        "loggers": Field(_loggers_type(parts)),
    }
    inputs: Mapping[str, Field] = {} if parts.values is None else parts.values.inputs.get("", {})
    if inputs:
        fields["inputs"] = _as_written(inputs)
    return Shape(fields)


class RunConfigSchema:
    """What the run config of a job looks like.

    Attributes:
        config_type: the type of the run config: a shape with the entries `ops`, `resources`, `execution` and `loggers`.
    """

    def __init__(self, parts: RunConfigParts) -> None:
        self.config_type = run_config_type(parts)

    @property
    def run_config_schema_type(self) -> ConfigType:
        """The same as `config_type`."""
        return self.config_type

    def all_config_types(self) -> Sequence[ConfigType]:
        """Each config type in it once."""
        found: dict[str, ConfigType] = {}
        waiting: list[ConfigType] = [self.config_type]
        while waiting:
            each = waiting.pop()
            if each.key not in found:
                found[each.key] = each
                waiting.extend(each.inner_types)
        return list(found.values())

    def has_config_type(self, name: str) -> bool:
        """Whether there is a config type of this name in it."""
        return any(each.given_name == name for each in self.all_config_types())


def nodes_type(nodes: Mapping[str, NodeDefinition], prefix: str, parts: RunConfigParts) -> Entries:
    """The type of the entries of the ops and graphs in a graph.

    Args:
        nodes: them, by name.
        prefix: the path of the graph, with a dot behind; empty for that of the job.
        parts: what the run config may speak of.
    """
    names = selected_names(nodes, prefix, parts)
    required = {name: None for name in names if _needs_config(nodes[name], f"{prefix}{name}", parts)}

    def field(name: str) -> Field:
        path = f"{prefix}{name}"
        return Field(_node_type(nodes[name], path, parts), is_required=name in required)

    return Entries(field, nodes, required, parts.complete)


def _node_type(node: NodeDefinition, path: str, parts: RunConfigParts) -> ConfigType:
    """The type of the entry of an op or graph."""
    if isinstance(node, OpDefinition):
        return _op_type(node, path, parts)
    assert isinstance(node, GraphDefinition)
    fields = _values(node, path, parts)
    if node.config is None:
        inner = {name: use.definition for name, use in node.uses.items()}
        fields["ops"] = Field(nodes_type(inner, f"{path}.", parts))
        return _node_shape(node, fields)
    return _mapped_type(node, is_selected(path, parts), fields)


def _mapped_type(graph: GraphDefinition, selected: bool, more: Mapping[str, Field] | None = None) -> ConfigType:
    """The type of the entry of a graph with config of its own: it takes that, and none for its nodes."""
    fields = dict(more or {})
    if isinstance(graph.config, ConfigMapping):
        own = graph.config.config_schema.as_field()
        fields["config"] = Field(_Unresolved(own.config_type), is_required=own.is_required and selected)
    return Shape(fields)


def _op_type(op: OpDefinition, path: str, parts: RunConfigParts) -> ConfigType:
    selected = is_selected(path, parts)
    fields = _values(op, path, parts)
    if op.config_field is not None:
        fields["config"] = (
            op.config_field if selected else Field(_Unresolved(op.config_field.config_type), is_required=False)
        )
    else:
        fields["config"] = _ANYTHING
    return _node_shape(op, fields)


def _values(node: NodeDefinition, path: str, parts: RunConfigParts) -> dict[str, Field]:
    """The entries of the inputs and outputs of an op or graph."""
    if parts.values is None or not is_selected(path, parts):
        inputs = Field(dict.fromkeys(node.input_names, _ANYTHING)) if node.input_names else _VALUES
        return {"inputs": inputs, "outputs": _ANYTHING}
    found: dict[str, Field] = {}
    if inputs := parts.values.inputs.get(path):
        fed = {name: text for name, text in _reasons(node).items() if name not in inputs}
        found["inputs"] = Field(_WithReasons(_written(inputs), fed))
    if outputs := parts.values.outputs.get(path):
        found["outputs"] = _as_written(outputs)
    return found


class _WithReasons(Shape):
    """A shape that says of some names why it has no such entry.

    Args:
        fields: its fields.
        reasons: a sentence for each name.
    """

    def __init__(self, fields: Mapping[str, Field], reasons: Mapping[str, str]) -> None:
        super().__init__(fields)
        self._reasons = reasons

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return super().evaluate(value, place, walk)
        given = cast("Mapping[Any, Any]", value)
        for name in [each for each in given if each in self._reasons]:
            text = f'Unknown entry "{name}" {place}. Expected: {self.label}. {self._reasons[name]}'
            walk.refuse(place, text, ConfigErrorReason.FIELD_NOT_DEFINED)
        return super().evaluate({name: each for name, each in given.items() if name not in self._reasons}, place, walk)


def _reasons(node: NodeDefinition) -> dict[str, str]:
    """Why no value may be given for an input of an op or graph that is connected, by input."""
    return {
        name: f"The input {name!r} takes the output of another step, or an input of its graph: it cannot be given a value."
        for name in node.input_names
        if not (isinstance(node, OpDefinition) and is_nothing(node.ins[name].dagster_type))
    }


def _node_shape(node: NodeDefinition, fields: Mapping[str, Field]) -> Shape:
    """The shape of the entry of an op or graph, which says so where all of its inputs take the outputs of other steps."""
    reasons = {} if "inputs" in fields or not node.input_names else _reasons(node)
    return _WithReasons(fields, {"inputs": " ".join(reasons.values())}) if reasons else Shape(fields)


def _as_written(fields: Mapping[str, Field]) -> Field:
    """Entries that are compared with their types, and stay as they are written."""
    return Field(_written(fields))


def _written(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {name: Field(_Unresolved(each.config_type), is_required=each.is_required) for name, each in fields.items()}


def _needs_values(path: str, parts: RunConfigParts) -> bool:
    """Whether an op or graph must be given something for its inputs or outputs."""
    if parts.values is None or not is_selected(path, parts):
        return False
    found = (parts.values.inputs.get(path, {}), parts.values.outputs.get(path, {}))
    return any(each.is_required for fields in found for each in fields.values())


def _needs_config(node: NodeDefinition, path: str, parts: RunConfigParts) -> bool:
    """Whether an op, or one inside of a graph, must be given config."""
    if _needs_values(path, parts):
        return True
    if isinstance(node, OpDefinition):
        return node.config_field is not None and node.config_field.is_required and is_selected(path, parts)
    if not isinstance(node, GraphDefinition):
        return False
    if isinstance(node.config, ConfigMapping):
        return node.config.config_schema.is_required and is_selected(path, parts)
    if node.config is not None:
        return False
    return any(_needs_config(use.definition, f"{path}.{name}", parts) for name, use in node.uses.items())


def is_selected(path: str, parts: RunConfigParts) -> bool:
    """Whether a step, or any step of a graph, is run."""
    if parts.selected is None or path in parts.selected:
        return True
    return any(each.startswith(f"{path}.") for each in parts.selected)


def selected_names(nodes: Mapping[str, NodeDefinition], prefix: str, parts: RunConfigParts) -> Collection[str]:
    """Those of the ops and graphs in a graph of which any step is run, in the time that these take, not all.

    Args:
        nodes: the ops and graphs, by name.
        prefix: the path of the graph, with a dot behind; empty for that of the job.
        parts: what the run config may speak of.
    """
    if parts.selected is None:
        return nodes
    inside = [each.removeprefix(prefix) for each in parts.selected if each.startswith(prefix)]
    found = {each for each in inside if each in nodes} | {each.partition(".")[0] for each in inside}
    return sorted(found & nodes.keys())


def _resources_type(parts: RunConfigParts) -> Entries:
    """The entries of resources: values of the types that they take. What only they can judge (validators, the environment) is
    judged when they are set up.
    """
    known: dict[str, Field] = {}

    def config(key: str) -> Field:
        if key not in known:
            own = resource_config(parts.resources[key])
            known[key] = own if parts.is_shown else Field(_Unresolved(own.config_type), is_required=own.is_required)
        return known[key]

    needed = {key: None for key in sorted(parts.needed) if key in parts.resources and config(key).is_required}
    return Entries(lambda key: Field({"config": config(key)}), parts.resources, needed, complete=False)


def resource_config(declared: object) -> Field:
    """The config that a resource takes in a run."""
    if isinstance(declared, ResourceDefinition):
        return declared.config_schema.as_field()
    own = None if isinstance(declared, type) else getattr(declared, "run_config_field", None)
    return own if isinstance(own, Field) else _ANYTHING


def _loggers_type(parts: RunConfigParts) -> ConfigType:
    loggers = parts.loggers
    if loggers is None:
        return Permissive()

    def field(key: str) -> Field:
        return Field({"config": _field_of(loggers[key])}, is_required=False)

    return Entries(field, loggers, {}, complete=False)


def _field_of(definition: object) -> Field:
    """The config field of a logger or executor."""
    schema = getattr(definition, "config_schema", None)
    return schema.as_field() if isinstance(schema, DefinitionConfigSchema) else _ANYTHING


class _Unresolved(ConfigType):
    """A config type whose values are compared with it and stay as they are: they are made what they mean later, or never."""

    def __init__(self, inner: ConfigType) -> None:
        self._inner = inner
        self.kind = inner.kind

    @property
    def key(self) -> str:
        return f"Unresolved.{self._inner.key}"

    @property
    def label(self) -> str:
        return self._inner.label

    @property
    def sample(self) -> Any:
        return self._inner.sample

    @property
    def has_implicit_default(self) -> bool:
        return self._inner.has_implicit_default

    @property
    def implicit_value(self) -> Any:
        return NO_VALUE

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if value is NO_VALUE:
            return NO_VALUE
        inner = Walk(fill=False)
        self._inner.evaluate(value, place, inner)
        walk.violations.extend(inner.violations)
        return value

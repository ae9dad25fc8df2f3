"""A computation: one function of the user, with what it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, get_origin

from segue.defs.bindings import bound
from segue.defs.compute_function import compute_function, yielding_function
from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema
from segue.defs.config_schema.shapes import Field
from segue.defs.configurable import NamedConfigurable
from segue.defs.declared_config import declared_config
from segue.defs.decorated import FunctionName, docstring_of_function
from segue.defs.docstrings import Docstring
from segue.defs.invocation import ComposableDefinition
from segue.defs.io_definitions import InputDefinition, OutputDefinition, type_of
from segue.defs.io_marks import NO_TYPE, is_nothing
from segue.defs.op_io import In, Out
from segue.defs.op_signature import output_annotations, read_in, read_ins, read_outs, shape_by_hand, value_annotation
from segue.defs.op_words import require_op_words, require_pool, require_resource_keys, step_tags
from segue.defs.results import MaterializeResult
from segue.defs.returned import Expected
from segue.defs.signature import FunctionShape, UserFunction
from segue.defs.superseded import renamed, warn_superseded
from segue.defs.types.base import ANY_TYPE, NOTHING_TYPE, SegueType
from segue.defs.types.resolve import infer_type
from segue.errors import InvalidInvocationError
from segue.model.keys import require_name
from segue.model.policies import RetryPolicy
from segue.model.source_location import SourceLocation
from segue.model.step_policy import StepPolicy


@docstring_of_function(lambda op: op.function)
class OpDefinition(ComposableDefinition, NamedConfigurable):
    """The definition of a step. Created by `@op`, and by `@asset` and similar decorators for the function of assets.

    Args:
        compute_fn: a function of the context and a dict of the inputs by name, which yields its outputs.
        name: unique among the definitions; the key of its steps.
        ins, outs: the inputs and outputs, by name; one output `result` when None.
        description: for people.
        config_schema: the schema of its config.
        required_resource_keys: resources it takes from its context.
        tags: tags on its steps.
        retry_policy: how it is retried.
        code_version: the version of the code.
        pool: the pool whose slots its steps take.
        step_policy: when its steps may start, how long they may take, and more.

    Attributes:
        function: the user's function.
        shape: the parameters of the function.
        valueless_outputs: those that never carry a value (results of checks; a function annotated `-> None`).
        can_subset: whether it can return a subset of its outputs.
    """

    __slots__ = (
        "_annotations",
        "_config",
        "_declared_resources",
        "_input_types",
        "_ins",
        "_output_types",
        "_outs",
        "can_subset",
        "code_version",
        "description",
        "function",
        "input_names",
        "name",
        "output_names",
        "pool",
        "retry_policy",
        "shape",
        "step_policy",
        "tags",
        "valueless_outputs",
    )
    node_kind = "op"
    __name__ = FunctionName(lambda op: op.function)  # pyright: ignore[reportAssignmentType] reason: it gives a text
    function: UserFunction
    shape: FunctionShape
    valueless_outputs: frozenset[str]
    retry_policy: RetryPolicy | None
    can_subset: bool
    code_version: str | None
    pool: str | None
    step_policy: StepPolicy | None
    _config: DefinitionConfigSchema | None
    _declared_resources: frozenset[str]
    _ins: Mapping[str, In] | None
    _outs: Mapping[str, Out] | None
    _annotations: Mapping[str, object] | None
    _input_types: dict[str, SegueType] | None
    _output_types: dict[str, SegueType] | None

    def __init__(
        self,
        compute_fn: UserFunction,
        name: str,
        ins: Mapping[str, In] | None = None,
        outs: Mapping[str, Out] | None = None,
        description: str | None = None,
        config_schema: object = None,
        required_resource_keys: Set[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        version: str | None = None,
        retry_policy: RetryPolicy | None = None,
        code_version: str | None = None,
        pool: str | None = None,
        *,
        step_policy: StepPolicy | None = None,
    ) -> None:
        fill_op(
            self,
            yielding_function(compute_fn, name),
            shape_by_hand(compute_fn, ins, f"op {name!r}"),
            Docstring(),
            name=name,
            ins=ins,
            out=outs,
            description=description,
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            retry_policy=retry_policy,
            code_version=renamed(f"op {name!r}", "code_version", code_version, "version", version),
            pool=pool,
            step_policy=step_policy,
        )

    @classmethod
    def of_function(
        cls,
        *,
        name: str,
        function: UserFunction,
        shape: FunctionShape,
        input_names: tuple[str, ...] = (),
        output_names: tuple[str, ...] = ("result",),
        valueless_outputs: frozenset[str] = frozenset(),
        required_resource_keys: frozenset[str] = frozenset(),
        retry_policy: RetryPolicy | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        can_subset: bool = False,
        ins: Mapping[str, In] | None = None,
        outs: Mapping[str, Out] | None = None,
        config_schema: object = None,
        code_version: str | None = None,
        pool: str | None = None,
        step_policy: StepPolicy | None = None,
    ) -> OpDefinition:
        """The op around a function that was read already, with the names of its inputs and outputs settled."""
        what = f"op {name!r}"
        require_op_words(what, retry_policy, description, code_version, can_subset, step_policy)
        require_pool(pool, tags or {}, what)
        self = cls.__new__(cls)
        self._ins = ins
        self._outs = outs
        self._annotations = None
        self._input_types = None
        self._output_types = None
        self.name = name
        self.function = function
        self.shape = shape
        self.input_names = input_names
        self.output_names = output_names
        self.valueless_outputs = valueless_outputs
        self._declared_resources = required_resource_keys
        self.retry_policy = retry_policy
        self.tags = tags or {}
        self.description = description
        self.can_subset = can_subset
        self._config = declared_config(config_schema, shape, name)
        self.code_version = code_version
        self.pool = pool
        self.step_policy = step_policy
        return self

    @property
    def config_field(self) -> Field | None:
        """The config it takes; None where neither a `config` parameter nor a `config_schema` says so."""
        return None if self._config is None else self._config.as_field()

    @property
    def has_config(self) -> bool:
        """Whether it takes config."""
        return self._config is not None or self.shape.config is not None

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """The config it takes; any where nothing says what."""
        return ANY_CONFIG if self._config is None else self._config

    @property
    def ins(self) -> Mapping[str, In]:
        """The inputs, by name."""
        if self._ins is None:
            self._ins = {name: read_in(self.shape, name, None) for name in self.input_names}
        return self._ins

    @property
    def outs(self) -> Mapping[str, Out]:
        """The outputs, by name."""
        if self._outs is None:
            self._outs = {name: Out(self._undeclared_type(name)) for name in self.output_names}
        return self._outs

    def _undeclared_type(self, name: str) -> object:
        """The type of an output of which only the function's annotation says something."""
        annotation: object = self.output_annotations.get(name, NO_TYPE)
        if name in self.valueless_outputs:
            annotation = self.shape.return_annotation
            if annotation is None:
                return NOTHING_TYPE
            if get_origin(annotation) is not MaterializeResult:
                return NO_TYPE
        inner = value_annotation(annotation, False)
        return NO_TYPE if inner is NO_TYPE else infer_type(inner, f"op {self.name!r}: the output {name!r}")

    @property
    def output_annotations(self) -> Mapping[str, object]:
        """What the function's annotation says of each output that carries a value, as written."""
        if self._annotations is None:
            names = [name for name in self.output_names if name not in self.valueless_outputs]
            several = len(names) > 1 and get_origin(self.shape.return_annotation) is not tuple
            self._annotations = {} if several else output_annotations(self.shape, names, f"op {self.name!r}")
        return self._annotations

    def input_type(self, name: str) -> SegueType:
        """The type of an input."""
        if self._input_types is None:
            self._input_types = {}
        found = self._input_types.get(name)
        if found is None:
            found = self._input_types[name] = type_of(self.ins[name].dagster_type) if name in self.ins else ANY_TYPE
        return found

    def output_type(self, name: str) -> SegueType:
        """The type of an output."""
        if self._output_types is None:
            self._output_types = {}
        found = self._output_types.get(name)
        if found is None:
            found = self._output_types[name] = type_of(self.outs[name].dagster_type)
        return found

    @property
    def input_defs(self) -> Sequence[InputDefinition]:
        """The inputs, each with its name."""
        return [each.to_definition(name) for name, each in self.ins.items()]

    @property
    def output_defs(self) -> Sequence[OutputDefinition]:
        """The outputs, each with its name."""
        return [each.to_definition(NO_TYPE, name, None, self.code_version) for name, each in self.outs.items()]

    @property
    def source(self) -> SourceLocation | None:
        """The location of its function."""
        return self.shape.source

    def iterate_op_defs(self) -> Iterator[OpDefinition]:
        """Itself."""
        yield self

    iterate_node_defs = iterate_op_defs

    @property
    def pools(self) -> Set[str]:
        """The pool whose slots its steps take, if any."""
        return set() if self.pool is None else {self.pool}

    def input_has_default(self, input_name: str) -> bool:
        """Whether an input has a default."""
        self.require_input(input_name)
        return self.ins[input_name].has_default_value

    def default_value_for_input(self, input_name: str) -> object:
        """The value of an input if nothing is connected.

        Raises:
            InvalidInvocationError: it has no default.
        """
        if not self.input_has_default(input_name):
            raise InvalidInvocationError(f"{self!r}: the input {input_name!r} has no default value.")
        return self.ins[input_name].default_value

    def expected(self, what: str, asked: Sequence[str], outputs: Sequence[str], is_op: bool) -> Expected:
        """Which of these outputs its function should return."""
        return Expected(
            what=what,
            asked=asked,
            outputs=outputs,
            dynamic=frozenset([name for name in outputs if self.is_dynamic(name)]),
            valueless=self.valueless_outputs,
            annotations=self.output_annotations,
            is_op=is_op,
        )

    @property
    def positional_inputs(self) -> Sequence[str]:
        """The inputs that may be given by position: the function's parameters, then the one that is no parameter, if it is one."""
        parameters = tuple(name for name in self.input_names if name in self.shape.inputs)
        return self.input_names if len(self.input_names) <= len(parameters) + 1 else parameters

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """All resources it needs, IO managers not included."""
        taken = self.shape.resources
        return self._declared_resources | frozenset(taken) if taken else self._declared_resources

    resource_keys = required_resource_keys

    @property
    def version(self) -> str | None:
        """The version of the code; superseded by `code_version`."""
        warn_superseded(f"version of op {self.name!r}", "read code_version")
        return self.code_version

    @property
    def compute_fn(self) -> UserFunction:
        """The user's function: as it was given by hand, or in `decorated_fn` of what comes back."""
        return compute_function(self.function)

    def is_dynamic(self, output_name: str) -> bool:
        """Whether an output is dynamic."""
        return self._outs is not None and self._outs[output_name].is_dynamic

    def invoke_directly(self, args: Sequence[object], kwargs: Mapping[str, object], alias: str | None = None) -> Any:
        """Calls the user's function without a run, its arguments and outputs checked as in one."""
        return bound("invoke_directly")(self, args, kwargs, None, alias)

    def copy_for_configured(self, name: str, description: str | None, config_schema: Any) -> OpDefinition:
        """A copy under another name, with another description and config schema."""
        copy = self.with_replaced_properties(name, description=description or self.description)
        copy._config = declared_config(config_schema, self.shape, name)
        return copy

    def with_replaced_properties(self, name: str, **changes: Any) -> OpDefinition:
        """A copy under another name, with other attributes."""
        given: dict[str, Any] = {
            each: getattr(self, each) for each in OpDefinition.__slots__ if not each.startswith("_")
        }
        given |= {"ins": self._ins, "outs": self._outs, "required_resource_keys": self._declared_resources}
        given |= {"config_schema": self._config, "name": name, **changes}
        return OpDefinition.of_function(**given)

    def __repr__(self) -> str:
        return f"OpDefinition({self.name!r})"


def fill_op(
    target: OpDefinition,
    function: UserFunction,
    shape: FunctionShape,
    said: Docstring,
    *,
    name: str,
    ins: Mapping[str, In] | None,
    out: Out | Mapping[str, Out] | None,
    description: str | None,
    config_schema: object,
    required_resource_keys: Set[str] | None,
    tags: Mapping[str, Any] | None,
    retry_policy: RetryPolicy | None,
    code_version: str | None,
    pool: str | None,
    step_policy: StepPolicy | None,
) -> OpDefinition:
    """The op around a function whose inputs and outputs are still to be worked out."""
    require_name(name, "an op", "op")
    what = f"op {name!r}"
    inputs = read_ins(shape, ins, what, said)
    outputs = read_outs(shape, out, what, said)
    made = OpDefinition.of_function(
        name=name,
        function=function,
        shape=shape,
        input_names=tuple(inputs),
        output_names=tuple(outputs),
        valueless_outputs=frozenset([key for key, each in outputs.items() if is_nothing(each.dagster_type)]),
        required_resource_keys=require_resource_keys(required_resource_keys, what),
        retry_policy=retry_policy,
        tags=step_tags(tags, what),
        description=description,
        ins=inputs,
        outs=outputs,
        config_schema=config_schema,
        code_version=code_version,
        pool=pool,
        step_policy=step_policy,
    )
    for slot in OpDefinition.__slots__:
        setattr(target, slot, getattr(made, slot))
    return target

"""A computation: one function of the user, with the names of what it takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, overload

from segue.defs.bindings import bound
from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.place import NO_VALUE
from segue.defs.config_schema.shapes import Field
from segue.defs.direct_invocation import invoke
from segue.defs.invocation import ComposableDefinition
from segue.defs.op_io import NO_TYPE, In, Out, is_nothing
from segue.defs.op_signature import read_in, read_ins, read_outs
from segue.defs.signature import FunctionShape, UserFunction, docstring_of, function_name, read_function
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind, require_list
from segue.model.keys import require_name
from segue.model.policies import RetryPolicy


class OpDefinition(ComposableDefinition):
    """What a step runs. Written by `@op`, and by `@asset` and its kin for the function behind assets.

    Args:
        compute_fn: a function of the context and a dict of the inputs by name.
        name: unique among the definitions; the key of its steps.
        ins, outs: what is said of inputs and outputs, by name; one output `result` when None.
        description: for people.
        config_schema: what its config looks like.
        required_resource_keys: resources it takes from its context.
        tags: tags on its steps.
        retry_policy: how it is retried.
        code_version: the version of the code.
        pool: the pool whose slots its steps take.

    Attributes:
        function: the user's function.
        shape: what the function takes.
        valueless_outputs: those that never carry a value (results of checks; a function annotated `-> None`).
        can_subset: whether it can give some of its outputs only.
    """

    __slots__ = (
        "_config",
        "_declared_resources",
        "_ins",
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
        "tags",
        "valueless_outputs",
    )
    node_kind = "op"
    function: UserFunction
    shape: FunctionShape
    valueless_outputs: frozenset[str]
    retry_policy: RetryPolicy | None
    can_subset: bool
    code_version: str | None
    pool: str | None
    _config: DefinitionConfigSchema | None
    _declared_resources: frozenset[str]
    _ins: Mapping[str, In] | None
    _outs: Mapping[str, Out] | None

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
    ) -> None:
        what = f"op {name!r}"
        own = read_function(compute_fn, what)
        shape = FunctionShape(
            context="context",
            config=None,
            resources=(),
            inputs={key: each.has_default_value for key, each in (ins or {}).items()},
            return_annotation=own.return_annotation,
            source=own.source,
            takes_any=True,
        )

        def call(context: object, **inputs: object) -> Any:
            return compute_fn(context, inputs)

        _fill(
            self,
            call,
            shape,
            name=name,
            ins=ins,
            out=outs,
            description=description,
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            retry_policy=retry_policy,
            code_version=code_version or version,
            pool=pool,
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
    ) -> OpDefinition:
        """The op around a function that was read already, with the names of its inputs and outputs settled."""
        self = cls.__new__(cls)
        self._ins = ins
        self._outs = outs
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
        self._config = _declared_config(config_schema, shape, name)
        self.code_version = code_version
        self.pool = pool
        return self

    @property
    def config_field(self) -> Field | None:
        """The config it takes; None where neither a `config` parameter nor a `config_schema` says so."""
        return None if self._config is None else self._config.as_field()

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """The config it takes; any where nothing says what."""
        return ANY_CONFIG if self._config is None else self._config

    @property
    def ins(self) -> Mapping[str, In]:
        """What is said of each input."""
        if self._ins is None:
            self._ins = {name: read_in(self.shape, name, None) for name in self.input_names}
        return self._ins

    @property
    def outs(self) -> Mapping[str, Out]:
        """What is said of each output."""
        if self._outs is None:
            nothing = self.valueless_outputs
            self._outs = {name: Out(type(None) if name in nothing else NO_TYPE) for name in self.output_names}
        return self._outs

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """All resources it needs, IO managers not included."""
        return self._declared_resources | frozenset(self.shape.resources)

    @property
    def resource_keys(self) -> frozenset[str]:
        """All resources it needs, IO managers not included."""
        return self._declared_resources | frozenset(self.shape.resources)

    @property
    def version(self) -> str | None:
        """The version of the code; superseded by `code_version`."""
        return self.code_version

    @property
    def compute_fn(self) -> UserFunction:
        """The user's function."""
        return self.function

    def is_dynamic(self, output_name: str) -> bool:
        """Whether an output gives any number of values."""
        return self._outs is not None and self._outs[output_name].is_dynamic

    def invoke_directly(self, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        """Calls the user's function without a run."""
        return invoke(self, args, kwargs)

    def with_replaced_properties(self, name: str, **changes: Any) -> OpDefinition:
        """A copy under another name, with other attributes."""
        given: dict[str, Any] = {
            each: getattr(self, each) for each in OpDefinition.__slots__ if not each.startswith("_")
        }
        given |= {"ins": self._ins, "outs": self._outs, "required_resource_keys": self._declared_resources}
        given |= {"config_schema": self._config}
        given |= {"name": name, **changes}
        return OpDefinition.of_function(**given)

    def __repr__(self) -> str:
        return f"OpDefinition({self.name!r})"


@overload
def op(compute_fn: UserFunction, /) -> OpDefinition: ...
@overload
def op(
    *,
    name: str | None = ...,
    description: str | None = ...,
    ins: Mapping[str, In] | None = ...,
    out: Out | Mapping[str, Out] | None = ...,
    config_schema: object = ...,
    required_resource_keys: Set[str] | None = ...,
    tags: Mapping[str, Any] | None = ...,
    version: str | None = ...,
    retry_policy: RetryPolicy | None = ...,
    code_version: str | None = ...,
    pool: str | None = ...,
) -> Callable[[UserFunction], OpDefinition]: ...
def op(
    compute_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: object = None,
    required_resource_keys: Set[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
) -> OpDefinition | Callable[[UserFunction], OpDefinition]:
    """Declares an op: a function that runs as a step of a job, tied to others in a `@job` or `@graph` function.

    A first parameter called `context` gets the `OpExecutionContext`; a parameter annotated with a resource class gets the
    resource of its name; `config`, annotated with a `Config` class, gets the config; every other parameter is an input.

    Args:
        name: the function's name when None.
        description: for people; the docstring when None.
        ins: what is said of inputs, by name; inputs of type `Nothing` need not be parameters.
        out: what is said of the output, or of several by name.
        config_schema: what its config looks like, where no `config` parameter says it.
        required_resource_keys: resources taken from `context.resources`.
        tags: tags on its steps.
        version: superseded by `code_version`.
        retry_policy: how a failed step is tried again.
        code_version: the version of the code.
        pool: the pool whose slots its steps take.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
    """

    def decorate(function: UserFunction) -> OpDefinition:
        own_name = name or function_name(function, "op")
        return _fill(
            OpDefinition.__new__(OpDefinition),
            function,
            read_function(function, f"op {own_name!r}"),
            name=own_name,
            ins=ins,
            out=out,
            description=description or docstring_of(function),
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            retry_policy=retry_policy,
            code_version=code_version or version,
            pool=pool,
        )

    return decorate if compute_fn is None else decorate(compute_fn)


def _fill(
    target: OpDefinition,
    function: UserFunction,
    shape: FunctionShape,
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
) -> OpDefinition:
    """The op around a function whose inputs and outputs are still to be worked out."""
    require_name(name, "an op", "op")
    what = f"op {name!r}"
    require_kind(what, "retry_policy", retry_policy, RetryPolicy)
    require_kind(what, "description", description, str)
    inputs = read_ins(shape, ins, what)
    outputs = read_outs(shape, out, what)
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
    )
    for slot in OpDefinition.__slots__:
        setattr(target, slot, getattr(made, slot))
    return target


def _declared_config(config_schema: object, shape: FunctionShape, name: str) -> DefinitionConfigSchema | None:
    """What config the function takes, as its `config` parameter says, or its `config_schema`."""
    if isinstance(config_schema, DefinitionConfigSchema) or (config_schema is None and shape.config is None):
        return config_schema
    what = f"{name!r} ({shape.source})"
    if shape.config is None:
        return declared_schema(config_schema, what)
    if config_schema is not None:
        raise InvalidDefinitionError(
            f"{what} has both a `config` parameter and config_schema=: the parameter says it all, leave config_schema out."
        )
    if getattr(shape.config, "segue_parameter_kind", None) == "config":
        return declared_schema(shape.config, what)
    kind = bound("config_type_of")(shape.config, f"the parameter 'config' of {what}")
    return DefinitionConfigSchema(Field(kind, default_value=shape.defaults.get("config", NO_VALUE)))


def require_resource_keys(keys: Set[str] | None, what: str) -> frozenset[str]:
    """The keys of `required_resource_keys`.

    Raises:
        InvalidDefinitionError: not a set of texts.
    """
    found: set[str] = set()
    for key in () if keys is None else require_list(what, "required_resource_keys", keys):
        if not isinstance(key, str):
            raise InvalidDefinitionError(f"{what}: required_resource_keys takes texts, got {key!r}.")
        found.add(key)
    return frozenset(found)


def step_tags(tags: Mapping[str, object] | None, what: str) -> dict[str, str]:
    """The tags of `op_tags`, as texts.

    Raises:
        InvalidDefinitionError: no mapping.
    """
    require_kind(what, "op_tags", tags, Mapping)
    return {str(key): str(value) for key, value in (tags or {}).items()}

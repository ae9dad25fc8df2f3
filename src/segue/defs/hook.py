"""Hooks: functions that are called after a step has ended."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, cast, overload

import msgspec

from segue.defs.bindings import bound
from segue.defs.op_words import require_resource_keys
from segue.defs.resource_context import Resources
from segue.defs.signature import UserFunction, function_name
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongArgumentError, WrongDeclarationError
from segue.model.keys import require_name
from segue.model.metadata import AnyMetadataValue
from segue.model.named_fields import NamedFields

if TYPE_CHECKING:
    from segue.defs.instance import Instance
    from segue.model.event import Event


class HookExecutionResult(NamedFields, msgspec.Struct, frozen=True):
    """How the call of a hook ended.

    Attributes:
        hook_name: the hook.
        is_skipped: whether it had nothing to do for this step.
    """

    hook_name: str
    is_skipped: bool = False


class HookDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A function that is called after a step has ended.

    Attributes:
        name: for people and events.
        hook_fn: called with the context and the step's events so far; returns a `HookExecutionResult`.
        required_resource_keys: the resources it takes from the context.
        decorated_fn: the function that `@success_hook` or `@failure_hook` decorated.
    """

    name: str
    hook_fn: Callable[..., Any]
    required_resource_keys: frozenset[str] = frozenset()
    decorated_fn: UserFunction | None = None

    def __post_init__(self) -> None:
        require_name(self.name, "a hook", "HookDefinition")
        if not callable(self.hook_fn):
            raise WrongDeclarationError(
                f"HookDefinition {self.name!r}: hook_fn must be a function, got {self.hook_fn!r}."
            )
        msgspec.structs.force_setattr(self, "required_resource_keys", frozenset(self.required_resource_keys or ()))

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls the decorated function, as a test does with `build_hook_context`, or with None for a context that knows
        nothing; or, as a decorator, attaches the hook to a job, a graph or a use of one.

        Raises:
            InvalidInvocationError: not one argument, the context, or a hook without decorated function.
            InvalidDefinitionError: a resource that the context lacks.
        """
        target: Any = args[0] if len(args) == 1 and not kwargs else None
        if hasattr(target, "with_hooks"):
            return target.with_hooks({self})
        if self.decorated_fn is None:
            raise InvalidInvocationError(
                f"The hook {self.name!r} was not made by @success_hook or @failure_hook and cannot be called."
            )
        parameter = _context_parameter(self.decorated_fn, self.name)
        if len(args) + len(kwargs) != 1:
            raise InvalidInvocationError(
                f"The hook {self.name!r} must be called with exactly one argument, its context: create one with "
                "build_hook_context()."
            )
        if kwargs and parameter not in kwargs:
            raise InvalidInvocationError(
                f"The hook {self.name!r} expects its context as {parameter!r}, got {', '.join(kwargs)}."
            )
        given = next(iter((*args, *kwargs.values())))
        context: object = bound("build_hook_context")() if given is None else given
        if not isinstance(context, HookContext):
            raise WrongArgumentError(f"The hook {self.name!r} must be called with a HookContext, got {context!r}.")
        context.require_resources(self.required_resource_keys)
        return self.decorated_fn(context)


class HookContext:
    """The context of a hook. In tests, create one with `build_hook_context`.

    Attributes:
        job_name, run_id: the job and the run.
        hook_def: the hook.
        instance: the instance that records the run.
        step_key: the step that has ended.
        op: the step's computation, with its `name`.
        required_resource_keys: the resources that the hook takes.
        resources: these resources, as attributes.
        op_config: the step's config.
        log: a logger whose lines are recorded with the run.
        op_exception: the error of the step, if it failed.
        op_output_values: the values it gave, by output.
        op_output_metadata: the metadata of its outputs, by output.
    """

    def __init__(self, **facts: Any) -> None:
        self._facts: Mapping[str, Any] = facts

    def _fact(self, name: str) -> Any:
        return self._facts[name]

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._fact("job_name")

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._fact("run_id")

    @property
    def hook_def(self) -> HookDefinition:
        """The hook."""
        return self._fact("hook_def")

    @property
    def instance(self) -> Instance:
        """The instance the run is recorded in."""
        return self._fact("instance")

    @property
    def step_key(self) -> str:
        """The step that has ended."""
        return self._fact("step_key")

    @property
    def op(self) -> Any:
        """The step's computation; its `name` is its name in the job."""
        return self._fact("op")

    @property
    def required_resource_keys(self) -> Set[str]:
        """The resources that the hook takes."""
        return self.hook_def.required_resource_keys

    @property
    def resources(self) -> Any:
        """The resources that the hook requires, as attributes."""
        values: Mapping[str, object] = self._fact("resources")
        return Resources({key: values[key] for key in self.required_resource_keys})

    @property
    def op_config(self) -> Any:
        """The step's config; None without."""
        return self._fact("op_config")

    @property
    def log(self) -> Any:
        """A logger whose lines are recorded with the run."""
        return self._fact("log")

    @property
    def op_exception(self) -> BaseException | None:
        """The error of the step, if it failed."""
        return self._fact("op_exception")

    @property
    def op_output_values(self) -> Mapping[str, Any]:
        """The values that the step gave, by output; those of a dynamic output by mapping key."""
        return self._fact("op_output_values")

    @property
    def op_output_metadata(self) -> Mapping[str, Mapping[str, AnyMetadataValue | Mapping[str, AnyMetadataValue]]]:
        """What was said of the outputs that were given, by output; of those of a dynamic output by mapping key."""
        return self._fact("op_output_metadata")

    def require_resources(self, keys: Iterable[str]) -> None:
        """Whether a hook may be called with this context: one of a run has what the hook declares.

        Raises:
            InvalidDefinitionError: a resource that the context lacks.
        """


@overload
def success_hook(hook_fn: UserFunction) -> HookDefinition: ...
@overload
def success_hook(
    *, name: str | None = None, required_resource_keys: Set[str] | None = None
) -> Callable[[UserFunction], HookDefinition]: ...
def success_hook(
    hook_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    required_resource_keys: Set[str] | None = None,
) -> HookDefinition | Callable[[UserFunction], HookDefinition]:
    """Makes a hook of a function that is called with the context after a step has ended well.

    Args:
        hook_fn: the function.
        name: the function's name when None.
        required_resource_keys: the resources it takes from the context.

    Raises:
        InvalidDefinitionError: a function that takes no context, or a bad name.
    """

    def decorate(function: UserFunction) -> HookDefinition:
        return _hook(function, name, required_resource_keys, "STEP_SUCCESS")

    return decorate if hook_fn is None else decorate(hook_fn)


@overload
def failure_hook(name: UserFunction) -> HookDefinition: ...
@overload
def failure_hook(
    name: str | None = None, required_resource_keys: Set[str] | None = None
) -> Callable[[UserFunction], HookDefinition]: ...
def failure_hook(
    name: UserFunction | str | None = None, required_resource_keys: Set[str] | None = None
) -> HookDefinition | Callable[[UserFunction], HookDefinition]:
    """Makes a hook of a function that is called with the context after the last attempt of a step has failed.

    Args:
        name: the function's name when None; bare, without arguments, it takes the function.
        required_resource_keys: the resources it takes from the context.

    Raises:
        InvalidDefinitionError: a function that takes no context, or a bad name.
    """

    def decorate(function: UserFunction) -> HookDefinition:
        given = name if isinstance(name, str) else None
        return _hook(function, given, required_resource_keys, "STEP_FAILURE")

    return decorate if name is None or isinstance(name, str) else decorate(name)


def _hook(
    function: UserFunction, name: str | None, required_resource_keys: Set[str] | None, wanted: str
) -> HookDefinition:
    own_name = name or function_name(function, "hook")
    _context_parameter(function, own_name)

    def call(context: HookContext, event_list: Sequence[Event]) -> HookExecutionResult:
        if not any(event.event_type_value == wanted for event in event_list):
            return HookExecutionResult(own_name, is_skipped=True)
        function(context)
        return HookExecutionResult(own_name)

    return HookDefinition(
        name=own_name,
        hook_fn=call,
        required_resource_keys=require_resource_keys(
            required_resource_keys, f"hook {name or function_name(function, 'hook')!r}"
        ),
        decorated_fn=function,
    )


def _context_parameter(function: UserFunction, name: str) -> str:
    """The name of the one parameter of a hook's function.

    Raises:
        InvalidDefinitionError: it has none.
    """
    parameters = list(inspect.signature(function).parameters)
    if not parameters:
        raise InvalidDefinitionError(f"The hook {name!r} must take a context: give its function a parameter `context`.")
    return parameters[0]


def require_hooks(hooks: object, where: str) -> frozenset[HookDefinition]:
    """The hooks that a definition was given.

    Raises:
        InvalidDefinitionError: something else.
    """
    if hooks is None:
        return frozenset()
    if not isinstance(hooks, (set, frozenset, list, tuple)):
        raise WrongDeclarationError(f"{where}: hooks must be a set of hooks, got {hooks!r}.")
    found = cast("Sequence[object]", hooks)
    for each in found:
        if not isinstance(each, HookDefinition):
            raise WrongDeclarationError(
                f"{where}: {each!r} is not a hook; use a function decorated with @success_hook or @failure_hook."
            )
    return frozenset(cast("Sequence[HookDefinition]", found))

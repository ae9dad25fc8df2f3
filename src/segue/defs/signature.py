"""What a user's function takes: context, config, resources, and the rest, which are inputs."""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec

from segue.defs.context import AssetCheckExecutionContext, OpExecutionContext
from segue.errors import ConfigArgumentWarning, InvalidDefinitionError, WrongDeclarationError
from segue.model.shared import NO_ENTRIES
from segue.model.source_location import SourceLocation

T = TypeVar("T")
RESOURCE_PARAMETER: Final = "segue_resource_parameter"
ResourceParam: TypeAlias = Annotated[T, RESOURCE_PARAMETER]
UserFunction: TypeAlias = Callable[..., Any]

_CONTEXT_NAMES = frozenset({"context", "_context", "_", "__", "_ctx", "context_"})
_CONTEXT_CLASSES = (OpExecutionContext, AssetCheckExecutionContext)


class PlainResource:
    """A class whose objects are resources as they stand: a parameter that is annotated with it takes one."""

    segue_parameter_kind: ClassVar[str] = "plain_resource"


class Unresolved(msgspec.Struct, frozen=True):
    """An annotation written as text that names nothing at this place (an import under TYPE_CHECKING, say)."""

    text: str


class FunctionShape(msgspec.Struct, frozen=True, gc=False):
    """What a function takes and where it stands.

    Attributes:
        context: the name of its context parameter, the first one; None without.
        config: what its `config` parameter is annotated with, a Config class or a type of config; None without.
        resources: the parameters that take resources, which are also the resource keys.
        inputs: the remaining parameters, in order; the value tells whether the parameter has a default.
        return_annotation: as written, evaluated; `inspect.Signature.empty` without.
        source: file and line.
        takes_any: whether it has `**kwargs`.
        unresolved: the annotations of inputs that name nothing at run time, by input; one may have meant a resource.
        annotations: the evaluated annotations of inputs, where there are such.
        defaults: the default values of inputs and of `config`, where there are such.
    """

    context: str | None
    config: Any
    resources: tuple[str, ...]
    inputs: Mapping[str, bool]
    return_annotation: Any
    source: SourceLocation
    takes_any: bool
    unresolved: Mapping[str, str] = {}
    annotations: Mapping[str, Any] = {}
    defaults: Mapping[str, Any] = {}


def read_function(function: UserFunction, what: str) -> FunctionShape:
    """The shape of a user's function.

    Args:
        function: the function, as decorated.
        what: how errors name it (`asset "orders"`).

    Raises:
        InvalidDefinitionError: not a function, positional-only parameters or `*args`, a `config` parameter of another type, or
            a default for an object of a Config class.
    """
    target, given, bound_values = _plain_function(function)
    if not isinstance(target, FunctionType):
        raise WrongDeclarationError(f"{what} must decorate a function, got {function!r}.")
    code = target.__code__
    source = SourceLocation(code.co_filename, code.co_firstlineno)
    names = _parameter_names(code, what, source)[given:]
    annotations = target.__annotations__
    context: str | None = None
    config: Any = None
    resources: list[str] = []
    inputs: dict[str, bool] = {}
    unresolved: dict[str, str] = {}
    found: dict[str, Any] = {}
    defaults = {**_defaults(target, code), **bound_values}
    for position, name in enumerate(names):
        annotation = annotations.get(name)
        if annotation is not None:
            annotation = _evaluate(annotation, target)
        if position == 0 and (name in _CONTEXT_NAMES or _is_context(annotation)):
            _require_context(name, annotation, what, source)
            context = name
        elif name == "config":
            config = _require_config(annotation, what, source)
            _require_no_default(config, "config" in defaults, what, source)
        elif annotation is not None and _is_resource(annotation):
            resources.append(name)
        elif getattr(annotation, "segue_parameter_kind", None) == "config":
            warn_of_name(name, what, source)
            inputs[name] = name in defaults
        elif name == "context":
            raise InvalidDefinitionError(f"{what} ({source}): 'context' must be the first parameter; move it there.")
        else:
            inputs[name] = name in defaults
            if isinstance(annotation, Unresolved):
                unresolved[name] = annotation.text
            elif name in annotations:
                found[name] = annotation
    return FunctionShape(
        context=context,
        config=config,
        resources=tuple(resources),
        inputs=inputs or NO_ENTRIES,
        return_annotation=_evaluate(annotations["return"], target)
        if "return" in annotations
        else inspect.Signature.empty,
        source=source,
        takes_any=bool(code.co_flags & inspect.CO_VARKEYWORDS),
        unresolved=unresolved or NO_ENTRIES,
        annotations=found or NO_ENTRIES,
        defaults={name: value for name, value in defaults.items() if name in inputs or name == "config"} or NO_ENTRIES,
    )


def _plain_function(function: object) -> tuple[object, int, Mapping[str, Any]]:
    """The function behind a wrapped one or a `functools.partial`, with how many of its parameters are given and the values of
    those that are given by name."""
    values: dict[str, Any] = {}
    given = 0
    while True:
        if isinstance(function, functools.partial):
            partial = cast("functools.partial[Any]", function)
            values = {**partial.keywords, **values}
            given += len(partial.args)
            function = partial.func
        elif hasattr(function, "__wrapped__"):
            function = inspect.unwrap(cast("Callable[..., Any]", function))
        else:
            return (
                (function.__func__, given + 1, values)
                if isinstance(function, MethodType)
                else (function, given, values)
            )


def source_of(function: object) -> SourceLocation:
    """Where a callable stands; where its class does for one that is no function."""
    target = _plain_function(function)[0]
    if isinstance(target, FunctionType):
        return SourceLocation(target.__code__.co_filename, target.__code__.co_firstlineno)
    module = sys.modules.get(type(target).__module__)
    return SourceLocation(getattr(module, "__file__", None) or "?", 0)


def function_name(function: object, where: str) -> str:
    """The name of what a decorator is put on.

    Raises:
        InvalidDefinitionError: it has none: no function.
    """
    name = getattr(_plain_function(function)[0], "__name__", None)
    if not isinstance(name, str):
        raise WrongDeclarationError(
            f"{where} must decorate a function, got {function!r}; pass its own arguments by keyword: "
            f"@{where}(name=...)."
        )
    return name


def _parameter_names(code: CodeType, what: str, source: SourceLocation) -> tuple[str, ...]:
    if code.co_flags & inspect.CO_VARARGS:
        name = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        raise InvalidDefinitionError(
            f"{what} ({source}) takes a positional vararg parameter '*{name}': give each input a parameter of "
            "its own, so that it can be connected."
        )
    if code.co_posonlyargcount:
        raise InvalidDefinitionError(
            f"{what} ({source}) has positional-only parameters, but inputs are passed by keyword: remove the '/'."
        )
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _defaults(function: FunctionType, code: CodeType) -> Mapping[str, Any]:
    found = dict(function.__kwdefaults__ or {})
    values = function.__defaults__ or ()
    if values:
        found |= dict(zip(code.co_varnames[code.co_argcount - len(values) : code.co_argcount], values, strict=True))
    return found


def _evaluate(annotation: Any, function: FunctionType) -> Any:
    """The annotation as an object, also where it is written as text."""
    if not isinstance(annotation, str):
        return annotation
    closure: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            closure[name] = cell.cell_contents
        except ValueError:  # a name of the enclosing function that is bound later
            continue
    if annotation.isidentifier():  # most are one name, and compiling it takes far longer than looking it up
        scopes = (closure, function.__globals__, vars(builtins))
        return next((scope[annotation] for scope in scopes if annotation in scope), Unresolved(annotation))
    try:
        return eval(annotation, function.__globals__, closure)  # the user's own code, evaluated where Python would
    except (NameError, AttributeError, TypeError, SyntaxError, ValueError, LookupError):
        return Unresolved(annotation)


def _is_context(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, _CONTEXT_CLASSES)


def _require_context(name: str, annotation: Any, what: str, source: SourceLocation) -> None:
    """Do nothing where the parameter for the context may be annotated so.

    Raises:
        InvalidDefinitionError: it is annotated with a class that the context of a step is no instance of.
    """
    if annotation is Any or not isinstance(annotation, type) or getattr(annotation, "_is_protocol", False):
        return
    if not _is_context(annotation) and not issubclass(OpExecutionContext, annotation):
        raise InvalidDefinitionError(
            f"{what} ({source}): the parameter {name!r} takes the execution context and cannot be annotated with "
            f"{annotation.__name__}: use AssetExecutionContext, OpExecutionContext or AssetCheckExecutionContext, or rename the "
            "parameter."
        )


def _is_resource(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return getattr(annotation, "segue_parameter_kind", None) in ("resource", PlainResource.segue_parameter_kind)
    return get_origin(annotation) is Annotated and RESOURCE_PARAMETER in get_args(annotation)[1:]


def is_resource_annotation(annotation: Any, function: UserFunction) -> bool:
    """Whether a parameter of a function, annotated so, takes a resource."""
    target = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    if isinstance(annotation, str) and isinstance(target, FunctionType):
        annotation = _evaluate(annotation, target)
    return _is_resource(annotation)


def warn_of_name(name: str, what: str, source: SourceLocation) -> None:
    """Warns of a parameter that takes a Config class and is not called `config`, so that it is an input."""
    warnings.warn(
        f"{what} ({source}): the parameter {name!r} is annotated with a Config class but is treated as an "
        "input: only a parameter named `config` receives the config. Rename it to `config` if that was "
        "intended.",
        ConfigArgumentWarning,
        stacklevel=4,
    )


def _require_config(annotation: Any, what: str, source: SourceLocation) -> Any:
    if annotation is not None and not isinstance(annotation, Unresolved):
        return annotation
    shown = "no annotation"
    if isinstance(annotation, Unresolved):
        shown = (
            f"the annotation {annotation.text!r}, which cannot be resolved at run time (import it outside "
            "TYPE_CHECKING)"
        )
    raise InvalidDefinitionError(
        f"{what} ({source}): the parameter 'config' has {shown}. Annotate it with a subclass of Config; an "
        "input with this name must be renamed (ins={'other_name': AssetIn('config')})."
    )


def _require_no_default(config: Any, has_default: bool, what: str, source: SourceLocation) -> None:
    """Do nothing where the `config` parameter, annotated so, may have a default.

    Raises:
        InvalidDefinitionError: it takes an object of a Config class, which is always made of the run config.
    """
    if has_default and getattr(config, "segue_parameter_kind", None) == "config":
        raise InvalidDefinitionError(
            f"{what} ({source}): the parameter 'config' is annotated with the Config class {config.__name__} and cannot have a "
            "default value, which a run would never use: give the fields of the class defaults, and remove this one."
        )


def call_arguments(
    shape: FunctionShape, context: object, config: object, values: Mapping[str, object]
) -> dict[str, object]:
    """The keyword arguments of one call."""
    arguments = dict(values)
    if shape.context is not None:
        arguments[shape.context] = context
    if shape.config is not None:
        arguments["config"] = config
    return arguments


def docstring_of(function: UserFunction) -> str | None:
    """The function's docstring without its indentation."""
    text = function.__doc__
    if not text:
        return None
    lines = text.strip().expandtabs().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0], *(line[margin:].rstrip() for line in lines[1:])])

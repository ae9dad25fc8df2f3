"""`@template_var`: functions whose values templates can speak of by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar, overload

from segue.errors import InvalidDefinitionError

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])
_MARK = "__segue_template_var__"


@overload
def template_var(fn: AnyFunction) -> AnyFunction: ...
@overload
def template_var(fn: None = None) -> Callable[[AnyFunction], AnyFunction]: ...
def template_var(fn: Any = None) -> Any:
    """Marks a function whose value templates can speak of by its name.

    Define it in the module that a `defs.yaml` names as `template_vars_module`, or as a static method of a component
    class.

    Args:
        fn: takes nothing, or the `ComponentLoadContext`.
    """

    def mark(function: Any) -> Any:
        setattr(function, _MARK, True)
        return function

    return mark if fn is None else mark(fn)


def is_template_var(obj: object) -> bool:
    """Whether something is a function marked with `@template_var`."""
    return callable(obj) and getattr(obj, _MARK, False) is True


def template_vars_of_module(module: ModuleType, context: object) -> Mapping[str, Any]:
    """What the functions of a module give that are marked, by name.

    Raises:
        InvalidDefinitionError: there are none.
    """
    found = {name: _value(each, context) for name, each in vars(module).items() if is_template_var(each)}
    if not found:
        raise InvalidDefinitionError(f"{module.__name__} has no @template_var function: mark one, or do not name it.")
    return found


def template_vars_of_class(cls: type, context: object) -> Mapping[str, Any]:
    """What the static methods of a class give that are marked, by name.

    Raises:
        InvalidDefinitionError: a marked method is not static.
    """
    found: dict[str, Any] = {}
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        function = getattr(member, "__func__", member)
        if not is_template_var(function):
            continue
        if not isinstance(member, staticmethod):
            raise InvalidDefinitionError(f"{cls.__name__}.{name} is a @template_var: put @staticmethod above it.")
        found[name] = _value(function, context)
    return found


def _value(function: Callable[..., Any], context: object) -> Any:
    parameters = inspect.signature(function).parameters
    if len(parameters) > 1:
        raise InvalidDefinitionError(
            f"@template_var {function.__name__}({', '.join(parameters)}) must have no parameters, or only the context."
        )
    return function(context) if parameters else function()

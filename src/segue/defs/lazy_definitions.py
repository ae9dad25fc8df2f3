"""`@definitions`: a function that makes definitions when they are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from segue.defs.definitions import Definitions
from segue.errors import InvariantViolationError


class LazyDefinitions:
    """Definitions that a function makes when they are asked for.

    Attributes:
        load_fn: the function.
        has_context_arg: whether it takes a component load context.
    """

    def __init__(self, load_fn: Callable[..., Definitions], has_context_arg: bool = False) -> None:
        self.load_fn = load_fn
        self.has_context_arg = has_context_arg

    def __call__(self, context: object = None) -> Definitions:
        """The definitions.

        Args:
            context: where the code lies; only for a function that takes it.

        Raises:
            InvariantViolationError: the function requires a context and none was provided, or it does not return `Definitions`.
        """
        name = getattr(self.load_fn, "__name__", "?")
        if self.has_context_arg and context is None:
            raise InvariantViolationError(
                f"@definitions: {name}() requires a ComponentLoadContext, which was not provided: let load_from_defs_folder or a "
                "code location call it, or take the parameter away."
            )
        made = self.load_fn(context) if self.has_context_arg else self.load_fn()
        if not isinstance(made, Definitions):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise InvariantViolationError(f"@definitions: {name}() must return Definitions, got {made!r}.")
        return made

    def __repr__(self) -> str:
        return f"LazyDefinitions({getattr(self.load_fn, '__name__', '?')})"


def definitions(fn: Callable[..., Any]) -> LazyDefinitions:
    """Marks a function that returns the `Definitions` of a code location or of a folder of definitions.

    Args:
        fn: takes nothing, or a `ComponentLoadContext`.

    Raises:
        InvariantViolationError: it takes something else.
    """
    parameters = list(inspect.signature(fn).parameters.values())
    if len(parameters) > 1 or (parameters and not _takes_context(parameters[0])):
        raise InvariantViolationError(
            f"@definitions: {fn.__name__}({', '.join(each.name for each in parameters)}) must have no parameters, or one "
            "annotated as ComponentLoadContext."
        )
    return LazyDefinitions(fn, has_context_arg=bool(parameters))


def _takes_context(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rpartition(".")[2] == "ComponentLoadContext"

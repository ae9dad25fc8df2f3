"""Functions that schedules and sensors ask: which parameter takes the context, which take resources, and how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Set
from typing import Any, TypeVar

import msgspec

from segue.defs.op_words import require_resource_keys
from segue.defs.signature import UserFunction, is_resource_annotation
from segue.defs.tick_context import TickContext
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongArgumentError, WrongDeclarationError

Context = TypeVar("Context", bound=TickContext)
_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class EvaluationFunction(msgspec.Struct, frozen=True):
    """A function of the user's that decides what to run.

    Attributes:
        function: the function.
        context: the name of the parameter that takes the context, the first one that takes no resource; None without.
        resources: the parameters that take resources.
        others: the further parameters without a default, which a sensor over assets or runs fills in order.
        required: all resources it needs, those it takes from the context included.
    """

    function: UserFunction
    context: str | None
    resources: frozenset[str]
    others: tuple[str, ...]
    required: frozenset[str]

    def arguments(self, context: TickContext | None) -> dict[str, object]:
        """The resources that its parameters take.

        Raises:
            InvalidDefinitionError: the context lacks one.
        """
        if context is None:
            return {}
        return {key: context.require_resource(key) for key in sorted(self.resources)}

    def call(self, context: TickContext) -> Any:
        """What the function gives for a context."""
        arguments = self.arguments(context)
        if self.context is not None:
            arguments[self.context] = context
        return self.function(**arguments)


def read_evaluation(function: UserFunction, required_resource_keys: Set[str] | None, what: str) -> EvaluationFunction:
    """The parameters of an evaluation function.

    Args:
        function: the function, as decorated.
        required_resource_keys: the resources it takes from its context.
        what: how errors name it (`sensor "new_files"`).

    Raises:
        InvalidDefinitionError: not callable, or resources both by parameter and by `required_resource_keys`.
    """
    if not callable(function):
        raise WrongDeclarationError(f"{what} must decorate a function, got {function!r}.")
    required = require_resource_keys(required_resource_keys, what)
    resources: list[str] = []
    plain: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if is_resource_annotation(parameter.annotation, function):
            resources.append(parameter.name)
        elif parameter.kind in _NAMED:
            plain.append(parameter)
    if resources and required:
        raise InvalidDefinitionError(
            f"{what} declares resources both as parameters ({', '.join(resources)}) and in "
            "required_resource_keys; keep one."
        )
    return EvaluationFunction(
        function=function,
        context=plain[0].name if plain else None,
        resources=frozenset(resources),
        others=tuple([each.name for each in plain[1:] if each.default is inspect.Parameter.empty]),
        required=frozenset(resources) | required,
    )


def call_directly(
    evaluation: EvaluationFunction,
    kind: type[Context],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    what: str,
    ask: Callable[[Context], Any] | None = None,
) -> Any:
    """Calls the function as a test does: `my_sensor(context)`, resources by name.

    Args:
        evaluation: the function.
        kind: the class of its context.
        args, kwargs: what the user passed.
        what: how errors name it.
        ask: how the function is called for a context, where it takes more than that.

    Raises:
        InvalidInvocationError: no context where one is needed, or arguments that are neither context nor resources.
        InvalidDefinitionError: a resource that nobody gave.
    """
    given = {name: value for name, value in kwargs.items() if name in evaluation.resources}
    rest = {name: value for name, value in kwargs.items() if name not in evaluation.resources}
    if len(args) + len(rest) > 1:
        raise InvalidInvocationError(
            f"{what} must be called with its context, and resources by keyword; got additional arguments."
        )
    if rest and evaluation.context is not None and evaluation.context not in rest:
        raise InvalidInvocationError(f"{what} expects its context as {evaluation.context!r}, got {', '.join(rest)}.")
    context = next(iter((*args, *rest.values())), None)
    if context is None and evaluation.context is not None:
        raise InvalidInvocationError(f"{what} takes a context: create one with {kind.builder}().")
    if context is not None and not isinstance(context, kind):
        raise WrongArgumentError(
            f"{what} must be called with a {kind.__name__}, got {context!r}: create one with {kind.builder}()."
        )
    if context is None:
        missing = sorted(evaluation.required - given.keys())
        if missing:
            raise InvalidDefinitionError(
                f"{what} requires the resource {missing[0]!r}: pass it by keyword or in a context."
            )
        return evaluation.function(**evaluation.arguments(TickContext(resources=given)))
    if given:
        context = context.merge_resources(given)
    for key in sorted(evaluation.required):
        context.require_resource(key)
    return evaluation.call(context) if ask is None else ask(context)

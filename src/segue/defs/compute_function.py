"""The function that an `OpDefinition` is built around by hand: it yields what it gives, and returns nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import GeneratorType
from typing import Any, cast

from segue.defs.signature import UserFunction
from segue.errors import InvariantViolationError


def yielding_function(compute_fn: UserFunction, name: str) -> Callable[..., Any]:
    """The function as steps call it: with its context, and its inputs by name.

    Args:
        compute_fn: a function of the context and a dict of the inputs.
        name: the op, for errors.

    Returns:
        A function that gives a generator; an asynchronous one where the user's is.
    """

    def call(context: object, **inputs: object) -> Any:
        returned: object = compute_fn(context, inputs)
        if isinstance(returned, (GeneratorType, AsyncIterator)):
            return cast("object", returned)
        if returned is None:
            return _generated(iter(()))
        if isinstance(returned, Iterator):
            return _generated(cast("Iterator[Any]", returned))
        raise InvariantViolationError(
            f"The compute_fn of op {name!r} returned {_described(returned)}, and must yield what it gives: write yield "
            "Output(...), or declare the function with @op, which may return values."
        )

    return call


def _generated(results: Iterator[Any]) -> Generator[Any]:
    yield from results


def _described(value: object) -> str:
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "AEIOU" else f"a value of type {kind}"

"""The function of an op: what a decorator was put on; or what an `OpDefinition` is built around by hand, which yields what it
gives, and returns nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import GeneratorType
from typing import Any, NamedTuple, cast

from segue.defs.signature import UserFunction
from segue.errors import InvariantViolationError

_GIVEN = "_given_by_hand"


class DecoratedFunction(NamedTuple):
    """A function that a decorator made an op, asset or check; a call goes to it.

    Attributes:
        decorated_fn: the user's function.
    """

    decorated_fn: UserFunction

    @property
    def name(self) -> str:
        """The name of the user's function."""
        return self.decorated_fn.__name__

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls the user's function as it is: nothing is checked."""
        return self.decorated_fn(*args, **kwargs)


def compute_function(function: UserFunction) -> UserFunction:
    """What users see of the function of an op: what they gave by hand, or the one that was decorated."""
    return getattr(function, _GIVEN, None) or DecoratedFunction(function)


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
            f"The compute_fn of op {name!r} returned {_described(returned)}, but must yield its results: write "
            "yield Output(...), or use @op, whose functions may return values."
        )

    setattr(call, _GIVEN, compute_fn)
    return call


def _generated(results: Iterator[Any]) -> Generator[Any]:
    yield from results


def _described(value: object) -> str:
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "AEIOU" else f"a value of type {kind}"

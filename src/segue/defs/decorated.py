"""What a decorator makes of a function still bears the function's name and docstring, where tools and people look for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from segue.defs.signature import UserFunction

C = TypeVar("C", bound=type)
FunctionOf = Callable[[Any], UserFunction | None]


class FunctionName:
    """`__name__` of an object: that of the function it was made of; its own `name` where there is none.

    Args:
        function_of: the function that an object was made of.
    """

    def __init__(self, function_of: FunctionOf) -> None:
        self._function_of = function_of

    def __get__(self, instance: Any, owner: type) -> str:
        return getattr(self._function_of(instance), "__name__", None) or instance.name


class FunctionDocstring(str):
    """`__doc__` of an object: that of the function it was made of; the text itself, that of the class, where there is none.

    Attributes:
        function_of: the function that an object was made of.
    """

    __slots__ = ("function_of",)
    function_of: FunctionOf

    def __get__(self, instance: Any, owner: type) -> str | None:
        function = None if instance is None else self.function_of(instance)
        return str(self) if function is None else function.__doc__


def docstring_of_function(function_of: FunctionOf) -> Callable[[C], C]:
    """Lets the objects of a class bear the docstring of the function they were made of.

    Args:
        function_of: the function that an object was made of.
    """

    def decorate(cls: C) -> C:
        docstring = FunctionDocstring(cls.__doc__)
        docstring.function_of = function_of
        cls.__doc__ = docstring
        return cls

    return decorate

"""`cached_method` of `dagster._utils.cached_method`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])
_CACHE = "_cached_method_results"


def cached_method(method: Method) -> Method:
    """Has a method work out its result once for each object and arguments; it is forgotten together with the object.

    Whether an argument is given by place or by name makes no difference. Arguments must be hashable.
    """
    signature = inspect.signature(method)

    def results(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[object, Any], object]:
        given = signature.bind(self, *args, **kwargs)
        # Not by attribute: an object may be frozen.
        cache: dict[object, Any] = self.__dict__.setdefault(_CACHE, {})
        return cache, (method.__name__, *list(given.arguments.items())[1:])

    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def awaited(self: Any, *args: Any, **kwargs: Any) -> Any:
            cache, key = results(self, args, kwargs)
            if key not in cache:
                cache[key] = await method(self, *args, **kwargs)
            return cache[key]

        return awaited  # pyright: ignore[reportReturnType] reason: it is called like the method

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        cache, key = results(self, args, kwargs)
        if key not in cache:
            cache[key] = method(self, *args, **kwargs)
        return cache[key]

    return called  # pyright: ignore[reportReturnType] reason: it is called like the method

"""`backoff` of `dagster._utils.backoff`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TypeVar

Result = TypeVar("Result")


def backoff(
    fn: Callable[..., Result],
    retry_on: tuple[type[BaseException], ...],
    args: Sequence[object] | None = None,
    kwargs: Mapping[str, object] | None = None,
    max_retries: int = 4,
    delay_generator: Iterator[float] | None = None,
) -> Result:
    """Calls a function again while it raises certain exceptions, and gives what it returns.

    Args:
        fn: the function.
        retry_on: after which exceptions it is called again; any other goes on at once.
        args, kwargs: its arguments.
        max_retries: how many times it is called again at most; after that its exception goes on.
        delay_generator: the seconds before each of these calls; 0.1 and twice as long each time when None.
    """
    delays = delay_generator or (0.1 * 2.0**number for number in count())
    for _ in range(max_retries):
        try:
            return fn(*(args or ()), **(kwargs or {}))
        except retry_on:
            time.sleep(next(delays))
    return fn(*(args or ()), **(kwargs or {}))

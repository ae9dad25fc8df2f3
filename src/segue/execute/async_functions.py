"""The one bridge from users' async functions to the synchronous engine. Loaded only where there is such a function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any


def run_async(returned: Coroutine[Any, Any, Any] | AsyncIterator[Any]) -> Any:
    """Runs what an async function gave to its end: its value, or a generator of all that it yields."""
    if isinstance(returned, AsyncIterator):
        return _items(returned)
    return asyncio.run(returned)


def _items(stream: AsyncIterator[Any]) -> Any:
    """What an async generator yields, one after the other, on a loop of its own."""
    loop = asyncio.new_event_loop()
    try:
        while True:
            try:
                yield loop.run_until_complete(anext(stream))
            except StopAsyncIteration:
                return
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

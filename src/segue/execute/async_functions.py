"""The one bridge from users' async functions to the synchronous engine. Loaded only where there is such a function."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any

_shared: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar("shared_loop", default=None)
"""The event loop that the async steps of a run share; None where each has its own."""


def run_async(returned: Coroutine[Any, Any, Any] | AsyncIterator[Any]) -> Any:
    """Runs what an async function gave to its end: its value, or a generator of all that it yields."""
    loop = _shared.get()
    if isinstance(returned, AsyncIterator):
        return _items(returned) if loop is None else _items_on(loop, returned)
    if loop is None:
        return asyncio.run(returned)
    return _on(loop, returned)


def share_event_loop(stack: contextlib.ExitStack) -> None:
    """Has async functions called in this context run on one event loop, in a thread of its own until the stack is closed."""
    loop = _loops.get(id(stack))
    if loop is None:
        loop = _loops[id(stack)] = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="segue async steps", daemon=True)
        thread.start()
        stack.callback(_end, id(stack), loop, thread)
    _shared.set(loop)


_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _end(key: int, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    del _loops[key]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(_cancel_all())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _cancel_all() -> None:
    """Cancels what still runs on the loop: steps that were given up."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The value of a coroutine that runs on a loop in another thread; what stops this thread cancels it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        while True:  # a wait without end could not be interrupted from another thread
            try:
                return future.result(_LOOK_UP_SECONDS)
            except TimeoutError:
                if future.done():
                    return future.result()
    except BaseException:
        future.cancel()
        raise


_LOOK_UP_SECONDS = 0.25


def _items_on(loop: asyncio.AbstractEventLoop, stream: AsyncIterator[Any]) -> Any:
    """What an async generator yields, one after the other, on a loop in another thread."""
    while True:
        try:
            yield _on(loop, _next(stream))
        except StopAsyncIteration:
            return


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream)


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

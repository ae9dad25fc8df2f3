"""How the context of a step gets to an external process."""

from __future__ import annotations

import abc
import json
import os
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from segue.execute.pipes.protocol import PipesContextData, PipesParams


class PipesContextInjector(abc.ABC):
    """Puts the context where an external process finds it, and says where that is. Subclass it for places of your own."""

    @abc.abstractmethod
    def inject_context(self, context_data: PipesContextData) -> AbstractContextManager[PipesParams]:
        """Writes the context to a place for the duration of the block; yields the parameters that lead to it.

        Args:
            context_data: plain data.
        """

    @abc.abstractmethod
    def no_messages_debug_text(self) -> str:
        """How the context is passed, as a hint if no message arrives."""


class PipesEnvContextInjector(PipesContextInjector):
    """Puts the context into the parameters themselves, and so into the environment of the process."""

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Generator[PipesParams]:
        """Gives the context itself."""
        yield {"data": context_data}

    def no_messages_debug_text(self) -> str:
        """How the context was put."""
        return "The context was put into the environment of the external process."


class PipesFileContextInjector(PipesContextInjector):
    """Puts the context into a file, which is removed in the end.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Generator[PipesParams]:
        """Writes the file; yields its path."""
        with open(self._path, "w", encoding="utf-8") as file:
            json.dump(context_data, file)
        try:
            yield {"path": os.path.abspath(self._path)}
        finally:
            if os.path.exists(self._path):
                os.remove(self._path)

    def no_messages_debug_text(self) -> str:
        """How the context was put."""
        return f"The context was written to {self._path}."


class PipesTempFileContextInjector(PipesContextInjector):
    """Puts the context into a temporary file."""

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Generator[PipesParams]:
        """Writes the file; yields its path."""
        with tempfile.TemporaryDirectory() as folder:
            file = PipesFileContextInjector(os.path.join(folder, "context"))
            with file.inject_context(context_data) as params:
                yield params

    def no_messages_debug_text(self) -> str:
        """How the context was put."""
        return "The context was written to a temporary file."

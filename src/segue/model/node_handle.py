"""Where in a job a step stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from segue.errors import InvalidInvocationError


class NodeHandle(NamedTuple):
    """Where in a job a step stands: its name, and the graph around it, if any."""

    name: str
    parent: NodeHandle | None = None

    @staticmethod
    def from_path(path: Sequence[str]) -> NodeHandle:
        """The place at the end of these names, from the outermost graph in.

        Raises:
            InvalidInvocationError: there are none.
        """
        handle: NodeHandle | None = None
        for name in path:
            handle = NodeHandle(name, handle)
        if handle is None:
            raise InvalidInvocationError("NodeHandle.from_path expected at least one name.")
        return handle

    @staticmethod
    def from_string(handle_str: str) -> NodeHandle:
        """The place that a text names: the names from the outermost graph in, with dots between them."""
        return NodeHandle.from_path(handle_str.split("."))

    @property
    def path(self) -> list[str]:
        """The names of the graphs around it and its own, from the outermost in."""
        return [self.name] if self.parent is None else [*self.parent.path, self.name]

    @property
    def root(self) -> NodeHandle:
        """The outermost graph around it; itself where there is none."""
        return self if self.parent is None else self.parent.root

    def with_child(self, child: NodeHandle) -> NodeHandle:
        """The place that `child` is, seen from this graph."""
        return NodeHandle.from_path([*self.path, *child.path])

    def is_or_descends_from(self, handle: NodeHandle) -> bool:
        """Whether it is this place, or inside of it."""
        return self.path[: len(handle.path)] == handle.path

    def pop(self, ancestor: NodeHandle) -> NodeHandle | None:
        """The place as it is seen from a graph around it; None for that graph itself.

        Raises:
            InvalidInvocationError: it is not inside of that graph.
        """
        if not self.is_or_descends_from(ancestor):
            raise InvalidInvocationError(f"{str(self)!r} is not inside {str(ancestor)!r}.")
        rest = self.path[len(ancestor.path) :]
        return NodeHandle.from_path(rest) if rest else None

    def __str__(self) -> str:
        return ".".join(self.path)


class StepHandle(NamedTuple):
    """A step by what it runs.

    Attributes:
        node_handle: where in the job that stands.
        key: the key of the step.
    """

    node_handle: NodeHandle
    key: str

    def to_key(self) -> str:
        """The key of the step."""
        return self.key

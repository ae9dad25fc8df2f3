"""What ops and graphs have in common: a name, inputs and outputs, and that they are called in compositions."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from segue.errors import InvalidDefinitionError
from segue.model.policies import RetryPolicy


class NodeDefinition(abc.ABC):
    """An op or a graph.

    Attributes:
        name: unique among the definitions.
        description: for people.
        tags: tags on its steps.
        input_names, output_names: what it takes and gives, in order.
    """

    __slots__ = ()
    node_kind = "node"
    name: str
    description: str | None
    tags: Mapping[str, str]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    @property
    def positional_inputs(self) -> Sequence[str]:
        """The inputs that may be given by position."""
        return self.input_names

    @abc.abstractmethod
    def is_dynamic(self, output_name: str) -> bool:
        """Whether an output gives any number of values."""

    @abc.abstractmethod
    def invoke_directly(self, args: Sequence[object], kwargs: Mapping[str, object], alias: str | None = None) -> Any:
        """What a call outside of a composition gives."""

    def has_input(self, name: str) -> bool:
        """Whether there is an input of this name."""
        return name in self.input_names

    def has_output(self, name: str) -> bool:
        """Whether there is an output of this name."""
        return name in self.output_names


class NodeHandle(NamedTuple):
    """Where in a job a step stands: its name, and the graph around it, if any."""

    name: str
    parent: NodeHandle | None = None

    @staticmethod
    def from_path(path: Sequence[str]) -> NodeHandle:
        """The place at the end of these names, from the outermost graph in."""
        handle: NodeHandle | None = None
        for name in path:
            handle = NodeHandle(name, handle)
        assert handle is not None  # a path has a name at least
        return handle

    @property
    def path(self) -> list[str]:
        """The names of the graphs around it and its own, from the outermost in."""
        return [self.name] if self.parent is None else [*self.parent.path, self.name]

    def __str__(self) -> str:
        return ".".join(self.path)


class NodeUse(msgspec.Struct, frozen=True, kw_only=True):
    """One use of an op or graph in a graph.

    Attributes:
        name: unique in the graph.
        definition: the op or graph.
        tags: tags of this use.
        hook_defs: hooks of this use.
        retry_policy: that of this use; None leaves it to the op.
    """

    name: str
    definition: NodeDefinition
    tags: dict[str, str] = {}
    hook_defs: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None

    def renamed(self, name: str) -> NodeUse:
        """The same use under another name."""
        return msgspec.structs.replace(self, name=name)


def require_unique_definitions(uses: Sequence[NodeUse], what: str) -> None:
    """Refuses two definitions of one name.

    Raises:
        InvalidDefinitionError: there are such.
    """
    seen: dict[str, NodeDefinition] = {}
    for use in uses:
        other = seen.setdefault(use.definition.name, use.definition)
        if other is not use.definition:
            raise InvalidDefinitionError(
                f"{what}: two different definitions are called {use.definition.name!r}: give one of them another name."
            )

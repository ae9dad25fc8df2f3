"""Where in a YAML file a value stands: kept beside the value, so that an error can name file, line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class LineCol(msgspec.Struct, frozen=True):
    """A place in a text; both numbers start at 1."""

    line: int
    col: int


class SourcePosition(msgspec.Struct, frozen=True):
    """Where a value stands, from its first character to the one after its last."""

    filename: str
    start: LineCol
    end: LineCol

    def __str__(self) -> str:
        return f"{self.filename}:{self.start.line}:{self.start.col}"


class SourcePositionTree(msgspec.Struct, frozen=True):
    """The position of a value, and those of the values in it, by key or index.

    Attributes:
        position: of the value; in a mapping, of its key.
        children: by key or index.
    """

    position: SourcePosition
    children: Mapping[str | int, SourcePositionTree]

    def lookup(self, path: Sequence[str | int]) -> SourcePosition:
        """The position of what stands at a path, or of the innermost value around it that is known."""
        tree = self
        for part in path:
            below = tree.children.get(part)
            if below is None:
                break
            tree = below
        return tree.position


class ValueAndSource(msgspec.Struct, frozen=True):
    """A value read from YAML.

    Attributes:
        value: plain data.
        source_position_tree: where it stands.
    """

    value: object
    source_position_tree: SourcePositionTree

"""YAML read with the position of every value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from segue.defs.bindings import extra_module
from segue.defs.components.positions import LineCol, SourcePosition, SourcePositionTree, ValueAndSource

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_DEEPEST = 100  # levels; a file of a user's has a handful


def parse_yaml(text: str, filename: str = "<string>") -> ValueAndSource:
    """The value of a YAML text with at most one document; an empty text is an empty mapping.

    Args:
        text: the YAML.
        filename: what positions and errors call it.

    Raises:
        LoadError: the extra `segue[components]` is not installed.
        yaml.YAMLError: the text is not YAML, with line and column.
    """
    documents = parse_documents(text, filename)
    if not documents:
        start = LineCol(1, 1)
        return ValueAndSource({}, SourcePositionTree(SourcePosition(filename, start, start), {}))
    if len(documents) > 1:
        where = documents[1].source_position_tree.position
        raise extra_module("yaml").YAMLError(f"{where}: one document is expected here, and a second one begins.")
    return documents[0]


def parse_documents(text: str, filename: str = "<string>") -> Sequence[ValueAndSource]:
    """The values of a YAML text whose documents are separated by `---`.

    Raises:
        LoadError: the extra `segue[components]` is not installed.
        yaml.YAMLError: the text is not YAML, with line and column.
    """
    loader = _loader(extra_module("yaml").SafeLoader)(text)
    loader.name = filename
    try:
        found: list[ValueAndSource] = []
        while loader.check_node():
            node = loader.get_node()
            if _is_empty(node):
                continue
            tree = _positions(node, filename, node, 0)
            found.append(ValueAndSource(loader.construct_document(node), tree))
        return found
    finally:
        loader.dispose()


@cache
def _loader(base: Any) -> Any:
    """The safe loader, for which a date is text: what a date is meant to be, the field that takes it says."""
    resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != _TIMESTAMP]
        for first, pairs in base.yaml_implicit_resolvers.items()
    }
    return type("AttributesLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def _is_empty(node: Any) -> bool:
    return node.id == "scalar" and node.value == "" and node.style is None


def _positions(node: Any, filename: str, shown: Any, depth: int) -> SourcePositionTree:
    """The positions in a node; `shown` is the node whose position stands for it: its key, in a mapping."""
    children: dict[str | int, SourcePositionTree] = {}
    if depth < _DEEPEST and node.id == "mapping":
        for key, value in node.value:
            children[key.value] = _positions(value, filename, value if value.id == "scalar" else key, depth + 1)
    elif depth < _DEEPEST and node.id == "sequence":
        for index, value in enumerate(node.value):
            children[index] = _positions(value, filename, value, depth + 1)
    begin, end = shown.start_mark, shown.end_mark
    return SourcePositionTree(
        SourcePosition(filename, LineCol(begin.line + 1, begin.column + 1), LineCol(end.line + 1, end.column + 1)),
        children,
    )

"""Selections as JSON and back: the tree they stand for, with a name for each kind of node."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec.structs import fields

from segue.errors import NotSupportedError
from segue.model import codec
from segue.model import selection_expression as ex
from segue.model.selection import AssetSelection, selection_of

_KINDS: dict[str, type[ex.Expression]] = {
    "all": ex.All,
    "all_checks": ex.AllChecks,
    "and": ex.And,
    "attribute": ex.Attribute,
    "checks": ex.Checks,
    "checks_of": ex.ChecksOf,
    "downstream": ex.Downstream,
    "group_pattern": ex.GroupPattern,
    "groups": ex.Groups,
    "key_pattern": ex.KeyPattern,
    "key_prefixes": ex.KeyPrefixes,
    "key_substring": ex.KeySubstring,
    "keys": ex.Keys,
    "kind": ex.Kind,
    "materializable": ex.Materializable,
    "or": ex.Or,
    "owner": ex.Owner,
    "required_neighbors": ex.RequiredNeighbors,
    "roots": ex.Roots,
    "sinks": ex.Sinks,
    "subtract": ex.Subtract,
    "tag": ex.Tag,
    "upstream": ex.Upstream,
    "upstream_sources": ex.UpstreamSources,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_NODE = "node"


def selection_to_wire(selection: AssetSelection) -> dict[str, Any]:
    """A selection as JSON data.

    Raises:
        NotSupportedError: it is of a custom class, or holds one.
    """
    return _written(selection.expression)


def selection_from_wire(data: dict[str, Any]) -> AssetSelection:
    """The selection that `selection_to_wire` wrote."""
    return selection_of(_read(data))


def _written(expression: ex.Expression) -> dict[str, Any]:
    name = _NAMES.get(type(expression))
    if name is None:
        raise NotSupportedError(
            f"{expression!r} selects by code of its own and cannot be serialized: build it from AssetSelection methods."
        )
    return {_NODE: name, **{each.name: _plain(getattr(expression, each.name)) for each in fields(expression)}}


def _plain(value: object) -> object:
    if isinstance(value, ex.Expression):
        return _written(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in cast("tuple[object, ...]", value)]
    return msgspec.to_builtins(value, enc_hook=codec.enc_hook)


def _read(data: dict[str, Any]) -> ex.Expression:
    kind = _KINDS[data[_NODE]]
    found: dict[str, Any] = {}
    for each in fields(kind):
        value = data[each.name]
        if each.type is ex.Expression:
            found[each.name] = _read(value)
        elif each.type == tuple[ex.Expression, ...]:
            found[each.name] = tuple(_read(operand) for operand in value)
        else:
            found[each.name] = msgspec.convert(value, each.type, dec_hook=codec.dec_hook)
    return kind(**found)

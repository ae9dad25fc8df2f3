"""Schemas that cannot be: what was written, where in it, and what to write instead."""

from __future__ import annotations

import types
import typing
from typing import Any, get_origin

from segue.errors import InvalidConfigDefinitionError, InvalidDefinitionError

_PLAIN = "int, float, bool, str, dict, list, {'name': type}, [type], a Field, or a config type such as Noneable(int)"


def bad_schema(root: object, current: object, stack: tuple[str, ...], reason: str = "") -> InvalidConfigDefinitionError:
    """The error for something that is no schema.

    Args:
        root: the whole schema, as it was written.
        current: the part of it that is wrong.
        stack: the field names that lead there.
        reason: what is wrong with it, and what to write instead.
    """
    where = f" Error at stack path :{':'.join(stack)}." if stack else ""
    why = f" Reason: {reason}" if reason else ""
    message = (
        f"Error defining config. Original value passed: {root!r}.{where} {current!r} cannot be resolved.{why} A config schema "
        f"is written as {_PLAIN}."
    )
    return InvalidConfigDefinitionError(message, root, current, stack, reason)


def refuse_other_types(schema: Any) -> None:
    """Refuses what describes values in Python and not in a config: annotations of `typing`, types of inputs and outputs.

    Raises:
        InvalidDefinitionError: it is such; the message says what to write instead.
    """
    kind = getattr(schema, "kind", None)
    name = getattr(kind, "name", "")
    is_type = hasattr(schema, "type_check") and hasattr(schema, "display_name")
    bare = getattr(schema, "config_refusal", None)
    if bare in ("Set", "Tuple") or (is_type and schema.display_name.partition("[")[0] in ("Set", "Tuple")):
        word = bare or schema.display_name.partition("[")[0]
        raise InvalidDefinitionError(
            f"Cannot use {word} in the context of a config field. Please use a python list (e.g. [int]) or Array (e.g. "
            "Array(int)) instead."
        )
    if is_type and name == "LIST":
        raise InvalidDefinitionError(
            "Cannot use List in the context of config. Please use a python list (e.g. [int]) or dagster.Array (e.g. "
            "Array(int)) instead."
        )
    if is_type:
        raise InvalidDefinitionError(
            f"You have passed an instance of DagsterType {schema.display_name} to the config system ({schema!r}): it "
            f"describes inputs and outputs. In a config schema, write {_PLAIN}."
        )
    if get_origin(schema) is not None or isinstance(schema, types.UnionType) or _is_bare_typing(schema):
        raise InvalidDefinitionError(
            f"You have passed in {schema} to the config system. Types from the typing module in python are not allowed in "
            f"the config system. Write {_PLAIN}; for None or a type, Noneable(type)."
        )


def _is_bare_typing(schema: Any) -> bool:
    return getattr(schema, "__module__", None) == "typing" and schema is not typing.Any

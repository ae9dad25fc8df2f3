"""Schemas that cannot be: what was written, where in it, and what to write instead."""

from __future__ import annotations

import types
import typing
from typing import Any, get_origin

from segue.errors import InvalidConfigDefinitionError

_PLAIN = "int, float, bool, str, dict, list, {'name': type}, [type], a Field, or a config type such as Noneable(int)"


def bad_schema(root: object, current: object, stack: tuple[str, ...], reason: str = "") -> InvalidConfigDefinitionError:
    """The error for something that is no schema.

    Args:
        root: the whole schema, as it was written.
        current: the part of it that is wrong.
        stack: the field names that lead there.
        reason: what is wrong with it, and what to write instead.
    """
    where = f" (at {':'.join(stack)})" if stack else ""
    why = f" {reason}" if reason else ""
    message = (
        f"{current!r} is not a valid config schema{where}.{why} It is part of {root!r}. Valid schemas are {_PLAIN}."
    )
    return InvalidConfigDefinitionError(message, root, current, stack, reason)


def refuse_other_types(schema: Any, root: object, stack: tuple[str, ...]) -> None:
    """Refuses what describes values in Python and not in a config: annotations of `typing`, types of inputs and outputs.

    Raises:
        InvalidConfigDefinitionError: it is such; the message says what to write instead.
    """
    message = _other_type(getattr(schema, "plain", schema))  # `List` without brackets
    if message is not None:
        raise InvalidConfigDefinitionError(message, root, schema, stack)


def _other_type(schema: Any) -> str | None:
    """Why what is written as a type of another kind cannot be a config schema; None where it is no type."""
    is_type = hasattr(schema, "type_check") and hasattr(schema, "display_name")
    word = (schema.display_name.partition("[")[0] or "List") if is_type else ""  # a list is called `[Int]`
    if word in ("List", "Set", "Tuple"):
        return (
            f"{word} is a type for inputs and outputs and cannot be used in a config schema. For a list, use "
            "[int] or Array(int)."
        )
    if is_type:
        return f"{schema!r} is a type for inputs and outputs and cannot be used in a config schema. Use {_PLAIN}."
    if get_origin(schema) is not None or isinstance(schema, types.UnionType) or _is_bare_typing(schema):
        return (
            f"{schema} is a type annotation and cannot be used in a config schema. Use {_PLAIN}; for a value that "
            "may be None, use Noneable(type)."
        )
    return None


def _is_bare_typing(schema: Any) -> bool:
    return getattr(schema, "__module__", None) == "typing" and schema is not typing.Any

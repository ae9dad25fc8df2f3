"""The public names of the common types. The scalars are Python's own."""

from __future__ import annotations

import typing
from typing import Final, TypeAlias

from segue.defs.log import get_logger
from segue.defs.resource_context import Resources
from segue.defs.types.base import ANY_TYPE, TypeCheck, TypeCheckContext, check_value
from segue.defs.types.resolve import resolve_type

Any: Final = typing.Any
Bool: TypeAlias = bool
Float: TypeAlias = float
Int: TypeAlias = int
String: TypeAlias = str
Nothing: Final = type(None)
"""The type of what carries no value and only says that one step comes after another."""


def check_type(dagster_type: object, value: object) -> TypeCheck:
    """Checks a value against a type, outside of a run; for tests of types.

    Raises:
        InvalidDefinitionError: no type.
        Exception: whatever the check of the type raises.
    """
    kind = ANY_TYPE if dagster_type is None else resolve_type(dagster_type)
    return check_value(kind, value, TypeCheckContext("EPHEMERAL", get_logger(), Resources({})))

"""From what is written as a schema to a config type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from segue.defs.config_schema.refusals import bad_schema, refuse_other_types
from segue.defs.config_schema.types import ANY, BOOL, FLOAT, INT, STRING, ConfigType

_SCALARS: Final[Mapping[Any, ConfigType]] = {None: ANY, Any: ANY, int: INT, float: FLOAT, bool: BOOL, str: STRING}

# How dicts, lists, fields, and the classes `dict` and `list` are read: by class, and for a class itself by `type[...]`.
# Filled by the package, which knows all modules.
READERS: Final[dict[type, Callable[[Any, object, tuple[str, ...]], ConfigType]]] = {}
WRITTEN_AS_CLASS: Final[dict[Any, ConfigType]] = {}


def resolve_to_config_type(schema: object) -> ConfigType:
    """The config type that is written as a Python type, dict, list, config type, field or `Config` class.

    Raises:
        InvalidConfigDefinitionError, InvalidDefinitionError: it is none of these.
    """
    return read_type(schema, schema, ())


def read_type(schema: Any, root: object, stack: tuple[str, ...]) -> ConfigType:
    """The config type of a part of a schema.

    Args:
        schema: the part.
        root: the whole.
        stack: the field names that lead to the part.

    Raises:
        InvalidConfigDefinitionError, InvalidDefinitionError: it is no schema.
    """
    if isinstance(schema, ConfigType):
        return schema
    for written_as, reader in READERS.items():
        if isinstance(schema, written_as):
            return reader(schema, root, stack)
    if schema is None or schema is Any or isinstance(schema, type):
        if schema in _SCALARS:
            return _SCALARS[schema]
        if schema in WRITTEN_AS_CLASS:
            return WRITTEN_AS_CLASS[schema]
        to_schema = getattr(schema, "to_config_schema", None)  # a Config class, which needs pydantic; this does not
        if to_schema is not None:
            return to_schema().config_type
    refuse_other_types(schema, root, stack)
    raise bad_schema(root, schema, stack)

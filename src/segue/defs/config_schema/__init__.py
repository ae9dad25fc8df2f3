"""The schema form of config: types, fields, and the walk that compares a value with them.

types      any value, scalars, enums
elements   a list of a type, a map to it, it or None, a scalar or it
shapes     fields and what has some
sources    scalars that may stand in the environment
written    what may be written for a type: `int`, `{"name": str}`, `[int]`
process    a value against a type: everything that does not fit, at once
"""

from collections.abc import Mapping

from segue.defs.config_schema import elements, shapes, written
from segue.defs.config_schema.types import ANY

written.READERS.update(
    {
        shapes.Field: shapes.refuse_field,
        Mapping: shapes.read_mapping,
        list: elements.read_list,
    }
)
written.WRITTEN_AS_CLASS.update({dict: shapes.Permissive(), list: elements.Array(ANY)})

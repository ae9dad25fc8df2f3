"""`In` and `Out` with their names: one input or output of an op or graph, as `input_defs` and `output_defs` give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from segue.defs.io_marks import NO_DEFAULT, NO_TYPE
from segue.defs.types.base import ANY_TYPE, SegueType
from segue.defs.types.resolve import resolve_type


class InputDefinition(msgspec.Struct, frozen=True):
    """One input of an op or graph.

    Attributes:
        name: unique among the inputs.
        dagster_type: its type.
        description: for people.
        default_value: what it is where nothing is connected; see `has_default_value`.
        metadata: facts for the IO manager that loads it.
        asset_key: the asset that its value is.
        asset_partitions: the partitions of that asset.
        input_manager_key: the resource that loads it.
    """

    name: str
    dagster_type: SegueType = ANY_TYPE
    description: str | None = None
    default_value: Any = NO_DEFAULT
    metadata: Mapping[str, object] = {}
    asset_key: Any = None
    asset_partitions: Any = None
    input_manager_key: str | None = None

    @property
    def has_default_value(self) -> bool:
        """Whether there is a default."""
        return self.default_value is not NO_DEFAULT


class OutputDefinition(msgspec.Struct, frozen=True):
    """One output of an op or graph.

    Attributes:
        name: unique among the outputs.
        dagster_type: its type.
        description: for people.
        is_required: whether it must be given.
        io_manager_key: the key of the IO manager that stores its value.
        metadata: facts for the IO manager.
        code_version: the version of the code that computes it.
        is_dynamic: whether it gives any number of values.
    """

    name: str
    dagster_type: SegueType = ANY_TYPE
    description: str | None = None
    is_required: bool = True
    io_manager_key: str = "io_manager"
    metadata: Mapping[str, object] = {}
    code_version: str | None = None
    is_dynamic: bool = False

    @property
    def optional(self) -> bool:
        """Whether it is optional."""
        return not self.is_required


def type_of(given: object) -> SegueType:
    """The type of an input or output; any value where nothing is said."""
    return ANY_TYPE if given is NO_TYPE or given is None else resolve_type(given)

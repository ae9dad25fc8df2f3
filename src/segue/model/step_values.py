"""What events say of the values that steps take and give."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from segue.model.metadata import AnyMetadataValue


class StepOutputHandle(NamedTuple):
    """Which output of a run: of which step, under which name, and of a dynamic one under which mapping key."""

    step_key: str
    output_name: str = "result"
    mapping_key: str | None = None


class TypeCheckData(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the check of a value against its type said.

    Attributes:
        success: whether the value is of the type.
        label: the input or output.
        description, metadata: what the check added.
    """

    success: bool
    label: str
    description: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}

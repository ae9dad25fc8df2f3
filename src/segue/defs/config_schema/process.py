"""A config value against a config type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from segue.defs.config_schema.place import NO_VALUE, ROOT, Place, Walk
from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.written import resolve_to_config_type
from segue.errors import ConfigViolation


class EvaluateValueResult(msgspec.Struct, frozen=True):
    """What became of a value.

    Attributes:
        success: whether it fits.
        value: the value as user code gets it, if it fits.
        errors: what does not fit.
    """

    success: bool
    value: Any
    errors: Sequence[ConfigViolation] = ()


def process_config(config_type: object, value: object, place: Place = ROOT) -> EvaluateValueResult:
    """Compares a value with a type, fills in defaults, makes members of enums and reads the environment.

    Args:
        config_type: a config type, or what is written for one.
        value: the value; JSON values.
        place: where it stands, for errors.
    """
    return _walked(config_type, value, place, Walk(fill=True))


def validate_config(config_type: object, value: object, place: Place = ROOT) -> EvaluateValueResult:
    """Compares a value with a type, and leaves it as it is."""
    return _walked(config_type, value, place, Walk(fill=False))


def _walked(config_type: object, value: object, place: Place, walk: Walk) -> EvaluateValueResult:
    kind = config_type.config_type if isinstance(config_type, Field) else resolve_to_config_type(config_type)
    found = kind.evaluate(value, place, walk)
    if walk.violations:
        return EvaluateValueResult(False, None, tuple(walk.violations))
    return EvaluateValueResult(found is not NO_VALUE, found)

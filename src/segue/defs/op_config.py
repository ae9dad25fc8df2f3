"""The config of an op, out of its entry in a run config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.config_schema.mapped import MappedType
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.process import process_config
from segue.defs.config_schema.shapes import Shape
from segue.defs.op import OpDefinition
from segue.errors import ConfigViolation, InvalidConfigError


def config_of_op(op: OpDefinition, entry: Mapping[str, Any], place: Place) -> Any:
    """What the function gets as config: an instance of its Config class, or the value of its schema.

    Args:
        op: the op.
        entry: what stands in the run config for it: `{"config": ..., ...}`.
        place: its place there.

    Raises:
        InvalidConfigError: the config is invalid.
    """
    given = entry.get("config", NO_VALUE)
    if _is_config_class(op.shape.config):
        given = _given_to_class(op, given, place.field("config"))
        return op.shape.config.from_run_config({} if given is NO_VALUE else given, place.field("config"))
    if op.config_field is None:
        return None if given is NO_VALUE else given
    return op.config_schema.resolve_config(given, place.field("config"))


def values_of_op(op: OpDefinition, entry: Mapping[str, Any], place: Place) -> Any:
    """The same as plain values, with all defaults: what `context.op_config` is.

    Raises:
        InvalidConfigError: the config is invalid.
    """
    given = entry.get("config", NO_VALUE)
    if op.config_field is None:
        return None if given is NO_VALUE else given
    return op.config_schema.resolve_config(given, place.field("config"))


def is_configured(op: OpDefinition) -> bool:
    """Whether `configured` makes the config of an op out of other config, or of none."""
    return op.config_field is not None and isinstance(op.config_schema.config_type, MappedType)


def values_of_instance(op: OpDefinition, config: Any, place: Place) -> Any:
    """The plain values of an instance of the op's Config class, which stands behind what `configured` put before it."""
    schema = op.config_schema
    while isinstance(schema.config_type, MappedType):
        schema = schema.config_type.target
    return schema.resolve_config(config.to_run_config(), place.field("config"))


def violations_of_op(op: OpDefinition, entry: Mapping[str, Any], place: Place) -> Sequence[ConfigViolation]:
    """What does not fit in the config of an op, all of it; an op that declares none may be given any."""
    if op.config_field is None:
        return ()
    given = {"config": entry["config"]} if "config" in entry else {}
    return process_config(Shape({"config": op.config_field}), given, place).errors


def _given_to_class(op: OpDefinition, given: Any, place: Place) -> Any:
    """The config that the op's class takes, where `configured` stands before it."""
    schema = op.config_schema
    while isinstance(schema.config_type, MappedType):
        walk = Walk()
        given = schema.config_type.made(given, place, walk)
        if walk.violations:
            raise InvalidConfigError(f"The config {place} is invalid:", walk.violations)
        schema = schema.config_type.target
    return given


def _is_config_class(annotation: object) -> bool:
    return getattr(annotation, "segue_parameter_kind", None) == "config"

"""The config schema of a definition: of an op, a resource, an executor, a logger, a config mapping."""

from __future__ import annotations

from typing import Any

from segue.defs.config_schema.place import NO_VALUE, ROOT, Place, Walk
from segue.defs.config_schema.shapes import Field, convert_potential_field
from segue.defs.config_schema.types import ConfigType
from segue.defs.config_schema.written import resolve_to_config_type
from segue.errors import InvalidConfigDefinitionError, InvalidConfigError, InvalidDefinitionError


class DefinitionConfigSchema:
    """What config a definition takes.

    Args:
        field: type, default, whether it must be given.
    """

    __slots__ = ("_field",)

    def __init__(self, field: Field) -> None:
        self._field = field

    def as_field(self) -> Field:
        """Type, default, whether it must be given, in one."""
        return self._field

    @property
    def config_type(self) -> ConfigType:
        """The type of the config."""
        return self._field.config_type

    @property
    def is_required(self) -> bool:
        """Whether config must be given."""
        return self._field.is_required

    @property
    def default_provided(self) -> bool:
        """Whether there is config where none is given."""
        return self._field.default_provided

    @property
    def default_value(self) -> Any:
        """The config where none is given.

        Raises:
            InvalidInvocationError: there is none.
        """
        return self._field.default_value

    @property
    def default_value_as_json_str(self) -> str:
        """The same as JSON.

        Raises:
            InvalidInvocationError: there is none.
        """
        return self._field.default_value_as_json_str

    @property
    def description(self) -> str | None:
        """What it is for."""
        return self._field.description

    def resolve_config(
        self, value: object = NO_VALUE, place: Place = ROOT, what: str = "The config is invalid:"
    ) -> Any:
        """The config as user code gets it: with defaults, members of enums, values from the environment.

        Args:
            value: the config; where it is left out, the default, or None if there is none.
            place: where it stands, for errors.
            what: the first line of the error.

        Raises:
            InvalidConfigError: it is invalid.
        """
        walk = Walk()
        given = value is not NO_VALUE
        found = self.config_type.evaluate(value, place, walk) if given else self._field.fill_default(place, walk)
        if walk.violations:
            raise InvalidConfigError(what, walk.violations, value if given else None)
        return None if found is NO_VALUE else found

    def __repr__(self) -> str:
        return f"DefinitionConfigSchema({self._field!r})"


ANY_CONFIG = DefinitionConfigSchema(Field(resolve_to_config_type(None), is_required=False))


def declared_schema(config_schema: object, what: str) -> DefinitionConfigSchema | None:
    """The schema that is written as the `config_schema` of a definition; None without one.

    Args:
        config_schema: any form that `Field` takes, a `Config` class, or a schema already.
        what: the definition and where it stands, for errors.

    Raises:
        InvalidConfigDefinitionError, InvalidDefinitionError: it is no schema.
    """
    if config_schema is None or isinstance(config_schema, DefinitionConfigSchema):
        return config_schema
    try:
        return DefinitionConfigSchema(convert_potential_field(config_schema))
    except InvalidConfigDefinitionError as error:
        raise InvalidConfigDefinitionError(
            f"{error} This is the config_schema of {what}.",
            error.original_root,
            error.current_value,
            error.stack,
            error.reason,
        ) from None
    except InvalidDefinitionError as error:
        raise InvalidDefinitionError(f"{error} This is the config_schema of {what}.") from None

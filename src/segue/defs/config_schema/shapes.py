"""Fields, and the config types that have some."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, cast

import segue.late as late
from segue.defs.config_schema.elements import Map, Noneable
from segue.defs.config_schema.fields import fields_label, fields_sample, refuse_missing, refuse_unknown
from segue.defs.config_schema.place import NO_VALUE, ROOT, Place, Walk
from segue.defs.config_schema.refusals import bad_schema
from segue.defs.config_schema.types import ConfigType, ConfigTypeKind, Enum, wrong_form
from segue.defs.config_schema.written import read_type, resolve_to_config_type
from segue.errors import (
    ConfigErrorReason,
    InvalidConfigDefinitionError,
    InvalidConfigError,
    InvalidDefinitionError,
    InvalidInvocationError,
    WrongArgumentError,
)
from segue.model.arguments import require_kind
from segue.model.digest import digest


class Field:
    """One field of a config: its type, its default, whether it is required.

    Args:
        config: the type, written in any form: `int`, `{"name": str}`, `[int]`, `Noneable(str)`, another config type.
        default_value: the default, as it would be written in a config; the field is then optional.
        is_required: whether it is required; when None, it is required if there is no default.
        description: for people.
        is_secret: whether its value is hidden from people.

    Raises:
        InvalidConfigDefinitionError, InvalidDefinitionError: the type cannot be.
        InvalidConfigError: the default is not a valid value of the type.
        WrongArgumentError: a required field with a default.
        WrongDeclarationError: an argument of a wrong type.
    """

    __slots__ = ("_default", "_is_required", "config_type", "description", "is_secret")
    is_inherited = False  # whether its default is part of the default of a field around it, and not its class's own

    def __init__(
        self,
        config: Any,
        default_value: Any = NO_VALUE,
        is_required: bool | None = None,
        description: str | None = None,
        is_secret: bool = False,
    ) -> None:
        require_kind("Field", "description", description, str)
        require_kind("Field", "is_required", is_required, bool)
        self.config_type = resolve_to_config_type(config)
        self.description = description
        self.is_secret = is_secret
        self._default = default_value
        if default_value is not NO_VALUE:
            if is_required:
                raise WrongArgumentError(
                    f"Field({self.config_type.label}): a required field cannot have a default_value. Remove one "
                    "of the two."
                )
            _require_default_fits(self.config_type, default_value)
        self._is_required = is_required

    @property
    def is_required(self) -> bool:
        """Whether it is required."""
        if self._is_required is not None:
            return self._is_required
        return self._default is NO_VALUE and not self.config_type.has_implicit_default

    @property
    def is_optional(self) -> bool:
        """Whether it is optional."""
        return not self.is_required

    @property
    def default_provided(self) -> bool:
        """Whether it has a default."""
        return self._default is not NO_VALUE or (self._is_required is None and self.config_type.has_implicit_default)

    @property
    def default_value(self) -> Any:
        """The default.

        Raises:
            InvalidInvocationError: there is none.
        """
        if self._default is not NO_VALUE:
            return self._default
        if not self.default_provided:
            raise InvalidInvocationError(
                f"A field of type {self.config_type.label} has no default value. Check default_provided first."
            )
        walk = Walk()
        walk.in_class = True  # what its class requires may be given by the default itself
        return self.config_type.evaluate(self.config_type.implicit_value, ROOT, walk)

    @property
    def default_value_as_json_str(self) -> str:
        """The default as JSON.

        Raises:
            InvalidInvocationError: there is none.
        """
        return late.json.dumps(self.default_value, default=str, separators=(", ", ": "))

    @property
    def label(self) -> str:
        """What it takes, for errors."""
        return self.config_type.label

    @property
    def sample(self) -> Any:
        """A value for it."""
        return self.config_type.sample

    @property
    def key(self) -> str:
        """Tells it from other fields."""
        default = "" if self._default is NO_VALUE else repr(self._default)
        return f"{self.config_type.key}|{self.is_required}|{default}|{self.description or ''}"

    def fill_default(self, place: Place, walk: Walk) -> Any:
        """The default, as user code gets it; `NO_VALUE` if there is none."""
        if self._default is not NO_VALUE:
            return self.config_type.evaluate(self._default, place, walk)
        if not self.default_provided:
            return NO_VALUE
        # a mapping is its default if all its fields have one
        return self.config_type.evaluate(self.config_type.implicit_value, place, walk)

    def __repr__(self) -> str:
        return f"Field({self.config_type.label}, is_required={self.is_required})"


class InheritedField(Field):
    """A field whose default is part of the default of a field around it."""

    __slots__ = ()
    is_inherited = True


class _WithFields(ConfigType):
    """A config type whose values are mappings with known fields."""

    def __init__(self, fields: Mapping[str, Any], description: str | None = None) -> None:
        if not isinstance(cast("object", fields), Mapping):
            raise WrongArgumentError(f"{type(self).__name__} must be given a mapping of fields, got {fields!r}.")
        self.fields: Mapping[str, Field] = read_fields(fields)
        self.description = description
        self._key: str | None = None

    @property
    def key(self) -> str:
        if self._key is None:
            text = "\n".join(f"{name}:{self.fields[name].key}" for name in sorted(self.fields)) + self._more_key
            self._key = f"{self._form}.{digest(text, self.description or '')}"
        return self._key

    @property
    def _form(self) -> str:
        return {"STRICT_SHAPE": "Shape", "PERMISSIVE_SHAPE": "Permissive"}.get(self.kind.value, "Selector")

    @property
    def _more_key(self) -> str:
        return ""

    @property
    def label(self) -> str:
        return fields_label(self.fields)

    @property
    def sample(self) -> Any:
        return fields_sample(self.fields)

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return [each.config_type for each in self.fields.values()]

    @property
    def has_implicit_default(self) -> bool:
        return not any(each.is_required for each in self.fields.values())


class Shape(_WithFields):
    """A mapping with these fields and no others; a plain dict is short for it.

    Args:
        fields: the type of each field, by name, in any form that `Field` takes.
        description: for people.
        field_aliases: aliases of fields, by field name.
    """

    kind = ConfigTypeKind.STRICT_SHAPE

    def __init__(
        self,
        fields: Mapping[str, Any],
        description: str | None = None,
        field_aliases: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(fields, description)
        self.field_aliases: dict[str, str] = dict(field_aliases or {})

    @property
    def _more_key(self) -> str:
        return "".join(f"\n{name}={self.field_aliases[name]}" for name in sorted(self.field_aliases))

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return wrong_form(self, "dict", value, place, walk)
        given = self._by_own_names(cast("Mapping[Any, Any]", value), place, walk)
        unknown = [name for name in given if name not in self.fields]
        refuse_unknown(self.fields, unknown, place, walk, self.label if unknown else "")
        return _evaluated(self.fields, given, place, walk)

    def _by_own_names(self, value: Mapping[Any, Any], place: Place, walk: Walk) -> Mapping[Any, Any]:
        """The value with aliases replaced by the names of the fields."""
        names = {alias: name for name, alias in self.field_aliases.items() if alias in value}
        for alias, name in names.items():
            if name in value and name != alias:
                text = f'Both "{name}" and its alias "{alias}" were provided {place}; keep one.'
                walk.refuse(place, text, ConfigErrorReason.FIELD_ALIAS_COLLISION)
        return {names.get(key, key): each for key, each in value.items()} if names else value


class Permissive(_WithFields):
    """A mapping with these fields and any others.

    Args:
        fields: the type of each known field, by name.
        description: for people.
    """

    kind = ConfigTypeKind.PERMISSIVE_SHAPE

    def __init__(self, fields: Mapping[str, Any] | None = None, description: str | None = None) -> None:
        super().__init__({} if fields is None else fields, description)

    @property
    def key(self) -> str:
        return super().key if self.fields else "Permissive"

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return wrong_form(self, "dict", value, place, walk)
        given = cast("Mapping[Any, Any]", value)
        if not self.fields:
            return dict(given)
        return {
            **_evaluated(self.fields, given, place, walk),
            **{name: each for name, each in given.items() if name not in self.fields},
        }


class Selector(_WithFields):
    """A mapping with exactly one of these fields: a choice.

    Args:
        fields: the type of each choice, by name.
        description: for people.
    """

    kind = ConfigTypeKind.SELECTOR

    @property
    def has_implicit_default(self) -> bool:
        return len(self.fields) == 1 and super().has_implicit_default

    @property
    def sample(self) -> Any:
        return {name: each.sample for name, each in list(self.fields.items())[:1]}

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return wrong_form(self, "dict", value, place, walk)
        given = cast("Mapping[Any, Any]", value)
        if len(given) > 1:
            text = (
                f"{place.start} must have exactly one of the entries {sorted(self.fields)}, got "
                f"{sorted(map(str, given))}."
            )
            return walk.refuse(place, text, ConfigErrorReason.SELECTOR_FIELD_ERROR)
        if not given and not self.has_implicit_default:
            text = f"{place.start} must have exactly one of the entries {sorted(self.fields)}, got none."
            return walk.refuse(place, text, ConfigErrorReason.SELECTOR_FIELD_ERROR)
        unknown = [name for name in given if name not in self.fields]
        if unknown:
            refuse_unknown(self.fields, unknown, place, walk, self.label)
            return NO_VALUE
        if not given:
            return _evaluated(self.fields, given, place, walk)
        ((name, each),) = given.items()
        field = self.fields[name]
        if each is None and field.config_type.has_implicit_default and not isinstance(field.config_type, Noneable):
            each = {}
        return {name: field.config_type.evaluate(each, place.field(name), walk)}


def _evaluated(fields: Mapping[str, Field], given: Mapping[Any, Any], place: Place, walk: Walk) -> dict[str, Any]:
    """The known fields of a mapping, with defaults; fields without value or default are left out."""
    found: dict[str, Any] = {}
    missing = [name for name, field in fields.items() if name not in given and field.is_required]
    refuse_missing(fields, missing, place, walk)
    for name, field in fields.items():
        if name in given:
            found[name] = field.config_type.evaluate(given[name], place.field(name), walk)
        elif not field.is_required and (walk.defaults or (walk.fill and field.is_inherited)):
            value = field.fill_default(place.field(name), walk)
            if value is not NO_VALUE:
                found[name] = value
    return found


def _require_default_fits(config_type: ConfigType, default: Any) -> None:
    if isinstance(config_type, Enum) and isinstance(default, enum.Enum) and not isinstance(default, str):
        raise InvalidDefinitionError(
            f"The default_value of a field of type {config_type.label} must be one of {config_type.config_values}, "
            f"as it is written in config; got {default!r}."
        )
    walk = Walk(fill=False)
    config_type.evaluate(default, ROOT, walk)
    if walk.violations:
        raise InvalidConfigError(f"The default_value {default!r} is not valid for the field:", walk.violations, default)


def read_fields(fields: Mapping[Any, Any], root: object = None, stack: tuple[str, ...] = ()) -> dict[str, Field]:
    """The fields of a dict in which types are written in any form.

    Raises:
        InvalidConfigDefinitionError: one of them cannot be.
    """
    whole = fields if root is None else root
    found: dict[str, Field] = {}
    for name, each in fields.items():
        if not isinstance(name, str):
            raise bad_schema(whole, fields, stack, f"Invalid key {name!r}: field names must be strings.")
        if each is None:
            why = "None is not a valid type. For a value of any type, use Any; for one that may be None, use Noneable(type)."
            raise bad_schema(whole, each, (*stack, name), why)
        found[name] = each if isinstance(each, Field) else Field(read_type(each, whole, (*stack, name)))
    return found


def convert_potential_field(schema: object) -> Field:
    """The field that is written as such, or as its type."""
    return schema if isinstance(schema, Field) else Field(schema)


def refuse_field(schema: Any, root: object, stack: tuple[str, ...]) -> ConfigType:
    """Refuses a field where a type is expected: its default and whether it is required would be lost.

    Raises:
        InvalidConfigDefinitionError: always.
    """
    raise bad_schema(
        root, schema, stack, (
            f"A Field describes an entry of a dict and cannot be used as a type. Use {schema.label} instead."
        )
    )  # fmt: skip


def read_mapping(schema: Any, root: object, stack: tuple[str, ...]) -> ConfigType:
    """The type that is written as a dict: of fields, or of one scalar type to the type of its values."""
    keys = list(schema)
    if len(keys) != 1 or isinstance(keys[0], str):
        return Shape(read_fields(schema, root, stack))
    try:
        key_type = resolve_to_config_type(keys[0])
    except InvalidConfigDefinitionError:
        raise bad_schema(
            root,
            schema,
            stack,
            f"Invalid key {keys[0]!r}: field names must be strings, and the key of a map must be a scalar type.",
        ) from None
    if key_type.kind is not ConfigTypeKind.SCALAR:
        raise bad_schema(
            root, schema, stack, f"Non-scalar key {keys[0]!r}: the key of a map must be a scalar type such as str."
        )
    try:
        return Map(key_type, read_type(schema[keys[0]], root, stack))
    except InvalidConfigDefinitionError as error:
        if error.current_value is not schema[keys[0]]:
            raise
        raise bad_schema(
            root, schema, stack, (
                f"A map schema must contain the type of its values, such as {{str: int}}; {schema[keys[0]]!r} is not "
                "a valid type."
            )
        ) from None  # fmt: skip

"""Config types around another one: a list of it, a map to it, it or None, a scalar or it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import segue.late as late
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.refusals import bad_schema
from segue.defs.config_schema.types import BOOL, FLOAT, INT, ConfigType, ConfigTypeKind, not_none, wrong_form
from segue.defs.config_schema.written import read_type, resolve_to_config_type
from segue.errors import InvalidConfigDefinitionError, WrongArgumentError


class Noneable(ConfigType):
    """A value of a type, or None. A field of this type is optional, and None by default.

    Args:
        inner_type: its type, if it is not None.
    """

    kind = ConfigTypeKind.NONEABLE

    def __init__(self, inner_type: object) -> None:
        self.inner_type = resolve_to_config_type(inner_type)

    @property
    def key(self) -> str:
        return f"Noneable.{self.inner_type.key}"

    @property
    def label(self) -> str:
        return f"{self.inner_type.label}?"

    @property
    def sample(self) -> Any:
        return self.inner_type.sample

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return (self.inner_type,)

    @property
    def type_params(self) -> Sequence[ConfigType]:
        return (self.inner_type,)

    @property
    def has_implicit_default(self) -> bool:
        return True

    @property
    def implicit_value(self) -> Any:
        return None

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        return None if value is None else self.inner_type.evaluate(value, place, walk)


class Array(ConfigType):
    """A list of values of one type; `[int]` is short for `Array(int)`.

    Args:
        inner_type: what each item is.
    """

    kind = ConfigTypeKind.ARRAY

    def __init__(self, inner_type: object) -> None:
        self.inner_type = resolve_to_config_type(inner_type)

    @property
    def key(self) -> str:
        return f"Array.{self.inner_type.key}"

    @property
    def label(self) -> str:
        return f"[{self.inner_type.label}]"

    @property
    def sample(self) -> Any:
        return []

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return (self.inner_type,)

    @property
    def type_params(self) -> Sequence[ConfigType]:
        return (self.inner_type,)

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] reason: worked out from the item type
        """A description."""
        return f"List of {self.key}"

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, list):
            return wrong_form(self, "list", value, place, walk)
        items = enumerate(cast("list[Any]", value))
        return [self.inner_type.evaluate(each, place.item(index), walk) for index, each in items]


class Map(ConfigType):
    """A mapping of any keys of a scalar type to values of one type; `{str: int}` is short for `Map(str, int)`.

    Args:
        key_type: what each key is, a scalar.
        inner_type: what each value is.
        key_label_name: the meaning of a key, for people.
    """

    kind = ConfigTypeKind.MAP

    def __init__(self, key_type: object, inner_type: object, key_label_name: str | None = None) -> None:
        try:
            self.key_type = resolve_to_config_type(key_type)
        except InvalidConfigDefinitionError as error:
            raise WrongArgumentError(f"Map: key_type must be a scalar type such as str. {error}") from None
        if self.key_type.kind is not ConfigTypeKind.SCALAR:
            raise WrongArgumentError(
                f"Map: key_type must be a scalar type such as str or int, got {self.key_type.label}."
            )
        self.inner_type = resolve_to_config_type(inner_type)
        self.given_name = key_label_name

    @property
    def key_label_name(self) -> str | None:
        """The meaning of a key."""
        return self.given_name

    @property
    def key(self) -> str:
        label = "" if self.given_name is None else f":name: {self.given_name}"
        return f"Map.{self.key_type.key}.{self.inner_type.key}{label}"

    @property
    def label(self) -> str:
        name = "" if self.given_name is None else f"{self.given_name}: "
        return f"{{ [{name}{self.key_type.label}]: {self.inner_type.label} }}"

    @property
    def sample(self) -> Any:
        return {}

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return (self.key_type, self.inner_type)

    @property
    def type_params(self) -> Sequence[ConfigType]:
        return (self.key_type, self.inner_type)

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not isinstance(value, Mapping):
            return wrong_form(self, "dict", value, place, walk)
        found: dict[Any, Any] = {}
        for written, each in cast("Mapping[Any, Any]", value).items():
            key = _key_from_json(written) if self.key_type in (INT, FLOAT, BOOL) else written
            here = place.entry(key)
            fits = self.key_type.evaluate(key, here.field("key"), walk) is not NO_VALUE
            made = self.inner_type.evaluate(each, here, walk)
            if fits:
                found[key] = made
        return found


def _key_from_json(key: Any) -> Any:
    """A number or bool as a key, where JSON, which has texts only, stands between."""
    if not isinstance(key, str):
        return key
    try:
        return late.json.loads(key)
    except ValueError:
        return key


class ScalarUnion(ConfigType):
    """A scalar, or something that is none: a text, or a mapping that says where the text is found.

    Args:
        scalar_type: the scalar.
        non_scalar_schema: a schema of lists or fields.
    """

    kind = ConfigTypeKind.SCALAR_UNION

    def __init__(self, scalar_type: object, non_scalar_schema: object, _key: str | None = None) -> None:
        self.scalar_type = resolve_to_config_type(scalar_type)
        self.non_scalar_type = resolve_to_config_type(non_scalar_schema)
        if self.scalar_type.kind is not ConfigTypeKind.SCALAR:
            raise WrongArgumentError(f"ScalarUnion: scalar_type must be a scalar type, got {self.scalar_type.label}.")
        if self.non_scalar_type.kind in (ConfigTypeKind.SCALAR, ConfigTypeKind.SCALAR_UNION, ConfigTypeKind.ANY):
            raise WrongArgumentError(
                "ScalarUnion: non_scalar_schema must be a list type or a type with fields, got "
                f"{self.non_scalar_type.label}."
            )
        self._key = _key or f"ScalarUnion.{self.scalar_type.key}-{self.non_scalar_type.key}"

    @property
    def key(self) -> str:
        return self._key

    @property
    def label(self) -> str:
        return f"({self.scalar_type.label} | {self.non_scalar_type.label})"

    @property
    def sample(self) -> Any:
        return self.scalar_type.sample

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return (self.scalar_type, self.non_scalar_type)

    @property
    def type_params(self) -> Sequence[ConfigType]:
        return (self.scalar_type, self.non_scalar_type)

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if value is None:
            return not_none(self, place, walk)
        chosen = self.non_scalar_type if isinstance(value, (Mapping, list)) else self.scalar_type
        return chosen.evaluate(value, place, walk)


def read_list(schema: Any, root: object, stack: tuple[str, ...]) -> ConfigType:
    """The type that is written as a list of one type."""
    if len(schema) != 1:
        raise bad_schema(
            root, schema, stack, ("A list schema must contain exactly one type, the type of its items: [int].")
        )
    if schema[0] is None:
        raise bad_schema(
            root,
            schema,
            stack,
            ("A list schema must contain the type of its items, such as [int]. For items of any type, use [Any]."),
        )
    try:
        return Array(read_type(schema[0], root, stack))
    except InvalidConfigDefinitionError as error:
        if error.current_value is not schema[0]:
            raise
        raise bad_schema(
            root,
            schema,
            stack,
            (f"A list schema must contain the type of its items, such as [int]; {schema[0]!r} is not a valid type."),
        ) from None

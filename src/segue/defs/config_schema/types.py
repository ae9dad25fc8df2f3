"""Config types: what a value in a config may be. The simple ones: any value, scalars, enums."""

from __future__ import annotations

import abc
import enum
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from segue.defs.config_schema.place import Place, Walk, near_names
from segue.errors import InvalidDefinitionError, WrongArgumentError


class ConfigTypeKind(enum.Enum):
    """What form the values of a config type have."""

    ANY = "ANY"
    SCALAR = "SCALAR"
    ENUM = "ENUM"
    SELECTOR = "SELECTOR"
    STRICT_SHAPE = "STRICT_SHAPE"
    PERMISSIVE_SHAPE = "PERMISSIVE_SHAPE"
    SCALAR_UNION = "SCALAR_UNION"
    MAP = "MAP"
    ARRAY = "ARRAY"
    NONEABLE = "NONEABLE"

    @staticmethod
    def is_shape(kind: ConfigTypeKind) -> bool:
        """Whether values of this form are mappings of fields."""
        return kind in (ConfigTypeKind.STRICT_SHAPE, ConfigTypeKind.PERMISSIVE_SHAPE)


class ConfigType(abc.ABC):
    """What a value in a config may be.

    Two of them are equal if they have the same key, which says all that they accept.

    Attributes:
        key: tells it from others.
        kind: the form of its values.
        given_name: its name, where it has one.
        description: for people.
    """

    kind: ConfigTypeKind
    given_name: str | None = None
    description: str | None = None

    @property
    @abc.abstractmethod
    def key(self) -> str:
        """Tells it from other types."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """What errors call it: `Int`, `[String]`, `{ columns: [String] limit?: Int }`."""

    @property
    @abc.abstractmethod
    def sample(self) -> Any:
        """A value of this type, to show what one looks like."""

    @abc.abstractmethod
    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        """The value as user code gets it; `NO_VALUE`, and something among the walk's violations, if it does not fit."""

    def post_process(self, value: Any) -> Any:
        """The value as user code gets it, given one that fits. Own types override it to change what they accept."""
        return value

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        """The types it is put together from."""
        return ()

    @property
    def type_params(self) -> Sequence[ConfigType] | None:
        """The types in its brackets; None without."""
        return None

    def type_iterator(self) -> Iterator[ConfigType]:
        """The types inside of it and itself, the innermost first."""
        for each in self.inner_types:
            yield from each.type_iterator()
        yield self

    @property
    def has_implicit_default(self) -> bool:
        """Whether a field of this type needs no value, although it names no default."""
        return False

    @property
    def implicit_value(self) -> Any:
        """The implicit default, if `has_implicit_default`."""
        return {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigType) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label}>"


def not_none(kind: ConfigType, place: Place, walk: Walk) -> Any:
    """Takes note that a value is None where it must not be."""
    return walk.refuse(place, f"{place.start} must not be None: expected {kind.label}.")


def wrong_form(kind: ConfigType, form: str, value: Any, place: Place, walk: Walk) -> Any:
    """Takes note that a value is not the dict or list that it must be."""
    if value is None:
        return not_none(kind, place, walk)
    came = f"{value!r} of type {type(value).__name__}"
    return walk.refuse(place, f"{place.start} must be a {form}: expected {kind.label}, got {came}.")


class ScalarType(ConfigType):
    """A single value of one Python class.

    Args:
        name: its name.
        accepts: whether a value is one.
        sample: a value of it.
        convert: makes what user code gets out of a value that is accepted.
    """

    kind = ConfigTypeKind.SCALAR

    def __init__(
        self, name: str, accepts: Callable[[Any], bool], sample: Any, convert: Callable[[Any], Any] | None = None
    ) -> None:
        self.given_name = name
        self._accepts = accepts
        self._sample = sample
        self._convert = convert

    @property
    def key(self) -> str:
        return str(self.given_name)

    @property
    def label(self) -> str:
        return str(self.given_name)

    @property
    def sample(self) -> Any:
        return self._sample

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not self._accepts(value):
            return self.mismatch(value, place, walk)
        return value if not walk.fill or self._convert is None else self._convert(value)

    def mismatch(self, value: Any, place: Place, walk: Walk) -> Any:
        """Takes note of a value of another class."""
        if value is None:
            return not_none(self, place, walk)
        came = f"{value!r} of type {type(value).__name__}"
        return walk.refuse(place, f"Invalid value {place}: expected {self.label}, got {came}.")

    def post_process(self, value: Any) -> Any:
        return value if self._convert is None else self._convert(value)


class AnyType(ConfigType):
    """Any value."""

    kind = ConfigTypeKind.ANY
    given_name = "Any"

    @property
    def key(self) -> str:
        return "Any"

    @property
    def label(self) -> str:
        return "Any"

    @property
    def sample(self) -> Any:
        return "AnyType"

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        return value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


ANY: Final = AnyType()
INT: Final = ScalarType("Int", _is_int, 0)
FLOAT: Final = ScalarType("Float", _is_number, 0.0, float)
BOOL: Final = ScalarType("Bool", lambda value: isinstance(value, bool), True)
STRING: Final = ScalarType("String", lambda value: isinstance(value, str), "...")


class EnumValue:
    """One value of an `Enum`.

    Args:
        config_value: how it is written in a config.
        python_value: what user code gets; the same text when None.
        description: for people.
    """

    __slots__ = ("config_value", "description", "python_value")

    def __init__(self, config_value: str, python_value: object | None = None, description: str | None = None) -> None:
        if not isinstance(cast("object", config_value), str):
            raise WrongArgumentError(f"EnumValue: config_value must be a string, got {config_value!r}.")
        self.config_value = config_value
        self.python_value = config_value if python_value is None else python_value
        self.description = description

    def __repr__(self) -> str:
        return f"EnumValue({self.config_value!r})"


class Enum(ConfigType):
    """One of several strings, each of which may stand for a Python value.

    Args:
        name: its name.
        enum_values: the values.
    """

    kind = ConfigTypeKind.ENUM

    def __init__(self, name: str, enum_values: Sequence[EnumValue]) -> None:
        if not isinstance(cast("object", name), str):
            raise WrongArgumentError(f"Enum: name must be a string, got {name!r}.")
        self.given_name = name
        self.enum_values = list(enum_values)
        strange = [each for each in self.enum_values if not isinstance(cast("object", each), EnumValue)]
        if strange:
            raise WrongArgumentError(f"Enum {name!r}: enum_values must contain EnumValue objects, got {strange[0]!r}.")
        self._by_text = {each.config_value: each for each in self.enum_values}
        if len(self._by_text) < len(self.enum_values):
            raise InvalidDefinitionError(f"Enum {name!r} has a duplicate value.")

    @classmethod
    def from_python_enum(cls, enum: type[enum.Enum], name: str | None = None) -> Enum:
        """An enum whose texts are the names of the members of a Python enum; user code gets the members."""
        return cls(name or enum.__name__, [EnumValue(each.name, each) for each in enum])

    @classmethod
    def from_python_enum_direct_values(cls, enum: type[enum.Enum], name: str | None = None) -> Enum:
        """An enum whose texts are the names of the members of a Python enum; user code gets their values."""
        return cls(name or enum.__name__, [EnumValue(each.name, each.value) for each in enum])

    @property
    def key(self) -> str:
        return str(self.given_name)

    @property
    def label(self) -> str:
        return str(self.given_name)

    @property
    def sample(self) -> Any:
        return self.enum_values[0].config_value if self.enum_values else "..."

    @property
    def config_values(self) -> list[str]:
        """How its values are written."""
        return list(self._by_text)

    def is_valid_config_enum_value(self, config_value: object) -> bool:
        """Whether a text is one of its values."""
        return config_value in self.config_values

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if value is None:
            return not_none(self, place, walk)
        if isinstance(value, enum.Enum) and any(each.python_value is value for each in self.enum_values):
            return value
        if not isinstance(value, str):
            return walk.refuse(
                place, f"{place.start} must be one of the strings {self.config_values} ({self.label}), got {value!r}."
            )
        if value not in self._by_text:
            near = near_names(value, self._by_text)
            return walk.refuse(
                place, f"{place.start} must be one of {self.config_values} ({self.label}), got {value!r}.{near}"
            )
        return self._by_text[value].python_value if walk.fill else value

    def post_process(self, value: Any) -> Any:
        """The Python value that a string stands for; a Python value of the enum is returned unchanged."""
        if isinstance(value, str) and value in self._by_text:
            return self._by_text[value].python_value
        for each in self.enum_values:
            if each.python_value is value:
                return value
        raise InvalidDefinitionError(
            f"{value!r} is not a value of the enum {self.label}: expected one of {self.config_values}."
        )

"""Config that a function makes out of other config: what `configured` and config mappings stand on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Field, Shape
from segue.defs.config_schema.types import ConfigType, ConfigTypeKind
from segue.defs.run_config import plain
from segue.errors import ConfigMappingFunctionError, InvalidInvocationError, SegueError, WrongArgumentError


class ConfigFunction:
    """A function of config that gives other config.

    Args:
        function: takes the config: plain values, or an instance where its parameter is annotated with a Config class.
        config_schema: what it takes, where no annotation says so; anything when None.
        what: what errors call it.

    Raises:
        InvalidInvocationError: it takes more or less than one argument, or has a schema besides its annotation.
    """

    def __init__(self, function: Callable[[Any], Any], config_schema: object, what: str) -> None:
        self._function = function
        self.what = what
        self.model: Any = _config_class(function, what)
        if self.model is not None and config_schema is not None:
            raise InvalidInvocationError(
                f"{what} takes a {self.model.__name__}, which already defines its schema. Remove config_schema."
            )
        self.schema: DefinitionConfigSchema = (
            declared_schema(config_schema if self.model is None else self.model, what) or ANY_CONFIG
        )

    def __call__(self, given: Any, place: Place) -> Any:
        """What the function makes of config that fits its schema, as JSON values.

        Args:
            given: the config as the function gets it; for one that takes an instance, as it was given.
            place: where it stands.

        Raises:
            ConfigMappingFunctionError: the function raised.
            InvalidConfigError: it gave what no config can hold.
        """
        argument = given
        if self.model is not None:
            argument = self.model.from_run_config({} if given is NO_VALUE else given, place)
        try:
            made = self._function(None if argument is NO_VALUE else argument)
        except SegueError:
            raise
        except Exception as error:
            raise ConfigMappingFunctionError(f"{self.what} raised {error!r} for the config {place}.", error) from error
        return plain(made.to_config_dict() if hasattr(made, "to_config_dict") else made, self.what)


class MappedType(ConfigType):
    """Config out of which a function makes that of something else: its values are those of the latter.

    Args:
        function: makes the config.
        target: what takes that config.
    """

    def __init__(self, function: ConfigFunction, target: DefinitionConfigSchema) -> None:
        self.function = function
        self.target = target
        self._field = function.schema.as_field()
        self.kind: ConfigTypeKind = self._field.config_type.kind
        self.description = self._field.description

    @property
    def key(self) -> str:
        return f"{self._field.config_type.key}->{self.target.config_type.key}@{id(self.function)}"

    @property
    def label(self) -> str:
        return self._field.label

    @property
    def sample(self) -> Any:
        return self._field.sample

    @property
    def inner_types(self) -> Sequence[ConfigType]:
        return (self._field.config_type,)

    @property
    def has_implicit_default(self) -> bool:
        return not self._field.is_required

    @property
    def implicit_value(self) -> Any:
        return NO_VALUE

    def made(self, value: Any, place: Place, walk: Walk) -> Any:
        """The config of the target, not yet compared with its schema; `NO_VALUE` if the value does not fit."""
        before = len(walk.violations)
        inner = walk if self.function.model is None else Walk()
        if value is NO_VALUE:
            found = self._field.fill_default(place, inner)
        else:
            found = self._field.config_type.evaluate(value, place, inner)
        if inner is not walk:
            walk.violations.extend(inner.violations)
        if len(walk.violations) > before:
            return NO_VALUE
        return self.function(found if self.function.model is None else value, place)

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if not walk.fill:
            return value if value is NO_VALUE else self._field.config_type.evaluate(value, place, walk)
        given = self.made(value, place, walk)
        if given is NO_VALUE:
            return NO_VALUE
        return self.target.config_type.evaluate(
            given, Place(place.path, f"{place.text} (returned by {self.function.what})"), walk
        )


def fixed_config(config: object, what: str) -> ConfigFunction:
    """The function that gives this config, and takes none."""
    stored = plain(config, what)
    return ConfigFunction(lambda _config: stored, Field(Shape({})), what)


def mapped_schema(
    target: DefinitionConfigSchema, config_or_config_fn: Any, config_schema: object, what: str
) -> DefinitionConfigSchema:
    """The schema of something whose config is given, as it is or by a function of other config.

    Args:
        target: the schema of the thing itself.
        config_or_config_fn: the config, or the function.
        config_schema: what the function takes.
        what: the thing, for errors.

    Raises:
        InvalidConfigError: the config is invalid.
        InvalidInvocationError: a schema besides fixed config, or a function with other parameters than one.
    """
    if callable(config_or_config_fn):
        function = ConfigFunction(config_or_config_fn, config_schema, f"the function that configures {what}")
        return DefinitionConfigSchema(Field(MappedType(function, target)))
    if config_schema is not None:
        raise InvalidInvocationError(
            f"{what}: config_schema describes the input of a config function, but fixed config was given. Remove "
            "config_schema."
        )
    function = fixed_config(config_or_config_fn, f"the config that {what} is given")
    return DefinitionConfigSchema(Field(MappedType(function, target), is_required=None))


def _config_class(function: Callable[..., Any], what: str) -> Any:
    """The Config class that annotates the only parameter; None without."""
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) != 1:
        raise WrongArgumentError(
            f"{what} must take exactly one argument, the config; it takes {len(parameters)} "
            f"({', '.join(map(str, parameters)) or 'none'})."
        )
    annotation = parameters[0].annotation
    if isinstance(annotation, str):
        annotation = _evaluated(function, parameters[0].name)
    return annotation if getattr(annotation, "segue_parameter_kind", None) == "config" else None


def _evaluated(function: Callable[..., Any], name: str) -> Any:
    try:
        return get_type_hints(function).get(name)
    except NameError:
        return None  # names what is known to type checkers only, which no Config class can be

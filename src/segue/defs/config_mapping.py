"""Config mappings: a job or graph with a config of its own, out of which a function makes that of its ops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast, overload

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.mapped import ConfigFunction, MappedType
from segue.defs.config_schema.place import NO_VALUE, ROOT, Place, Walk
from segue.errors import InvalidConfigError, WrongArgumentError

ConfigMappingFn: TypeAlias = Callable[[Any], Any]


class ConfigMapping:
    """Maps the config of a job or graph to the config of its ops.

    Args:
        config_fn: takes the config, and gives that of the ops: for a job a run config, as a mapping or `RunConfig`; for a
            graph a mapping by name of the ops in it. Where its parameter is annotated with a Config class, it gets an instance.
        config_schema: the schema of the config; anything when None.
        receive_processed_config_values: whether the function gets members of enums and values from the environment, or
            the texts and names as they are written. When None, the function of a job gets the former, that of a graph the
            latter; defaults are filled in for both.

    Raises:
        InvalidInvocationError: no function of one argument, or a schema besides the annotation.
        InvalidConfigDefinitionError: no schema.
    """

    is_job_config = True
    __slots__ = ("_function", "_schema", "config_fn", "receive_processed_config_values")

    def __init__(
        self,
        config_fn: ConfigMappingFn,
        config_schema: Any = None,
        receive_processed_config_values: bool | None = None,
    ) -> None:
        if not callable(config_fn):
            raise WrongArgumentError(f"ConfigMapping: config_fn must be a function, got {config_fn!r}.")
        name = getattr(config_fn, "__name__", "a function")
        self.config_fn = config_fn
        self.receive_processed_config_values = receive_processed_config_values
        given = None if isinstance(config_schema, DefinitionConfigSchema) else config_schema
        self._function = ConfigFunction(config_fn, given, f"the config mapping {name!r}")
        self._schema = config_schema if isinstance(config_schema, DefinitionConfigSchema) else self._function.schema

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """The schema of the config."""
        return self._schema

    def resolve_from_unvalidated_config(self, config: Any) -> Any:
        """The config of the ops, for the config of a job.

        Raises:
            InvalidConfigError: the config is invalid.
            ConfigMappingFunctionError: the function raised.
        """
        return self._resolve(config, ROOT, self.receive_processed_config_values is not False)

    def resolve_from_validated_config(self, config: Any) -> Any:
        """The config of the ops, for valid config of a graph.

        Raises:
            InvalidConfigError: it is invalid all the same.
            ConfigMappingFunctionError: the function raised.
        """
        return self._resolve(config, ROOT, bool(self.receive_processed_config_values))

    def resolve_at(self, config: Any, place: Place) -> Any:
        """The config of the ops of a graph, for the config at a place of a run config.

        Raises:
            InvalidConfigError: the config is invalid.
            ConfigMappingFunctionError: the function raised.
        """
        return self._resolve(config, place, bool(self.receive_processed_config_values))

    def _resolve(self, config: Any, place: Place, processed: bool) -> Any:
        walk = Walk(fill=processed, defaults=True)
        field = self._schema.as_field()
        if self._function.model is not None and isinstance(field.config_type, MappedType):
            config = field.config_type.made(config, place, walk)
        given = config is not NO_VALUE
        kind = self._function.schema.config_type if self._function.model is not None else field.config_type
        value = kind.evaluate(config, place, walk) if given else field.fill_default(place, walk)
        if walk.violations:
            raise InvalidConfigError(f"The config is not valid for {self._function.what}:", walk.violations, config)
        return self._function(config if self._function.model is not None else value, place)

    def with_schema(self, config_schema: DefinitionConfigSchema) -> ConfigMapping:
        """The same function with another schema, whose config is mapped to the config of this one."""
        copy = ConfigMapping.__new__(ConfigMapping)
        copy.config_fn = self.config_fn
        copy.receive_processed_config_values = True
        copy._function = self._function
        copy._schema = config_schema
        return copy

    def __repr__(self) -> str:
        return f"ConfigMapping({self._function.what}, {self._schema.config_type.label})"


@overload
def config_mapping(config_fn: ConfigMappingFn, /) -> ConfigMapping: ...
@overload
def config_mapping(
    *, config_schema: Any = ..., receive_processed_config_values: bool | None = ...
) -> Callable[[ConfigMappingFn], ConfigMapping]: ...
def config_mapping(
    config_fn: ConfigMappingFn | None = None,
    *,
    config_schema: Any = None,
    receive_processed_config_values: bool | None = None,
) -> ConfigMapping | Callable[[ConfigMappingFn], ConfigMapping]:
    """Makes a config mapping of a function; see `ConfigMapping`.

    Args:
        config_schema: the schema of the config, if the function's parameter has no annotation.
        receive_processed_config_values: whether the function gets members of enums and values from the environment.

    Raises:
        As `ConfigMapping`.
    """

    def decorate(function: ConfigMappingFn) -> ConfigMapping:
        return ConfigMapping(function, config_schema, receive_processed_config_values)

    return decorate if config_fn is None else decorate(config_fn)


def mapped_config(mapping: object, config: Any, place: Place) -> Any:
    """What the `config` of a graph makes of the config it is given: fixed config is taken as it is.

    Raises:
        InvalidConfigError: the config does not match the schema of the mapping.
        ConfigMappingFunctionError: its function raised.
    """
    if isinstance(mapping, ConfigMapping):
        return mapping.resolve_at(config, place)
    if config is not NO_VALUE and config:
        raise InvalidConfigError(f"{place.text} must not be given here: it is fixed by the config of the graph.")
    return cast("Mapping[str, Any]", mapping)

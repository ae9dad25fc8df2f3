"""Type loaders: how a value is made out of run config, for an input that nothing else feeds."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any, TypeAlias

from segue.defs.config_schema.types import ConfigType
from segue.defs.config_schema.written import resolve_to_config_type
from segue.errors import InvalidDefinitionError

if TYPE_CHECKING:
    from logging import Logger

TypeLoaderFn: TypeAlias = "Callable[[TypeLoaderContext, Any], Any]"


class TypeLoaderContext:
    """What a type loader is told.

    Attributes:
        resources: the resources that the loader asks for, as attributes.
        op_def: the op whose input is loaded.
        job_def: the job that runs it; None outside of one.
        log: the log of the step.
        run_id: the run.
    """

    __slots__ = ("job_def", "log", "op_def", "resources", "run_id")

    def __init__(self, *, resources: Any, op_def: Any, job_def: Any, log: Logger, run_id: str) -> None:
        self.resources = resources
        self.op_def = op_def
        self.job_def = job_def
        self.log = log
        self.run_id = run_id


class TypeLoader(abc.ABC):
    """Makes a value of a type out of run config. Derive from it, or use `type_loader`."""

    @property
    @abc.abstractmethod
    def schema_type(self) -> Any:
        """The schema of the config it takes."""

    @abc.abstractmethod
    def construct_from_config_value(self, context: TypeLoaderContext, config_value: object) -> object:
        """The value for this config."""

    def required_resource_keys(self) -> Set[str]:
        """The resources it takes from its context."""
        return frozenset()


class FunctionTypeLoader(TypeLoader):
    """A type loader made of a function."""

    def __init__(self, function: TypeLoaderFn, config_schema: object, required_resource_keys: Set[str]) -> None:
        parameters = list(inspect.signature(function).parameters)
        if len(parameters) != 2:
            raise InvalidDefinitionError(
                f"The type loader {getattr(function, '__name__', function)!r} must take a context and the "
                f"config value, got the parameters: {', '.join(parameters) or 'none'}."
            )
        self._function = function
        self._config_type = resolve_to_config_type(config_schema)
        self._required_resource_keys = required_resource_keys

    @property
    def schema_type(self) -> ConfigType:
        """The schema of the config it takes."""
        return self._config_type

    def construct_from_config_value(self, context: TypeLoaderContext, config_value: object) -> object:
        """The value for this config."""
        return self._function(context, config_value)

    def required_resource_keys(self) -> Set[str]:
        """The resources it takes from its context."""
        return self._required_resource_keys

    def __call__(self, context: TypeLoaderContext, config_value: object) -> object:
        """Calls the function."""
        return self._function(context, config_value)


def type_loader(
    config_schema: object, required_resource_keys: Set[str] | None = None
) -> Callable[[TypeLoaderFn], FunctionTypeLoader]:
    """Makes a type loader of a function that takes a context and the config value.

    Args:
        config_schema: the schema of the config value.
        required_resource_keys: the resources that the function takes from its context.

    Raises:
        InvalidDefinitionError: no schema, or a function that does not take two arguments.
    """

    def decorate(function: TypeLoaderFn) -> FunctionTypeLoader:
        return FunctionTypeLoader(function, config_schema, frozenset(required_resource_keys or ()))

    return decorate

"""`configured`: a definition with its config given, as it is or by a function of other config."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.mapped import mapped_schema
from segue.errors import InvalidInvocationError, WrongArgumentError

T = TypeVar("T")


class Configurable(abc.ABC):
    """What takes config and can be given it beforehand: resources, loggers, IO managers."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def config_schema(self) -> Any:
        """What config it takes."""

    @abc.abstractmethod
    def copy_for_configured(self, description: str | None, config_schema: Any) -> Self:
        """A copy with another description and config schema."""

    def configured(self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None) -> Self:
        """The same with its config given.

        Args:
            config_or_config_fn: the config, or a function that makes it out of other config, which is what is given then. A
                parameter annotated with a Config class gets an instance.
            config_schema: what the function takes, where no annotation says so; anything when None.
            description: for people.

        Raises:
            InvalidInvocationError: a function without one argument, or a schema besides what says it already.
        """
        schema = mapped_schema(self.config_schema, config_or_config_fn, config_schema, repr(self))
        return self.copy_for_configured(description, schema)


class NamedConfigurable(abc.ABC):
    """The same for what has a name: ops, graphs, executors."""

    __slots__ = ()
    name: str

    @property
    @abc.abstractmethod
    def config_schema(self) -> Any:
        """What config it takes."""

    @abc.abstractmethod
    def copy_for_configured(self, name: str, description: str | None, config_schema: Any) -> Self:
        """A copy under another name, with another description and config schema."""

    def configured(
        self,
        config_or_config_fn: Any,
        name: str | None = None,
        config_schema: Any = None,
        description: str | None = None,
    ) -> Self:
        """The same with its config given.

        Args:
            config_or_config_fn: the config, or a function that makes it out of other config, which is what is given then. A
                parameter annotated with a Config class gets an instance.
            name: another name; that of the function when None, which fixed config does not have.
            config_schema: what the function takes, where no annotation says so; anything when None.
            description: for people.

        Raises:
            InvalidInvocationError: fixed config without a name, a function without one argument, or a schema besides what
                says it already.
        """
        own_name = name or getattr(config_or_config_fn, "__name__", None) or self.configured_name
        if own_name is None:
            raise InvalidInvocationError(
                f"{self!r} already has fixed config. Pass name= as well, so that the configured copy can be told apart."
            )
        schema = self.configured_schema(config_or_config_fn, config_schema)
        return self.copy_for_configured(own_name, description, schema)

    @property
    def configured_name(self) -> str | None:
        """The name of one with fixed config, where none is given; None where it must be."""
        return None

    def configured_schema(self, config_or_config_fn: Any, config_schema: Any) -> DefinitionConfigSchema:
        """What config the configured one takes."""
        return mapped_schema(self.config_schema, config_or_config_fn, config_schema, repr(self))


def configured(
    configurable: T, config_schema: Any = None, *, name: str | None = None, description: str | None = None
) -> Callable[[object], T]:
    """Gives a resource, op, graph, logger, executor or IO manager its config: as it is, or as a decorator of a function.

    `configured(base)({"rows": 5})` is `base` with this config; `@configured(base, {"size": str})` over a function of that
    schema's values is `base` with the config that the function gives.

    Args:
        configurable: the definition, or the class of a configurable resource.
        config_schema: the schema of the function's config, if its parameter has no annotation.
        name: another name, for what has one; the function's when None.
        description: for people.

    Raises:
        WrongArgumentError: something that takes no config.
        InvalidInvocationError: what `configured` of the definition refuses.
    """
    target: Any = configurable
    if isinstance(configurable, type) and hasattr(configurable, "definition_of_class"):
        target = cast("Any", configurable).definition_of_class()
    if not isinstance(target, (Configurable, NamedConfigurable)):
        raise WrongArgumentError(
            "configured must be given a resource, op, graph, logger, executor or IO manager definition, got "
            f"{configurable!r}."
        )

    def give(config_or_config_fn: object) -> T:
        named = {"name": name} if isinstance(target, NamedConfigurable) else {}
        return cast(
            "T", target.configured(config_or_config_fn, config_schema=config_schema, description=description, **named)
        )

    return give

"""Resources as functions: `@resource`, and `ResourceDefinition` with its ready-made kinds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping, Set
from contextlib import AbstractContextManager, contextmanager
from types import GeneratorType
from typing import Any, ClassVar, Self, TypeAlias, overload

from segue.defs.bindings import bound
from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.place import ROOT, Place
from segue.defs.config_schema.process import process_config
from segue.defs.config_schema.shapes import Shape
from segue.defs.configurable import Configurable
from segue.defs.resource_context import InitResourceContext
from segue.defs.signature import docstring_of
from segue.errors import InvalidConfigError, InvalidDefinitionError, InvalidInvocationError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list

ResourceFunction: TypeAlias = Callable[..., Any]


class ResourceDefinition(Configurable):
    """A resource created by a function. Written as `@resource`.

    Args:
        resource_fn: takes an `InitResourceContext`, or nothing, and gives the resource. Where it is a generator, what it
            yields is the resource, and what stands behind the `yield` tears it down.
        config_schema: what its config looks like; anything when None.
        description: for people.
        required_resource_keys: the resources that it takes from `context.resources`.
        version: the version of the code.

    Raises:
        InvalidDefinitionError: a function that needs more than one argument.
    """

    segue_manager_role: ClassVar[str | None] = None

    def __init__(
        self,
        resource_fn: ResourceFunction,
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Set[str] | None = None,
        version: str | None = None,
    ) -> None:
        what = type(self).__name__
        require_kind(what, "description", description, str)
        require_kind(what, "version", version, str)
        if not callable(resource_fn):
            raise WrongDeclarationError(f"{what}: resource_fn must be a function, got {resource_fn!r}.")
        self._resource_fn = resource_fn
        self._parameter = _context_parameter(resource_fn, what)
        self._config_schema = declared_schema(config_schema, f"{what} {_name_of(resource_fn)}") or ANY_CONFIG
        self._description = description
        self._required = _keys(required_resource_keys, what)
        self._version = version

    @property
    def resource_fn(self) -> ResourceFunction:
        """The function."""
        return self._resource_fn

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """What its config looks like."""
        return self._config_schema

    @property
    def description(self) -> str | None:
        """For people."""
        return self._description

    @property
    def version(self) -> str | None:
        """The version of the code."""
        return self._version

    @property
    def required_resource_keys(self) -> Set[str]:
        """The resources it requires."""
        return self._required

    @staticmethod
    def none_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that is None."""
        return ResourceDefinition.hardcoded_resource(None, description)

    @staticmethod
    def hardcoded_resource(value: Any, description: str | None = None) -> ResourceDefinition:
        """A resource that is this value."""
        return ResourceDefinition(fixed(value), description=description)

    @staticmethod
    def mock_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that answers to everything: a `unittest.mock.MagicMock`."""
        return ResourceDefinition(_mock, description=description)

    @staticmethod
    def string_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that is the text in its config."""
        return ResourceDefinition(_own_config, str, description)

    def copy_for_configured(self, description: str | None, config_schema: Any) -> Self:
        """A copy with another description and config schema."""
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self))
        copy._description = description or self._description
        copy._config_schema = declared_schema(config_schema, repr(self)) or ANY_CONFIG
        return copy

    def resolve_config(self, given: Mapping[str, Any], place: Place, what: str = "The config is invalid:") -> Any:
        """The config its function gets.

        Args:
            given: the entry of the run config: `{"config": ...}`, or nothing.
            place: its position, for errors.
            what: the first line of the error.

        Raises:
            InvalidConfigError: it does not match the schema.
        """
        result = process_config(Shape({"config": self._config_schema.as_field()}), dict(given), place)
        if result.errors:
            raise InvalidConfigError(what, result.errors, given)
        return dict(result.value).get("config")

    @property
    def needs_config(self) -> bool:
        """Whether it cannot be set up without config."""
        return self._config_schema.is_required

    def make(self, context: InitResourceContext) -> Any:
        """The result of the function: the resource, or a generator that yields it."""
        return self._resource_fn(context) if self._parameter is not None else self._resource_fn()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function, as tests do: with a context of `build_init_resource_context`, or None where it needs none.

        A generator is given as what a `with` block takes, which then holds the resource.

        Raises:
            InvalidInvocationError: a context that is missing, superfluous or of another name.
            InvalidDefinitionError: the context lacks a resource that is required.
            InvalidConfigError: the config in the context does not fit.
        """
        if self._parameter is None:
            if args or kwargs:
                raise InvalidInvocationError(
                    f"{self!r} takes no context, but was called with one. Call it without arguments, or add a "
                    "parameter to its function."
                )
            made = self._resource_fn()
        else:
            made = self._resource_fn(self._context_for_call(args, kwargs))
        return opened_generator(made) if isinstance(made, GeneratorType) else made

    def _context_for_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> InitResourceContext:
        name = self._parameter
        if not args and not kwargs:
            raise InvalidInvocationError(
                f"{self!r} was called without a context. Pass build_init_resource_context(...), or None."
            )
        if len(args) + len(kwargs) > 1 or (kwargs and name not in kwargs):
            raise InvalidInvocationError(f"{self!r} takes one argument, {name!r}. Pass it by position or by this name.")
        context: InitResourceContext | None = args[0] if args else kwargs[name or ""]
        if context is None and self._required:
            raise InvalidInvocationError(
                f"{self!r} requires the resources {', '.join(sorted(self._required))}, but its context is None. Pass "
                "build_init_resource_context(resources={...})."
            )
        if context is None and self.needs_config:
            raise InvalidInvocationError(
                f"{self!r} requires config, but its context is None. Pass build_init_resource_context(config={{...}})."
            )
        context = InitResourceContext() if context is None else context
        missing = sorted(key for key in self._required if not hasattr(context.resources, key))
        if missing:
            raise InvalidDefinitionError(
                f"{self!r} requires the resource {missing[0]!r}, which its context does not have. Add it to "
                "build_init_resource_context(resources={...})."
            )
        given = {} if context.resource_config is None else {"config": context.resource_config}
        return context.replace_config(self.resolve_config(given, ROOT, f"The config of {self!r} is invalid:"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_name_of(self._resource_fn)})"


@overload
def resource(config_schema: ResourceFunction, /) -> ResourceDefinition: ...
@overload
def resource(
    config_schema: Any = ...,
    description: str | None = ...,
    required_resource_keys: Set[str] | None = ...,
    version: str | None = ...,
) -> Callable[[ResourceFunction], ResourceDefinition]: ...
def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Set[str] | None = None,
    version: str | None = None,
) -> ResourceDefinition | Callable[[ResourceFunction], ResourceDefinition]:
    """Declares a resource by a function that creates it; see `ResourceDefinition`.

    Args:
        config_schema: what its config looks like; anything when None.
        description: for people; the docstring when None.
        required_resource_keys: the resources that it takes from `context.resources`.
        version: the version of the code.

    Raises:
        InvalidDefinitionError: a function that needs more than one argument.
    """
    if is_decorated(config_schema):
        return ResourceDefinition(config_schema, description=docstring_of(config_schema))

    def decorate(function: ResourceFunction) -> ResourceDefinition:
        return ResourceDefinition(
            function, config_schema, description or docstring_of(function), required_resource_keys, version
        )

    return decorate


def is_decorated(value: Any) -> bool:
    """Whether the first argument of a decorator is the function it stands on, and no schema."""
    return callable(value) and not isinstance(value, type)


def make_values_resource(**kwargs: Any) -> ResourceDefinition:
    """A resource that is the values of its config, as a dict, for tests and small settings.

    Args:
        kwargs: the type of each value by name: `make_values_resource(host=str, port=int)`.
    """
    return ResourceDefinition(_own_config, kwargs or None)


def fixed(value: Any) -> ResourceFunction:
    """A function that gives this value."""

    def give(_context: InitResourceContext) -> Any:
        return value

    return give


def _mock(_context: InitResourceContext) -> Any:
    return bound("magic_mock")()


def _own_config(context: InitResourceContext) -> Any:
    return context.resource_config


def opened_generator(made: Any) -> AbstractContextManager[Any]:
    """What a generator of the user's yields, for a `with` block, at whose end the rest of it runs."""

    def give() -> Generator[Any]:
        return made

    return contextmanager(give)()


def _context_parameter(function: ResourceFunction, what: str) -> str | None:
    """The name of the parameter that takes the context; None for a function that takes nothing."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a class or function written in C says nothing
        return "context"
    places = [each for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    needed = [each for each in places if each.default is inspect.Parameter.empty and not _is_variadic(each)]
    if len(needed) > 1:
        name = getattr(function, "__name__", repr(function))
        raise InvalidDefinitionError(
            f"{what}: the function {name} has the required parameters {', '.join(each.name for each in needed)}, "
            "but only one is allowed: the context. Give the others a default, or read them from the config."
        )
    first = next((each for each in places if each.kind is not inspect.Parameter.VAR_KEYWORD), None)
    return None if first is None else first.name


def _name_of(function: ResourceFunction) -> str:
    return getattr(function, "__qualname__", repr(function))


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _keys(keys: Set[str] | None, what: str) -> frozenset[str]:
    found: set[str] = set()
    for key in () if keys is None else require_list(what, "required_resource_keys", keys):
        if not isinstance(key, str):
            raise WrongDeclarationError(f"{what}: required_resource_keys must contain strings, got {key!r}.")
        found.add(key)
    return frozenset(found)

"""Resources as classes: typed fields that are checked, filled from the environment and the run config, and handed in.

This module loads pydantic; plain objects, and functions marked with `@resource`, serve as resources without it.
"""

from __future__ import annotations

import abc
import contextlib
import enum
from collections.abc import Generator, Mapping
from types import GeneratorType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, cast

from pydantic import (
    ConfigDict,
    PrivateAttr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from segue.defs.bindings import bound
from segue.defs.config import Config, config_from, resolve_environment, subclasses_are_built_at_once
from segue.defs.config_fields import resource_config_field
from segue.defs.config_schema.shapes import Field
from segue.defs.resource_context import InitResourceContext
from segue.defs.resource_definition import ResourceDefinition, opened_generator
from segue.errors import InvalidInvocationError, InvariantViolationError

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # for the default, which Python's own has from 3.13

    Value = TypeVar("Value", default=Any)
else:
    from typing import TypeVar

    Value = TypeVar("Value")

_RESOURCE = "resource"


class ConfigurableResourceFactory(Config, Generic[Value]):
    """Base for resources with typed fields that give user code another object than themselves: implement
    `create_resource`.

    Fields may be other resources (annotated with their class, or with `ResourceDependency`), and may take an `EnvVar`. An
    object is immutable; state that is held open for the time of a run stands in private attributes
    (`_client: Client = PrivateAttr()`) and is set in `setup_for_execution`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)
    segue_parameter_kind: ClassVar[str] = _RESOURCE
    segue_manager_role: ClassVar[str | None] = None
    waits_for_config: ClassVar[bool] = False

    _segue_context: InitResourceContext | None = PrivateAttr(default=None)

    if TYPE_CHECKING:  # as a field: takes a resource of this class, or one whose values come later
        # pyright takes the types of fields from these; they are never called
        def __get__(self, obj: Any, owner: Any) -> Self: ...
        def __set__(self, obj: Any, value: Self | PartialResource[Self]) -> None: ...

    @field_validator("*", mode="wrap")
    @classmethod
    def _other_resources(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Takes what will be a resource when the run starts as it stands."""
        del info
        waits = isinstance(value, (PartialResource, ResourceDefinition))
        return cast("object", value) if waits else handler(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and type(self).model_config.get("frozen"):
            raise InvalidInvocationError(
                f"{type(self).__name__}.{name} cannot be set: a resource is immutable. Pass the value to the "
                "constructor, or keep state that changes in a private attribute (`_name: ... = PrivateAttr()`)."
            )
        super().__setattr__(name, value)

    @classmethod
    def configure_at_launch(cls, **kwargs: Any) -> PartialResource[Self]:
        """A resource of this class whose other fields are given in the config of each run.

        Args:
            kwargs: the fields that are known already.
        """
        return PartialResource(cls, kwargs)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Called before the first step that needs the resource."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Called after the last step, also when steps failed."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Generator[Any]:
        """Sets up, yields the object for user code, and tears down."""
        self.setup_for_execution(context)
        try:
            made = self.create_resource(context)
            if isinstance(made, GeneratorType):
                with opened_generator(made) as given:
                    yield given
            else:
                yield made
        finally:
            self.teardown_after_execution(context)

    @abc.abstractmethod
    def create_resource(self, context: InitResourceContext) -> Any:
        """What user code gets; a generator that yields it may tear it down afterwards."""

    @property
    def nested_resources(self) -> Mapping[str, Any]:
        """The fields that are resources themselves, by field name; those in lists and dicts of a field by `name[key]`."""
        return nested_in_fields({name: getattr(self, name) for name in type(self).model_fields})

    def get_resource_context(self) -> InitResourceContext:
        """The context the resource was set up with.

        Raises:
            InvariantViolationError: it has not been set up.
        """
        if self._segue_context is None:
            raise InvariantViolationError(
                f"This {type(self).__name__} has no context because it has not been initialized. A run initializes "
                "it; outside of a run, use `with resource.process_config_and_initialize_cm() as ready:`."
            )
        return self._segue_context

    def with_resource_context(self, resource_context: InitResourceContext) -> Self:
        """A copy with this context, which `get_resource_context()` then returns."""
        copy = self.model_copy()
        copy._segue_context = resource_context
        return copy

    with_replaced_resource_context = with_resource_context

    @classmethod
    def from_resource_context(
        cls, context: InitResourceContext, nested_resources: Mapping[str, Any] | None = None
    ) -> Any:
        """What user code gets of a resource of this class with the config in a context: for functions marked with
        `@resource` that are being moved to a class.

        Args:
            context: its `resource_config` holds the fields.
            nested_resources: the fields that are resources.

        Raises:
            InvariantViolationError: the resource must be torn down again: use `from_resource_context_cm`.
        """
        return _opened_for_good(cls._from(context, nested_resources), context)

    @classmethod
    @contextlib.contextmanager
    def from_resource_context_cm(
        cls, context: InitResourceContext, nested_resources: Mapping[str, Any] | None = None
    ) -> Generator[Any]:
        """As `from_resource_context`, for a `with` block, at whose end the resource is torn down."""
        with contextlib.ExitStack() as stack:
            yield bound("open_declared")(cls._from(context, nested_resources), context, stack)

    @classmethod
    def _from(cls, context: InitResourceContext, nested: Mapping[str, Any] | None) -> Self:
        known: dict[str, Any] = {**(context.resource_config or {}), **(nested or {})}
        return config_from(cls, resource_config_field(cls), known, {}, cls.__name__)

    def process_config_and_initialize(self) -> Any:
        """What user code gets, set up outside of a run: with variables read, and nested resources ready.

        Raises:
            InvalidConfigError: an environment variable is not set, or its value is invalid.
            InvariantViolationError: the resource must be torn down again: use `process_config_and_initialize_cm`.
        """
        return _opened_for_good(self, InitResourceContext())

    @contextlib.contextmanager
    def process_config_and_initialize_cm(self) -> Generator[Any]:
        """As `process_config_and_initialize`, for a `with` block, at whose end the resource is torn down."""
        with contextlib.ExitStack() as stack:
            yield bound("open_declared")(self, InitResourceContext(), stack)

    def get_resource_definition(self) -> ResourceDefinition:
        """The resource as a `ResourceDefinition`."""

        def give(context: InitResourceContext) -> Generator[Any]:
            with contextlib.ExitStack() as stack:
                ready = self.with_values(context.resource_config or {}, type(self).__name__)
                yield bound("open_declared")(ready, context, stack)

        return ResourceDefinition(give, description=type(self).__doc__)

    @classmethod
    def definition_of_class(cls) -> ResourceDefinition:
        """The class as a `ResourceDefinition` that takes all fields from its config: what `configured` works on."""

        def give(context: InitResourceContext) -> Generator[Any]:
            with cls.from_resource_context_cm(context) as made:
                yield made

        return ResourceDefinition(give, cls.to_config_schema(), cls.__doc__)

    @property
    def needs_teardown(self) -> bool:
        """Whether its class, or that of a nested resource, tears something down."""
        kind = type(self)
        own = any(
            getattr(kind, name) is not getattr(ConfigurableResourceFactory, name)
            for name in ("teardown_after_execution", "yield_for_execution")
        )
        return own or any(getattr(each, "needs_teardown", False) for each in self.nested_resources.values())

    @property
    def run_config_field(self) -> Field:
        """The config that it takes in a run; every field is optional, because each has a value."""
        return resource_config_field(type(self))

    @property
    def config_values(self) -> dict[str, Any]:
        """The fields that are no resources, as plain values by the names under which they are given."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        fields = {name: field.alias or name for name, field in type(self).model_fields.items()}
        return {fields[name]: _plain(value) for name, value in values.items() if not nested_in_fields({name: value})}

    def with_values(self, values: Mapping[str, object], where: str) -> Self:
        """A copy for one run: with these field values, and every `EnvVar` replaced by its value now.

        Args:
            values: field values from the run config; may be empty.
            where: the place in the run config, for errors.

        Raises:
            InvalidConfigError: a value is invalid, or an environment variable is not set.
        """
        fields = type(self).model_fields
        current = {name: getattr(self, name) for name in fields} | (self.model_extra or {})
        resolved = resolve_environment(current, where)
        changed = {name for name, value in current.items() if resolved[name] is not value}
        if not values and not changed:
            return self.model_copy()
        given = {
            (fields[name].alias or name) if name in fields else name: value
            for name, value in current.items()
            if name in self.model_fields_set or name in changed
        }
        return config_from(type(self), self.run_config_field, given, values, where)

    def ready(self, nested: Mapping[str, object], context: InitResourceContext) -> Self:
        """This copy with the given fields set to nested resources that are ready for use, and with its context."""
        copy = self.model_copy(update=self._with_ready(nested)) if nested else self
        copy._segue_context = context
        return copy

    def _with_ready(self, nested: Mapping[str, object]) -> dict[str, object]:
        """The fields that hold resources, with those that are ready in their place."""
        changed: dict[str, object] = {}
        for name in {each.partition("[")[0]: None for each in nested}:
            value: Any = getattr(self, name)
            if isinstance(value, Mapping):
                entries = cast("Mapping[object, object]", value)
                changed[name] = {key: nested.get(f"{name}[{key}]", each) for key, each in entries.items()}
            elif isinstance(value, (list, tuple)):
                items = cast("list[object]", value)
                found = [nested.get(f"{name}[{index}]", each) for index, each in enumerate(items)]
                changed[name] = found if isinstance(value, list) else tuple(found)
            else:
                changed[name] = nested[name]
        return changed


class ConfigurableResource(ConfigurableResourceFactory[Value], Generic[Value]):
    """Base for resources: a typed, immutable set of fields plus the methods that user code calls.

    Override `setup_for_execution` and `teardown_after_execution`, or `yield_for_execution`, to hold something open for the
    time of a run; keep such state in pydantic private attributes (`_connection: ... = PrivateAttr()`). Fields may be other
    resources, and may take an `EnvVar`. Override `create_resource` to give user code something else than the object itself.
    """

    def create_resource(self, context: InitResourceContext) -> Any:
        """What user code gets: the resource itself, unless overridden."""
        del context
        return self


subclasses_are_built_at_once(ConfigurableResourceFactory, ConfigurableResource)


class PartialResource(Generic[Value]):
    """A resource of which some fields are still to come: from the config of each run.

    Args:
        resource_cls: its class.
        data: the fields that are known already.
    """

    segue_parameter_kind = _RESOURCE
    waits_for_config = True

    def __init__(self, resource_cls: type[Value], data: Mapping[str, Any]) -> None:
        self.resource_cls = resource_cls
        self.data: Mapping[str, Any] = dict(data)

    @property
    def segue_manager_role(self) -> str | None:
        """Whether it will be an IO manager."""
        return getattr(self.resource_cls, "segue_manager_role", None)

    @property
    def nested_resources(self) -> Mapping[str, Any]:
        """The known fields that are resources themselves, by field name."""
        return nested_in_fields(self.data)

    @property
    def run_config_field(self) -> Field:
        """The config that it takes in a run: the fields that are not known yet, and new values for those that are."""
        kind: Any = self.resource_cls
        return resource_config_field(kind, self.data.keys())

    @property
    def needs_teardown(self) -> bool:
        """Taken to be so: nobody knows what will be made."""
        return True

    def with_values(self, values: Mapping[str, object], where: str) -> Any:
        """The resource for one run.

        Raises:
            InvalidConfigError: fields are missing or invalid, or an environment variable is not set.
        """
        kind: Any = self.resource_cls
        return config_from(kind, self.run_config_field, self.data, values, where)

    def __repr__(self) -> str:
        return f"{self.resource_cls.__name__}.configure_at_launch({', '.join(self.data)})"


def is_declared_resource(value: object) -> bool:
    """Whether a value of a field is a resource that must be set up."""
    return isinstance(value, (ConfigurableResourceFactory, PartialResource, ResourceDefinition))


def _opened_for_good(resource: ConfigurableResourceFactory[Any], context: InitResourceContext) -> Any:
    if resource.needs_teardown:
        raise InvariantViolationError(
            f"{type(resource).__name__} needs teardown: use process_config_and_initialize_cm() or "
            "from_resource_context_cm(...) in a `with` block."
        )
    return bound("open_declared")(resource, context, contextlib.ExitStack())


def nested_in_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields that are resources, by name; those in lists and dicts by `name[key]`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if is_declared_resource(value):
            found[name] = value
        elif isinstance(value, (list, tuple, dict)):
            several = cast("Any", value)
            for key, each in several.items() if isinstance(value, dict) else enumerate(several):
                if is_declared_resource(each):
                    found[f"{name}[{key}]"] = each
    return found


def _plain(value: Any) -> Any:
    """A value of a field as its resource is told it: enums by value, models as mappings."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Config):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in cast("dict[Any, Any]", value).items()}
    return [_plain(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value

"""IO managers as functions: `@io_manager` and `@input_manager`, and what they make."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Set
from typing import Any, ClassVar, Self, TypeAlias, overload

from segue.defs.config_schema.declared import declared_schema
from segue.defs.io import LOADS, STORES_AND_LOADS, InputManager
from segue.defs.io_contexts import InputContext
from segue.defs.resource_definition import ResourceDefinition, ResourceFunction, fixed, is_decorated
from segue.defs.signature import docstring_of

LoadFunction: TypeAlias = Callable[..., Any]


class InputManagerDefinition(ResourceDefinition):
    """A resource that loads inputs. Written by `@input_manager`.

    Args:
        resource_fn: returns an object with `load_input`.
        config_schema: the schema of its config.
        description: for people.
        input_config_schema: the config schema of inputs that it loads.
        required_resource_keys, version: as for `ResourceDefinition`.
    """

    segue_manager_role: ClassVar[str | None] = LOADS

    def __init__(
        self,
        resource_fn: ResourceFunction,
        config_schema: Any = None,
        description: str | None = None,
        input_config_schema: Any = None,
        required_resource_keys: Set[str] | None = None,
        version: str | None = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, required_resource_keys, version)
        self.input_config_schema = declared_schema(input_config_schema, f"the inputs of {self!r}")


class IOManagerDefinition(ResourceDefinition):
    """A resource that stores outputs and loads inputs. Written by `@io_manager`.

    Args:
        resource_fn: returns an `IOManager`.
        config_schema: the schema of its config.
        description: for people.
        required_resource_keys, version: as for `ResourceDefinition`.
        input_config_schema, output_config_schema: what the config of an input that it loads, and of an output that it stores,
            looks like.
    """

    segue_manager_role: ClassVar[str | None] = STORES_AND_LOADS

    def __init__(
        self,
        resource_fn: ResourceFunction,
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Set[str] | None = None,
        version: str | None = None,
        input_config_schema: Any = None,
        output_config_schema: Any = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, required_resource_keys, version)
        self.input_config_schema = declared_schema(input_config_schema, f"the inputs of {self!r}")
        self.output_config_schema = declared_schema(output_config_schema, f"the outputs of {self!r}")

    @classmethod
    def hardcoded_io_manager(cls, value: Any, description: str | None = None) -> Self:
        """An IO manager that is this object."""
        return cls(fixed(value), description=description)


@overload
def io_manager(config_schema: ResourceFunction, /) -> IOManagerDefinition: ...
@overload
def io_manager(
    config_schema: Any = ...,
    description: str | None = ...,
    output_config_schema: Any = ...,
    input_config_schema: Any = ...,
    required_resource_keys: Set[str] | None = ...,
    version: str | None = ...,
) -> Callable[[ResourceFunction], IOManagerDefinition]: ...
def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    output_config_schema: Any = None,
    input_config_schema: Any = None,
    required_resource_keys: Set[str] | None = None,
    version: str | None = None,
) -> IOManagerDefinition | Callable[[ResourceFunction], IOManagerDefinition]:
    """Declares an IO manager by a function that creates it from an `InitResourceContext`.

    Args:
        config_schema, description, required_resource_keys, version: as for `resource`.
        output_config_schema, input_config_schema: what the config of an output that it stores, and of an input that it loads,
            looks like; it stands under `outputs` and `inputs` of the op.

    Raises:
        InvalidDefinitionError: a function that needs more than one argument.
    """
    if is_decorated(config_schema):
        return IOManagerDefinition(config_schema, description=docstring_of(config_schema))

    def decorate(function: ResourceFunction) -> IOManagerDefinition:
        return IOManagerDefinition(
            function,
            config_schema,
            description or docstring_of(function),
            required_resource_keys,
            version,
            input_config_schema,
            output_config_schema,
        )

    return decorate


@overload
def input_manager(config_schema: LoadFunction, /) -> InputManagerDefinition: ...
@overload
def input_manager(
    config_schema: Any = ...,
    description: str | None = ...,
    input_config_schema: Any = ...,
    required_resource_keys: Set[str] | None = ...,
    version: str | None = ...,
) -> Callable[[LoadFunction], InputManagerDefinition]: ...
def input_manager(
    config_schema: Any = None,
    description: str | None = None,
    input_config_schema: Any = None,
    required_resource_keys: Set[str] | None = None,
    version: str | None = None,
) -> InputManagerDefinition | Callable[[LoadFunction], InputManagerDefinition]:
    """Declares an input manager as a function that loads a value: it takes an `InputContext`, or nothing, and gives the value
    (or an `InputManager` that loads it).

    Args:
        config_schema, description, required_resource_keys, version: as for `resource`.
        input_config_schema: the config schema of inputs that it loads.
    """
    if is_decorated(config_schema):
        return _input_manager(config_schema, None, None, None, None, None)

    def decorate(function: LoadFunction) -> InputManagerDefinition:
        return _input_manager(
            function, config_schema, description, input_config_schema, required_resource_keys, version
        )

    return decorate


def _input_manager(
    function: LoadFunction,
    config_schema: Any,
    description: str | None,
    input_config_schema: Any,
    required_resource_keys: Set[str] | None,
    version: str | None,
) -> InputManagerDefinition:
    return InputManagerDefinition(
        fixed(_FunctionInputManager(function)),
        config_schema,
        description or docstring_of(function),
        input_config_schema,
        required_resource_keys,
        version,
    )


class _FunctionInputManager(InputManager):
    """Loads with a function of the user's."""

    def __init__(self, function: LoadFunction) -> None:
        self._function = function
        self._takes_context = bool(inspect.signature(function).parameters)

    def load_input(self, context: InputContext) -> Any:
        """What the function gives, or what the input manager that it gives loads."""
        found = self._function(context) if self._takes_context else self._function()
        return found.load_input(context) if isinstance(found, InputManager) else found

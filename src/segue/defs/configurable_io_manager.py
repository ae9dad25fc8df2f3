"""IO managers as classes with typed fields. Loads pydantic."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Generic

from segue.defs.config_schema.place import ROOT
from segue.defs.io import STORES_AND_LOADS, IOManager
from segue.defs.io_manager_definition import IOManagerDefinition
from segue.defs.resource import ConfigurableResourceFactory, Value
from segue.defs.resource_context import InitResourceContext


class ConfigurableIOManagerFactory(ConfigurableResourceFactory[Value], Generic[Value]):
    """Base class of resources with typed fields that create an IO manager: implement `create_io_manager`."""

    segue_manager_role: ClassVar[str | None] = STORES_AND_LOADS

    @abc.abstractmethod
    def create_io_manager(self, context: InitResourceContext) -> Any:
        """The IO manager for one run."""

    def create_resource(self, context: InitResourceContext) -> Any:
        """The IO manager for one run."""
        return self.create_io_manager(context)

    def get_resource_definition(self) -> IOManagerDefinition:
        """The IO manager as an `IOManagerDefinition`."""
        return IOManagerDefinition(
            super().get_resource_definition().resource_fn,
            description=type(self).__doc__,
            input_config_schema=self.input_config_schema(),
            output_config_schema=self.output_config_schema(),
        )

    @classmethod
    def definition_of_class(cls) -> IOManagerDefinition:
        """The class as an `IOManagerDefinition` that takes all fields from its config: what `configured` works on."""
        made = super().definition_of_class()
        return IOManagerDefinition(
            made.resource_fn,
            made.config_schema,
            description=cls.__doc__,
            input_config_schema=cls.input_config_schema(),
            output_config_schema=cls.output_config_schema(),
        )

    @classmethod
    def input_config_schema(cls) -> Any:
        """The config schema of inputs that it loads; None if it has none."""
        return None

    @classmethod
    def output_config_schema(cls) -> Any:
        """The config schema of outputs that it stores; None if it has none."""
        return None


class ConfigurableIOManager(ConfigurableIOManagerFactory[Any], IOManager):
    """An `IOManager` with typed fields: implement `handle_output` and `load_input`."""

    def create_io_manager(self, context: InitResourceContext) -> IOManager:
        """The IO manager itself."""
        del context
        return self


class ConfigurableLegacyIOManagerAdapter(ConfigurableIOManagerFactory[Any]):
    """Gives an IO manager that was declared with `@io_manager` typed fields: they are its config."""

    @property
    @abc.abstractmethod
    def wrapped_io_manager(self) -> IOManagerDefinition:
        """The IO manager as it was declared."""

    def create_io_manager(self, context: InitResourceContext) -> Any:
        """The wrapped IO manager, created with the values of the fields."""
        wrapped = self.wrapped_io_manager
        config = wrapped.resolve_config({"config": self.config_values}, ROOT.field(type(self).__name__))
        return wrapped.make(context.replace_config(config))

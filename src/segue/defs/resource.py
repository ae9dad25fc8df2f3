"""Resources: what user code needs from outside, declared once and handed in.

This module loads pydantic; plain objects serve as resources without it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from typing import Any, ClassVar, Self

from pydantic import ConfigDict

from segue.defs.config import Config, config_from, resolved_config
from segue.defs.context import InitResourceContext
from segue.defs.io import IOManager


class ConfigurableResource(Config):
    """Base for resources: a typed, immutable set of fields plus the methods that user code calls.

    Override `setup_for_execution` and `teardown_after_execution`, or `yield_for_execution`, to hold something open for the
    time of a run; keep such state in pydantic private attributes (`_connection: ... = PrivateAttr()`). Fields may be other
    resources, and may take an `EnvVar`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    segue_parameter_kind: ClassVar[str] = "resource"

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Called before the first step that needs the resource."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Called after the last step, also when steps failed."""

    @contextlib.contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Generator[Any]:
        """Sets up, gives what user code gets, and tears down."""
        self.setup_for_execution(context)
        try:
            yield self.create_resource(context)
        finally:
            self.teardown_after_execution(context)

    def create_resource(self, context: InitResourceContext) -> Any:
        """What user code gets: the resource itself, unless overridden."""
        return self

    @property
    def nested_resources(self) -> Mapping[str, ConfigurableResource]:
        """The fields that are resources themselves, by field name."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in values if isinstance(value, ConfigurableResource)}

    def with_values(self, values: Mapping[str, object], where: str) -> Self:
        """A copy for one run: with these field values, and every `EnvVar` replaced by its value now.

        Args:
            values: field values from the run config; may be empty.
            where: the place in the run config, for errors.

        Raises:
            InvalidConfigError: a value that does not fit, or a variable that is not set.
        """
        if values:
            given = {name: getattr(self, name) for name in self.model_fields_set}
            return config_from(type(self), {**given, **values}, where)
        resolved = resolved_config(self, where)
        return self.model_copy() if resolved is self else resolved

    def with_nested(self, nested: Mapping[str, object]) -> Self:
        """This copy with the given fields set to nested resources that are ready for use."""
        return self.model_copy(update=dict(nested)) if nested else self


class ConfigurableIOManager(ConfigurableResource, IOManager):
    """An `IOManager` with typed fields: implement `handle_output` and `load_input`."""

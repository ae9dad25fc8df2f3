"""The resources and the instance of a context outside of any run."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.bindings import bound
from segue.defs.instance import Instance
from segue.defs.resource_context import Resources, ResourcesOnUse, ResourcesToClose
from segue.errors import InvalidConfigError, InvalidDefinitionError, InvalidInvocationError, InvariantViolationError
from segue.model.arguments import require_kind


class DirectResources(ResourcesOnUse):
    """What a context was given to work with; set up on first use, torn down at its end.

    Attributes:
        declared: the resources by key: what the context was given, and what came along with what is called.
        resources_config: their config, by key.
        entered: whether the context is used in `with`.
    """

    def __init__(
        self,
        resources: Mapping[str, object] | None,
        resources_config: Mapping[str, Any] | None,
        instance: Instance | None,
    ) -> None:
        require_kind("A context", "resources", resources, Mapping)
        require_kind("A context", "instance", instance, Instance)
        self.declared: Mapping[str, object] = dict(resources or {})
        self.resources_config: Mapping[str, Any] = dict(resources_config or {})
        strange = sorted(set(self.resources_config) - set(self.declared))
        if strange:
            raise InvalidConfigError(
                "resources_config is invalid:",
                [f"{key}: unknown resource key." for key in strange],
            )
        self._instance = instance
        self._stack = contextlib.ExitStack()
        weakref.finalize(self, self._stack.close)  # for a context that is not used in `with`
        self._opened: Resources | None = None
        self.entered = False

    @property
    def instance(self) -> Instance:
        """The instance that was given; one that is gone with the context when none was."""
        if self._instance is None:
            self._instance = bound("ephemeral_instance")()
            self._stack.callback(self._instance.close)
        return self._instance

    def bring(self, resource_defs: Mapping[str, object]) -> None:
        """Adds resources that come along with what is called.

        Raises:
            InvalidInvocationError: the context was given one of the same key.
        """
        twice = [key for key, each in resource_defs.items() if self.declared.get(key, each) is not each]
        if twice:
            raise InvalidInvocationError(
                f"The context has a resource {twice[0]!r}, and so does what is called. Remove it from the context."
            )
        if not resource_defs.keys() <= self.declared.keys():
            self.declared = {**self.declared, **resource_defs}
            self._opened = None

    def opened_resources(self) -> Resources:
        """The resources, set up on first use.

        Raises:
            InvariantViolationError: one of them must be torn down again, and the context is not used in `with`.
        """
        opened = self._opened
        if opened is None:
            config = {"resources": self.resources_config}
            opened = bound("open_scoped_resources")(self.declared, self._instance, self._stack, config)
            if isinstance(opened, ResourcesToClose) and not self.entered:
                self._stack.close()
                raise InvariantViolationError(
                    "At least one of the resources needs teardown: use the context in a `with` block, such as `with "
                    "build_op_context(...) as context:`."
                )
            self._opened = opened
        return opened

    def set_up_given(self, given: Mapping[str, object], stack: contextlib.ExitStack) -> dict[str, object]:
        """Resources that are passed as arguments of a call, those of a resource class set up until the stack is closed."""
        classes = {key: each for key, each in given.items() if hasattr(type(each), "yield_for_execution")}
        opened = bound("open_scoped_resources")(classes, self._instance, stack) if classes else None
        return {key: getattr(opened, key) if key in classes else each for key, each in given.items()}

    def require_resources(self, keys: Sequence[str], what: str) -> None:
        """Makes sure that resources are given.

        Raises:
            InvalidDefinitionError: one is not.
        """
        for key in keys:
            if key not in self.declared:
                raise InvalidDefinitionError(
                    f"resource with key {key!r} required by {what} was not provided; available: "
                    f"{', '.join(sorted(self.declared)) or 'none'}. Pass it as build_op_context(resources={{{key!r}: "
                    "...})."
                )

    def close(self) -> None:
        """Tears down what was set up."""
        self._opened = None
        self._stack.close()

"""What the contexts of schedules and sensors have in common: instance, definitions, resources, log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from segue.defs.bindings import bound
from segue.defs.instance import Instance
from segue.defs.log import get_logger
from segue.defs.resource_context import Resources, seen_by_context
from segue.errors import InvalidDefinitionError, InvalidInvocationError, InvariantViolationError
from segue.model.arguments import require_type
from segue.model.graph import AssetGraph


class DeclaredGraph(Protocol):
    """Definitions, as far as a tick looks at them."""

    @property
    def asset_graph(self) -> AssetGraph: ...
    @property
    def assets(self) -> Sequence[object]: ...


class TickContext:
    """Base of what schedules and sensors are called with; a context manager, which closes the resources that it opened.

    Args:
        instance: where runs and assets are recorded; asking for it raises where there is none.
        resources: by key: objects, or resources that are set up on first use.
        definitions: what the requested runs are checked against.
    """

    builder: ClassVar[str] = ""

    def __init__(
        self,
        *,
        instance: Instance | None = None,
        resources: Mapping[str, object] | None = None,
        definitions: DeclaredGraph | None = None,
    ) -> None:
        require_type(self, "instance", instance, (Instance, type(None)))
        require_type(self, "resources", resources, (Mapping, type(None)))
        self._instance = instance
        self._declared = dict(resources or {})
        self._definitions = definitions
        self._stack = contextlib.ExitStack()
        self._resources: Mapping[str, object] | None = None
        self._shown: Resources | None = None
        self._log: logging.Logger | None = None

    def copied(self) -> Self:
        """The same context, its resources not yet set up."""
        raise NotImplementedError

    @property
    def resources(self) -> Any:
        """The resources, as attributes; they are set up on first use."""
        if self._shown is None:
            self._shown = Resources({key: seen_by_context(each) for key, each in self.opened().items()})
        return self._shown

    @property
    def resource_defs(self) -> Mapping[str, object]:
        """The resources by key, as they were given."""
        return self._declared

    def opened(self) -> Mapping[str, object]:
        """The resources by key, set up now if they were not yet."""
        opened = self._resources
        if opened is None:
            opened = self._resources = open_declared(self._declared, self._instance, self._stack)
        return opened

    def require_resource(self, key: str) -> object:
        """The resource of this key, set up.

        Raises:
            InvalidDefinitionError: it was not provided.
        """
        if key not in self._declared:
            known = ", ".join(sorted(self._declared)) or "none"
            raise InvalidDefinitionError(
                f"The resource key {key!r} is required but was not provided; available resource keys: {known}. Add it to "
                f"Definitions(resources=...), or pass it to {self.builder}(resources=...)."
            )
        return self.opened()[key]

    def merge_resources(self, resources_dict: Mapping[str, Any]) -> Self:
        """The same context with further resources.

        Raises:
            InvariantViolationError: its resources are in use already.
        """
        if self._resources is not None:
            raise InvariantViolationError("Resources cannot be added to a context whose resources are already in use.")
        copy = self.copied()
        copy._declared = {**self._declared, **resources_dict}
        return copy

    @property
    def instance(self) -> Instance:
        """Where runs and assets are recorded.

        Raises:
            InvariantViolationError: the context has none.
        """
        if self._instance is None:
            raise InvariantViolationError(f"The context has no instance: pass it to {self.builder}(instance=...).")
        return self._instance

    @property
    def instance_if_any(self) -> Instance | None:
        """The instance, or None where the context was made without one."""
        return self._instance

    @property
    def definitions(self) -> DeclaredGraph | None:
        """The definitions it belongs to, where known."""
        return self._definitions

    @property
    def log(self) -> logging.Logger:
        """A standard logger."""
        if self._log is None:
            self._log = get_logger()
        return self._log

    @property
    def log_key(self) -> Sequence[str] | None:
        """Where the log of the tick is kept; None outside of the daemon."""
        return None

    def has_captured_logs(self) -> bool:
        """Whether the log of the tick is kept."""
        return self.log_key is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._resources = self._shown = None
        self._stack.close()


def open_declared(
    declared: Mapping[str, object], instance: Instance | None, stack: contextlib.ExitStack
) -> Mapping[str, object]:
    """Resources outside of a run, set up.

    Args:
        declared: by key, as the user gave them.
        instance: where runs are recorded, if anywhere.
        stack: what tears them down.

    Raises:
        ResourceFunctionError: one of them raised; its exception is the cause.
    """
    return bound("open_resources")(declared, instance, stack)


def either_definitions(
    where: str, definitions: DeclaredGraph | None, repository_def: DeclaredGraph | None
) -> DeclaredGraph | None:
    """The definitions under either name of the parameter.

    Raises:
        InvalidInvocationError: both were provided.
    """
    if definitions is not None and repository_def is not None:
        raise InvalidInvocationError(f"{where}: both definitions and repository_def were provided; keep definitions.")
    return repository_def if definitions is None else definitions

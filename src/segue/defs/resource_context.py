"""The resources that user code sees, and what a resource is told when it is set up."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import segue.late as late
from segue.defs.bindings import bound
from segue.defs.superseded import warn_superseded
from segue.errors import InvariantViolationError, UnknownResourceError

if TYPE_CHECKING:
    import logging

    from segue.defs.instance import Instance
    from segue.model.run import Run


class Resources:
    """The resources of a run, as attributes.

    Raises:
        UnknownResourceError: on access to a resource that the function did not ask for.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        known = ", ".join(sorted(self._values)) or "none"
        close = late.difflib.get_close_matches(name, self._values, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownResourceError(
            name,
            f"The resource {name!r} is not available here; available: {known}.{hint} Require it with a parameter of "
            f"its type or with required_resource_keys={{{name!r}}}, and provide it in Definitions(resources=...).",
        )

    @property
    def _fields(self) -> tuple[str, ...]:
        """The keys, as a named tuple has them."""
        return tuple(self._values)

    def _asdict(self) -> dict[str, Any]:
        """The resources by key, as a named tuple gives them."""
        return dict(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Resources({', '.join(f'{key}={value!r}' for key, value in self._values.items())})"


class ResourcesToClose(Resources):
    """Resources of which at least one is open and must be torn down."""

    __slots__ = ()


class ResourcesOnUse(ABC):
    """Resources of a context outside of any run: set up when one is first asked for."""

    entered: bool

    @abstractmethod
    def opened_resources(self) -> Resources:
        """The resources, set up on first use."""

    @abstractmethod
    def close(self) -> None:
        """Tears down what was set up."""


def seen_by_context(resource: object) -> object:
    """What `context.resources` shows of a resource: another object, where the resource says so."""
    shown = getattr(resource, "get_object_to_set_on_execution_context", None)
    return resource if shown is None or isinstance(resource, type) else shown()


class IAttachDifferentObjectToOpContext:
    """A resource of which `context.resources` shows another object than parameters get: for code that is being moved from
    the one to the other.
    """

    def get_object_to_set_on_execution_context(self) -> Any:
        """What `context.resources` shows."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement get_object_to_set_on_execution_context, which returns what "
            "context.resources exposes."
        )


class InitResourceContext:
    """The context of a resource that is set up or torn down.

    Args:
        resource_config: the config of the resource.
        resources: the resources it requires, as attributes.
        resource_def: the definition of the resource.
        all_resource_defs: all resources that are declared, by key.
        instance: the instance the run is recorded in; None outside of a run.
        dagster_run: the run; None outside of a run.
        log_manager: the log of the run.
        event_loop: ignored: async functions have their own event loop.
    """

    def __init__(
        self,
        resource_config: Any = None,
        resources: Resources | None = None,
        resource_def: Any = None,
        all_resource_defs: Mapping[str, Any] | None = None,
        instance: Instance | None = None,
        dagster_run: Run | None = None,
        log_manager: logging.Logger | None = None,
        event_loop: Any = None,
    ) -> None:
        self._resource_config = resource_config
        self._resources = Resources({}) if resources is None else resources
        self._resource_def = resource_def
        self._all_resource_defs: Mapping[str, Any] = all_resource_defs or {}
        self._instance = instance
        self._run = dagster_run
        self._log = bound("get_logger")() if log_manager is None else log_manager
        self._event_loop = event_loop

    @property
    def resource_config(self) -> Any:
        """The config of the resource: the values of its fields, or what fits its schema."""
        return self._resource_config

    @property
    def resources(self) -> Any:
        """The resources it requires, as attributes."""
        return self._resources

    @property
    def resource_def(self) -> Any:
        """The resource as it was declared."""
        return self._resource_def

    @property
    def all_resource_defs(self) -> Mapping[str, Any]:
        """All resources that are declared, by key."""
        return self._all_resource_defs

    @property
    def instance(self) -> Instance | None:
        """The instance the run is recorded in; None outside of a run."""
        return self._instance

    @property
    def run(self) -> Run | None:
        """The run; None outside of a run."""
        return self._run

    @property
    def dagster_run(self) -> Run | None:
        """The run; superseded by `run`."""
        warn_superseded("dagster_run", "read run")
        return self._run

    @property
    def run_id(self) -> str | None:
        """The run's id; None outside of a run."""
        return None if self._run is None else self._run.run_id

    @property
    def log(self) -> Any:
        """The log of the run."""
        return self._log

    @property
    def log_manager(self) -> Any:
        """The log of the run; superseded by `log`."""
        warn_superseded("log_manager", "read log")
        return self._log

    @property
    def event_loop(self) -> Any:
        """The event loop that was passed, if any; in a run one that all resources share."""
        return self._event_loop

    def replace_config(self, config: Any) -> InitResourceContext:
        """The same context with another config."""
        return InitResourceContext(
            config,
            self.resources,
            self._resource_def,
            self._all_resource_defs,
            self._instance,
            self._run,
            self._log,
            self._event_loop,
        )


class UnboundInitResourceContext(InitResourceContext):
    """A context for setting a resource up by hand. Written by `build_init_resource_context`.

    Its own resources are set up when they are first used, and torn down at the end of a `with` block or of the object.
    """

    def __init__(self, resource_config: Any, resources: Mapping[str, object] | None, instance: Instance | None) -> None:
        super().__init__(resource_config, None, None, dict(resources or {}), instance)
        self._stack = contextlib.ExitStack()
        self._opened: Resources | None = None
        self._entered = False

    def __enter__(self) -> Self:
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def __del__(self) -> None:
        self._stack.close()

    @property
    def resources(self) -> Any:
        """The resources that were given, set up.

        Raises:
            InvariantViolationError: one of them must be torn down again, and the context is used without `with`.
        """
        if self._opened is None:
            self._opened = bound("open_scoped_resources")(self._all_resource_defs, self._instance, self._stack)
        if isinstance(self._opened, ResourcesToClose) and not self._entered:
            raise InvariantViolationError(
                "At least one of the resources of this context needs teardown: use the context in a `with` block, "
                "`with build_init_resource_context(...) as context:`."
            )
        return self._opened

    @property
    def instance(self) -> Instance:
        """The instance that was given; one that is gone with this context where none was."""
        if self._instance is None:
            self._instance = self._stack.enter_context(bound("ephemeral_instance")())
        return self._instance

    def replace_config(self, config: Any) -> InitResourceContext:
        """A context with another config and the same resources."""
        return InitResourceContext(config, self.resources, None, self._all_resource_defs, self.instance)


def build_init_resource_context(
    config: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    instance: Instance | None = None,
) -> UnboundInitResourceContext:
    """A context with which the function of a resource can be called in a test.

    Args:
        config: the config of the resource.
        resources: the resources that it requires, by key.
        instance: an instance for it; one that is gone with the context when None.

    Returns:
        The context; use it in a `with` block where its resources must be torn down.
    """
    return UnboundInitResourceContext(config, resources, instance)

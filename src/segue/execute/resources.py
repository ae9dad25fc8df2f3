"""Setting resources up before the first step, and tearing them down after the last."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Self

import msgspec

from segue.defs.bindings import bound
from segue.defs.config_schema.place import ROOT
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.defs.log import get_logger
from segue.defs.resource_context import InitResourceContext, Resources, ResourcesToClose, seen_by_context
from segue.defs.resource_definition import ResourceDefinition, opened_generator
from segue.defs.resource_order import resource_order
from segue.defs.run_config import config_entry, config_values
from segue.defs.type_checks import resources_of_types
from segue.errors import ConfigViolation, InvalidConfigError, ResourceFunctionError, SegueError
from segue.model.run import Run
from segue.plan.op_planner import managers_of
from segue.plan.plan import PlanStep


class ResourceScope(msgspec.Struct, frozen=True):
    """What resources are set up with.

    Attributes:
        declared: the resources as the user declared them.
        run_config: the normalized run config.
        run, instance, log: handed to the resources.
    """

    declared: Mapping[str, object]
    run_config: Mapping[str, Any]
    run: Run | None
    instance: Instance | None
    log: logging.Logger


def needed_resources(steps: Iterable[PlanStep], described: Described) -> set[str]:
    """The resources and IO managers that steps use."""
    keys: set[str] = set()
    for step in steps:
        op = described.ops[step.computation]
        keys.update(op.resource_keys, resources_of_types(op), managers_of(step))
    return keys


def set_up(keys: Iterable[str], scope: ResourceScope, stack: contextlib.ExitStack) -> OpenedResources:
    """Sets resources up, each once, those that others are made from first, otherwise in the order of their keys.

    Args:
        keys: which; what these are made from is set up as well.
        scope: what they are set up with.
        stack: what tears them down, in reverse order.

    Returns:
        What user code gets, by key, and the config of each.

    Raises:
        ResourceFunctionError: a resource raised; its exception is the cause.
        InvalidConfigError: the config of a resource does not match its schema.
        UnknownResourceError: a resource that another one is made from, and that nobody declares.
        InvariantViolationError: resources that depend on each other in a circle.
    """
    return OpenedResources(scope, stack).all(keys)


def config_violations(key: str, declared: Any, run_config: Mapping[str, Any]) -> Sequence[ConfigViolation | str]:
    """What of the run config does not fit a resource, before it is set up. A plain object takes any, and ignores it."""
    entry = config_entry(run_config, "resources", key)
    try:
        if isinstance(declared, ResourceDefinition):
            declared.resolve_config(entry, ROOT.below("resources", key))
        elif getattr(declared, "segue_parameter_kind", None) == "resource":
            values = config_values(run_config, "resources", key)
            if values or declared.waits_for_config:
                declared.with_values(values or {}, f"resources:{key}:config")
    except InvalidConfigError as error:
        return error.errors or (str(error),)
    return ()


def open_resources(
    declared: Mapping[str, object], instance: Instance | None, stack: contextlib.ExitStack
) -> dict[str, object]:
    """Resources outside of a run: those of a schedule or sensor, set up all at once.

    Raises:
        As `set_up`.
    """
    return set_up(declared, ResourceScope(declared, {}, None, instance, get_logger()), stack).by_key


def open_scoped_resources(
    declared: Mapping[str, object],
    instance: Instance | None,
    stack: contextlib.ExitStack,
    run_config: Mapping[str, Any] | None = None,
    run: Run | None = None,
    log: logging.Logger | None = None,
) -> Resources:
    """Resources outside of a run, as attributes; of a kind of its own where some must be torn down.

    Raises:
        As `set_up`.
    """
    scope = ResourceScope(declared, run_config or {}, run, instance, log or get_logger())
    setup = OpenedResources(scope, stack).all(declared)
    values = {key: seen_by_context(setup.by_key[key]) for key in declared}
    return ResourcesToClose(values) if setup.must_close else Resources(values)


def open_declared(declared: object, context: InitResourceContext, stack: contextlib.ExitStack) -> object:
    """One resource outside of a run, with the instance and run of a context.

    Raises:
        As `set_up`, but what a resource raises itself is raised as it is, with a note.
    """
    scope = ResourceScope({}, {}, context.run, context.instance, context.log)
    try:
        return OpenedResources(scope, stack).ready(declared, type(declared).__name__)
    except ResourceFunctionError as error:
        if error.__cause__ is None:
            raise
        error.__cause__.add_note(str(error))
        raise error.__cause__ from None


class OpenedResources:
    """Resources that are set up.

    Attributes:
        by_key: what user code gets, by key.
        configs: their config, by key.
        must_close: whether something is open that must be torn down.
    """

    def __init__(self, scope: ResourceScope, stack: contextlib.ExitStack) -> None:
        self.scope = scope
        self.stack = stack
        self.by_key: dict[str, object] = {}
        self.configs: dict[str, object] = {}
        self.must_close = False
        self._loop: Any = None
        self._ready: dict[str | int, object] = {}
        self._keys = {id(value): key for key, value in scope.declared.items()}

    def all(self, keys: Iterable[str]) -> Self:
        """Makes these ready, and what they are made from."""
        for key in resource_order(keys, self.scope.declared):
            self.by_key[key] = self.ready(self.scope.declared[key], key)
        return self

    def ready(self, declared: object, key: str) -> object:
        """The declared resource, made ready for use. Each key has one of its own, with its own config; those who hold a resource
        that stands under no key share it."""
        place = key if key in self.scope.declared else id(declared)
        if place not in self._ready:
            if isinstance(declared, ResourceDefinition):
                made = self._function(declared, key)
            elif getattr(declared, "segue_parameter_kind", None) == "resource":
                made = self._fields(declared, key)
            else:
                made = self._object(declared, key)
            self._ready[place] = made
        return self._ready[place]

    def _function(self, declared: ResourceDefinition, key: str) -> object:
        entry = config_entry(self.scope.run_config, "resources", key)
        resources = {each: self.by_key[each] for each in sorted(declared.required_resource_keys)}
        context = self._context(key, declared, declared.resolve_config(entry, ROOT.below("resources", key)), resources)
        with _raised_by(key):
            made = declared.make(context)
            if isinstance(made, (CoroutineType, AsyncGeneratorType)):
                made = bound("run_async")(made)
            is_generator = isinstance(made, GeneratorType)
            if not is_generator and not isinstance(made, contextlib.ContextDecorator):
                return made
            self.must_close = True  # what @contextmanager makes is entered as well
            entered: Any = opened_generator(made) if is_generator else made
            return self.stack.enter_context(entered)

    def _fields(self, declared: Any, key: str) -> object:
        nested = {
            name: self.ready(each, self._keys.get(id(each), f"{key}.{name}"))
            for name, each in declared.nested_resources.items()
        }
        values = config_values(self.scope.run_config, "resources", key) or {}
        resource = declared.with_values(values, f"resources:{key}:config")
        context = self._context(key, declared, resource.config_values, nested)
        self.must_close = self.must_close or resource.needs_teardown
        with _raised_by(key):
            return self.stack.enter_context(resource.ready(nested, context).yield_for_execution(context))

    def _object(self, declared: object, key: str) -> object:
        open_resource = getattr(declared, "yield_for_execution", None)
        if open_resource is None or isinstance(declared, type):
            return declared
        with _raised_by(key):
            return self.stack.enter_context(open_resource(self._context(key, declared, None, {})))

    def _context(
        self, key: str, declared: object, config: object, resources: Mapping[str, object]
    ) -> InitResourceContext:
        self.configs[key] = config
        shown = Resources({key: seen_by_context(each) for key, each in resources.items()})
        return _RunResourceContext(self, config, shown, declared)

    def event_loop(self) -> Any:
        """The event loop of the resources, made when it is first asked for and closed after them."""
        if self._loop is None or self._loop.is_closed():
            self._loop = bound("new_event_loop")()
            self.stack.callback(self._loop.close)
        return self._loop


class _RunResourceContext(InitResourceContext):
    """What a resource of a run is told; it has an event loop, which most never ask for."""

    def __init__(self, opened: OpenedResources, config: object, resources: Resources, declared: object) -> None:
        scope = opened.scope
        super().__init__(config, resources, declared, scope.declared, scope.instance, scope.run, scope.log)
        self._opened = opened

    @property
    def event_loop(self) -> Any:
        """The event loop that the resources share; it runs while one of them has it run."""
        return self._opened.event_loop()


@contextlib.contextmanager
def _raised_by(key: str) -> Generator[None]:
    """What a resource raises while it is set up, as a ResourceFunctionError that names it."""
    try:
        yield
    except SegueError:
        raise
    except (Exception, SystemExit) as error:
        raise ResourceFunctionError(
            f"The resource {key!r} could not be set up: {error!r}",
            error,
        ) from error

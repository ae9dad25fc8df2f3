"""Setting resources up before the first step, and tearing them down after the last."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from segue.defs.context import InitResourceContext, Resources
from segue.defs.instance import Instance
from segue.defs.log import get_logger
from segue.defs.run_config import config_values
from segue.errors import InvalidConfigError, ResourceFunctionError, SegueError
from segue.model.run import Run


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


def set_up(keys: Iterable[str], scope: ResourceScope, stack: contextlib.ExitStack) -> dict[str, object]:
    """Sets resources up, those nested in others first, each once.

    Args:
        keys: which.
        scope: what they are set up with.
        stack: what tears them down, in reverse order.

    Returns:
        What user code gets, by key.

    Raises:
        ResourceFunctionError: a resource raised; its exception is the cause.
        InvalidConfigError: config that does not fit a resource.
    """
    ready: dict[int, object] = {}
    return {key: _ready(scope.declared[key], key, scope, stack, ready) for key in sorted(keys)}


def open_resources(
    declared: Mapping[str, object], instance: Instance | None, stack: contextlib.ExitStack
) -> dict[str, object]:
    """Resources outside of a run: those of a schedule or sensor, set up all at once.

    Raises:
        As `set_up`.
    """
    return set_up(declared, ResourceScope(declared, {}, None, instance, get_logger()), stack)


def _ready(
    declared: object, key: str, scope: ResourceScope, stack: contextlib.ExitStack, ready: dict[int, object]
) -> object:
    """The declared resource, made ready for use."""
    if id(declared) in ready:
        return ready[id(declared)]
    values = config_values(scope.run_config, "resources", key)
    resource = declared
    nested: dict[str, object] = {}
    if getattr(declared, "segue_parameter_kind", None) == "resource":
        configurable: Any = declared
        nested = {
            name: _ready(each, _key_of(each, scope.declared) or f"{key}.{name}", scope, stack, ready)
            for name, each in configurable.nested_resources.items()
        }
        resource = configurable.with_values(values or {}, f"resources:{key}:config").with_nested(nested)
    elif values:
        raise InvalidConfigError(
            f"resources:{key}: a {type(declared).__name__} takes no config; make it a ConfigurableResource."
        )
    context = InitResourceContext(
        log=scope.log, instance=scope.instance, run=scope.run, resources=Resources(nested), resource_config=values or {}
    )
    ready[id(declared)] = _enter(resource, key, context, stack)
    return ready[id(declared)]


def _key_of(resource: object, declared: Mapping[str, object]) -> str | None:
    return next((key for key, value in declared.items() if value is resource), None)


def _enter(resource: object, key: str, context: InitResourceContext, stack: contextlib.ExitStack) -> object:
    open_resource = getattr(resource, "yield_for_execution", None)
    if open_resource is None:
        return resource
    try:
        return stack.enter_context(open_resource(context))
    except SegueError:
        raise
    except (Exception, SystemExit) as error:
        raise ResourceFunctionError(f"The resource {key!r} could not be set up: {error!r}", error) from error

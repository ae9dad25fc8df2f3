"""`build_resources`: resources outside of a run, for tests and scripts."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Mapping
from typing import Any

from segue.defs.bindings import bound
from segue.defs.instance import Instance
from segue.defs.resource_context import Resources
from segue.model.run import Run


@contextlib.contextmanager
def build_resources(
    resources: Mapping[str, Any],
    instance: Instance | None = None,
    resource_config: Mapping[str, Any] | None = None,
    dagster_run: Run | None = None,
    log_manager: logging.Logger | None = None,
    event_loop: Any = None,
) -> Generator[Resources]:
    """Sets resources up for a `with` block, at whose end they are torn down.

    Args:
        resources: by key: resources, their definitions, or any object.
        instance: the instance they are told of; one in memory, gone at the end of the block, when None.
        resource_config: their config, by key: `{"db": {"config": {...}}}`.
        dagster_run: the run they are told of.
        log_manager: the log they are told of.
        event_loop: ignored: async functions have their own event loop.

    Raises:
        ResourceFunctionError: a resource raised while it was set up.
        InvalidConfigError: the config is invalid.
    """
    del event_loop
    with contextlib.ExitStack() as stack:
        told = stack.enter_context(Instance.ephemeral()) if instance is None else instance
        run_config = {"resources": dict(resource_config or {})}
        yield bound("open_scoped_resources")(dict(resources), told, stack, run_config, dagster_run, log_manager)

"""The one door from definitions to the process they run in: names of functions, looked up when they are called.

Definitions never import what executes them. Public methods and functions that need it (`Instance.ephemeral()`,
`materialize`) go through this table, and load it when they are first called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_TABLE = {
    "ephemeral_instance": "segue.host.instances:ephemeral_instance",
    "local_instance": "segue.host.instances:local_instance",
    "open_resources": "segue.execute.resources:open_resources",
    "job_definition": "segue.defs.job_definition:JobDefinition",
    "execute_request": "segue.host.inprocess:execute",
    "memory_io_manager": "segue.execute.io_managers.memory:InMemoryIOManager",
    "execute_job": "segue.host.jobs:execute_job",
    "run_async": "segue.execute.async_functions:run_async",
    "default_instance": "segue.host.home:default_instance",
    "package_modules": "segue.host.source:package_modules",
}


def bound(name: str) -> Callable[..., Any]:
    """The function that this name stands for."""
    module, _, attribute = _TABLE[name].partition(":")
    return getattr(importlib.import_module(module), attribute)

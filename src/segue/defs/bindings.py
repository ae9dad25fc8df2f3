"""The one door from definitions to the process they run in: names of functions, looked up when they are called.

Definitions never import what executes them. Public methods and functions that need it (`Instance.ephemeral()`,
`materialize`) go through this table, and load it when they are first called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from segue.errors import LoadError

_TABLE = {
    "ephemeral_instance": "segue.host.instances:ephemeral_instance",
    "local_instance": "segue.host.instances:local_instance",
    "open_resources": "segue.execute.resources:open_resources",
    "config_violations": "segue.execute.resources:config_violations",
    "run_config_schema": "segue.defs.job_config:run_config_schema",
    "config_type_of": "segue.defs.config_fields:type_of_annotation",
    "debugger": "pdb:Pdb",
    "invoke_directly": "segue.defs.direct_invocation:invoke",
    "completed_job": "segue.defs.describe:completed_job",
    "default_executor": "segue.defs.executor:default_executor",
    "require_executor": "segue.defs.executor:require_executor",
    "require_hooks": "segue.defs.hook:require_hooks",
    "build_hook_context": "segue.defs.build_hook_context:build_hook_context",
    "require_loggers": "segue.defs.logger:require_loggers",
    "data_provenance": "segue.model.data_version:DataProvenance.from_tags",
    "defined_asset_graph": "segue.defs.defined_graph:DefinedAssetGraph",
    "layer_without_assets": "segue.defs.asset_layer:layer_without_assets",
    "describe_definitions": "segue.defs.describe:describe_definitions",
    "content_hash": "segue.model.content_hash:content_hash",
    "run_request": "segue.model.request:RunRequest",
    "schedule_kinds": "segue.defs.describe_automation:schedule_kinds",
    "assets_with": "segue.defs.describe_automation:assets_with",
    "targets_of": "segue.defs.describe_automation:targets_of",
    "sensor_kinds": "segue.defs.describe_automation:sensor_kinds",
    "with_needs": "segue.defs.resource_order:with_needs",
    "implicit_job_node": "segue.model.graph:implicit_job_node",
    "default_mapping": "segue.model.partitions.mapping_choice:default_mapping",
    "get_logger": "segue.defs.log:get_logger",
    "job_definition": "segue.defs.job_definition:JobDefinition",
    "execute_request": "segue.host.inprocess:execute",
    "result_in_process": "segue.defs.execution_result:ExecuteInProcessResult",
    "memory_io_manager": "segue.execute.io_managers.memory:InMemoryIOManager",
    "asset_job": "segue.defs.asset_job:AssetJobDefinition.resolved",
    "resolve_asset_job": "segue.defs.asset_job:resolve_asset_job",
    "execute_asset_job": "segue.host.jobs:execute_asset_job",
    "execute_op_job": "segue.host.jobs:execute_op_job",
    "graph_subset": "segue.defs.graph_subset:graph_subset",
    "select_steps": "segue.plan.op_selection:select_steps",
    "run_async": "segue.execute.async_functions:run_async",
    "cancel_run": "segue.cancel:cancel_run",
    "monitor_if_possible": "segue.monitor:monitor_if_possible",
    "default_instance": "segue.host.home:default_instance",
    "package_files": "importlib.resources:files",
    "package_modules": "segue.host.source:package_modules",
    "imported_file": "segue.host.source:imported_file",
    "imported_module": "segue.host.source:imported_module",
    "module_named": "segue.host.source:module_named",
    "module_at": "segue.host.source:module_at",
    "open_scoped_resources": "segue.execute.resources:open_scoped_resources",
    "open_declared": "segue.execute.resources:open_declared",
    "step_placement": "segue.host.step_placement:step_placement",
    "share_event_loop": "segue.execute.async_functions:share_event_loop",
    "asset_value_loader": "segue.host.asset_values:AssetValueLoader",
    "load_value_in_run": "segue.host.asset_values:load_in_run",
    "gather": "asyncio:gather",
    "new_event_loop": "asyncio:new_event_loop",
    "upath": "upath:UPath",
    "magic_mock": "unittest.mock:MagicMock",
    "pipes_subprocess_client": "segue.execute.pipes.subprocess_client:PipesSubprocessClient",
    "send_mail": "segue.host.mail:send_mail",
    "repository_of": "segue.compat.repository:repository_of",
    "load_context_for_test": "segue.defs.components.load:load_context_for_test",
    "load_yaml_components": "segue.defs.components.yaml_components:load_yaml_components",
    "built_in_components": "segue.defs.components.built_in:built_in_components",
}


def bound(name: str) -> Callable[..., Any]:
    """The function that this name stands for."""
    module, _, attribute = _TABLE[name].partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


# What extras bring: module -> (its package, the extra)
_EXTRAS = {"yaml": ("pyyaml", "components"), "jinja2": ("jinja2", "components"), "psycopg": ("psycopg", "postgres")}


def extra_module(name: str) -> ModuleType:
    """A module that an extra of Segue's brings, loaded by who needs it.

    Raises:
        LoadError: the extra is not installed.
    """
    top = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        package, extra = _EXTRAS[top]
        raise LoadError(
            f"This needs the package {package}, which is not installed: pip install 'segue[{extra}]'."
        ) from error

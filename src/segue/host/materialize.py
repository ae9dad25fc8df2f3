"""`materialize` and `materialize_to_memory`: assets made in this process, with their values at hand.

The engine and the store are looked up by the first call: a program that imports the name and runs nothing loads neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import msgspec

from segue.defs.assets_definition import AssetChecksDefinition, AssetsDefinition
from segue.defs.bindings import bound
from segue.defs.definitions import Definitions
from segue.defs.external_assets import AnyAsset
from segue.defs.io import STORES_AND_LOADS, manager_role
from segue.defs.run_arguments import require_run_arguments
from segue.defs.run_config import RunConfig
from segue.errors import InvariantViolationError, WrongArgumentError
from segue.model.keys import DEFAULT_IO_MANAGER_KEY
from segue.model.selection import AssetSelection, CoercibleToAssetSelection

if TYPE_CHECKING:
    from segue.defs.execution_result import ExecuteInProcessResult
    from segue.defs.instance import Instance
    from segue.defs.job_definition import JobDefinition
    from segue.model.event import Event
    from segue.model.manifest import JobNode
    from segue.model.request import RunRequest

MaterializableAssets = Sequence[AnyAsset]


def materialize(
    assets: MaterializableAssets,
    run_config: RunConfig | Mapping[str, object] | None = None,
    instance: Instance | None = None,
    resources: Mapping[str, object] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """Makes assets, and runs their checks, in this process.

    Args:
        assets: definitions of assets and checks; `AssetSpec`s for external assets.
        run_config: config by op and resource.
        instance: the instance that records the run and stores values; an ephemeral one when None.
        resources: by key: resources, IO managers, or any object.
        partition_key: the partition to materialize.
        raise_on_error: whether to raise the exception of the first failed step; otherwise it is in the result.
        tags: tags for the run.
        selection: the assets to materialize; the others can be loaded from. All when None.

    Returns:
        Events, values and state of the run.

    Raises:
        InvalidDefinitionError: the assets do not fit together.
        InvalidConfigError, InvalidSubsetError, UnknownPartitionError: the request is not valid.
        Exception: what user code raised, with `raise_on_error`.
    """
    require_run_arguments("materialize", resources=resources, partition_key=partition_key, tags=tags)
    definitions = _definitions(assets, resources)
    request = _request(definitions, run_config, partition_key, tags, selection)
    if instance is not None:
        return _run(definitions, instance, request, raise_on_error)
    with bound("ephemeral_instance")() as temporary:
        return _run(definitions, temporary, request, raise_on_error)


def observe(
    assets: Sequence[AnyAsset],
    run_config: RunConfig | Mapping[str, object] | None = None,
    instance: Instance | None = None,
    resources: Mapping[str, object] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
) -> ExecuteInProcessResult:
    """Observes external assets in this process: runs the functions that observe them.

    Args:
        assets: definitions by `observable_source_asset` and `multi_observable_source_asset`; others are ignored.
        run_config, instance, resources, raise_on_error, tags: as for `materialize`.
        partition_key: the partition to observe.

    Returns:
        Events and state of the run; the observations are among the events.

    Raises:
        InvalidSubsetError: none of the assets can be observed.
        Exception: what user code raised, with `raise_on_error`.
    """
    definitions = Definitions(assets=assets, resources=resources)
    keys = [key for key, node in definitions.asset_graph.nodes.items() if node.is_observable]
    request: RunRequest = bound("run_request")(
        run_config=run_config.to_config_dict() if isinstance(run_config, RunConfig) else run_config,
        tags=tags,
        partition_key=partition_key,
        asset_selection=keys,
    )
    if instance is not None:
        return _run(definitions, instance, request, raise_on_error)
    with bound("ephemeral_instance")() as temporary:
        return _run(definitions, temporary, request, raise_on_error)


def materialize_to_memory(
    assets: MaterializableAssets,
    run_config: RunConfig | Mapping[str, object] | None = None,
    instance: Instance | None = None,
    resources: Mapping[str, object] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """Like `materialize`, with every value kept in memory and none stored: for tests.

    Args:
        assets, run_config, instance, partition_key, raise_on_error, tags, selection: as for `materialize`.
        resources: by key: resources or any object, but no IO managers.

    Returns:
        Events, values and state of the run.

    Raises:
        InvariantViolationError: `resources` contains an IO manager; use `materialize` for that.
        As `materialize` otherwise.
    """
    require_run_arguments("materialize_to_memory", resources=resources)
    require_assets(assets)
    for key, resource in (resources or {}).items():
        if manager_role(resource) == STORES_AND_LOADS:
            raise InvariantViolationError(
                f"materialize_to_memory keeps all values in memory, but resources[{key!r}] is an IO manager. Remove "
                "it, or use materialize."
            )
    memory: object = bound("memory_io_manager")()
    keys = {key for each in assets if isinstance(each, AssetsDefinition) for key in _io_manager_keys(each)}
    managers = dict.fromkeys([*keys, DEFAULT_IO_MANAGER_KEY], memory)
    bare = [_without(each, managers.keys()) for each in assets]
    everything = {**(resources or {}), **managers}
    return materialize(bare, run_config, instance, everything, partition_key, raise_on_error, tags, selection)


def _without(each: Any, keys: Set[str]) -> Any:
    """A definition that brings none of these resources along."""
    own: Mapping[str, object] = getattr(each, "resource_defs", {})
    return each.bringing({key: own[key] for key in own.keys() - keys}) if own.keys() & keys else each


def require_assets(assets: object) -> None:
    """Refuses what is no list of assets.

    Raises:
        WrongArgumentError: it is none.
    """
    if isinstance(assets, str) or not isinstance(assets, Iterable):
        raise WrongArgumentError(f"materialize: assets must be a list, materialize([asset]), got {assets!r}.")


def _definitions(assets: MaterializableAssets, resources: Mapping[str, object] | None) -> Definitions:
    require_assets(assets)
    checks = [each for each in assets if isinstance(each, AssetChecksDefinition)]
    others = [each for each in assets if not isinstance(each, AssetChecksDefinition)]
    return Definitions(assets=others, asset_checks=checks, resources=resources)


def _request(
    definitions: Definitions,
    run_config: RunConfig | Mapping[str, object] | None,
    partition_key: str | None,
    tags: Mapping[str, str] | None,
    selection: CoercibleToAssetSelection | None,
) -> RunRequest:
    config = run_config.to_config_dict() if isinstance(run_config, RunConfig) else run_config
    if selection is None:
        return bound("run_request")(run_config=config, tags=tags, partition_key=partition_key)
    graph, wanted = definitions.asset_graph, AssetSelection.from_coercible(selection)
    keys = sorted(wanted.resolve(graph))
    graph.require_executable(keys)
    return bound("run_request")(
        run_config=config,
        tags=tags,
        partition_key=partition_key,
        asset_selection=keys,
        asset_check_keys=sorted(wanted.resolve_checks(graph)),
    )


def _io_manager_keys(definition: AssetsDefinition) -> Iterable[str]:
    yield from definition.io_manager_keys.values()
    yield from definition.input_manager_keys.values()


def _run(
    definitions: Definitions, instance: Instance, request: RunRequest, raise_on_error: bool
) -> ExecuteInProcessResult:
    events: list[Event] = []
    values: dict[tuple[str, str], object] = {}
    executed = bound("execute_request")(definitions, instance, request, [events.append], values)
    if raise_on_error:
        executed.raise_failure()

    def job() -> JobDefinition:
        graph = definitions.asset_graph
        node: JobNode = bound("implicit_job_node")(graph)
        if request.asset_selection is not None:
            assets = tuple(request.asset_selection)
            asked = [key for key in graph.checks if key.asset_key in assets]
            checks = tuple((key.asset_key, key.name) for key in request.asset_check_keys or asked)
            node = msgspec.structs.replace(node, assets=assets, checks=checks)
        return bound("asset_job")(definitions, msgspec.structs.replace(node, name=executed.run.job_name))

    return bound("result_in_process")(executed.run, events, values, definitions.asset_graph, made_job=job)

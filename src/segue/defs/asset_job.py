"""A job of assets whose selection is resolved: what `Definitions.get_job_def` gives for `define_asset_job`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Protocol

import msgspec

from segue.defs.bindings import bound
from segue.defs.flatten import Flat
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.run_config import RunConfig
from segue.errors import InvalidInvocationError, InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import JobNode
from segue.model.metadata import normalize_metadata
from segue.model.selection import AssetSelection

IMPLICIT_JOB_NAME = "__ASSET_JOB"


class Declared(Protocol):
    """Definitions, as far as a job of assets needs them."""

    @property
    def asset_graph(self) -> AssetGraph: ...
    @property
    def resources(self) -> Mapping[str, object]: ...


class AssetJobDefinition(JobDefinition):
    """A job over assets of some definitions, ready to be run. It has no graph of ops.

    Args:
        definitions: what it belongs to.
        declared: the job as it was declared.

    Raises:
        InvalidDefinitionError, InvalidSubsetError: the job or the definitions do not fit together.
    """

    def __init__(self, definitions: Declared, declared: UnresolvedAssetJobDefinition) -> None:
        self.definitions = definitions
        self.declared = declared
        self.node: JobNode | None = definitions.asset_graph.jobs.get(declared.name)
        self.name = declared.name
        self.description = declared.description
        self.tags: Mapping[str, str] = declared.tags
        self.has_separately_defined_run_tags = declared.run_tags is not None
        self.run_tags: Mapping[str, str] = declared.tags if declared.run_tags is None else declared.run_tags
        self.metadata = normalize_metadata(declared.metadata)
        self.owners: Sequence[str] = declared.owners
        self.config: Any = declared.config
        self.resource_defs: Mapping[str, object] = definitions.resources
        self.executor_def: object = declared.executor_def
        self.loggers: Mapping[str, object] = {}
        self.hook_defs: frozenset[Any] = declared.hooks
        self.op_retry_policy = declared.op_retry_policy
        self.input_values: Mapping[str, object] = {}
        self.op_selection: frozenset[str] | None = None
        self.partitions_def = declared.partitions_def or self._partitions()
        self.flat = Flat((), {}, {}, ())

    def _partitions(self) -> Any:
        graph = self.definitions.asset_graph
        found = (graph.nodes[key].partitions for key in sorted(self.asset_keys))
        definition: Any = next((each for each in found if each is not None), None)
        return None if definition is None else getattr(definition, "declared", definition)

    @property
    def graph(self) -> Any:
        """Refused: its steps are those of its assets.

        Raises:
            InvalidInvocationError: always.
        """
        raise InvalidInvocationError(f"{self!r} is a job of assets and has no graph of ops: see asset_keys.")

    @property
    def is_asset_job(self) -> bool:
        """True."""
        return True

    @property
    def asset_keys(self) -> Set[AssetKey]:
        """The assets it makes."""
        if self.node is not None:
            return frozenset(self.node.assets)
        graph = self.definitions.asset_graph
        wanted = self.declared.selection.resolve(graph)
        return frozenset([key for key in wanted if graph.nodes[key].is_materializable])

    @property
    def required_resource_keys(self) -> Set[str]:
        """The resources that its assets need."""
        graph = self.definitions.asset_graph
        names = {name for key in self.asset_keys if (name := graph.nodes[key].computation) is not None}
        return {key for name in names for key in graph.computations[name].resource_keys}

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, object] | None = None,
    ) -> Any:
        """Makes the assets of the job in this process, with values in memory; see `JobDefinition.execute_in_process`.

        Args:
            asset_selection: which of its assets; all when None.

        Raises:
            InvalidSubsetError: `op_selection`, or `asset_selection` names assets that the job does not make.
            InvalidInvocationError: `input_values`.
        """
        if op_selection is not None:
            raise InvalidSubsetError(f"{self!r} is a job of assets: choose some of them with asset_selection.")
        if input_values:
            raise InvalidInvocationError(f"{self!r} is a job of assets: it has no inputs to give values for.")
        job = self if asset_selection is None else self.get_subset(asset_selection=asset_selection)
        return bound("execute_asset_job")(
            job.definitions,
            job.declared,
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            run_id=run_id,
            tags=tags,
            resources=resources,
        )

    def get_subset(
        self,
        *,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[AssetKey] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> AssetJobDefinition:
        """The same job over some of its assets.

        Raises:
            InvalidSubsetError: `op_selection`, or an asset that the job does not make.
        """
        if op_selection is not None:
            raise InvalidSubsetError(f"{self!r} is a job of assets: choose some of them with asset_selection.")
        selection = self.declared.selection
        if asset_selection is not None:
            keys = frozenset(asset_selection)
            strange = sorted(key.to_user_string() for key in keys - self.asset_keys)
            if strange:
                raise InvalidSubsetError(f"{self!r} does not make: {', '.join(strange)}.")
            selection = AssetSelection.assets(*sorted(keys))
        if asset_check_selection is not None:
            selection = selection | AssetSelection.checks(*asset_check_selection)
        return AssetJobDefinition(self.definitions, msgspec.structs.replace(self.declared, selection=selection))

    def replaced(self, **changes: Any) -> JobDefinition:
        """Refused: change the call of define_asset_job instead.

        Raises:
            InvalidInvocationError: always.
        """
        raise InvalidInvocationError(
            f"{self!r} is made from its declaration: change define_asset_job({', '.join(sorted(changes))}=...) instead."
        )

    def with_top_level_resources(self, resource_defs: Mapping[str, object]) -> JobDefinition:
        """The job itself: its resources are those of its definitions."""
        del resource_defs
        return self

    def __repr__(self) -> str:
        return f"AssetJobDefinition({self.name!r})"

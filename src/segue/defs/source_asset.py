"""`SourceAsset`: an external asset, which may be observed. Superseded by `AssetSpec`."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any, Self

from segue.defs.asset_changes import brought_along, in_group
from segue.defs.op import OpDefinition, require_resource_keys, step_tags
from segue.defs.signature import UserFunction, read_function
from segue.errors import InvariantViolationError
from segue.model.arguments import require_kind
from segue.model.assets import DEFAULT_GROUP, IO_MANAGER_KEY_METADATA, AssetSpec
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetKey, CoercibleToAssetKey
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import AssetExecutionType

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


class SourceAsset:
    """An external asset. An `AssetSpec` is a shorter way to declare one.

    Args:
        key: its name.
        metadata, description, group_name, tags, partitions_def, automation_condition: as for `AssetSpec`.
        io_manager_key: the key of the IO manager that loads its value.
        io_manager_def: the IO manager itself.
        resource_defs: resources that are provided with it.
        observe_fn: a function that looks at it and returns a `DataVersion` (see `observable_source_asset`).
        op_tags: tags on the step that observes it.
        auto_observe_interval_minutes: stored but not used; use an automation condition.
        legacy_freshness_policy: superseded by the freshness policy of an `AssetSpec`.

    Raises:
        InvalidDefinitionError: an invalid value.
    """

    def __init__(
        self,
        key: CoercibleToAssetKey,
        metadata: Mapping[str, object] | None = None,
        io_manager_key: str | None = None,
        io_manager_def: object = None,
        description: str | None = None,
        partitions_def: PartitionsDefinition | None = None,
        group_name: str | None = None,
        resource_defs: Mapping[str, object] | None = None,
        observe_fn: UserFunction | None = None,
        op_tags: Mapping[str, Any] | None = None,
        *,
        auto_observe_interval_minutes: float | None = None,
        automation_condition: AnyCondition | None = None,
        tags: Mapping[str, str] | None = None,
        legacy_freshness_policy: object = None,
        _required_resource_keys: Set[str] | None = None,
    ) -> None:
        self.key = AssetKey.from_coercible(key)
        what = f"SourceAsset {self.key.to_user_string()!r}"
        require_kind(what, "io_manager_key", io_manager_key, str)
        require_kind(what, "resource_defs", resource_defs, Mapping)
        require_kind(what, "metadata", metadata, Mapping)
        require_kind(what, "op_tags", op_tags, Mapping)
        require_kind(what, "auto_observe_interval_minutes", auto_observe_interval_minutes, (float, int))
        own_key = self.key.to_python_identifier("io_manager")
        self.io_manager_key = io_manager_key or (own_key if io_manager_def is not None else None)
        self.io_manager_def = io_manager_def
        self.resource_defs: Mapping[str, object] = dict(resource_defs or {})
        if io_manager_def is not None and self.io_manager_key is not None:
            self.resource_defs = {**self.resource_defs, self.io_manager_key: io_manager_def}
        self.raw_metadata: Mapping[str, object] = dict(metadata or {})
        self.observe_fn = observe_fn
        self.op_tags = op_tags
        self.auto_observe_interval_minutes = auto_observe_interval_minutes
        self._required_resource_keys = require_resource_keys(_required_resource_keys, what)
        stored = {} if self.io_manager_key is None else {IO_MANAGER_KEY_METADATA: self.io_manager_key}
        self._spec = AssetSpec(
            self.key,
            description=description,
            metadata={**self.raw_metadata, **stored},
            group_name=DEFAULT_GROUP if group_name is None else group_name,
            automation_condition=automation_condition,
            legacy_freshness_policy=legacy_freshness_policy,
            tags=tags,
            partitions_def=partitions_def,
        )
        self._op = None if observe_fn is None else self._observation(observe_fn, what)

    def _observation(self, function: UserFunction, what: str) -> OpDefinition:
        return OpDefinition.of_function(
            name=self.key.to_python_identifier(),
            function=function,
            shape=read_function(function, what),
            required_resource_keys=self._required_resource_keys,
            tags=step_tags(self.op_tags, what),
            description=self.description,
        )

    def to_spec(self) -> AssetSpec:
        """The same as an `AssetSpec`."""
        return self._spec

    @property
    def metadata(self) -> Mapping[str, AnyMetadataValue]:
        """Facts about it."""
        return normalize_metadata(self.raw_metadata)

    @property
    def description(self) -> str | None:
        """For people."""
        return self._spec.description

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How it is partitioned."""
        return self._spec.partitions_def

    @property
    def group_name(self) -> str:
        """The group it is shown in."""
        return self._spec.group_name or DEFAULT_GROUP

    @property
    def tags(self) -> Mapping[str, str]:
        """Short strings to search and select by."""
        return self._spec.tags

    @property
    def automation_condition(self) -> AnyCondition | None:
        """When to observe it."""
        return self._spec.automation_condition

    @property
    def op(self) -> OpDefinition:
        """The op that observes it.

        Raises:
            InvariantViolationError: no op does.
        """
        if self._op is None:
            raise InvariantViolationError(f"{self!r} has no observe_fn, so it has no op.")
        return self._op

    @property
    def node_def(self) -> OpDefinition | None:
        """The op that observes it; None without."""
        return self._op

    @property
    def is_observable(self) -> bool:
        """Whether a run can observe it."""
        return self._op is not None

    @property
    def is_executable(self) -> bool:
        """Whether a run can observe it."""
        return self._op is not None

    @property
    def is_materializable(self) -> bool:
        """False: it is external."""
        return False

    @property
    def execution_type(self) -> AssetExecutionType:
        """What a run does with it."""
        return AssetExecutionType.UNEXECUTABLE if self._op is None else AssetExecutionType.OBSERVATION

    @property
    def required_resource_keys(self) -> Set[str]:
        """The resources that its observation needs, and the IO manager that loads it."""
        return {self.get_io_manager_key(), *(() if self._op is None else self._op.resource_keys)}

    def get_io_manager_key(self) -> str:
        """The resource that loads its value."""
        return self.io_manager_key or DEFAULT_IO_MANAGER_KEY

    def with_attributes(
        self,
        key: CoercibleToAssetKey | None = None,
        group_name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Self:
        """A copy under another key, in a group, or with other tags.

        Raises:
            InvalidDefinitionError: it is in another group already.
        """
        return self._replaced(
            key=self.key if key is None else key,
            group_name=(in_group(self._spec, group_name) if group_name else self._spec).group_name,
            tags=self.tags if tags is None else tags,
        )

    def with_resources(self, resource_defs: Mapping[str, object]) -> Self:
        """A copy with those of these resources that it needs.

        Raises:
            InvalidInvocationError: it already has a different resource of the same key.
        """
        return self.bringing(brought_along(self, self.required_resource_keys, self.resource_defs, resource_defs))

    def bringing(self, resource_defs: Mapping[str, object]) -> Self:
        """A copy with exactly these resources."""
        return self._replaced(resource_defs=resource_defs)

    def _replaced(self, **changes: Any) -> Self:
        given: dict[str, Any] = {
            "key": self.key,
            "metadata": self.raw_metadata,
            "io_manager_key": self.io_manager_key,
            "description": self.description,
            "partitions_def": self.partitions_def,
            "group_name": self._spec.group_name,
            "resource_defs": self.resource_defs,
            "observe_fn": self.observe_fn,
            "op_tags": self.op_tags,
            "auto_observe_interval_minutes": self.auto_observe_interval_minutes,
            "automation_condition": self.automation_condition,
            "tags": self.tags,
            "_required_resource_keys": self._required_resource_keys,
        }
        return type(self)(**{**given, **changes})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SourceAsset)
            and self._spec == other._spec
            and self.observe_fn == other.observe_fn
            and self.op_tags == other.op_tags
            and self.resource_defs == other.resource_defs
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls the function that observes it, without a run."""
        return self.op.invoke_directly(args, kwargs)

    def __repr__(self) -> str:
        return f"SourceAsset({self.key!r})"

"""Contexts outside of any run, for tests that call the functions of ops, assets and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from segue.defs.context import AssetCheckExecutionContext, AssetExecutionContext, OpExecutionContext
from segue.defs.direct_step import DirectStep, ExecutionProperties
from segue.defs.step_facts import UserEvent
from segue.errors import InvalidInvocationError
from segue.model.partitions.key_range import PartitionKeyRange

if TYPE_CHECKING:
    from segue.defs.instance import Instance


class DirectContext:
    """What contexts outside of any run have in common; a context manager, which tears down the resources it set up."""

    _step: DirectStep

    @property
    def is_bound(self) -> bool:
        """Whether a function is being called with it."""
        return self._step.binding is not None

    @property
    def execution_properties(self) -> ExecutionProperties:
        """What the last call with it left."""
        return self._step.properties

    def get_events(self) -> Sequence[UserEvent]:
        """What the last call with it recorded with `log_event`, in order."""
        return list(self._step.properties.user_events)

    def __enter__(self) -> Self:
        self._step.entered = True
        self._step.opened_resources()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._step.close()


class DirectOpExecutionContext(DirectContext, OpExecutionContext):
    """What `build_op_context` gives."""


class DirectAssetExecutionContext(DirectContext, AssetExecutionContext):
    """What `build_asset_context` gives."""


class DirectAssetCheckExecutionContext(DirectContext, AssetCheckExecutionContext):
    """What `build_asset_check_context` gives."""


def build_op_context(
    resources: Mapping[str, Any] | None = None,
    op_config: Any = None,
    resources_config: Mapping[str, Any] | None = None,
    instance: Instance | None = None,
    config: Any = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
    mapping_key: str | None = None,
    run_tags: Mapping[str, str] | None = None,
    event_loop: object = None,  # noqa: ARG001 reason: documented as ignored
) -> DirectOpExecutionContext:
    """A context to call an op with in a test; usable in `with`, which tears down its resources.

    Args:
        resources: by key: objects, or resources that are set up on first use.
        op_config: the config of the op: values, or an instance of its `Config` class.
        resources_config: config of resources, by key.
        instance: where things are recorded; one that is gone with the context when None.
        config: the same as `op_config`.
        partition_key, partition_key_range: the partitions that the call is for.
        mapping_key: what `get_mapping_key` gives.
        run_tags: the tags of the run.
        event_loop: ignored: async functions run in the loop in which they are awaited.

    Raises:
        InvalidInvocationError: both `op_config` and `config`.
        InvariantViolationError: both `partition_key` and `partition_key_range`.
    """
    if op_config is not None and config is not None:
        raise InvalidInvocationError("build_op_context: both op_config and config were provided; keep one.")
    step = DirectStep(
        resources,
        op_config if config is None else config,
        resources_config,
        instance,
        partition_key,
        partition_key_range,
        mapping_key,
        run_tags,
    )
    return DirectOpExecutionContext(step)


def build_asset_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Instance | None = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
    run_tags: Mapping[str, str] | None = None,
    event_loop: object = None,  # noqa: ARG001 reason: documented as ignored
) -> DirectAssetExecutionContext:
    """A context to call an asset with in a test; usable in `with`, which tears down its resources.

    Args:
        asset_config: the config of the asset: values, or an instance of its `Config` class.
        resources, resources_config, instance, partition_key, partition_key_range, run_tags, event_loop: as for
            `build_op_context`.

    Raises:
        InvariantViolationError: both `partition_key` and `partition_key_range`.
    """
    step = DirectStep(
        resources, asset_config, resources_config, instance, partition_key, partition_key_range, None, run_tags
    )
    return DirectAssetExecutionContext(step)


def build_asset_check_context(
    resources: Mapping[str, Any] | None = None,
    resources_config: Mapping[str, Any] | None = None,
    asset_config: Any = None,
    instance: Instance | None = None,
) -> DirectAssetCheckExecutionContext:
    """A context to call an asset check with in a test; usable in `with`, which tears down its resources.

    Args:
        asset_config: the config of the check: values, or an instance of its `Config` class.
        resources, resources_config, instance: as for `build_op_context`.
    """
    return DirectAssetCheckExecutionContext(DirectStep(resources, asset_config, resources_config, instance))

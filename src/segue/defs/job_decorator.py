"""`@job`: a composition function as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, overload

from segue.defs.graph_decorator import composed_graph
from segue.defs.job_definition import JobDefinition
from segue.defs.signature import UserFunction, function_name
from segue.model.keys import require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy


@overload
def job(compose_fn: UserFunction, /) -> JobDefinition: ...
@overload
def job(
    *,
    name: str | None = ...,
    description: str | None = ...,
    resource_defs: Mapping[str, object] | None = ...,
    config: Any = ...,
    tags: Mapping[str, Any] | None = ...,
    run_tags: Mapping[str, Any] | None = ...,
    metadata: Mapping[str, object] | None = ...,
    logger_defs: Mapping[str, object] | None = ...,
    executor_def: object = ...,
    hooks: Set[Any] | None = ...,
    op_retry_policy: RetryPolicy | None = ...,
    partitions_def: PartitionsDefinition | None = ...,
    input_values: Mapping[str, object] | None = ...,
    owners: Sequence[str] | None = ...,
) -> Callable[[UserFunction], JobDefinition]: ...
def job(
    compose_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, object] | None = None,
    config: Any = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, object] | None = None,
    logger_defs: Mapping[str, object] | None = None,
    executor_def: object = None,
    hooks: Set[Any] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    partitions_def: PartitionsDefinition | None = None,
    input_values: Mapping[str, object] | None = None,
    owners: Sequence[str] | None = None,
) -> JobDefinition | Callable[[UserFunction], JobDefinition]:
    """Declares a job: a function that calls ops and graphs on each other's outputs.

    Args:
        name: the function's name when None.
        description: for people; the docstring when None.
        resource_defs: resources by key.
        config: the run config its runs start with, a config mapping, or a config by partition.
        tags, run_tags, metadata, owners: see `JobDefinition`.
        logger_defs, executor_def: loggers and executor.
        hooks: hooks that run after each step.
        op_retry_policy: for ops that name no retry policy themselves.
        partitions_def: how it is partitioned.
        input_values: values for the function's parameters.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
    """

    def decorate(function: UserFunction) -> JobDefinition:
        own_name = require_name(name or function_name(function, "job"), "a job", "job")
        graph = composed_graph(
            function, own_name, description, None, None, None, None, f"@job {own_name!r}", has_outputs=False
        )
        made = JobDefinition(
            graph_def=graph,
            resource_defs=resource_defs,
            executor_def=executor_def,
            logger_defs=logger_defs,
            name=own_name,
            config=config,
            partitions_def=partitions_def,
            tags=tags,
            run_tags=run_tags,
            metadata=metadata,
            hook_defs=hooks,
            op_retry_policy=op_retry_policy,
            input_values=input_values,
            owners=owners,
        )
        made.declared_by = function
        return made

    return decorate if compose_fn is None else decorate(compose_fn)

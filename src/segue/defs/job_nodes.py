"""Jobs of ops and their ops as data."""

from __future__ import annotations

from segue.defs.job_definition import JobDefinition
from segue.defs.op import OpDefinition
from segue.defs.run_config import storable
from segue.model.manifest import ComputationNode, JobNode, OutputNode


def op_computation_node(op: OpDefinition) -> ComputationNode:
    """An op as data."""
    return ComputationNode(
        name=op.name,
        outputs=tuple(
            [
                OutputNode(
                    name,
                    is_required=out.is_required,
                    io_manager_key=out.io_manager_key,
                    is_dynamic=out.is_dynamic,
                )
                for name, out in op.outs.items()
            ]
        ),
        resource_keys=tuple(sorted(op.required_resource_keys)),
        retry_policy=op.retry_policy,
        has_config=op.shape.config is not None or op.config_field is not None,
        tags=dict(op.tags),
        description=op.description,
        source=op.shape.source,
        pool=op.pool,
    )


def op_job_node(job: JobDefinition) -> JobNode:
    """A job of ops as data.

    Raises:
        InvalidConfigError: its config holds what JSON has no form for.
    """
    return JobNode(
        name=job.name,
        description=job.description,
        tags=dict(job.run_tags),
        own_tags=dict(job.tags) if job.has_separately_defined_run_tags else {},
        run_config=storable(job.run_config or {}, "config"),
        metadata=dict(job.metadata),
        owners=tuple(job.owners),
        steps=job.flat.steps,
        partitions=job.partitions_def,
    )

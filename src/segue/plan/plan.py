"""The plan of one run: its steps, what each takes and gives, and what each waits for. Stored with the run."""

from __future__ import annotations

import msgspec

from segue.model import codec
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset
from segue.model.policies import RetryPolicy

PLAN_VERSION = 1


class StepInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """An input of a step.

    Attributes:
        name: the parameter of the user's function.
        asset_key: the asset whose value it takes.
        io_manager_key: the resource that loads it.
        upstream_step, upstream_output: the step of this plan that makes the value; None when it was made before.
        partitions: the upstream partitions it takes; None where the upstream asset is not partitioned.
    """

    name: str
    asset_key: AssetKey
    io_manager_key: str
    upstream_step: str | None = None
    upstream_output: str | None = None
    partitions: PartitionSubset | None = None


class StepOutput(msgspec.Struct, frozen=True, omit_defaults=True):
    """An output of a step: an asset, or the result of a check (`check_asset_key`, `check_name`)."""

    name: str
    io_manager_key: str
    asset_key: AssetKey | None = None
    check_asset_key: AssetKey | None = None
    check_name: str | None = None
    is_required: bool = True
    is_partitioned: bool = False
    blocking: bool = False


class PlanStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step: one call of the user's function.

    Attributes:
        key: unique in the plan.
        computation: the computation it runs.
        inputs, outputs: what it takes and gives.
        depends_on: the steps that must end well before it may start.
        needs: the outputs (step, output) of these steps without which there is nothing to work on.
        retry_policy: how it is retried.
    """

    key: str
    computation: str
    inputs: tuple[StepInput, ...] = ()
    outputs: tuple[StepOutput, ...] = ()
    depends_on: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    retry_policy: RetryPolicy | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one run will do.

    Attributes:
        version: of this form.
        job_name: the job.
        steps: in an order in which each comes after what it depends on.
        partition_start, partition_end: the partitions the run makes, both inclusive; None without partitions.
    """

    version: int = PLAN_VERSION
    job_name: str
    steps: tuple[PlanStep, ...]
    partition_start: str | None = None
    partition_end: str | None = None

    @property
    def asset_keys(self) -> tuple[AssetKey, ...]:
        """The assets it makes, in order of the steps."""
        return tuple(output.asset_key for step in self.steps for output in step.outputs if output.asset_key is not None)

    @property
    def check_keys(self) -> tuple[tuple[AssetKey, str], ...]:
        """The checks it runs, in order of the steps."""
        return tuple(
            (output.check_asset_key, output.check_name)
            for step in self.steps
            for output in step.outputs
            if output.check_asset_key is not None and output.check_name is not None
        )


def encode_plan(plan: Plan) -> bytes:
    """The plan as JSON."""
    return codec.encode(plan)


def decode_plan(data: bytes) -> Plan:
    """The plan written by `encode_plan`."""
    return _decoder.decode(data)


_decoder = codec.decoder(Plan)

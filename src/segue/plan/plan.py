"""The plan of one run: its steps, what each takes and gives, and what each waits for. Stored with the run."""

from __future__ import annotations

import msgspec

from segue.model import codec
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy
from segue.model.steps import AnySource

PLAN_VERSION = 1


class StepInput(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An input of a step.

    Attributes:
        name: the parameter of the user's function.
        asset_key: the asset whose value it takes; None for a value between steps.
        io_manager_key: the resource that loads it; empty where each source says its own.
        upstream_step, upstream_output: the step of this plan that makes the value; None when it was made before.
        partitions: the upstream partitions it takes; None where the upstream asset is not partitioned.
        source: of an input between steps: where its value comes from.
        has_value: False for an input that only orders steps.
        has_default: whether its op has a default for it.
        is_missing: whether no step gave its value in this run, and the step runs all the same: it keeps its default.
    """

    name: str
    asset_key: AssetKey | None
    io_manager_key: str
    upstream_step: str | None = None
    upstream_output: str | None = None
    partitions: PartitionSubset | None = None
    source: AnySource | None = None
    has_value: bool = True
    has_default: bool = False
    is_missing: bool = False


class StepOutput(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An output of a step: an asset, the result of a check (`check_asset_key`, `check_name`), or a value for other steps.

    An asset is made, or (`is_observed`) looked at.
    """

    name: str
    io_manager_key: str
    asset_key: AssetKey | None = None
    check_asset_key: AssetKey | None = None
    check_name: str | None = None
    is_required: bool = True
    is_partitioned: bool = False
    blocking: bool = False
    is_dynamic: bool = False
    is_observed: bool = False


class PlanStep(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One step: one call of the user's function.

    Attributes:
        key: unique in the plan.
        computation: the computation it runs.
        inputs, outputs: what it takes and gives.
        depends_on: the steps that must end well before it may start.
        needs: the outputs (step, output) of these steps without which there is nothing to work on.
        retry_policy: how it is retried.
        needs_any: groups of outputs: of each group that is not empty, at least one must be there.
        origin: the dynamic output (step, output) for each of whose values the step runs once; the plan then holds the step
            once, with `[?]` at the end of its key.
        graph: the graph behind assets that it is a step of.
        turn: which step of its function it is, from 1, where functions that wait for each other take turns.
        pool: the pool whose slots it takes while it runs; None for none.
        pool_weight: how many slots.
        priority: of the steps that could start, those with a higher one go first.
        policy: how it is to be run; None for as steps are run.
        is_part: whether the run asks for only some of what its graph can make.
    """

    key: str
    computation: str
    inputs: tuple[StepInput, ...] = ()
    outputs: tuple[StepOutput, ...] = ()
    depends_on: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    retry_policy: RetryPolicy | None = None
    needs_any: tuple[tuple[tuple[str, str], ...], ...] = ()
    origin: tuple[str, str] | None = None
    graph: str | None = None
    turn: int = 1
    pool: str | None = None
    pool_weight: int = 1
    priority: int = 0
    policy: StepPolicy | None = None
    is_part: bool = False

    @property
    def path(self) -> str:
        """The key without mapping keys: where its config and its op are found; of a later turn, that of the first."""
        path = self.key.partition("[")[0]
        if self.turn == 1:
            return path
        return self.computation if self.graph is None else f"{self.graph}.{path.partition('.')[2]}"


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


def encode_step(step: PlanStep) -> bytes:
    """One step as JSON."""
    return codec.encode(step)


def decode_step(data: bytes) -> PlanStep:
    """The step written by `encode_step`."""
    return _step_decoder.decode(data)


_decoder = codec.decoder(Plan)
_step_decoder = codec.decoder(PlanStep)


def with_retry_policy(plan: Plan, policy: RetryPolicy) -> Plan:
    """The plan with a retry policy for the steps that have none."""
    steps = [
        step if step.retry_policy is not None else msgspec.structs.replace(step, retry_policy=policy)
        for step in plan.steps
    ]
    return msgspec.structs.replace(plan, steps=tuple(steps))

"""What the contexts of ops, assets and checks have in common."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, get_args

from segue.defs.bindings import bound
from segue.defs.step_facts import StepFacts, UserEvent
from segue.defs.superseded import warn_superseded
from segue.errors import InvalidPropertyError, InvariantViolationError, WrongArgumentError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow

if TYPE_CHECKING:
    from segue.defs.instance import Instance
    from segue.defs.log import LogManager
    from segue.defs.node import NodeUse
    from segue.model.node_handle import NodeHandle
    from segue.model.run import Run


class StepContext:
    """The context of one step: the run it belongs to, its resources, config and partitions."""

    def __init__(self, step: StepFacts) -> None:
        self._step = step

    @classmethod
    def get(cls) -> Self:
        """The context of the step that is running in this thread.

        Raises:
            InvariantViolationError: no step of this kind is running here.
        """
        context = current_context.get()
        if not isinstance(context, cls):
            raise InvariantViolationError(f"No {cls.__name__} is available: no such step is running in this thread.")
        return context

    def asset_key_for_input(self, input_name: str) -> AssetKey:
        """The asset behind an input: whose value it takes, or for which the function waits.

        Raises:
            InvariantViolationError: there is none.
        """
        if input_name not in self._step.input_asset_keys:
            raise InvariantViolationError(f"The input {input_name!r} of {self._step.step_key!r} is not an asset.")
        return self._step.input_asset_keys[input_name]

    @property
    def log(self) -> LogManager:
        """A logger whose lines are recorded with the run."""
        return self._step.log

    @property
    def pdb(self) -> Any:
        """Python's debugger: `context.pdb.set_trace()` stops here."""
        return bound("debugger")()

    @property
    def instance(self) -> Instance:
        """The instance the run is recorded in."""
        return self._step.instance

    @property
    def run(self) -> Run:
        """The run."""
        return self._step.run

    @property
    def dagster_run(self) -> Run:
        """The run; superseded by `run`."""
        warn_superseded("dagster_run", "read run")
        return self._step.run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._step.run_id

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._step.job_name

    @property
    def job_def(self) -> Any:
        """The job.

        Raises:
            InvalidPropertyError: the run is one of assets without a job of ops.
        """
        if self._step.job is None:
            raise InvalidPropertyError(f"The run {self.run_id} materializes assets and has no op job; see job_name.")
        return self._step.job

    @property
    def op_def(self) -> Any:
        """The op behind the step: what `@op` gave, or what stands behind the assets."""
        return self._step.op_def

    @property
    def op(self) -> NodeUse:
        """The use of the op in its graph or job: its name there, its tags, and the op as `definition`."""
        return self._step.node

    @property
    def node_handle(self) -> NodeHandle:
        """Where in the job the step stands."""
        return self._step.node_handle

    @property
    def op_handle(self) -> NodeHandle:
        """Where in the job the step stands."""
        return self._step.node_handle

    def get_step_execution_context(self) -> Self:
        """This context: there is no other of the step."""
        return self

    @property
    def run_tags(self) -> Mapping[str, str]:
        """The run's tags."""
        return self._step.run_tags

    def has_tag(self, key: str) -> bool:
        """Whether the run has a tag."""
        return key in self._step.run_tags

    def get_tag(self, key: str) -> str | None:
        """The value of a tag of the run; None without."""
        return self._step.run_tags.get(key)

    @property
    def run_config(self) -> Mapping[str, object]:
        """The config the run was started with."""
        return self._step.run_config_dict

    @property
    def resources(self) -> Any:
        """The resources that the function asked for, as attributes."""
        return self._step.resources

    @property
    def op_config(self) -> Any:
        """The step's config as plain values, with defaults, members of enums, and values from the environment."""
        return self._step.op_config

    @property
    def retry_number(self) -> int:
        """0 in the first attempt of the step, 1 in its first retry."""
        return self._step.attempt - 1

    @property
    def step_launcher(self) -> None:
        """None: steps run where the executor puts them."""
        return None

    def describe_op(self) -> str:
        """The step, for people."""
        return f'op "{self._step.step_key}"'

    @property
    def has_assets_def(self) -> bool:
        """Whether the step makes assets or runs checks."""
        return self._step.definition is not None

    @property
    def assets_def(self) -> Any:
        """The definition of the assets or checks behind the step, with those only that the run asks for.

        Raises:
            InvalidPropertyError: it is a plain op.
        """
        if self._step.definition is None:
            raise InvalidPropertyError(f"The op {self._step.op_def.name!r} does not belong to an asset.")
        definition = self._step.definition
        if not (self.is_subset and definition.can_subset) or self._step.node_handle.parent is not None:
            return definition  # a step of a graph makes its own part of what the run asks for
        return definition.subset_for(set(self._step.asset_keys.values()), set(self._step.check_keys))

    @property
    def is_subset(self) -> bool:
        """Whether the run asks for only some of what its function, or the graph around it, can make."""
        return self._step.is_part

    @property
    def has_partition_key(self) -> bool:
        """Whether the run is one of a single partition."""
        keys = self._step.partition_range
        return keys is not None and keys.start == keys.end

    @property
    def has_partition_key_range(self) -> bool:
        """Whether the run is one of a range of partitions, and not of one."""
        return self._step.partition_range is not None and not self.has_partition_key

    @property
    def partition_key(self) -> str:
        """The partition of the run.

        Raises:
            InvariantViolationError: the run has none, or a range of them.
        """
        keys = self._step.partition_range
        if keys is None or keys.start != keys.end:
            raise InvariantViolationError(
                "This run has no single partition key: check has_partition_key first, or use partition_keys "
                "for a range."
            )
        definition = self._step.partitions_def
        return keys.start if definition is None else definition.typed_key(keys.start)

    @property
    def multi_partition_key(self) -> Any:
        """The partition of the run, by dimension.

        Raises:
            InvariantViolationError: the run has no single partition, or one of a single dimension.
        """
        key = self.partition_key
        if not hasattr(key, "keys_by_dimension"):
            raise InvariantViolationError(
                f"multi_partition_key: the partition key {key!r} has only one dimension: use partition_key."
            )
        return key

    @property
    def partition_keys(self) -> Sequence[str]:
        """The partitions of the run, in order.

        Raises:
            InvariantViolationError: the run has none.
        """
        return self._step.partition_keys()

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """First and last partition of the run.

        Raises:
            InvariantViolationError: the run has none.
        """
        keys = self._step.partition_range
        if keys is None:
            raise InvariantViolationError("This run has no partitions: check has_partitions first.")
        return keys

    @property
    def partition_time_window(self) -> TimeWindow:
        """The time that the run's partitions span, from the start of the first to the end of the last.

        Raises:
            InvariantViolationError: the run has no partitions, or they are not windows of time.
        """
        return self._step.time_window()

    @property
    def fencing_token(self) -> int | None:
        """A number greater than that of any run or attempt that began before, for systems that can refuse whoever comes with
        a lesser one than they have seen; None outside of a run. See `docs/reliability.md`.
        """
        return self._step.fencing_token

    def require_lease(self) -> None:
        """Makes sure that this process may still work on the run, before something is changed that cannot be taken back.

        Raises:
            LeaseLostError: the run has ended, or another process has it.
        """
        self._step.require_lease()

    @property
    def selected_asset_check_keys(self) -> frozenset[AssetCheckKey]:
        """The checks that this step is to run."""
        return frozenset(self._step.check_keys)

    def take(self, resource_key: str, tokens: int = 1) -> None:
        """Waits until a resource may be called, by the limits that `Definitions(resource_limits=...)` sets for it in all
        processes together, and takes tokens for the calls. A step that needs the resource has one already.

        Args:
            resource_key: the resource; one without limits is not waited for.
            tokens: how many calls are to be made.

        Raises:
            InvalidInvocationError: there is no such resource, or less than one token is asked for.
            CircuitOpenError: its circuit breaker is open, and says that callers fail meanwhile.
        """
        self._step.take_tokens(resource_key, tokens)

    @contextlib.contextmanager
    def limited(self, resource_key: str, tokens: int = 1) -> Generator[None]:
        """The same as `take` for a `with` block that makes the calls: its circuit breaker also hears how they went.

        Args:
            resource_key, tokens: as for `take`.

        Raises:
            As `take`, and what the block raises.
        """
        self._step.take_tokens(resource_key, tokens)
        try:
            yield
        except Exception as error:
            self._step.report_call(resource_key, error)
            raise
        self._step.report_call(resource_key, None)

    def log_event(self, event: UserEvent) -> None:
        """Records a fact at once, apart from the function's outputs.

        Raises:
            InvalidInvocationError: anything but an event.
        """
        if not isinstance(event, get_args(UserEvent)):
            raise WrongArgumentError(
                "log_event must be given an AssetMaterialization, AssetObservation, AssetCheckEvaluation or "
                f"ExpectationResult, got {event!r}."
            )
        self._step.record(event)


current_context: contextvars.ContextVar[StepContext | None] = contextvars.ContextVar(
    "segue_current_context", default=None
)

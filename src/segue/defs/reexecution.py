"""`ReexecutionOptions`: which steps of an earlier run to run again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.defs.instance import Instance
from segue.errors import InvalidInvocationError, InvariantViolationError, RunNotFoundError


class ReexecutionOptions(msgspec.Struct, frozen=True):
    """Which steps of an earlier run to run again, for `execute_job`.

    Attributes:
        parent_run_id: the earlier run.
        step_selection: its steps, in the syntax of `op_selection` (`["a", "*b", "c+"]`); a step made of a value of a
            dynamic output is `a[key]`, all of them are `a[?]`. All steps when empty.
        only_unfinished: whether to run those steps only that did not end well; set by `from_failure`.

    Raises:
        InvalidInvocationError: a text as step_selection; a selection besides `only_unfinished`.
    """

    parent_run_id: str
    step_selection: Sequence[str] = ()
    only_unfinished: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.step_selection, str):
            raise InvalidInvocationError(
                f"ReexecutionOptions(step_selection=...) must be a list of steps: write [{self.step_selection!r}]."
            )
        if self.only_unfinished and self.step_selection:
            raise InvalidInvocationError(
                "ReexecutionOptions: both step_selection and only_unfinished were provided; keep one."
            )

    @staticmethod
    def from_failure(run_id: str, instance: Instance) -> ReexecutionOptions:
        """The steps of a run that failed in it, were skipped, or never ran.

        Args:
            run_id: the run; it failed, or was stopped.
            instance: where it is recorded.

        Raises:
            RunNotFoundError: there is no such run.
            InvariantViolationError: it neither failed nor was stopped.
        """
        run = instance.get_run_by_id(run_id)
        if run is None:
            raise RunNotFoundError(f"Run {run_id!r} was not found, so it cannot be re-executed.", run_id)
        if not run.is_failure_or_canceled:
            raise InvariantViolationError(
                f"Run {run_id} is {run.status.value}: from_failure requires a run that failed or was canceled. "
                f"To run some of its steps again, use ReexecutionOptions({run_id!r}, step_selection=[...])."
            )
        return ReexecutionOptions(run_id, only_unfinished=True)

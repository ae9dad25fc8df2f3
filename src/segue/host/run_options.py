"""What a run in this process may be asked for besides the request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from segue.defs.reexecution import ReexecutionOptions
from segue.errors import WrongArgumentError
from segue.host.placement import StepCode
from segue.model.run import Run


class RunOptions(msgspec.Struct, frozen=True):
    """What callers in this process may ask for besides the request.

    Attributes:
        run_id: the id of the run; a new one when None.
        op_selection: of a job of ops: which steps to run; all when None.
        reexecution: which steps of an earlier run of the same job to run again; a run of its own when None.
        code: the code as another process loads it, for executors that run steps in others; in this process when None.
        recorded: the run as it was recorded before it was planned, or suspended; a new one when None.
    """

    run_id: str | None = None
    op_selection: Sequence[str] | None = None
    reexecution: ReexecutionOptions | None = None
    code: StepCode | None = None
    recorded: Run | None = None


def steps_chosen(op_selection: object) -> Sequence[str] | None:
    """An `op_selection` that the user passed; None where it chooses nothing, which means all steps.

    Raises:
        WrongArgumentError: a single string, or something else that is not a list.
    """
    if op_selection is None:
        return None
    if isinstance(op_selection, str) or not isinstance(op_selection, Iterable):
        raise WrongArgumentError(f"op_selection must be a list of steps, got {op_selection!r}: use [{op_selection!r}].")
    steps = list(cast("Iterable[object]", op_selection))
    for each in steps:
        if not isinstance(each, str):
            raise WrongArgumentError(f"op_selection must be a list of the names of steps, got {each!r}.")
    return cast("list[str]", steps) or None

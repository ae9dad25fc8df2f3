"""Which runs are stuck: started, not ended, and nobody works on them any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from segue.model.event import Event, RunCanceledData, RunFailureData
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason, Run, RunStatus


def interrupted_runs(
    unfinished: Iterable[tuple[Run, bool]], now: float, how: str | None = None
) -> list[tuple[Run, Event]]:
    """The runs whose worker ended without ending them.

    Args:
        unfinished: started runs that have not ended, each with whether its worker lives.
        now: seconds since 1970, UTC.
        how: in which way their workers ended, as `was killed by SIGKILL`, where that is known.

    Returns:
        Each such run with the event that records its end, to be appended by the caller. Where the run ended after the
        facts were gathered, the store refuses the event, and the run's own end stands.
    """
    return [
        (run, _interrupted(run, now, how))
        for run, is_alive in unfinished
        if not is_alive and not run.is_finished and not _waits(run)
    ]


def _waits(run: Run) -> bool:
    """Whether a run was suspended, so that the end of the process that it had says nothing; nor where it is to go on: that process
    may be the one before. One that is launched for it in vain is launched again."""
    return run.status is RunStatus.SUSPENDED or run.was_suspended


def _interrupted(run: Run, now: float, how: str | None) -> Event:
    """How a run ended whose worker is gone: as was asked, where somebody had canceled it."""
    worker = f" ({run.worker})" if run.worker else ""
    if run.status is RunStatus.CANCELING:
        said = f"The run was canceled, and its process{worker} ended before the run had stopped."
        return Event(now, RunCanceledData(said), run_id=run.run_id)
    ended = "ended before the run did" if how is None else f"{how} before the run had ended"
    message = f"The process that executed the run{worker} {ended}. Retry the run to execute the remaining steps."
    payload = RunFailureData(FailureReason.INTERRUPTED, message, failure_class=FailureClass.KILLED)
    return Event(now, payload, run_id=run.run_id)

"""What is recorded of runs from outside of them."""

from __future__ import annotations

import time

import msgspec

from segue.model.event import (
    EngineEventData,
    Event,
    RunCanceledData,
    RunCancelingData,
    RunFailureData,
)
from segue.model.event_log import EventLogEntry
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason, Run
from segue.model.stores import Store


class InstanceReports:
    """The reports about runs. Where an event would take a run where it may not go (from an end, say) InvariantViolationError
    is raised and nothing is recorded."""

    store: Store

    def add_run(self, dagster_run: Run) -> Run:
        """Records a run that something else will execute.

        Raises:
            InvariantViolationError: a run with this id exists.
        """
        self.store.create_run(dagster_run, b"", b"", [])
        return self.store.get_run(dagster_run.run_id) or dagster_run

    def report_engine_event(
        self,
        message: str,
        dagster_run: Run | None = None,
        engine_event_data: EngineEventData | None = None,
        cls: type[object] | None = None,
        step_key: str | None = None,
        job_name: str | None = None,
        run_id: str | None = None,
    ) -> Event:
        """Records what code that works for Segue (a launcher, an executor) does.

        Args:
            message: a sentence.
            dagster_run: the run; or `run_id` and `job_name`.
            engine_event_data: facts, and an exception.
            cls: the class that does it; its name is put before the message.
            step_key: the step.
            job_name, run_id: of a run that is not at hand.
        """
        data = engine_event_data or EngineEventData()
        shown = message if cls is None else f"[{cls.__name__}] {message}"
        run = (run_id, job_name) if dagster_run is None else (dagster_run.run_id, dagster_run.job_name)
        return self._append(Event(time.time(), msgspec.structs.replace(data, message=shown), step_key, *run))

    def report_run_canceling(self, run: Run, message: str | None = None) -> Event:
        """Records that somebody asked for the run to be stopped."""
        return self._append(Event(time.time(), RunCancelingData(message or ""), None, run.run_id, run.job_name))

    def report_run_canceled(self, dagster_run: Run, message: str | None = None) -> Event:
        """Records that the run was stopped."""
        payload = RunCanceledData(message or "The run was marked as canceled from outside.")
        return self._append(Event(time.time(), payload, None, dagster_run.run_id, dagster_run.job_name))

    def report_run_failed(
        self, dagster_run: Run, message: str | None = None, job_failure_data: RunFailureData | None = None
    ) -> Event:
        """Records that the run failed.

        Args:
            dagster_run: the run.
            message: why.
            job_failure_data: the reason and the exception, where they are known.
        """
        shown = message or "The run was marked as failed from outside."
        payload = job_failure_data or RunFailureData(FailureReason.PLATFORM, shown, failure_class=FailureClass.PLATFORM)
        if message is not None:
            payload = msgspec.structs.replace(payload, message=message)
        return self._append(Event(time.time(), payload, None, dagster_run.run_id, dagster_run.job_name))

    def report_dagster_event(self, dagster_event: Event, run_id: str, timestamp: float | None = None) -> None:
        """Records an event of a run.

        Args:
            dagster_event: the event.
            run_id: the run.
            timestamp: seconds since 1970, UTC; now when None.
        """
        moment = time.time() if timestamp is None else timestamp
        self._append(msgspec.structs.replace(dagster_event, run_id=run_id, timestamp=moment))

    def store_event(self, event: EventLogEntry) -> None:
        """Records an entry as it is."""
        self._append(event.event)

    def handle_new_event(self, event: EventLogEntry) -> None:
        """The same as `store_event`."""
        self._append(event.event)

    def _append(self, event: Event) -> Event:
        self.store.append([event])
        return event

"""`make_email_on_run_failure_sensor`: mail for runs that failed."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from segue.defs.bindings import bound
from segue.defs.run_status_context import RunFailureSensorContext
from segue.defs.run_status_sensor import RunStatusSensorDefinition, run_failure_sensor
from segue.defs.target import MonitoredJob
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_list
from segue.model.tick import DefaultSensorStatus

WriteFn = Callable[[RunFailureSensorContext], str]
_PORTS = {"SSL": 465, "STARTTLS": 587}


def make_email_on_run_failure_sensor(
    email_from: str,
    email_password: str,
    email_to: Sequence[str],
    email_body_fn: WriteFn | None = None,
    email_subject_fn: WriteFn | None = None,
    smtp_host: str = "smtp.gmail.com",
    smtp_type: str = "SSL",
    smtp_port: int | None = None,
    smtp_user: str | None = None,
    name: str | None = None,
    webserver_base_url: str | None = None,
    monitored_jobs: Sequence[MonitoredJob] | None = None,
    job_selection: Sequence[MonitoredJob] | None = None,
    monitor_all_code_locations: bool = False,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    monitor_all_repositories: bool = False,
) -> RunStatusSensorDefinition:
    """Makes a sensor that sends mail for each run that failed.

    Args:
        email_from, email_password, email_to: who sends it, with which password, to whom.
        email_body_fn, email_subject_fn: give the body, in HTML, and the subject; a short account of the failure when None.
        smtp_host, smtp_port: the server; 465 or 587 when None, by `smtp_type`.
        smtp_type: "SSL" or "STARTTLS".
        smtp_user: who logs in at the server; `email_from` when None.
        name: of the sensor.
        webserver_base_url: where the pages are, for a link to the run.
        monitored_jobs, monitor_all_code_locations, default_status: as for `run_failure_sensor`.
        job_selection, monitor_all_repositories: superseded by these.

    Raises:
        InvalidDefinitionError: `email_to` is empty, or another `smtp_type`.
    """
    receivers = require_list("make_email_on_run_failure_sensor", "email_to", email_to)
    if not receivers:
        raise InvalidDefinitionError("make_email_on_run_failure_sensor: email_to must have at least one address.")
    if smtp_type not in _PORTS:
        raise InvalidDefinitionError(
            f"make_email_on_run_failure_sensor: smtp_type must be {' or '.join(_PORTS)}, got {smtp_type!r}."
        )

    @run_failure_sensor(
        name=name or "email_on_run_failure",
        monitored_jobs=monitored_jobs,
        job_selection=job_selection,
        monitor_all_code_locations=monitor_all_code_locations,
        default_status=default_status,
        monitor_all_repositories=monitor_all_repositories,
    )
    def email_on_run_failure(context: RunFailureSensorContext) -> None:
        body = email_body_fn(context) if email_body_fn else _account(context)
        if webserver_base_url:
            body = (
                f'{body}<p><a href="{webserver_base_url.rstrip("/")}/runs/{context.dagster_run.run_id}">The run</a></p>'
            )
        bound("send_mail")(
            host=smtp_host,
            port=_PORTS[smtp_type] if smtp_port is None else smtp_port,
            starts_plain=smtp_type == "STARTTLS",
            user=smtp_user or email_from,
            password=email_password,
            sender=email_from,
            receivers=list(receivers),
            subject=email_subject_fn(context) if email_subject_fn else _subject(context),
            body=body,
        )

    return email_on_run_failure


def _subject(context: RunFailureSensorContext) -> str:
    return f"Run of {context.dagster_run.job_name} failed"


def _account(context: RunFailureSensorContext) -> str:
    run = context.dagster_run
    steps = ", ".join(str(event.step_key) for event in context.get_step_failure_events()) or "none"
    lines = [
        f"The run {run.run_id} of {run.job_name} failed.",
        f"Steps that failed: {steps}.",
        context.failure_event.message,
    ]
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)

"""`segue show`: what a run did, step by step."""

from __future__ import annotations

import click

from segue.cli.documents import RunDetailsDocument, StepDocument, verdict
from segue.cli.find import find_run
from segue.cli.history import read_run
from segue.cli.home import open_store
from segue.cli.metadata import one_line
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import duration, moment, print_heading, print_json, print_pairs, print_table, size, styled
from segue.model.partitions.key_range import RANGE_SEPARATOR


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--logs", is_flag=True, help="Include log lines.")
@home_option
@json_option
def show(run: str, logs: bool, home: str | None, as_json: bool) -> None:
    """Show what RUN did (its id, or the beginning of it): steps and what they used, materializations, checks, errors.

    For a run in progress, also what its steps wait for. MEMORY is the peak memory of the step's process.
    """
    with open_store(settings_in_force(home=home)) as store:
        details = read_run(store, find_run(store, run), with_logs=logs)
    if as_json:
        print_json(details)
        return
    _print_head(details)
    print_heading("Steps")
    columns = ("STEP", "STATUS", "DURATION", "ATTEMPTS", "CPU", "MEMORY", "READ", "WRITTEN")
    print_table(columns, [_row(step) for step in details.steps], empty="None.")
    if any(step.status == "unknown" for step in details.steps):
        click.echo("Its events were removed by [retention] of the settings, so the state of its steps is unknown.")
    _print_waits(details)
    _print_made(details)
    _print_checks(details)
    _print_errors(details)
    if details.logs is not None:
        print_heading("Log")
        for line in details.logs:
            place = f" {line.step}" if line.step else ""
            click.echo(f"{moment(line.timestamp)} {line.level}{place}: {line.message}")


def _print_head(details: RunDetailsDocument) -> None:
    run = details.run
    partition = run.partition or ""
    if run.partition_end not in (None, run.partition):
        partition += f"{RANGE_SEPARATOR}{run.partition_end}"
    print_pairs(
        {
            "Run": run.run_id,
            "Status": styled(run.status),
            "Message": details.message or "",
            "Failure class": run.failure_class or "",
            "Job": "" if run.job.startswith("__") else run.job,
            "Partition": partition,
            "Created": moment(run.created_at),
            "Started": moment(run.started_at),
            "Ended": moment(run.ended_at),
            "Duration": duration(run.duration),
            "Retries": run.parent_run_id or "",
            "Tags": ", ".join(f"{key}={value}" for key, value in run.tags.items()),
        }
    )


def _row(step: StepDocument) -> tuple[str, ...]:
    used = step.usage
    amounts = (
        ("", "", "", "")
        if used is None
        else (
            duration(used.cpu_seconds),
            size(used.peak_memory_bytes),
            size(used.bytes_read),
            size(used.bytes_written),
        )
    )
    return step.step, step.status, duration(step.duration), str(step.attempts or ""), *amounts


def _print_waits(details: RunDetailsDocument) -> None:
    waiting = [(step.step, step.waits) for step in details.steps if step.waits is not None]
    if waiting:
        print_heading("Waiting")
        for name, why in waiting:
            click.echo(f"{name}: {why}")


def _print_made(details: RunDetailsDocument) -> None:
    made = [each for step in details.steps for each in step.materializations]
    if not made:
        return
    print_heading("Materializations")
    for each in made:
        facts = ", ".join(f"{name}={one_line(value)}" for name, value in each.metadata.items())
        partition = f" [{each.partition}]" if each.partition is not None else ""
        click.echo(f"{each.asset}{partition}{f'  {facts}' if facts else ''}")


def _print_checks(details: RunDetailsDocument) -> None:
    found = [check for step in details.steps for check in step.checks]
    if not found:
        return
    print_heading("Checks")
    rows = [
        (check.check, verdict(check), ", ".join(f"{name}={one_line(value)}" for name, value in check.metadata.items()))
        for check in found
    ]
    print_table(("CHECK", "RESULT", "METADATA"), rows, empty="None.")


def _print_errors(details: RunDetailsDocument) -> None:
    errors = [(f"step {step.step}", step.error, step.failure_class) for step in details.steps if step.error is not None]
    if details.error is not None:
        errors.append(("the run", details.error, details.run.failure_class))
    if not errors:
        return
    print_heading("Errors")
    for where, error, failure_class in errors:
        click.echo(f"in {where}{f' ({failure_class})' if failure_class else ''}:")
        for line in error.traceback.rstrip().splitlines():
            click.echo(f"  {line}")

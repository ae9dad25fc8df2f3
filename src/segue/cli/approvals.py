"""`segue runs approve` and `segue runs reject`: the decision of a person on a run or a step that waits for approval."""

from __future__ import annotations

import getpass
import time

import click
import msgspec

from segue.cli.find import find_run
from segue.cli.home import open_store
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import print_json, stdout_for_json
from segue.model.approval import ApprovalAnswer

by_option = click.option("--by", metavar="NAME", help="Who decides; default: the user of this machine.")


class AnsweredDocument(msgspec.Struct, frozen=True):
    """What was said: of these steps, or, without any, of the run before it starts."""

    run_id: str
    steps: tuple[str, ...]
    approved: bool
    by: str
    text: str


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("steps", metavar="[STEP]...", nargs=-1)
@click.option("--comment", metavar="TEXT", default="", help="What to record with it.")
@by_option
@home_option
@json_option
def approve(run: str, steps: tuple[str, ...], comment: str, by: str | None, home: str | None, as_json: bool) -> None:
    """Approve RUN (its id, or the beginning of it), or only these STEPs of it, so that it can continue.

    'segue queue' lists the runs that wait for approval, with their questions.
    """
    _answer(run, steps, ApprovalAnswer(True, by or getpass.getuser(), comment), home, as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("steps", metavar="[STEP]...", nargs=-1)
@click.option("--reason", metavar="TEXT", required=True, help="The reason; it is recorded with the run.")
@by_option
@home_option
@json_option
def reject(run: str, steps: tuple[str, ...], reason: str, by: str | None, home: str | None, as_json: bool) -> None:
    """Reject RUN, or only these STEPs of it: they fail. A run that has not started is canceled.

    Steps that do not depend on them still run.
    """
    _answer(run, steps, ApprovalAnswer(False, by or getpass.getuser(), reason), home, as_json=as_json)


def _answer(run: str, steps: tuple[str, ...], answer: ApprovalAnswer, home: str | None, *, as_json: bool) -> None:
    from segue.approval import answer_approval

    with stdout_for_json(as_json), open_store(settings_in_force(home=home)) as store:
        run_id = find_run(store, run).run_id
        meant = tuple(answer_approval(store, run_id, answer, steps, time.time()))
    if as_json:
        print_json(AnsweredDocument(run_id, meant, answer.is_given, answer.by, answer.text))
        return
    what = f"{', '.join(meant)} of run {run_id}" if meant else f"Run {run_id}"
    click.echo(f"{what} may start." if answer.is_given else f"{what} was rejected.")

"""`segue runs logs`: what the steps of a run wrote to stdout and stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from segue.cli.find import find_run
from segue.cli.home import open_store
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import print_json
from segue.cli.streams import write
from segue.errors import InvalidInvocationError
from segue.execute.capture import step_of_file

_BETWEEN_LOOKS = 0.2  # seconds


class KeptOutput(msgspec.Struct, frozen=True):
    """What `--json` prints of one stream of one attempt: `stream` is `stdout` or `stderr`, `size` the bytes kept."""

    step: str
    attempt: int
    stream: str
    path: str
    size: int


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("step", metavar="[STEP]", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@home_option
@json_option
def logs(run: str, step: str | None, follow: bool, home: str | None, as_json: bool) -> None:
    """Show what the steps of RUN wrote to stdout and stderr, or what STEP wrote.

    What went to stderr goes to stderr. What steps logged with their context's log is shown by `segue show --logs`.

    With --json: {"files": [...]}, where it is kept.
    """
    settings = settings_in_force(home=home)
    with open_store(settings) as store:
        found = find_run(store, run)
        folder = Path(settings.steps.logs_of(settings.home, found.run_id))
        if as_json:
            print_json({"files": kept_output(folder, step)})
            return

        def has_ended() -> bool:
            current = store.get_run(found.run_id)
            return not follow or current is None or current.is_finished

        written = _print_all(folder, step, has_ended)
    if step is not None and not written:
        known = ", ".join(sorted({each.step for each in kept_output(folder, None)})) or "none"
        raise InvalidInvocationError(
            f"Nothing is kept of the step {step!r} of run {found.run_id}; steps with output: {known}."
        )
    if not written:
        click.echo("Its steps wrote nothing.")


def kept_output(folder: Path, step: str | None) -> list[KeptOutput]:
    """What is kept of a run, in the order in which it was written.

    Args:
        folder: that of the run.
        step: only of this step.
    """
    found: list[KeptOutput] = []
    since: dict[tuple[str, int], int] = {}
    for path in folder.glob("*") if folder.is_dir() else ():
        key, attempt = step_of_file(path.stem)
        if path.suffix in (".out", ".err") and step in (None, key):
            facts = path.stat()
            stream = "stdout" if path.suffix == ".out" else "stderr"
            found.append(KeptOutput(key, attempt, stream, str(path), facts.st_size))
            since[key, attempt] = min(facts.st_mtime_ns, since.get((key, attempt), facts.st_mtime_ns))
    return sorted(found, key=lambda each: (since[each.step, each.attempt], each.step, each.stream == "stderr"))


def _print_all(folder: Path, step: str | None, has_ended: Callable[[], bool]) -> bool:
    """Prints what is there, and what comes, until the run has ended; whether that was anything."""
    places: dict[str, int] = {}
    shown: tuple[str, int] | None = None
    while True:
        is_last = has_ended()
        for each in kept_output(folder, step):
            for text in _read_on(each.path, places):
                if shown != (each.step, each.attempt) and step is None:
                    shown = (each.step, each.attempt)
                    write(sys.stdout, f"{each.step}{'' if each.attempt == 1 else f' (attempt {each.attempt})'}:\n")
                write(sys.stdout if each.stream == "stdout" else sys.stderr, text)
        if is_last:
            return bool(places)
        time.sleep(_BETWEEN_LOOKS)


def _read_on(path: str, places: dict[str, int]) -> Iterator[str]:
    """What was added to a file since the last look."""
    with open(path, "rb") as file:
        file.seek(places.get(path, 0))
        data = file.read()
    if data:
        places[path] = places.get(path, 0) + len(data)
        yield data.decode("utf-8", "replace")

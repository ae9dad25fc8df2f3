"""`segue runs logs`: what the steps of a run wrote to stdout and stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import msgspec

from segue.cli.find import find_run
from segue.cli.home import open_store
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import print_json
from segue.cli.streams import write
from segue.errors import InvalidInvocationError, StorageUnavailableError
from segue.execute.capture import step_of_file
from segue.output_copies import OutputCopies, OutputFile, output_files

_BETWEEN_LOOKS = 0.2  # seconds


class KeptOutput(msgspec.Struct, frozen=True):
    """What `--json` prints of one stream of one attempt: `stream` is `stdout` or `stderr`, `path` may be a URL, `size` the bytes
    kept."""

    step: str
    attempt: int
    stream: str
    path: str
    size: int


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("step", metavar="[STEP]", required=False)
@click.option("--follow", "-f", is_flag=True, help="Continue until the run has ended.")
@home_option
@json_option
def logs(run: str, step: str | None, follow: bool, home: str | None, as_json: bool) -> None:
    """Show what the steps of RUN wrote to stdout and stderr, or what STEP wrote.

    Their stderr goes to stderr. `segue show --logs` shows lines that steps logged with `context.log`.

    Output of steps on another machine is read from its copy, if the setting `logs` is a URL.

    With --json: {"files": [...]}, the files that contain it.
    """
    settings = settings_in_force(home=home)
    with open_store(settings) as store:
        found = find_run(store, run)
        url = settings.steps.logs_url_of(found.run_id)
        kept = _Kept(Path(settings.steps.logs_of(settings.home, found.run_id)), url)
        if as_json:
            print_json({"files": [each for each, _ in kept.output(step, is_last=True)]})
            return

        def has_ended() -> bool:
            current = store.get_run(found.run_id)
            return not follow or current is None or current.is_finished

        written = _print_all(kept, step, has_ended)
    if step is not None and not written:
        known = ", ".join(sorted({each.step for each, _ in kept.output(None, is_last=True)})) or "none"
        raise InvalidInvocationError(
            f"No output of the step {step!r} of run {found.run_id} is kept; steps with output: {known}."
        )
    if not written:
        click.echo("Its steps wrote no output.")


class _Kept:
    """What is kept of a run: in its folder on this machine, and in copies of what ran on others.

    Args:
        folder: that of the run.
        url: where copies are; None for nowhere.
    """

    def __init__(self, folder: Path, url: str | None) -> None:
        self._folder = folder
        self._copies = None if url is None else OutputCopies(url)
        self._has_warned = False

    def output(self, step: str | None, *, is_last: bool) -> list[tuple[KeptOutput, OutputFile]]:
        """What there is, in the order in which it was written.

        Args:
            step: only of this step.
            is_last: whether nothing is asked after this.

        Raises:
            StorageUnavailableError: nothing is on this machine, and the copies cannot be read.
        """
        found: list[tuple[KeptOutput, OutputFile]] = []
        since: dict[tuple[str, int], float] = {}
        for file in self._files(is_last=is_last):
            key, attempt = step_of_file(file.path.stem)
            if step in (None, key):
                stream = "stdout" if file.path.suffix == ".out" else "stderr"
                found.append((KeptOutput(key, attempt, stream, str(file.path), file.size), file))
                since[key, attempt] = min(file.modified, since.get((key, attempt), file.modified))
        return sorted(
            found,
            key=lambda each: (since[each[0].step, each[0].attempt], each[0].step, each[0].stream == "stderr"),
        )

    def _files(self, *, is_last: bool) -> Sequence[OutputFile]:
        """The files here, and the copies of those that are not."""
        here = [OutputFile(each, each.stat().st_size, each.stat().st_mtime) for each in output_files(self._folder)]
        if self._copies is None:
            return here
        try:
            copies = self._copies.files(is_last=is_last)
        except StorageUnavailableError as error:
            if not here:
                raise
            if not self._has_warned:
                self._has_warned = True
                click.echo(f"Only the output kept on this machine is shown. {error}", err=True)
            return here
        names = {each.path.name for each in here}
        return [*here, *(each for each in copies if each.path.name not in names)]


def _print_all(kept: _Kept, step: str | None, has_ended: Callable[[], bool]) -> bool:
    """Prints what is there, and what comes, until the run has ended; whether that was anything."""
    places: dict[str, int] = {}
    shown: tuple[str, int] | None = None
    while True:
        is_last = has_ended()
        for each, file in kept.output(step, is_last=is_last):
            for text in _read_on(file, places):
                if shown != (each.step, each.attempt) and step is None:
                    shown = (each.step, each.attempt)
                    write(sys.stdout, f"{each.step}{'' if each.attempt == 1 else f' (attempt {each.attempt})'}:\n")
                write(sys.stdout if each.stream == "stdout" else sys.stderr, text)
        if is_last:
            return bool(places)
        time.sleep(_BETWEEN_LOOKS)


def _read_on(file: OutputFile, places: dict[str, int]) -> Iterator[str]:
    """What was added to a file since the last look."""
    place = places.get(file.path.name, 0)
    if file.size <= place:
        return
    with file.path.open("rb") as opened:
        opened.seek(place)
        data = opened.read()
    if data:
        places[file.path.name] = place + len(data)
        yield data.decode("utf-8", "replace")

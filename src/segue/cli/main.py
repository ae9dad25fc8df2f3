"""The command `segue`: which commands there are, and the one place where errors become text and exit codes.

    exit code   0    all went well
                1    what was asked for failed: an error in the definitions, a failed run, an unusable home
                2    the command was called wrongly
                70   a bug in Segue
                130  stopped by Ctrl-C, 143 by SIGTERM, 141 because nobody reads the output any more

Commands are imported when they are called: `segue --help` imports none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

import click

from segue.cli.streams import detach, never_fail_on_unprintable_text

COMPLETION_VARIABLE = "_SEGUE_COMPLETE"
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("segue.cli.init:init", "Create a new project, ready to run."),
    "check": ("segue.cli.check:check", "Load the definitions and report every error."),
    "list": ("segue.cli.listing:list_definitions", "List assets, checks, jobs or resources."),
    "dev": ("segue.cli.dev:dev", "Run control plane, API and your code on this machine; reload changed code."),
    "serve": ("segue.cli.serve:serve_command", "Run the control plane in production."),
    "location": ("segue.cli.location:location", "List code locations; reload, check or serve one."),
    "doctor": ("segue.cli.doctor:doctor", "Check everything that Segue depends on, and suggest fixes."),
    "materialize": ("segue.cli.materialize:materialize", "Materialize assets and run their checks."),
    "runs": ("segue.cli.runs:runs", "List runs; retry, cancel, approve or reject one."),
    "show": ("segue.cli.show:show", "Show what a run did."),
    "asset": ("segue.cli.asset:asset", "Show the state and details of an asset."),
    "launch": ("segue.cli.launch:launch", "Queue a run for the control plane."),
    "queue": ("segue.cli.queue:queue", "List the runs that are waiting, and why."),
    "backfill": ("segue.cli.backfill:backfill", "Start, show and control backfills."),
    "schedule": ("segue.cli.schedule:schedule", "List schedules, start, stop and preview them."),
    "sensor": ("segue.cli.sensor:sensor", "List sensors, start, stop and preview them."),
    "event": ("segue.cli.event:event", "Send payloads to a sensor, which is evaluated at once."),
    "pools": ("segue.cli.pools:pools", "List pools, who holds their slots and who is waiting; or change them."),
    "wipe": ("segue.cli.wipe:wipe", "Remove the records of an asset."),
    "db": ("segue.cli.db:db", "Maintain the database: upgrade, check, dump, restore, prune."),
    "migrate": ("segue.cli.migrate:migrate", "Import the records of another orchestrator."),
}


class SegueCommand(click.Group):
    """The top of the command line: loads commands when they are needed and answers for every error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry[0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # the table above names commands only
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Commands: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No such command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def main(  # pyright: ignore[reportIncompatibleMethodOverride] reason: every error ends here, so it never returns
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **_extra: object,
    ) -> NoReturn:
        """Runs the command line and ends the process (SystemExit) with the exit code of the table above."""
        arguments = sys.argv[1:] if args is None else list(args)
        if COMPLETION_VARIABLE in os.environ:  # the shell asks what could follow; click answers and exits
            super().main(arguments, "segue", COMPLETION_VARIABLE)
        never_fail_on_unprintable_text(sys.stdout, sys.stderr)

        def run() -> None:
            with self.make_context("segue", list(arguments)) as context:
                self.invoke(context)

        sys.exit(exit_code_of(run, as_json=asks_for_json(arguments)))


def exit_code_of(run: Callable[[], None], *, as_json: bool) -> int:
    """Runs a command; says what went wrong, if anything did, and gives the exit code."""
    try:
        run()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        detach(sys.stdout)
        return 141
    except Exception as error:  # noqa: BLE001 reason: the one boundary where every error becomes text and an exit code
        from segue.cli.failures import report

        return report(error, as_json=as_json)
    except KeyboardInterrupt as error:
        from segue.cli.failures import report_interrupt

        return report_interrupt(error, as_json=as_json)
    return 0


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether these arguments ask for JSON; needed before they are parsed, since parsing them may be what fails."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Prints the version of the installed package."""
    if not value or ctx.resilient_parsing:
        return
    from segue.version import __version__

    click.echo(f"segue {__version__}")
    ctx.exit()


@click.command("segue", cls=SegueCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Show the version."
)
def command() -> None:
    """Declare data assets in Python, materialize them, and see the results.

    Set the location of the definitions and the home folder in segue.toml or in [tool.segue] of pyproject.toml; options of
    the commands override both. Every command that reads has --json.
    """


def main() -> NoReturn:
    """The entry point of the command `segue`."""
    command.main()

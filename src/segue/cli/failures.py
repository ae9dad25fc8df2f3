"""How errors are told: one line with place and cure, the user's own traceback where user code raised, an exit code."""

from __future__ import annotations

import os
import sys
import traceback

import click

from segue.cli.streams import write
from segue.errors import (
    DefinitionErrors,
    ExecutionInterruptedError,
    InvalidConfigError,
    LoadError,
    SegueError,
    UserCodeExecutionError,
)

FAILED = 1
CALLED_WRONGLY = 2
BUG = 70
INTERRUPTED = 130
TERMINATED = 143

_OUR_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_HIDDEN_FILES = ("<frozen importlib", "<frozen runpy>")


class Terminated(ExecutionInterruptedError):
    """SIGTERM came while a run was executed; it ends the run as Ctrl-C does."""


def report(error: Exception, *, as_json: bool) -> int:
    """Says what went wrong: on standard error, or as a JSON document on standard output.

    The document is `{"error": {"kind", "message", "details", "traceback"}}`: the class of the error, its first line,
    the single errors where there are several, and the traceback of user code as text where it raised (else null).

    Returns:
        The exit code.
    """
    code, kind, message = _judge(error)
    trace = "".join(traceback.format_exception(error)) if code == BUG else user_traceback(error)
    if as_json:
        import msgspec

        first, _, rest = message.partition("\n")
        details = _details(error) or rest.splitlines()
        document: dict[str, object] = {"kind": kind, "message": first, "details": details, "traceback": trace}
        write(sys.stdout, msgspec.json.encode({"error": document}).decode() + "\n")
        return code
    if isinstance(error, click.UsageError) and error.ctx is not None:
        write(sys.stderr, error.ctx.get_usage() + "\n")
    if trace:
        write(sys.stderr, trace)
    write(sys.stderr, f"Error: {message}\n")
    if code == BUG:
        write(sys.stderr, "This is a bug in Segue. Please report it with the lines above.\n")
    return code


def report_interrupt(error: KeyboardInterrupt, *, as_json: bool) -> int:
    """Says that the command was stopped; the same document as `report`. Returns the exit code."""
    stopped_by = "SIGTERM" if isinstance(error, Terminated) else "Ctrl-C"
    if as_json:
        import msgspec

        document: dict[str, object] = {"kind": "Interrupted", "message": f"Stopped by {stopped_by}."}
        document |= {"details": [], "traceback": None}
        write(sys.stdout, msgspec.json.encode({"error": document}).decode() + "\n")
    else:
        write(sys.stderr, f"Stopped by {stopped_by}.\n")
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


def user_traceback(error: BaseException) -> str | None:
    """The traceback of the user's exception behind an error, without frames of Segue; None without one."""
    if isinstance(error, UserCodeExecutionError) and error.user_exception is not None:
        return format_user_exception(error.user_exception)
    if isinstance(error, LoadError) and error.__cause__ is not None and not isinstance(error.__cause__, SegueError):
        return format_user_exception(error.__cause__)
    return None


def format_user_exception(error: BaseException) -> str:
    """An exception with its causes as Python prints it, without frames of Segue and of the import machinery."""
    shown = traceback.TracebackException(type(error), error, error.__traceback__)
    _hide_our_frames(shown, set())
    return "".join(shown.format())


def _hide_our_frames(shown: traceback.TracebackException, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    shown.stack = traceback.StackSummary.from_list([frame for frame in shown.stack if not _is_ours(frame.filename)])
    for other in (shown.__cause__, shown.__context__, *(shown.exceptions or ())):
        if other is not None:
            _hide_our_frames(other, seen)


def _is_ours(filename: str) -> bool:
    return filename.startswith((_OUR_FOLDER, *_HIDDEN_FILES)) or filename.endswith(f"importlib{os.sep}__init__.py")


def _judge(error: Exception) -> tuple[int, str, str]:
    """Exit code, kind and message of an error."""
    if isinstance(error, click.UsageError):
        return CALLED_WRONGLY, "UsageError", error.format_message()
    if isinstance(error, click.Abort):
        return FAILED, "NotConfirmed", "not confirmed, so nothing was changed."
    if isinstance(error, click.ClickException):
        return error.exit_code, type(error).__qualname__, error.format_message()
    if isinstance(error, SegueError):
        return FAILED, type(error).__qualname__, str(error)
    return BUG, type(error).__qualname__, str(error) or type(error).__qualname__


def _details(error: Exception) -> list[str]:
    if isinstance(error, DefinitionErrors):
        return [str(each) for each in error.errors]
    if isinstance(error, InvalidConfigError):
        return [each.message for each in error.errors]
    return []

"""The command line as a whole: help, versions, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

from segue.cli.failures import Terminated, format_user_exception
from segue.cli.main import COMMANDS, command, exit_code_of
from segue.errors import CycleError, DefinitionErrors, InvalidConfigError, InvalidDefinitionError, LoadError
from segue.version import __version__


def raising(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def test_help_names_every_command_without_loading_one() -> None:
    code = (
        "import sys, runpy; sys.argv = ['segue', '--help']\n"
        "try: runpy.run_module('segue', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print(*sorted(m for m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in COMMANDS if f"  {name}  " not in done.stdout] == []
    loaded = set(done.stderr.split())
    ours = {name for name in loaded if name.startswith("segue.cli.")}
    assert ours == {"segue.cli.main", "segue.cli.streams"}
    assert loaded.isdisjoint({"rich", "msgspec", "pydantic", "sqlite3", "asyncio", "segue.host", "segue.defs"})


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_that_begins_with_its_name(name: str) -> None:
    result = CliRunner().invoke(command, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: segue {name} ")


def test_version() -> None:
    result = CliRunner().invoke(command, ["--version"])
    assert (result.exit_code, result.output) == (0, f"segue {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["zzz"], "Commands: init, check"),
        (["materialize", "--nope"], "--nope"),
        (["materialize", "--partition", "a", "--partition-range", "a...b"], "were provided; keep"),
        (["materialize", "--partition-range", "a"], "FIRST...LAST"),
        (["materialize", "-f", "a.py", "-m", "a"], "were provided; keep"),
        (["materialize", "--tag", "novalue"], "KEY=VALUE"),
        (["runs", "--status", "lost"], "lost"),
        (["runs", "--limit", "0"], "0"),
        (["show"], "RUN"),
    ],
)
def test_a_wrong_call_is_told_on_standard_error_with_exit_code_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr.splitlines()[-1]


def test_a_wrong_call_with_json_is_a_document() -> None:
    result = CliRunner().invoke(command, ["runs", "--json", "--limit", "0"])
    assert result.exit_code == 2
    assert result.stderr == ""
    assert json.loads(result.stdout)["error"]["kind"] == "UsageError"


@pytest.mark.parametrize(
    ("error", "code", "last_line"),
    [
        (LoadError("a.py:1: cannot be loaded"), 1, "Error: a.py:1: cannot be loaded"),
        (CycleError(["a", "b", "a"]), 1, "a -> b -> a"),
        (InvalidConfigError("Wrong.", ["ops.a: expected int"]), 1, "  ops.a: expected int"),
        (click.UsageError("no such thing"), 2, "Error: no such thing"),
        (ZeroDivisionError("division by zero"), 70, "This is a bug in Segue."),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C."),
        (Terminated(), 143, "Stopped by SIGTERM."),
    ],
)
def test_each_error_has_its_text_and_exit_code(
    error: BaseException, code: int, last_line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error), as_json=False) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert last_line in err.splitlines()[-1]
    assert ("Traceback" in err) == (code == 70)


def test_several_errors_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    errors = DefinitionErrors([InvalidDefinitionError("first"), InvalidDefinitionError("second")])
    assert exit_code_of(raising(errors), as_json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "kind": "DefinitionErrors",
            "message": "2 errors in the definitions:",
            "details": ["first", "second"],
            "traceback": None,
        }
    }


def user_error() -> ValueError:
    """An exception raised by 'user code' that was called by a module of Segue."""
    namespace: dict[str, object] = {}
    exec(compile("def load():\n    raise ValueError('boom')", "/home/ada/shop.py", "exec"), namespace)
    ours = os.path.join(os.path.dirname(os.path.abspath(sys.modules["segue.cli.main"].__file__ or "")), "main.py")
    exec(compile("def call(load):\n    load()", ours, "exec"), namespace)
    try:
        namespace["call"](namespace["load"])  # type: ignore[operator]
    except ValueError as error:
        return error
    raise AssertionError


def test_a_traceback_shows_the_users_frames_and_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    error = LoadError("/home/ada/shop.py:2: ValueError: boom")
    error.__cause__ = user_error()
    assert exit_code_of(raising(error), as_json=False) == 1
    err = capsys.readouterr().err
    assert '"/home/ada/shop.py", line 2, in load' in err
    assert "ValueError: boom" in err
    assert "segue/cli/main.py" not in err
    assert err.splitlines()[-1] == "Error: /home/ada/shop.py:2: ValueError: boom"


def test_an_error_that_segue_itself_raised_needs_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    error = LoadError("/home/ada/shop.py:2: 'a-b' is not a valid name")
    error.__cause__ = InvalidDefinitionError("'a-b' is not a valid name")
    assert exit_code_of(raising(error), as_json=False) == 1
    assert capsys.readouterr().err == "Error: /home/ada/shop.py:2: 'a-b' is not a valid name\n"


def test_a_chain_of_exceptions_is_shown_whole() -> None:
    try:
        try:
            raise user_error()
        except ValueError as cause:
            raise RuntimeError("later") from cause
    except RuntimeError as error:
        text = format_user_exception(error)
    assert text.index("ValueError: boom") < text.index("direct cause") < text.index("RuntimeError: later")
    assert "segue/cli/main.py" not in text


def test_nobody_reading_the_output_is_no_error() -> None:
    assert exit_code_of(raising(BrokenPipeError()), as_json=False) == 141

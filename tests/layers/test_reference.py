"""Every public name is documented, and the generated reference says what the code says."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import segue
from checkout import ROOT, TOOLS

PARAMETERS_WITHOUT_WORDS = 2  # a function of up to two says what they are by its name and types


def run_reference(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / "generate_reference.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_reference_is_up_to_date() -> None:
    done = run_reference("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_name_stands_in_the_reference_once() -> None:
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")]
    headings = Counter(heading for page in pages for heading in re.findall(r"^## (\S+)$", page, flags=re.MULTILINE))
    assert headings == Counter(segue.__all__)


def test_each_name_is_documented() -> None:
    missing = [gap for name in segue.__all__ for gap in gaps(name, getattr(segue, name))]
    assert not missing, "\n".join(missing)


def gaps(name: str, value: object) -> Iterator[str]:
    """What the docstring of a public class or function leaves unsaid."""
    if isinstance(value, type):
        if value.__module__ == "builtins":
            return  # another name for a class of Python's own
        if not (vars(value).get("__doc__") or "").strip():
            yield f"{name} has no docstring"
    elif inspect.isroutine(value):
        text = inspect.getdoc(value) or ""
        if not text:
            yield f"{name} has no docstring"
        yield from unsaid_parameters(name, value, text)
        yield from unsaid_errors(name, value, text)


def unsaid_parameters(name: str, function: Callable[..., object], text: str) -> Iterator[str]:
    """Parameters of a function with several that its docstring neither lists nor names."""
    parameters = list(inspect.signature(function).parameters)
    if len(parameters) > PARAMETERS_WITHOUT_WORDS and "Args:" not in text:
        for parameter in parameters:
            if not re.search(rf"\b{parameter}\b", text):
                yield f"{name}: the docstring does not mention {parameter}"


def unsaid_errors(name: str, function: Callable[..., object], text: str) -> Iterator[str]:
    """Errors that a function raises by name, itself, and does not document."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            error = node.exc.func.id
            if error not in text:
                yield f"{name} raises {error} and does not say so"


def silent(first: int) -> int:
    return first


def vague(first: int, second: int, third: int) -> int:
    """Adds first and second."""
    if third:
        raise ValueError("third")
    return first + second


class Silent:
    pass


class Inherits(ValueError):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (silent, ["x has no docstring"]),
        (vague, ["x: the docstring does not mention third", "x raises ValueError and does not say so"]),
        (Silent, ["x has no docstring"]),
        (Inherits, ["x has no docstring"]),
    ],
)
def test_the_gaps_are_seen(value: object, expected: list[str]) -> None:
    assert list(gaps("x", value)) == expected


def test_the_check_sees_a_stale_a_missing_and_an_unwanted_page(tmp_path: Path) -> None:
    for folder in ("src", "tools", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    pages = tmp_path / "docs" / "reference"
    assert run_reference("--root", str(tmp_path)).returncode == 0
    assert run_reference("--check", "--root", str(tmp_path)).returncode == 0
    (pages / "keys.md").write_text("stale", encoding="utf-8")
    (pages / "errors.md").unlink()
    (pages / "gone.md").write_text("unwanted", encoding="utf-8")
    done = run_reference("--check", "--root", str(tmp_path))
    assert done.returncode == 1
    assert [line.split()[0] for line in sorted(done.stdout.splitlines())] == [
        "docs/reference/errors.md",
        "docs/reference/gone.md",
        "docs/reference/keys.md",
    ]
    assert run_reference("--root", str(tmp_path)).returncode == 0
    assert run_reference("--check", "--root", str(tmp_path)).returncode == 0
    assert not (pages / "gone.md").exists()

"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout import ROOT, project_files
from sizes import EMPTY_NAMES, FILE_LINES, FUNCTION_LINES, LONG_FILES, check_file


def test_nothing_is_too_long() -> None:
    files = [path for path in project_files() if path.suffix == ".py"]
    assert files
    offences = [offence for path in files for offence in check_file(path, ROOT)]
    assert not offences, "\n".join(offences)


def test_no_two_modules_of_tests_have_one_name() -> None:
    """They are imported by their names alone: with two of one name nothing is run."""
    names = [path.name for path in project_files() if path.name.startswith("test_") and path.suffix == ".py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_each_long_file_is_still_long_and_has_a_reason() -> None:
    for name, reason in LONG_FILES.items():
        assert reason
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > FILE_LINES, f"{name}: off the list"


def test_a_long_file_is_seen_and_a_reason_gives_it_a_hundred_lines_more(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("x = 1\n" * FILE_LINES)
    assert list(check_file(file, tmp_path)) == []
    file.write_text("x = 1\n" * (FILE_LINES + 1))
    assert list(check_file(file, tmp_path)) == ["long.py: 401 lines, at most 400"]
    assert list(check_file(file, tmp_path, {"long.py": "a table"})) == []
    file.write_text("x = 1\n" * 501)
    assert list(check_file(file, tmp_path, {"long.py": "a table"})) == ["long.py: 501 lines, at most 500"]


@pytest.mark.parametrize("head", ["def f():\n", "async def f():\n", "@staticmethod\ndef f(\n    a,\n    b,\n):\n"])
def test_a_long_body_is_seen_docstring_and_signature_not_counted(tmp_path: Path, head: str) -> None:
    file = tmp_path / "x.py"
    docstring = '    """One.\n\n    Two.\n    """\n'
    file.write_text(head + docstring + "    x = 1\n" * FUNCTION_LINES)
    assert list(check_file(file, tmp_path)) == []
    file.write_text(head + docstring + "    x = 1\n" * (FUNCTION_LINES + 1))
    (offence,) = check_file(file, tmp_path)
    assert "f() has 61 lines" in offence


@pytest.mark.parametrize("name", sorted(EMPTY_NAMES))
def test_an_empty_name_is_seen(tmp_path: Path, name: str) -> None:
    package = tmp_path / name / "x.py"
    package.parent.mkdir()
    package.write_text("")
    module = tmp_path / f"{name}.py"
    module.write_text("")
    assert len([*check_file(package, tmp_path), *check_file(module, tmp_path)]) == 2

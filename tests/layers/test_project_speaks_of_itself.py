"""Texts speak of the project, not of the machine or the circumstances in which they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout import ROOT, project_files
from mentions import mentions


def test_nothing_foreign_is_mentioned() -> None:
    files = project_files()
    assert ROOT / "pyproject.toml" in files
    found = [line for path in files for line in mentions(path, ROOT)]
    assert not found, "\n".join(found)


# In two halves, so that this file does not mention them itself.
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("see /wor", "k/main"),
        ("HOME=/roo", "t/x"),
        ("index: https://pyp", "i.org/simple"),
        ('"resolved": "https://registry.npm', 'js.org/x"'),
        ("written by a Helper sess", "ion"),
    ],
)
def test_a_planted_mention_is_seen(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"first line\n{before}{after}\n")
    (found,) = mentions(file, tmp_path)
    assert found.startswith("notes.md:2: mentions")


@pytest.mark.parametrize("text", ["src/work/x", "./work/", "framework/model", "at the root / of it"])
def test_ordinary_text_passes(tmp_path: Path, text: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(text)
    assert list(mentions(file, tmp_path)) == []

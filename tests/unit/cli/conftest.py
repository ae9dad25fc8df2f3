"""What several modules of tests here begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.storage.sqlite import SqliteStore, open_sqlite


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """The store of a project in the current folder, with the `CODE` of the module of the test."""
    (tmp_path / "code.py").write_text(request.module.CODE)
    (tmp_path / "segue.toml").write_text('file = "code.py"\n')
    monkeypatch.chdir(tmp_path)
    store = open_sqlite(tmp_path / ".segue")
    yield store
    store.close()

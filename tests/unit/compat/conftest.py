"""What modules of tests here begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.compat import hook


@pytest.fixture
def import_hook() -> Iterator[None]:
    """`import dagster` gives Segue."""
    hook.install()
    yield
    hook.uninstall()

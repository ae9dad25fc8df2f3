"""Runs the tests of a project that imports `dagster` on Segue: `pytest -p segue.compat.pytest_plugin`."""

from __future__ import annotations

import pytest

from segue.compat.hook import install, uninstall


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Puts Segue in Dagster's place before the first conftest is imported."""
    install()


def pytest_unconfigure() -> None:
    """Takes it away again when the tests have run."""
    uninstall()

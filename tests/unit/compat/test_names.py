"""Dagster's names lead to Segue's, at the compatible package and below it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import segue
import segue.compat.dagster
from segue.compat.lookup import private_name
from segue.compat.names import PRIVATE_MODULES, PRIVATE_NAMES, RENAMED, SUPERSEDED


@pytest.mark.parametrize("old", sorted({*RENAMED, *SUPERSEDED} & {*dir(segue.compat.dagster)}))
def test_an_old_name_resolves(old: str) -> None:
    value = getattr(segue.compat.dagster, old)
    assert old in SUPERSEDED or value is getattr(segue, RENAMED[old])


def test_names_that_kept_their_spelling_are_the_same() -> None:
    for name in {*segue.__all__} - {"__version__"}:
        assert getattr(segue.compat.dagster, name) is getattr(segue, name)


def test_no_superseded_name_is_public_too() -> None:
    assert not {*SUPERSEDED} & {*segue.__all__}


def test_private_names_resolve() -> None:
    for path in PRIVATE_NAMES:
        module, _, name = path.rpartition(".")
        assert private_name(module, name) is not None


def test_the_modules_of_private_names_are_there() -> None:
    for module in PRIVATE_MODULES.values():
        assert __import__(module)


@pytest.mark.parametrize(
    "module", ["segue.compat.dagster", "segue.compat.dagster.components", "segue.compat.dagster.preview.freshness"]
)
def test_modules_offer_the_names_and_refuse_others(module: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from {module} import Definitions", namespace)
    assert namespace["Definitions"] is segue.Definitions
    with pytest.raises(ImportError, match="NoSuchName"):
        exec(f"from {module} import NoSuchName")


def test_an_unknown_name_names_near_ones_and_the_page() -> None:
    with pytest.raises(AttributeError, match=r"'DagsterInstanc'\. Did you mean 'DagsterInstance' .*migration\.md"):
        getattr(segue.compat.dagster, "Dagster" + "Instanc")


def test_a_star_import_brings_the_old_spellings() -> None:
    namespace: dict[str, object] = {}
    exec("from segue.compat.dagster import *", namespace)
    assert namespace["DagsterInstance"] is segue.Instance
    assert namespace["asset"] is segue.asset


def test_the_package_loads_nothing_before_a_name_is_used() -> None:
    code = "import sys, segue.compat.dagster; print('pydantic' in sys.modules, 'segue.defs' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

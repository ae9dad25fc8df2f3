"""The garbage collector stands still while definitions are made, and is as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import segue as sg
from segue.host.source import CodeTarget, load_definitions


@pytest.fixture(params=[True, False])
def was_on(request: pytest.FixtureRequest) -> Iterator[bool]:
    """The collector on or off, as a program may have it."""
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


SEEN = """
import gc
import segue as sg

seen = []

@sg.asset(name="a")
def a(): ...

def defs():
    seen.append(gc.isenabled())
    {body}
    return sg.Definitions(assets=[a])
"""


def loaded(folder: Path, body: str) -> sg.Definitions:
    (folder / "collected_project.py").write_text(SEEN.format(body=body))
    return load_definitions(CodeTarget(file="collected_project.py", attribute="defs", working_directory=str(folder)))


def test_it_is_as_before_when_code_is_loaded(tmp_path: Path, was_on: bool) -> None:
    definitions = loaded(tmp_path, "assert seen == [False]")
    assert gc.isenabled() is was_on
    assert list(definitions.asset_graph.nodes) == [sg.AssetKey("a")]
    assert gc.isenabled() is was_on


def test_it_is_as_before_when_code_raises(tmp_path: Path, was_on: bool) -> None:
    with pytest.raises(sg.LoadError, match="ValueError: no"):
        loaded(tmp_path, "raise ValueError('no')")
    assert gc.isenabled() is was_on
    with pytest.raises(sg.InvalidDefinitionError, match="depends on itself"):
        _ = sg.Definitions([sg.AssetSpec("b", deps=["b"])]).asset_graph
    assert gc.isenabled() is was_on


def test_what_a_program_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        _ = sg.Definitions([sg.AssetSpec("b")]).asset_graph
        assert gc.get_freeze_count() >= before > 0
    finally:
        gc.unfreeze()
    _ = sg.Definitions([sg.AssetSpec("b")]).asset_graph
    assert gc.get_freeze_count() == 0

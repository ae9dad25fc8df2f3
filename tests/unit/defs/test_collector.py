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


@pytest.fixture
def unasked_collector() -> Iterator[None]:
    """No round that the collector begins by itself: what becomes old becomes so because of what is declared."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(10_000_000, *before[1:])
    yield
    gc.set_threshold(*before)


def declare_many() -> list[sg.AssetsDefinition]:
    def declared(position: int) -> sg.AssetsDefinition:
        @sg.asset(name=f"many_{position}")
        def made() -> None: ...

        return made

    return [declared(position) for position in range(1_100)]


def count_old() -> int:
    return len(gc.get_objects(generation=2))


@pytest.mark.usefixtures("unasked_collector")
def test_of_many_definitions_most_count_as_old_unless_it_is_off(was_on: bool) -> None:
    before = count_old()
    kept = declare_many()
    assert (count_old() - before > len(kept)) is was_on
    assert gc.isenabled() is was_on


def test_many_definitions_leave_frozen_what_a_program_froze() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        kept = declare_many()
        assert gc.get_freeze_count() > before // 2 > 0  # frozen objects that nobody needs any more may go
        assert len(kept) == 1_100
    finally:
        gc.unfreeze()

"""Files of steps and values on disk: handles, managers that are compared, and what is removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import segue as sg


def test_a_handle_of_a_file_is_a_value_that_shows_its_path(tmp_path: Path) -> None:
    @sg.op(required_resource_keys={"file_manager"})
    def keep(context: sg.OpExecutionContext) -> Any:
        files = context.resources.file_manager
        kept = files.write_data(b"abc", ext="txt")
        assert files.read_data(kept) == b"abc"
        return kept

    @sg.job(resource_defs={"file_manager": sg.local_file_manager.configured({"base_dir": str(tmp_path)})})
    def keeping() -> None:
        keep()

    handle = keeping.execute_in_process().output_for_node("keep")
    assert isinstance(handle, sg.LocalFileHandle)
    assert handle.path_desc == handle.path == str(next(tmp_path.iterdir()))
    assert repr(handle) == f"LocalFileHandle({handle.path!r})"
    assert len({handle, sg.LocalFileHandle(handle.path), sg.LocalFileHandle("/elsewhere")}) == 2


def test_managers_of_one_folder_are_the_same(tmp_path: Path) -> None:
    here, there = sg.FilesystemIOManager(tmp_path), sg.FilesystemIOManager(tmp_path / "x")
    assert len({here, sg.FilesystemIOManager(tmp_path), there}) == 2
    assert here != there
    assert repr(str(tmp_path))[1:-1] in repr(here)


def test_a_value_that_becomes_none_is_removed_by_the_manager_that_says_so(tmp_path: Path) -> None:
    class Texts(sg.UPathIOManager):
        extension = ".txt"

        def dump_to_path(self, context: sg.OutputContext, obj: Any, path: Any) -> None:
            if obj is None:
                self.unlink(path)
            else:
                path.write_text(obj)

        def load_from_path(self, context: sg.InputContext, path: Any) -> Any:
            return path.read_text()

    values = iter(["text", None])

    @sg.asset
    def shrinking() -> Any:
        return next(values)

    manager = {"io_manager": Texts(tmp_path)}
    assert sg.materialize([shrinking], resources=manager).success
    assert (tmp_path / "shrinking.txt").read_text() == "text"
    assert sg.materialize([shrinking], resources=manager).success
    assert not (tmp_path / "shrinking.txt").exists()
    with pytest.raises(FileNotFoundError):
        Texts(tmp_path).unlink(tmp_path / "shrinking.txt")


class Doubled(sg.InputManager):
    """Loads what another manager stored, twice over."""

    def load_input(self, context: sg.InputContext) -> Any:
        assert context.upstream_output is not None
        return [f"{context.name} of {context.upstream_output.step_key}"] * 2


def test_an_input_manager_loads_the_inputs_that_name_it() -> None:
    @sg.input_manager
    def doubled(context: sg.InitResourceContext) -> Any:
        del context
        return Doubled()

    definition = sg.InputManagerDefinition(lambda _context: Doubled())

    @sg.op
    def give() -> str:
        return "stored"

    @sg.op(ins={"taken": sg.In(input_manager_key="loader")})
    def take(taken: Any) -> Any:
        return taken

    for loader in (Doubled(), definition):

        @sg.job(resource_defs={"loader": loader})
        def loading() -> None:
            take(give())

        assert loading.execute_in_process().output_for_node("take") == ["taken of give"] * 2
    assert isinstance(definition, sg.InputManagerDefinition)
    assert not isinstance(definition, sg.IOManagerDefinition)

"""Try components in a project of their own: `with create_defs_folder_sandbox() as sandbox: ...`."""

from __future__ import annotations

import inspect
import itertools
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from segue.defs.bindings import extra_module
from segue.defs.components.component import Component
from segue.defs.components.paths import ComponentPath
from segue.defs.components.tree import ComponentTree
from segue.defs.definitions import Definitions

_NUMBERS = itertools.count()


class DefsFolderSandbox(msgspec.Struct, frozen=True):
    """A project that is there for one test.

    Attributes:
        project_root: its folder.
        project_name: the package in it.
        defs_folder_path: its folder of definitions.
    """

    project_root: Path
    project_name: str
    defs_folder_path: Path

    def scaffold_component(
        self,
        component_cls: type[Component],
        defs_path: Path | str | None = None,
        defs_yaml_contents: Mapping[str, Any] | None = None,
    ) -> Path:
        """Writes a `defs.yaml` for a component.

        Args:
            component_cls: its class.
            defs_path: the folder for it, as seen from the folder of definitions; a new one when None.
            defs_yaml_contents: what the file says; the type alone when None.

        Returns:
            the folder.
        """
        folder = self.defs_folder_path / (defs_path or f"component_{next(_NUMBERS)}")
        folder.mkdir(parents=True, exist_ok=True)
        said = defs_yaml_contents or {"type": f"{component_cls.__module__}.{component_cls.__name__}"}
        text = extra_module("yaml").safe_dump(dict(said), sort_keys=False)
        (folder / "defs.yaml").write_text(text, encoding="utf-8")
        return folder

    @contextmanager
    def build_component_tree(self) -> Generator[ComponentTree]:
        """The folder of definitions, importable for as long as this is open."""
        before = dict(sys.modules)
        source = str(self.defs_folder_path.parent.parent)
        sys.path.insert(0, source)
        try:
            yield ComponentTree.for_project(self.project_root)
        finally:
            sys.path.remove(source)
            for name in [name for name in sys.modules if name not in before and _is_below(name, self.project_name)]:
                del sys.modules[name]

    @contextmanager
    def load_component_and_build_defs(self, defs_path: Path | str) -> Generator[tuple[Component, Definitions]]:
        """The component in a folder, and its definitions.

        Args:
            defs_path: the folder, as `scaffold_component` gives it, or as seen from the folder of definitions.
        """
        with self.build_component_tree() as tree:
            path = ComponentPath.from_resolvable(self.defs_folder_path, Path(defs_path))
            yield tree.load_component(path), tree.build_defs_at_path(path)

    @contextmanager
    def build_all_defs(self) -> Generator[Definitions]:
        """The definitions of the whole folder."""
        with self.build_component_tree() as tree:
            yield tree.build_defs()


def _is_below(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


@contextmanager
def create_defs_folder_sandbox(*, project_name: str | None = None) -> Generator[DefsFolderSandbox]:
    """A project with an empty folder of definitions, which is removed in the end.

    Args:
        project_name: the package in it; one that nobody else has when None.
    """
    name = project_name or f"sandbox_{os.getpid()}_{next(_NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        defs = root / "src" / name / "defs"
        defs.mkdir(parents=True)
        for package in (defs.parent, defs):
            (package / "__init__.py").write_text("", encoding="utf-8")
        (root / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\n\n[tool.dg.project]\nroot_module = "{name}"\n', encoding="utf-8"
        )
        yield DefsFolderSandbox(root, name, defs)


def copy_code_to_file(fn: Callable[..., Any], file_path: Path) -> None:
    """Writes the body of a function as a module.

    Args:
        fn: the function; its imports must stand in its body.
        file_path: the file.
    """
    lines = textwrap.dedent(inspect.getsource(fn)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.rstrip().endswith(":"))
    body = textwrap.dedent("\n".join(lines[first + 1 :]))
    file_path.write_text(f"{body}\n", encoding="utf-8")

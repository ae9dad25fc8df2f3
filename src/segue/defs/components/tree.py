"""`ComponentTree`: a folder of definitions, loaded piece by piece and each piece once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from typing_extensions import TypeVar

from segue.defs.bindings import bound
from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.drawing import draw
from segue.defs.components.paths import (
    ComponentDecl,
    ComponentPath,
    DefsFolderDecl,
    PythonFileDecl,
    ResolvableToComponentPath,
    YamlFileDecl,
    find_decl,
    folder_decl,
    walk,
)
from segue.defs.components.project import ProjectConfig, find_project
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.structure import DefsFolderComponent, PythonFileComponent, YamlFileComponent, below
from segue.defs.components.yaml_components import load_yaml_components
from segue.defs.definitions import Definitions
from segue.errors import ComponentTreeError, InvalidDefinitionError, LoadError

AnyComponent = TypeVar("AnyComponent", bound=Component)


class ComponentTree:
    """A folder of definitions.

    What stands in it is found by the names of files, loaded when it is asked for, and kept: two components that ask for
    a third get the same one.

    Args:
        defs_module: the package that is the folder.
        project_root: the folder of the project.
        terminate_autoloading_on_keyword_files: whether a folder with a `definitions.py` is that file alone.
        code_location_name: the name of the project.
    """

    def __init__(
        self,
        *,
        defs_module: ModuleType,
        project_root: Path,
        terminate_autoloading_on_keyword_files: bool | None = None,
        code_location_name: str | None = None,
    ) -> None:
        self.defs_module = defs_module
        self.project_root = Path(project_root)
        self.terminate_autoloading_on_keyword_files = bool(terminate_autoloading_on_keyword_files)
        self.code_location_name = code_location_name
        self._components: dict[Path, Component] = {}
        self._definitions: dict[ComponentPath, Definitions] = {}
        self._in_progress: list[ComponentPath] = []

    @staticmethod
    def for_test() -> ComponentTree:
        """An empty tree in the working directory, for tests of single components."""
        module = ModuleType("test")
        module.__path__ = [str(Path.cwd())]
        return ComponentTree(defs_module=module, project_root=Path.cwd())

    @staticmethod
    def from_module(defs_module: ModuleType, project_root: Path) -> ComponentTree:
        """The tree of a package, in which a folder with a `definitions.py` is that file alone."""
        return ComponentTree(
            defs_module=defs_module, project_root=project_root, terminate_autoloading_on_keyword_files=True
        )

    @classmethod
    def for_project(cls, path_within_project: Path) -> ComponentTree:
        """The tree of the project that contains a path, see `load_from_defs_folder`.

        Raises:
            LoadError: it is not in a project, or the project's package cannot be imported.
        """
        project = find_project(Path(path_within_project))
        _require_importable(project)
        module = bound("module_named")(project.defs_module)
        return cls(defs_module=module, project_root=project.root, code_location_name=project.code_location_name)

    @property
    def defs_module_name(self) -> str:
        """The name under which the folder is imported."""
        return self.defs_module.__name__

    @property
    def defs_module_path(self) -> Path:
        """The folder.

        Raises:
            LoadError: the module is no package.
        """
        paths = list(getattr(self.defs_module, "__path__", ()))
        if not paths:
            raise LoadError(f"{self.defs_module_name} is not a package, so it cannot be the definitions folder.")
        return Path(paths[0])

    @property
    def load_context(self) -> ComponentLoadContext:
        """The context of the folder itself."""
        return self._context(ComponentPath(self.defs_module_path))

    decl_load_context = load_context

    def _context(self, path: ComponentPath) -> ComponentLoadContext:
        return ComponentLoadContext(
            project_root=self.project_root,
            defs_module_path=self.defs_module_path,
            defs_module_name=self.defs_module_name,
            resolution_context=ResolutionContext.default(),
            component_tree=self,
            terminate_autoloading_on_keyword_files=self.terminate_autoloading_on_keyword_files,
            component_path=path,
        )

    def find_root_decl(self) -> ComponentDecl:
        """The components in the folder, found by file name."""
        found = find_decl(self.defs_module_path, self.terminate_autoloading_on_keyword_files)
        return found if found is not None else DefsFolderDecl(self.defs_module_path, ())

    def find_decl_at_path(self, defs_path: ResolvableToComponentPath) -> ComponentDecl:
        """The component at a path, found by file name.

        Raises:
            ComponentTreeError: nothing does.
        """
        path = self._located(defs_path).file_path
        found = find_decl(path, self.terminate_autoloading_on_keyword_files) if path.exists() else None
        if found is None:
            known = ", ".join(_shown(each.path, self.defs_module_path) for each in walk(self.find_root_decl()))
            raise ComponentTreeError(f"There is no component at {path}; the folder has: {known}.")
        return found

    def load_root_component(self) -> Component:
        """Everything in the folder, loaded; no definitions are built yet.

        Raises:
            ComponentTreeError: something in it could not be loaded; the cause says why.
        """
        return self._load(self.find_root_decl())

    def load_structural_component_at_loc(self, loc: ResolvableToComponentPath) -> Component:
        """The component at a path: a folder, a YAML file or a Python file."""
        return self._load(self.find_decl_at_path(loc))

    def load_component(
        self, defs_path: ResolvableToComponentPath, expected_type: type[AnyComponent] = Component
    ) -> AnyComponent:
        """The component at a path, as declared by its YAML or Python file.

        Args:
            defs_path: a path in the folder, or an address.
            expected_type: its class.

        Raises:
            ComponentTreeError: there is none, several, or one of another class.
        """
        located = self._located(defs_path)
        structural = self.load_structural_component_at_loc(located)
        inner = {
            address: each for address, each in below(located.file_path, structural) if address.instance_key is not None
        }
        inner = {address: each for address, each in inner.items() if address.file_path == _file_of(structural, located)}
        if located.instance_key is not None:
            inner = {address: each for address, each in inner.items() if address.instance_key == located.instance_key}
        found = next(iter(inner.values())) if len(inner) == 1 else structural
        if len(inner) > 1 or not isinstance(found, expected_type) or (located.instance_key is not None and not inner):
            what = f"{len(inner)} components" if len(inner) != 1 else f"a {type(found).__name__}"
            raise ComponentTreeError(
                f"{located.get_relative_key(self.defs_module_path)} has {what}, expected exactly one {expected_type.__name__}. "
                "Name one with ComponentPath(path, key)."
            )
        return found

    def load_folder(self, path: Path) -> DefsFolderComponent:
        """A folder as one component, whether or not a YAML file describes it."""
        decl = folder_decl(path, self.terminate_autoloading_on_keyword_files)
        return self._folder(decl if decl is not None else DefsFolderDecl(path, ()))

    def build_defs_at_path(self, loc: ResolvableToComponentPath) -> Definitions:
        """The definitions of the component at a path; built once.

        Raises:
            ComponentTreeError: they could not be built; the cause says why.
        """
        located = self._located(loc)
        if located in self._definitions:
            return self._definitions[located]
        if located in self._in_progress:
            circle = [*self._in_progress[self._in_progress.index(located) :], located]
            names = " -> ".join(_shown(each.file_path, self.defs_module_path) for each in circle)
            raise InvalidDefinitionError(f"Components load each other's definitions in a cycle: {names}.")
        with self._watching(located.file_path):
            component = self._load(self.find_decl_at_path(located))
            self._in_progress.append(located)
            try:
                self._definitions[located] = component.build_defs(self._context(located))
            finally:
                self._in_progress.pop()
        return self._definitions[located]

    def build_defs(self, loc: ResolvableToComponentPath | None = None) -> Definitions:
        """The definitions of everything in the folder, or of the component at a path.

        Raises:
            ComponentTreeError: something could not be loaded or built; the message shows where, the cause says why.
        """
        return self.build_defs_at_path(self.defs_module_path if loc is None else loc)

    def get_all_components(self, of_type: type[AnyComponent]) -> list[AnyComponent]:
        """All components of a class in the folder, loaded."""
        root = self.load_root_component()
        found = [root, *(each for _, each in below(self.defs_module_path, root))]
        return [each for each in found if isinstance(each, of_type)]

    def is_fully_loaded(self) -> bool:
        """Whether everything in the folder is loaded."""
        return all(each.path in self._components for each in walk(self.find_root_decl()))

    def has_built_all_defs(self) -> bool:
        """Whether the definitions of everything in the folder are built."""
        return all(ComponentPath(each.path) in self._definitions for each in walk(self.find_root_decl()))

    def to_string_representation(
        self,
        include_load_and_build_status: bool = False,
        hide_plain_defs: bool = False,
        match_path: ComponentPath | None = None,
    ) -> str:
        """The folder, drawn as a tree.

        Args:
            include_load_and_build_status: adds to each what has been done so far.
            hide_plain_defs: whether Python files are left out.
            match_path: what to leave out all others but; where it failed, it says so.
        """

        def remark(decl: ComponentDecl) -> str:
            if match_path is not None and decl.path == match_path.file_path:
                return " (error)"
            if not include_load_and_build_status:
                return ""
            if ComponentPath(decl.path) in self._definitions:
                return " (built)"
            return " (loaded)" if decl.path in self._components else ""

        return draw(self.find_root_decl(), remark, hide_plain_defs, only=match_path and match_path.file_path)

    def _located(self, loc: ResolvableToComponentPath) -> ComponentPath:
        return ComponentPath.from_resolvable(self.defs_module_path, loc)

    def _load(self, decl: ComponentDecl) -> Component:
        if decl.path not in self._components:
            with self._watching(decl.path):
                self._components[decl.path] = self._loaded(decl)
        return self._components[decl.path]

    def _loaded(self, decl: ComponentDecl) -> Component:
        context = self._context(ComponentPath(decl.path))
        match decl:
            case YamlFileDecl():
                return YamlFileComponent(decl.path, load_yaml_components(context, decl.file))
            case PythonFileDecl():
                return PythonFileComponent.of_module(decl.path, context)
            case DefsFolderDecl():
                return self._folder(decl)

    def _folder(self, decl: DefsFolderDecl) -> DefsFolderComponent:
        return DefsFolderComponent(decl.path, {child.path: self._load(child) for child in decl.children})

    @contextmanager
    def _watching(self, path: Path) -> Generator[None]:
        """Tells an error with the place in the folder, once, and keeps it as the cause."""
        try:
            yield
        except ComponentTreeError:
            raise
        except Exception as error:
            shown = self.to_string_representation(match_path=ComponentPath(path))
            raise ComponentTreeError(
                f"{_shown(path, self.defs_module_path)} could not be loaded: {type(error).__name__}: {error}\n\n{shown}"
            ) from error


def _file_of(structural: Component, located: ComponentPath) -> Path:
    return getattr(structural, "path", located.file_path)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path != root and path.is_relative_to(root) else path.name


def _require_importable(project: ProjectConfig) -> None:
    top = project.root_module.partition(".")[0]
    importable: Callable[[str], Any] = bound("module_named")
    try:
        importable(project.root_module)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        places = [folder / top for folder in (project.root / "src", project.root)]
        found = next((place for place in places if place.is_dir()), None)
        where = "" if found is None else (
            f" Its source is at {found}, which Python does not look into: put {found.parent} on PYTHONPATH, or install it."
        )  # fmt: skip
        raise LoadError(
            f"The package {top!r} of the project {project.root} is not installed: run `pip install -e .` in that folder."
            f"{where}"
        ) from error

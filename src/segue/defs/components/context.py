"""`ComponentLoadContext`: where a component stands, given to whoever makes it or its definitions."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, overload

from typing_extensions import TypeVar

from segue.defs.bindings import bound
from segue.defs.components.component import Component
from segue.defs.components.paths import ComponentPath, ResolvableToComponentPath
from segue.defs.components.positions import SourcePositionTree
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.scopes import context_scope
from segue.defs.components.template_vars import template_vars_of_class, template_vars_of_module
from segue.defs.definitions import Definitions
from segue.errors import InvalidInvocationError

if TYPE_CHECKING:  # the tree makes contexts
    from segue.defs.components.tree import ComponentTree

AnyComponent = TypeVar("AnyComponent", bound=Component)
_STASH = "component_load_context"


class ComponentLoadContext:
    """The location of a component.

    Attributes:
        project_root: the folder of the project.
        defs_module_path, defs_module_name: the folder of definitions, and the name under which it is imported.
        resolution_context: what templates can speak of.
        component_tree: everything in the folder of definitions.
        component_path: the address of the component.
        terminate_autoloading_on_keyword_files: whether a folder with a `definitions.py` is that file alone.
    """

    def __init__(
        self,
        project_root: Path,
        defs_module_path: Path,
        defs_module_name: str,
        resolution_context: ResolutionContext,
        component_tree: ComponentTree,
        terminate_autoloading_on_keyword_files: bool,
        component_path: ComponentPath,
    ) -> None:
        self.project_root = project_root
        self.defs_module_path = defs_module_path
        self.defs_module_name = defs_module_name
        self.component_tree = component_tree
        self.terminate_autoloading_on_keyword_files = terminate_autoloading_on_keyword_files
        self.component_path = component_path
        self.resolution_context = resolution_context.with_stashed_value(_STASH, self)

    @property
    def path(self) -> Path:
        """The folder or file that contains the component."""
        return self.component_path.file_path

    @staticmethod
    def from_resolution_context(resolution_context: ResolutionContext) -> ComponentLoadContext:
        """The context of the component whose attributes are being resolved.

        Raises:
            InvalidInvocationError: no component's attributes are.
        """
        found = resolution_context.stash.get(_STASH)
        if not isinstance(found, ComponentLoadContext):
            raise InvalidInvocationError("These attributes do not belong to a component in a folder of definitions.")
        return found

    def _changed(self, **changes: Any) -> Self:
        made = copy(self)
        vars(made).update(changes)
        made.resolution_context = made.resolution_context.with_stashed_value(_STASH, made)
        return made

    def for_path(self, path: Path) -> Self:
        """The context of the component at another path."""
        return self._changed(component_path=ComponentPath.from_resolvable(self.defs_module_path, path))

    def for_component_loc(self, component_loc: ComponentPath) -> Self:
        """The context of the component at another address."""
        return self._changed(component_path=component_loc)

    def with_rendering_scope(self, rendering_scope: Mapping[str, Any]) -> Self:
        """A context whose templates can speak of more."""
        return self._changed(resolution_context=self.resolution_context.with_scope(**rendering_scope))

    def with_source_position_tree(self, source_position_tree: SourcePositionTree) -> Self:
        """A context for the values of a file."""
        return self._changed(resolution_context=self.resolution_context.with_source_position_tree(source_position_tree))

    def with_component_scope(self, cls: type[Component], template_vars_module: str | None = None) -> Self:
        """A context whose templates can use the variables of a component class and of a module of template variables.

        Args:
            cls: the class.
            template_vars_module: the name of the module; from the folder of the component on, where it begins with a dot.
        """
        own = self.with_rendering_scope(context_scope(self)).with_rendering_scope(cls.get_additional_scope())
        own = own.with_rendering_scope(template_vars_of_class(cls, own))
        if template_vars_module is None:
            return own
        module = bound("module_named")(self.absolute_module_name(template_vars_module))
        return own.with_rendering_scope(template_vars_of_module(module, own))

    def absolute_module_name(self, name: str) -> str:
        """A module's name; one that begins with a dot is seen from the folder of the component."""
        if not name.startswith("."):
            return name
        folder = self.path if self.path.is_dir() else self.path.parent
        return f"{self.defs_relative_module_name(folder)}{name}"

    def defs_relative_module_name(self, path: Path) -> str:
        """The name under which a file or folder in the folder of definitions is imported.

        Raises:
            InvalidInvocationError: there is none.
        """
        absolute = ComponentPath.from_resolvable(self.defs_module_path, path).file_path
        if not absolute.is_relative_to(self.defs_module_path):
            raise InvalidInvocationError(f"{path} is not in the definitions folder {self.defs_module_path}.")
        parts = list(absolute.relative_to(self.defs_module_path).parts)
        if absolute.suffix == ".py":
            parts[-1] = absolute.stem
        if parts and parts[-1] == "__init__":
            parts.pop()
        return ".".join([self.defs_module_name, *parts])

    def normalize_component_type_str(self, type_str: str) -> str:
        """The full name of a component class, as a file names it."""
        return self.absolute_module_name(type_str)

    def load_defs_relative_python_module(self, path: Path) -> ModuleType:
        """The Python module at a path in the folder of definitions, imported."""
        return bound("module_named")(self.defs_relative_module_name(path))

    def build_defs(self, loc: ResolvableToComponentPath) -> Definitions:
        """The definitions of the component at a path, relative to the folder of definitions.

        Each component is built once: others get the same objects.
        """
        return self.component_tree.build_defs_at_path(loc)

    @overload
    def load_component(self, defs_path: ResolvableToComponentPath) -> Component: ...
    @overload
    def load_component(
        self, defs_path: ResolvableToComponentPath, expected_type: type[AnyComponent]
    ) -> AnyComponent: ...
    def load_component(
        self, defs_path: ResolvableToComponentPath, expected_type: type[Component] | None = None
    ) -> Component:
        """The component at a path, seen from the folder of definitions.

        Args:
            defs_path: of a folder that a YAML file describes, or of a Python file.
            expected_type: its class.

        Raises:
            ComponentTreeError: there is none, several, or one of another class.
        """
        return self.component_tree.load_component(defs_path, expected_type or Component)

    def load_structural_component_at_path(self, defs_path: ResolvableToComponentPath) -> Component:
        """The component at a path: a folder, a YAML file or a Python file."""
        return self.component_tree.load_structural_component_at_loc(defs_path)

    def load_structural_component_at_loc(self, loc: ResolvableToComponentPath) -> Component:
        """The same as `load_structural_component_at_path`."""
        return self.component_tree.load_structural_component_at_loc(loc)

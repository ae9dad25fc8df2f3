"""What a folder of definitions is made of, as components: folders, YAML files, Python files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from segue.defs.components.component import Component, component_instances
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.paths import ComponentPath
from segue.defs.components.post_processing import post_process_defs, with_mapped_specs
from segue.defs.components.yaml_components import LoadedComponent
from segue.defs.definitions import Definitions
from segue.defs.lazy_definitions import LazyDefinitions
from segue.defs.load_definitions import load_definitions_from_module
from segue.errors import InvalidDefinitionError
from segue.model.assets import AssetSpec
from segue.model.code_reference import CodeReference
from segue.model.metadata import CodeReferencesMetadataValue

CODE_REFERENCES_METADATA = "dagster/code_references"


class DefsFolderComponent(Component):
    """A folder of definitions: those of everything in it.

    Args:
        path: the folder.
        children: its contents, by path.
    """

    def __init__(self, path: Path, children: Mapping[Path, Component]) -> None:
        self.path = path
        self.children = children

    @classmethod
    def load(cls, attributes: Any, context: ComponentLoadContext) -> DefsFolderComponent:
        """The component of the context's folder."""
        del attributes
        return context.component_tree.load_folder(context.path)

    @classmethod
    def get(cls, context: ComponentLoadContext) -> DefsFolderComponent:
        """The component of the context's folder."""
        return cls.load(None, context)

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions of everything in the folder, merged."""
        return Definitions.merge(*(context.build_defs(path) for path in self.children))

    def iterate_components(self) -> Iterator[Component]:
        """Everything in the folder and in the folders in it."""
        for _, component in self.iterate_path_component_pairs():
            yield component

    def iterate_path_component_pairs(self) -> Iterator[tuple[ComponentPath, Component]]:
        """Everything in the folder and in the folders in it, with its address."""
        for path, component in self.children.items():
            yield ComponentPath(path), component
            yield from below(path, component)


class YamlFileComponent(Component):
    """A folder that a YAML file describes.

    Args:
        path: the folder.
        loaded: the components that the file describes, in order.
    """

    def __init__(self, path: Path, loaded: Sequence[LoadedComponent]) -> None:
        self.path = path
        self.loaded = loaded

    @property
    def components(self) -> Sequence[Component]:
        """The components that the file describes, in order."""
        return [each.component for each in self.loaded]

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions of the components, each processed as its document says, merged."""
        del context
        return Definitions.merge(*(_built(each) for each in self.loaded))


class PythonFileComponent(Component):
    """A Python file: the definitions at its top, and those of the components that it makes.

    Args:
        path: the file.
        loaded: what its `@component_instance` functions gave, by name.
    """

    def __init__(self, path: Path, loaded: Mapping[str, LoadedComponent]) -> None:
        self.path = path
        self.loaded = loaded

    @property
    def components(self) -> Mapping[str, Component]:
        """What its `@component_instance` functions gave, by name."""
        return {name: each.component for name, each in self.loaded.items()}

    @classmethod
    def of_module(cls, path: Path, context: ComponentLoadContext) -> PythonFileComponent:
        """The component of a file, which is imported."""
        module = context.load_defs_relative_python_module(path)
        loaded: dict[str, LoadedComponent] = {}
        for name, make in component_instances(module).items():
            own = context.for_component_loc(ComponentPath(path, name))
            made = make(own)
            if not isinstance(made, Component):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
                raise InvalidDefinitionError(f"{path}: {name}() is a @component_instance and returned {made!r}.")
            loaded[name] = LoadedComponent(made, own)
        return cls(path, loaded)

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions at the top of the file and of its components, merged."""
        module = context.load_defs_relative_python_module(self.path)
        return Definitions.merge(definitions_at_top(module, context), *(_built(each) for each in self.loaded.values()))


def below(path: Path, component: Component) -> Iterator[tuple[ComponentPath, Component]]:
    """What a component of a folder holds, with its address."""
    if isinstance(component, DefsFolderComponent):
        yield from component.iterate_path_component_pairs()
    elif isinstance(component, (YamlFileComponent, PythonFileComponent)):
        found = component.components
        named = found.items() if isinstance(found, Mapping) else enumerate(found)
        for key, each in named:
            yield ComponentPath(path, key), each
            yield from below(path, each)


def components_with_definitions(structural: Component) -> Iterator[tuple[Component, Definitions]]:
    """The components that a file makes, each with its definitions, processed as the file says."""
    if isinstance(structural, YamlFileComponent):
        yield from ((each.component, _built(each)) for each in structural.loaded)
    elif isinstance(structural, PythonFileComponent):
        yield from ((each.component, _built(each)) for each in structural.loaded.values())
    elif isinstance(structural, DefsFolderComponent):
        for child in structural.children.values():
            yield from components_with_definitions(child)


def _built(loaded: LoadedComponent) -> Definitions:
    made = loaded.component.build_defs(loaded.context)
    if not isinstance(made, Definitions):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        name = type(loaded.component).__name__
        raise InvalidDefinitionError(f"{name}.build_defs() must return Definitions, got {made!r}.")
    made = post_process_defs(made, loaded.post_processors)
    if not loaded.code_references or isinstance(loaded.component, DefsFolderComponent):
        return made
    return with_mapped_specs(made, _WithReferences(loaded.code_references))


class _WithReferences:
    """Says of specs where they are declared."""

    def __init__(self, references: Sequence[CodeReference]) -> None:
        self.references = references

    def __call__(self, spec: AssetSpec) -> AssetSpec:
        if CODE_REFERENCES_METADATA in spec.metadata:
            return spec
        return spec.merge_attributes(
            metadata={CODE_REFERENCES_METADATA: CodeReferencesMetadataValue(code_references=list(self.references))}
        )


def definitions_at_top(module: ModuleType, context: ComponentLoadContext) -> Definitions:
    """What stands at the top of a module: its `Definitions`, what its `@definitions` functions give, or all there is.

    Args:
        module: the module.
        context: what a `@definitions` function gets that takes one.

    Raises:
        InvalidDefinitionError: several `Definitions`, or both kinds.
    """
    whole = _unique([value for value in vars(module).values() if isinstance(value, Definitions)])
    functions = _unique([value for value in vars(module).values() if isinstance(value, LazyDefinitions)])
    if len(whole) > 1 or (whole and functions):
        what = "several Definitions" if len(whole) > 1 else "both Definitions and @definitions functions"
        raise InvalidDefinitionError(f"{module.__file__} has {what}: merge them into one with Definitions.merge.")
    if whole:
        return whole[0]
    if functions:
        return Definitions.merge(*(each(context) for each in functions))
    return load_definitions_from_module(module)


def _unique(values: list[Any]) -> list[Any]:
    return list({id(value): value for value in values}.values())

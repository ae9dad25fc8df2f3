"""The components that a YAML file describes: one in each of its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from segue.defs.components.component import Component
from segue.defs.components.component_types import component_type
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.paths import ComponentPath
from segue.defs.components.positions import ValueAndSource
from segue.defs.components.post_processing import PostProcessing, PostProcessor
from segue.defs.components.resolution_context import ResolutionContext, excerpt
from segue.defs.components.resolver import Model
from segue.defs.components.validation import validate_at
from segue.defs.components.yaml_source import parse_documents
from segue.errors import ResolutionError
from segue.model.code_reference import CodeReference


class Requirements(Model):
    """What a component needs from outside.

    Attributes:
        env: names of environment variables. They are for tools that prepare a deployment; loading does not look at them.
    """

    env: list[str] = Field([])


class ComponentFile(Model):
    """One document of a `defs.yaml`.

    Attributes:
        type: the component class.
        attributes: what it is told; its model says what that may be.
        template_vars_module: a module of `@template_var` functions.
        requirements: what it needs from outside.
        post_processing: what is done to its definitions.
    """

    type: str
    attributes: Mapping[str, Any] | None = None
    template_vars_module: str | None = None
    requirements: Requirements | None = None
    post_processing: Mapping[str, Any] | None = None


class LoadedComponent(msgspec.Struct, frozen=True):
    """A component and what belongs to it.

    Attributes:
        component: the component.
        context: where it stands.
        post_processors: what is done to its definitions.
        code_references: where its assets are declared.
    """

    component: Component
    context: ComponentLoadContext
    post_processors: Sequence[PostProcessor] = ()
    code_references: Sequence[CodeReference] = ()


def load_yaml_components(context: ComponentLoadContext, file: Path) -> Sequence[LoadedComponent]:
    """The components of a YAML file.

    Args:
        context: of the folder that the file describes.
        file: the file.

    Raises:
        yaml.YAMLError: it is not YAML.
        pydantic.ValidationError: it says something of another type, with the place of each such value.
        ResolutionError: the class is not there, or a template or a resolver failed.
    """
    documents = parse_documents(file.read_text(encoding="utf-8"), str(file))
    if not documents:
        raise ResolutionError(f"{file} is empty: write `type:` with the name of a component class.")
    return [
        _load(context.for_component_loc(ComponentPath(context.path, index)), file, document)
        for index, document in enumerate(documents)
    ]


def _load(context: ComponentLoadContext, file: Path, document: ValueAndSource) -> LoadedComponent:
    positions = document.source_position_tree
    said = validate_at(ComponentFile, document.value, positions)
    here = context.with_source_position_tree(positions)
    try:
        cls = component_type(said.type, context)
    except ResolutionError as error:
        place = positions.lookup(["type"])
        raise ResolutionError(f"{place} - type: {error}{excerpt(place)}") from error
    own = here.with_component_scope(cls, said.template_vars_module)
    return LoadedComponent(
        component=_component(cls, own, said),
        context=own,
        post_processors=_post_processors(own.resolution_context, said),
        code_references=cls.get_code_references_for_yaml(file, positions.position, own),
    )


def _component(cls: type[Component], context: ComponentLoadContext, said: ComponentFile) -> Component:
    model, tree = cls.get_model_cls(), context.resolution_context.source_position_tree
    if model is None or tree is None:
        return cls.load(None, context)
    return cls.load(validate_at(model, said.attributes or {}, tree, ("attributes",)), context)


def _post_processors(context: ResolutionContext, said: ComponentFile) -> Sequence[PostProcessor]:
    if said.post_processing is None or context.source_position_tree is None:
        return ()
    model = validate_at(
        PostProcessing.model(), said.post_processing, context.source_position_tree, ("post_processing",)
    )
    return PostProcessing.resolve_from_model(context.at_path("post_processing"), model).assets

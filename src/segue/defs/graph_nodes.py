"""The uses of ops and graphs in a graph, in the explicit form that `GraphDefinition` takes and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.defs.dependency import Dependency, NodeInvocation
from segue.defs.node import NodeDefinition, NodeUse
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind


def invocation_of(use: NodeUse) -> NodeInvocation:
    """A use in the explicit form."""
    alias = None if use.name == use.definition.name else use.name
    return NodeInvocation(
        use.definition.name, alias, use.own_tags, use.hook_defs, use.retry_policy, step_policy=use.step_policy
    )


def read_dependencies(
    node_defs: Sequence[NodeDefinition], dependencies: Mapping[Any, Mapping[str, Dependency]], what: str
) -> tuple[list[NodeUse], dict[str, Mapping[str, Dependency]]]:
    """The uses that the explicit form names, and what their inputs take.

    Raises:
        InvalidDefinitionError: a node that is none, or is not there, or two of one name.
    """
    known: dict[str, NodeDefinition] = {}
    for each in node_defs:
        if not isinstance(each, NodeDefinition):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"{what}: node_defs must be ops and graphs, got {each!r}.")
        if known.setdefault(each.name, each) is not each:
            raise InvalidDefinitionError(
                f"{what}: two different definitions in node_defs are named {each.name!r}: rename one of them."
            )
    require_kind(what, "dependencies", dependencies, Mapping)
    for node, inputs in dependencies.items():
        require_kind(what, f"dependencies[{node!r}]", inputs, Mapping)
        for each in inputs.values():
            if not hasattr(each, "get_node_dependencies"):
                raise WrongDeclarationError(
                    f"{what}: dependencies[{node!r}] must map input names to DependencyDefinitions, got {each!r}."
                )
    uses: dict[str, NodeUse] = {}
    by_name: dict[str, Mapping[str, Dependency]] = {}
    for key, inputs in dependencies.items():
        invocation = key if isinstance(key, NodeInvocation) else NodeInvocation(key)
        if invocation.name not in known:
            raise InvalidDefinitionError(
                f"{what}: dependencies includes the node {invocation.name!r}, not found in node_defs: "
                f"{', '.join(known) or 'none'}."
            )
        name = invocation.alias or invocation.name
        uses[name] = NodeUse(
            name=name,
            definition=known[invocation.name],
            own_tags={str(key): str(value) for key, value in invocation.tags.items()},
            hook_defs=invocation.hook_defs,
            retry_policy=invocation.retry_policy,
            step_policy=invocation.step_policy,
        )
        by_name[name] = inputs
    used = {use.definition.name for use in uses.values()}
    for name, definition in known.items():
        if name not in used:
            uses[name] = NodeUse(name=name, definition=definition)
    return list(uses.values()), by_name

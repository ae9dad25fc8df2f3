"""Calling ops and graphs: in a composition with an alias, tags, hooks or a retry policy; elsewhere as functions."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from segue.defs.composition import current_scope, is_composing
from segue.defs.node import NodeDefinition, NodeUse
from segue.defs.run_arguments import hooks_of
from segue.errors import InvalidInvocationError
from segue.model.arguments import require_kind
from segue.model.keys import require_name
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy


class PendingNodeInvocation:
    """An op or graph with its own alias, tags, hooks or retry policy, to be called in a composition.

    Args:
        node_def: the op or graph.
        given_alias: the name of this use of it.
        tags: tags on its step, besides those of the op.
        hook_defs: hooks that run after it.
        retry_policy: a retry policy that replaces that of the op.
        step_policy: a step policy that replaces that of the op.
    """

    def __init__(
        self,
        node_def: NodeDefinition,
        given_alias: str | None = None,
        tags: Mapping[str, str] | None = None,
        hook_defs: Set[Any] | None = None,
        retry_policy: Any = None,
        step_policy: StepPolicy | None = None,
    ) -> None:
        require_kind(f"{node_def!r}", "step_policy", step_policy, StepPolicy)
        require_kind(f"{node_def!r}", "retry_policy", retry_policy, RetryPolicy)
        if given_alias is not None:
            require_name(given_alias, f"a {node_def.node_kind}", "alias")
        self.node_def = node_def
        self.given_alias = given_alias
        self.tags = tags
        self.hook_defs: frozenset[Any] = hooks_of(hook_defs, repr(node_def))
        self.retry_policy = retry_policy
        self.step_policy = step_policy

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """In a composition: handles of its outputs. Elsewhere: an op is called as it stands."""
        scope = current_scope()
        if scope is None:
            return self.node_def.invoke_directly(args, kwargs, self.given_alias)
        use = NodeUse(
            name=self.node_def.name,
            definition=self.node_def,
            own_tags=dict(self.tags or {}),
            hook_defs=self.hook_defs,
            retry_policy=self.retry_policy,
            step_policy=self.step_policy,
        )
        return scope.invoke(use, self.given_alias, args, kwargs)

    def _with(self, **changes: Any) -> PendingNodeInvocation:
        given: dict[str, Any] = {
            "given_alias": self.given_alias,
            "tags": self.tags,
            "hook_defs": self.hook_defs,
            "retry_policy": self.retry_policy,
            "step_policy": self.step_policy,
        }
        return PendingNodeInvocation(self.node_def, **{**given, **changes})

    def alias(self, name: str) -> PendingNodeInvocation:
        """The same under another name."""
        return self._with(given_alias=name)

    def tag(self, tags: Mapping[str, str] | None) -> PendingNodeInvocation:
        """The same with more tags."""
        return self._with(tags={**(self.tags or {}), **(tags or {})})

    def with_hooks(self, hook_defs: Set[Any]) -> PendingNodeInvocation:
        """The same with more hooks."""
        return self._with(hook_defs=self.hook_defs | hooks_of(hook_defs, repr(self)))

    def with_retry_policy(self, retry_policy: Any) -> PendingNodeInvocation:
        """The same with another retry policy."""
        return self._with(retry_policy=retry_policy)

    def with_step_policy(self, step_policy: StepPolicy) -> PendingNodeInvocation:
        """The same with another step policy."""
        return self._with(step_policy=step_policy)

    def to_job(self, name: str | None = None, hooks: Set[Any] | None = None, **attributes: Any) -> Any:
        """The graph as a job; see `GraphDefinition.to_job`.

        Raises:
            InvalidInvocationError: it is not a graph.
        """
        if not hasattr(self.node_def, "to_job"):
            raise InvalidInvocationError(
                f"{self.node_def!r} is not a graph, and only a graph can be made a job: call it in a graph or job."
            )
        graph: Any = self.node_def
        given_tags: Mapping[str, str] = attributes.pop("tags", None) or {}
        tags = {**(self.tags or {}), **given_tags}
        return graph.to_job(
            name=name or self.given_alias,
            hooks=self.hook_defs | (hooks or frozenset()),
            tags=tags or None,
            **attributes,
        )

    def execute_in_process(self, resources: Mapping[str, object] | None = None, **arguments: Any) -> Any:
        """Runs the graph in this process; see `GraphDefinition.execute_in_process`."""
        return self.to_job(resource_defs=resources).execute_in_process(**arguments)

    def __repr__(self) -> str:
        return f"{self.node_def!r}.alias({self.given_alias!r})"


class ComposableDefinition(NodeDefinition):
    """An op or a graph, as a thing to be called in a composition."""

    __slots__ = ()

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """In a composition: handles of its outputs. Elsewhere: an op's function is called as it stands."""
        if is_composing():
            return PendingNodeInvocation(self)(*args, **kwargs)
        return self.invoke_directly(args, kwargs)

    def alias(self, name: str) -> PendingNodeInvocation:
        """This definition under another name, to be called in a composition."""
        return PendingNodeInvocation(self).alias(name)

    def tag(self, tags: Mapping[str, str] | None) -> PendingNodeInvocation:
        """This definition with more tags, to be called in a composition."""
        return PendingNodeInvocation(self).tag(tags)

    def with_hooks(self, hook_defs: Set[Any]) -> PendingNodeInvocation:
        """This definition with hooks, to be called in a composition."""
        return PendingNodeInvocation(self).with_hooks(hook_defs)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> PendingNodeInvocation:
        """This definition with another retry policy, to be called in a composition."""
        return PendingNodeInvocation(self).with_retry_policy(retry_policy)

    def with_step_policy(self, step_policy: StepPolicy) -> PendingNodeInvocation:
        """This definition with another step policy, to be called in a composition."""
        return PendingNodeInvocation(self).with_step_policy(step_policy)

"""A computation: one function of the user, with the names of what it takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from segue.defs.signature import FunctionShape, UserFunction
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind, require_list
from segue.model.policies import RetryPolicy


class OpDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What a step runs.

    Attributes:
        name: unique among the definitions; the key of its steps.
        function: the user's function.
        shape: what the function takes.
        input_names: the inputs, in order.
        output_names: the outputs, in order.
        valueless_outputs: those that never carry a value (results of checks; a function annotated `-> None`).
        required_resource_keys: resources it takes from its context; those it takes as parameters stand in the shape.
        retry_policy: how it is retried.
        tags: tags on its steps.
        description: for people.
        can_subset: whether it can give some of its outputs only.
    """

    name: str
    function: UserFunction
    shape: FunctionShape
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ("result",)
    valueless_outputs: frozenset[str] = frozenset()
    required_resource_keys: frozenset[str] = frozenset()
    retry_policy: RetryPolicy | None = None
    tags: Mapping[str, str] = {}
    description: str | None = None
    can_subset: bool = False

    @property
    def resource_keys(self) -> frozenset[str]:
        """All resources it needs, IO managers not included."""
        return self.required_resource_keys | frozenset(self.shape.resources)


def require_resource_keys(keys: Set[str] | None, what: str) -> frozenset[str]:
    """The keys of `required_resource_keys`.

    Raises:
        InvalidDefinitionError: not a set of texts.
    """
    found: set[str] = set()
    for key in () if keys is None else require_list(what, "required_resource_keys", keys):
        if not isinstance(key, str):
            raise InvalidDefinitionError(f"{what}: required_resource_keys takes texts, got {key!r}.")
        found.add(key)
    return frozenset(found)


def step_tags(tags: Mapping[str, object] | None, what: str) -> dict[str, str]:
    """The tags of `op_tags`, as texts.

    Raises:
        InvalidDefinitionError: no mapping.
    """
    require_kind(what, "op_tags", tags, Mapping)
    return {str(key): str(value) for key, value in (tags or {}).items()}

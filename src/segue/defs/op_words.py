"""What definitions of computations have in common in their arguments: the keys of resources, and tags."""

from __future__ import annotations

from collections.abc import Mapping, Set

import segue.late as late
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list, require_names
from segue.model.policies import RetryPolicy
from segue.model.shared import name_set
from segue.model.step_policy import StepPolicy
from segue.model.tags import COMPUTE_KIND_TAG, CONCURRENCY_KEY_TAG


def require_resource_keys(
    keys: Set[str] | None, what: str, provided: Mapping[str, object] | None = None
) -> frozenset[str]:
    """The keys of `required_resource_keys`, and those of the resources that are provided with the definition.

    Raises:
        InvalidDefinitionError: not a set of texts, or no resources by name.
    """
    require_kind(what, "resource_defs", provided, Mapping)
    require_names(what, "resource_defs", provided)
    found = set(provided or ())
    for key in () if keys is None else require_list(what, "required_resource_keys", keys):
        if not isinstance(key, str):
            raise WrongDeclarationError(f"{what}: required_resource_keys must be strings, got {key!r}.")
        found.add(key)
    return name_set(found)


def require_op_words(
    what: str, retry_policy: object, description: object, code_version: object, can_subset: object, step_policy: object
) -> None:
    """Refuses what cannot stand for these parameters of an op.

    Raises:
        WrongDeclarationError: one of them is of a wrong type.
    """
    require_kind(what, "retry_policy", retry_policy, RetryPolicy)
    require_kind(what, "description", description, str)
    require_kind(what, "code_version", code_version, str)
    require_kind(what, "can_subset", can_subset, bool)
    require_kind(what, "step_policy", step_policy, StepPolicy)


def require_pool(pool: object, tags: Mapping[str, str], what: str) -> None:
    """Refuses what is no name of a pool.

    Raises:
        WrongDeclarationError: no text.
        InvalidDefinitionError: a name with white space, or another pool than that of the tags.
    """
    require_kind(what, "pool", pool, str)
    if isinstance(pool, str) and any(character.isspace() for character in pool):
        raise InvalidDefinitionError(f"{what}: {pool!r} is not a valid name for a pool: use no white space.")
    tagged = tags.get(CONCURRENCY_KEY_TAG)
    if pool and tagged is not None and tagged != pool:
        raise InvalidDefinitionError(
            f"{what}: the pool {pool!r} conflicts with the pool {tagged!r} of the tag {CONCURRENCY_KEY_TAG!r}; keep one."
        )


def step_tags(tags: Mapping[str, object] | None, what: str, compute_kind: str | None = None) -> dict[str, str]:
    """Tags as texts; what is no text is written as JSON. The superseded `compute_kind` is one more of them.

    Raises:
        InvalidDefinitionError: not a mapping, a key that is not a string, or a value that JSON has no form for.
    """
    require_kind(what, "tags", tags, Mapping)
    require_names(what, "tags", tags)
    if compute_kind is not None:
        tags = {COMPUTE_KIND_TAG: compute_kind, **(tags or {})}
    return {key: value if isinstance(value, str) else _as_json(value, key, what) for key, value in (tags or {}).items()}


def _as_json(value: object, key: str, what: str) -> str:
    try:
        return late.json.dumps(value)
    except (TypeError, ValueError) as error:
        raise InvalidDefinitionError(
            f"{what}: the tag {key!r} is {value!r}, which cannot be written as JSON: use a string or plain values."
        ) from error

"""How many steps with some tag may run at once in one run. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.model.tag_limit import TagLimit


def has_room(limits: Sequence[TagLimit], tags: Mapping[str, str], running: Sequence[Mapping[str, str]]) -> bool:
    """Whether a step may start beside others.

    Args:
        limits: the limits; the step must keep all that are about it.
        tags: its tags.
        running: the tags of the steps that run.
    """
    return all(
        sum(_counts(each, tags, other) for other in running) < each.limit for each in limits if _is_about(each, tags)
    )


def _is_about(limit: TagLimit, tags: Mapping[str, str]) -> bool:
    return limit.key in tags and limit.value in (None, tags[limit.key])


def _counts(limit: TagLimit, tags: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether a step that runs takes of the room of another one."""
    return _is_about(limit, other) and (not limit.is_per_value or other[limit.key] == tags[limit.key])

"""The short texts that are said of an asset: tags, kinds, group and owners."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Final

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list
from segue.model.keys import error_of_word

# As text: most who import this declare none of these. `re` keeps what it has compiled.
_GROUP: Final = r"\w+(/\w+)*"
_TAG_PART: Final = r"[A-Za-z0-9_.\-]{1,63}"
_TAG_VALUE: Final = r"[A-Za-z0-9_.\-]{0,63}"
_ADDRESS: Final = r"[^\s@]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}"
KIND_PREFIX: Final = "dagster/kind/"  # of the tag that a kind is
DEFAULT_GROUP: Final = "default"
_KINDS: Final = 10  # most that one asset may have, as in the compatible API


def require_tags(tags: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """The tags, if keys and values are short plain text.

    Raises:
        InvalidDefinitionError: a key that is not `name` or `prefix/name`, or a value that is not text of at most 63 of
            the same characters.
    """
    require_kind(where, "tags", tags, Mapping)
    for key, value in (tags or {}).items():
        if isinstance(key, str) and key.startswith(KIND_PREFIX) and len(key) > len(KIND_PREFIX):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            continue
        parts = key.split("/") if isinstance(key, str) else []  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        if not 1 <= len(parts) <= 2 or not all(re.fullmatch(_TAG_PART, part) for part in parts):
            raise error_of_word(key)(
                f"{where}: {key!r} is not a valid tag key: expected 'name' or 'prefix/name', where each part has 1 to 63 "
                "letters, digits, '_', '-' or '.'."
            )
        if not isinstance(value, str) or not re.fullmatch(_TAG_VALUE, value):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise InvalidDefinitionError(
                f"{where}: the value of tag {key!r} must be a string of at most 63 letters, digits, '_', '-' or '.', got "
                f"{value!r}."
            )
    return dict(tags or {})


def require_event_tags(tags: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """As `require_tags`, of an event or what becomes one: the system's own tags (`dagster/...`) hold any text.

    Raises:
        InvalidDefinitionError: as `require_tags`.
    """
    if not tags:
        return {}
    require_kind(where, "tags", tags, Mapping)
    users = {key: value for key, value in tags.items() if not (isinstance(key, str) and key.startswith("dagster/"))}  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
    if users:
        require_tags(users, where)
    return dict(tags)


def require_group(group_name: str | None, where: str) -> str | None:
    """The group name, if it is one.

    Raises:
        InvalidDefinitionError: not letters, digits and underscores, in parts divided by slashes.
    """
    if group_name is None or group_name == DEFAULT_GROUP:  # of most assets: no need to look at it
        return group_name
    if not (isinstance(group_name, str) and re.fullmatch(_GROUP, group_name, re.ASCII)):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        hint = "leave it out to use the default group" if group_name == "" else "use letters, digits and underscores"
        raise error_of_word(group_name)(
            f"{where}: the asset group name {group_name!r} is not valid: {hint}; a slash separates a group from its parent."
        )
    return group_name


def require_owners(owners: Sequence[str] | None, where: str) -> list[str]:
    """The owners, if each is an e-mail address or `team:name`.

    Raises:
        InvalidDefinitionError: anything else.
    """
    for owner in () if owners is None else require_list(where, "owners", owners):
        is_team = isinstance(owner, str) and owner.startswith("team:") and len(owner) > len("team:")
        is_address = isinstance(owner, str) and re.fullmatch(_ADDRESS, owner) is not None
        if not (is_team or is_address):
            lacks = " has no team name;" if owner == "team:" else " is not valid:"
            raise error_of_word(owner)(f"{where}: owner {owner!r}{lacks} expected an email address or 'team:name'.")
    return list(owners or ())


def require_kinds(tags: dict[str, str], kinds: Set[str] | Sequence[str] | None, where: str) -> dict[str, str]:
    """The tags with the kinds among them, if these are at most ten words.

    Raises:
        InvalidDefinitionError: too many kinds, a single string instead of a set, or a kind that is not a string.
    """
    if kinds is not None:
        words = require_list(where, "kinds", kinds)
        found = [word for word in words if isinstance(word, str) and word]
        if len(found) < len(words):
            raise WrongDeclarationError(f"{where}: kinds must be a set of strings, got {kinds!r}.")
        tags |= {f"{KIND_PREFIX}{word}": "" for word in sorted(found)}
    if len(tags) > _KINDS and len(every := kinds_in(tags)) > _KINDS:
        raise InvalidDefinitionError(
            f"{where}: an asset can have at most {_KINDS} kinds, got {len(every)}: {', '.join(sorted(every))}."
        )
    return tags


def kinds_in(tags: Mapping[str, str]) -> frozenset[str]:
    """The kinds that stand among tags."""
    return frozenset([tag.removeprefix(KIND_PREFIX) for tag in tags if tag.startswith(KIND_PREFIX)])


def without_kinds(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that are not kinds."""
    return {tag: value for tag, value in tags.items() if not tag.startswith(KIND_PREFIX)}

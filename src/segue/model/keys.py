"""The names of things: assets and the checks on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from segue.errors import InvalidDefinitionError, InvalidInvocationError

_NAME = re.compile(r"[A-Za-z0-9_]+")
RESERVED_NAMES = frozenset(
    {"context", "conf", "config", "meta", "arg_dict", "dict", "input_arg_dict", "output_arg_dict"}
)


class AssetKey:
    """The name of an asset: one or more parts, from general to particular.

    `AssetKey("orders")` and `AssetKey(["sales", "orders"])` are both keys; written as text the parts are joined by
    `/` (`sales/orders`). Equal by parts, hashable, ordered by parts, picklable, immutable.

    Raises:
        InvalidDefinitionError: no part at all, or a part that is not a string.
    """

    __slots__ = ("_hash", "parts")
    parts: tuple[str, ...]

    def __init__(self, path: str | Sequence[str]) -> None:
        parts = (path,) if isinstance(path, str) else tuple(path) if isinstance(path, Iterable) else ()  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        if not parts or not all(isinstance(part, str) for part in parts):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise InvalidDefinitionError(f"AssetKey takes a string or a non-empty sequence of strings, got {path!r}.")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "_hash", hash(parts))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AssetKey is immutable: {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"AssetKey is immutable: {name!r} cannot be deleted.")

    @property
    def path(self) -> Sequence[str]:
        """The parts of the key, from general to particular."""
        return list(self.parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetKey) and self.parts == other.parts

    def __lt__(self, other: AssetKey) -> bool:
        return self.parts < other.parts if isinstance(other, AssetKey) else NotImplemented  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code

    def __le__(self, other: AssetKey) -> bool:
        return self.parts <= other.parts if isinstance(other, AssetKey) else NotImplemented  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code

    def __repr__(self) -> str:
        return f"AssetKey({list(self.parts)!r})"

    def __str__(self) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[type[AssetKey], tuple[tuple[str, ...]]]:
        return (AssetKey, (self.parts,))

    def to_user_string(self) -> str:
        """The parts joined by `/`: the form that people type and read."""
        return "/".join(self.parts)

    @staticmethod
    def from_user_string(asset_key_string: str) -> AssetKey:
        """The key written as `a/b/c`."""
        return AssetKey(asset_key_string.split("/"))

    def to_escaped_user_string(self) -> str:
        """Like `to_user_string`, with `/` inside a part written as `\\/`."""
        return "/".join(part.replace("/", "\\/") for part in self.parts)

    @staticmethod
    def from_escaped_user_string(asset_key_string: str) -> AssetKey:
        """The key written by `to_escaped_user_string`."""
        parts = re.split(r"(?<!\\)/", asset_key_string)
        return AssetKey([part.replace("\\/", "/") for part in parts])

    def to_python_identifier(self, suffix: str | None = None) -> str:
        """The parts joined by `__`, with characters an identifier cannot hold replaced by `_`.

        This is the name of the step that computes the asset.
        """
        name = "__".join(self.parts)
        if not _NAME.fullmatch(name):
            name = re.sub(r"[^A-Za-z0-9_]", "_", name)
        return name if suffix is None else f"{name}__{suffix}"

    def has_prefix(self, prefix: Sequence[str]) -> bool:
        """Whether the key begins with these parts."""
        return len(self.parts) >= len(prefix) and self.parts[: len(prefix)] == tuple(prefix)

    def with_prefix(self, prefix: CoercibleToAssetKeyPrefix) -> AssetKey:
        """This key below a prefix of one or more parts."""
        head = (prefix,) if isinstance(prefix, str) else tuple(prefix)
        return AssetKey((*head, *self.parts))

    @staticmethod
    def from_coercible(arg: CoercibleToAssetKey) -> AssetKey:
        """A key from what people pass as one: a key, a string (`a/b` splits), or a sequence of parts.

        Raises:
            InvalidInvocationError: anything else.
        """
        if isinstance(arg, AssetKey):
            return arg
        if isinstance(arg, str):
            return AssetKey.from_user_string(arg)
        if isinstance(arg, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            return AssetKey(arg)
        raise InvalidInvocationError(f"Expected an asset key (AssetKey, string or sequence of strings), got {arg!r}.")


class AssetCheckKey(NamedTuple):
    """The name of a check: the asset it looks at and its own name, unique on that asset."""

    asset_key: AssetKey
    name: str

    def to_user_string(self) -> str:
        """`asset/key:check_name`."""
        return f"{self.asset_key.to_user_string()}:{self.name}"

    @staticmethod
    def from_user_string(user_string: str) -> AssetCheckKey:
        """The key written as `asset/key:check_name`."""
        asset, _, name = user_string.rpartition(":")
        if not asset or not name:
            raise InvalidInvocationError(f"Expected 'asset/key:check_name', got {user_string!r}.")
        return AssetCheckKey(AssetKey.from_user_string(asset), name)

    def to_python_identifier(self) -> str:
        """The name of the step that runs the check: `asset__key_check_name`."""
        return f"{self.asset_key.to_python_identifier()}_{self.name}"

    def replace_asset_key(self, asset_key: AssetKey) -> AssetCheckKey:
        """The check of the same name on another asset."""
        return AssetCheckKey(asset_key, self.name)

    def with_asset_key_prefix(self, prefix: CoercibleToAssetKeyPrefix) -> AssetCheckKey:
        """The check on the asset below a prefix."""
        return AssetCheckKey(self.asset_key.with_prefix(prefix), self.name)


class AssetJobKey(NamedTuple):
    """The name of a job over assets, where jobs stand beside assets and checks: in automation."""

    job_name: str

    def to_user_string(self) -> str:
        """The name, marked as that of a job: `job:name`."""
        return f"job:{self.job_name}"

    @staticmethod
    def from_user_string(user_string: str) -> AssetJobKey:
        """The key written as `job:name`.

        Raises:
            InvalidInvocationError: another form.
        """
        mark, _, name = user_string.partition(":")
        if mark != "job" or not name:
            raise InvalidInvocationError(f"Expected 'job:name', got {user_string!r}.")
        return AssetJobKey(name)


CoercibleToAssetKey: TypeAlias = AssetKey | str | Sequence[str]
CoercibleToAssetKeyPrefix: TypeAlias = str | Sequence[str]
AssetOrCheckKey: TypeAlias = AssetKey | AssetCheckKey
EntityKey: TypeAlias = AssetKey | AssetCheckKey | AssetJobKey


def require_name(name: str, what: str, where: str) -> str:
    """The name, if it is one that a step, output or check may bear.

    Raises:
        InvalidDefinitionError: not letters, digits and underscores, or a reserved word.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise InvalidDefinitionError(
            f"{name!r} is not a valid name for {what} ({where}): use letters, digits and underscores."
        )
    if name in RESERVED_NAMES:
        raise InvalidDefinitionError(f"{name!r} is a reserved word and cannot name {what} ({where}): choose another.")
    return name

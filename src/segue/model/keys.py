"""The names of things: assets and the checks on them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias, cast

import segue.late as late
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongArgumentError, WrongDeclarationError

DEFAULT_IO_MANAGER_KEY = "io_manager"  # the resource that stores values where nothing says another
RESERVED_NAMES = frozenset(keyword.kwlist) | {
    *("context", "conf", "config", "meta", "arg_dict", "input_arg_dict", "output_arg_dict"),
    *("input", "output", "type", "bool", "dict", "float", "int", "str"),
}


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
        parts = (path,) if isinstance(path, str) else tuple(path) if isinstance(path, (tuple, list, Iterable)) else ()  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        if not parts or [part for part in parts if not isinstance(part, str)]:  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"AssetKey expected a string or a non-empty sequence of strings, got {path!r}.")
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

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} is not a list. Iteration is not allowed: use .path for its parts.")

    def __getitem__(self, index: object) -> NoReturn:
        raise TypeError(f"{self!r} is not a list. Index access is not allowed: use .path for its parts.")

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
        return _key_written(asset_key_string)

    def to_escaped_user_string(self) -> str:
        """Like `to_user_string`, with `\\` before each `/` and `\\` inside a part: different keys never read alike."""
        return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in self.parts)

    @staticmethod
    def from_escaped_user_string(asset_key_string: str) -> AssetKey:
        """The key written by `to_escaped_user_string`."""
        parts = [""]
        is_escaped = False
        for character in asset_key_string:
            if is_escaped:
                parts[-1] += character if character in "\\/" else f"\\{character}"
                is_escaped = False
            elif character == "\\":
                is_escaped = True
            elif character == "/":
                parts.append("")
            else:
                parts[-1] += character
        if is_escaped:
            parts[-1] += "\\"
        return AssetKey(parts)

    def to_string(self) -> str:
        """The parts as a JSON list: the form in which the compatible API stores keys."""
        return late.json.dumps(self.parts)

    def to_db_string(self) -> str:
        """The same as `to_string`."""
        return self.to_string()

    @staticmethod
    def from_db_string(asset_key_string: str | None) -> AssetKey | None:
        """The key written by `to_db_string`; text of another form is split at what no name holds. None for no text."""
        if not asset_key_string:
            return None
        if asset_key_string[0] == "[":
            try:
                return AssetKey(cast("list[str]", late.json.loads(asset_key_string)))
            except late.json.JSONDecodeError:
                pass  # written before keys were lists: one name, or several with characters between them
        return AssetKey([part for part in re.split(r"[^a-zA-Z0-9_]", asset_key_string) if part])

    @staticmethod
    def get_db_prefix(path: Sequence[str]) -> str:
        """How the stored form of every key below these parts begins."""
        return late.json.dumps(list(path))[:-2]

    @staticmethod
    def from_graphql_input(graphql_input_asset_key: Mapping[str, Sequence[str]]) -> AssetKey:
        """The key written as `{"path": [...]}`."""
        return AssetKey(graphql_input_asset_key["path"])

    def to_graphql_input(self) -> Mapping[str, Sequence[str]]:
        """The key as `{"path": [...]}`."""
        return {"path": self.path}

    def to_python_identifier(self, suffix: str | None = None) -> str:
        """The parts joined by `__`, with characters an identifier cannot hold replaced by `_`.

        This is the name of the step that computes the asset.
        """
        name = "__".join(self.parts)
        if not is_name(name):
            name = re.sub(r"[^A-Za-z0-9_]", "_", name)
        return name if suffix is None else f"{name}__{suffix}"

    def has_prefix(self, prefix: Sequence[str]) -> bool:
        """Whether the key begins with these parts."""
        return len(self.parts) >= len(prefix) and self.parts[: len(prefix)] == tuple(prefix)

    def with_prefix(self, prefix: CoercibleToAssetKeyPrefix) -> AssetKey:
        """This key below a prefix of one or more parts."""
        head = AssetKey(prefix).parts if prefix or isinstance(prefix, str) else ()
        return AssetKey((*head, *self.parts))

    @staticmethod
    def from_coercible(arg: CoercibleToAssetKey) -> AssetKey:
        """Converts a key, a string (`a/b` splits), or a sequence of parts to a key.

        Raises:
            WrongArgumentError: anything else.
        """
        if isinstance(arg, AssetKey):
            return arg
        if isinstance(arg, str):
            return AssetKey.from_user_string(arg)
        if isinstance(arg, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            return AssetKey(arg)
        raise WrongArgumentError(f"Expected an asset key (AssetKey, string or sequence of strings), got {arg!r}.")

    @staticmethod
    def from_coercible_or_definition(arg: object) -> AssetKey:
        """A key from what `from_coercible` takes, or from a definition of one asset.

        Raises:
            InvalidInvocationError: anything else.
        """
        key = getattr(arg, "key", None)
        return key if isinstance(key, AssetKey) else AssetKey.from_coercible(cast("CoercibleToAssetKey", arg))


def _key_written(text: str) -> AssetKey:
    """The key written as a text: the same object each time, so that finding it in a table need not compare its parts."""
    found = _keys_written.get(text)
    if found is None:
        # A cache that remembers what was used last would touch four entries at each use: with many keys that takes longer.
        if len(_keys_written) >= _MOST_KEYS_WRITTEN:
            _keys_written.clear()
        found = _keys_written[text] = AssetKey(text.split("/"))
    return found


_MOST_KEYS_WRITTEN = 1 << 17
_keys_written: dict[str, AssetKey] = {}


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

    def to_db_string(self) -> str:
        """The key as a JSON object: the form in which the compatible API stores it."""
        return late.json.dumps({"asset_key": self.asset_key.to_string(), "check_name": self.name})

    @staticmethod
    def from_db_string(db_string: str) -> AssetCheckKey | None:
        """The key written by `to_db_string`; None for text of another form."""
        values = _json_object(db_string)
        asset_key = AssetKey.from_db_string(str(values.get("asset_key") or ""))
        name = values.get("check_name")
        return AssetCheckKey(asset_key, name) if asset_key is not None and isinstance(name, str) else None

    @staticmethod
    def from_graphql_input(graphql_input: Mapping[str, Any]) -> AssetCheckKey:
        """The key written as `{"assetKey": {"path": [...]}, "name": ...}`."""
        return AssetCheckKey(AssetKey.from_graphql_input(graphql_input["assetKey"]), graphql_input["name"])

    def to_python_identifier(self) -> str:
        """The name of the step that runs the check: `asset__key_check_name`."""
        return f"{self.asset_key.to_python_identifier()}_{self.name.replace('.', '_')}"

    def replace_asset_key(self, asset_key: AssetKey) -> AssetCheckKey:
        """The check of the same name on another asset."""
        return AssetCheckKey(asset_key, self.name)

    def with_asset_key_prefix(self, prefix: CoercibleToAssetKeyPrefix) -> AssetCheckKey:
        """The check on the asset below a prefix."""
        return AssetCheckKey(self.asset_key.with_prefix(prefix), self.name)


class AssetJobKey(NamedTuple):
    """The name of an asset job, used beside asset keys and check keys in automation."""

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

    def to_db_string(self) -> str:
        """The key as a JSON object: the form in which the compatible API stores it."""
        return late.json.dumps({"job_name": self.job_name})

    @staticmethod
    def from_db_string(db_string: str) -> AssetJobKey | None:
        """The key written by `to_db_string`; None for text of another form."""
        name = _json_object(db_string).get("job_name")
        return AssetJobKey(name) if isinstance(name, str) else None

    @staticmethod
    def from_graphql_input(graphql_input: Mapping[str, Any]) -> AssetJobKey:
        """The key written as `{"jobName": ...}`."""
        return AssetJobKey(graphql_input["jobName"])


def _json_object(text: str) -> Mapping[str, object]:
    try:
        values = late.json.loads(text)
    except late.json.JSONDecodeError:
        return {}
    return cast("Mapping[str, object]", values) if isinstance(values, dict) else {}


def entity_key_from_db_string(db_string: str) -> EntityKey:
    """The key of an asset, check or job that its `to_db_string` wrote.

    Raises:
        InvalidInvocationError: text of another form.
    """
    found = AssetCheckKey.from_db_string(db_string) or AssetJobKey.from_db_string(db_string)
    key = found or AssetKey.from_db_string(db_string)
    if key is None:
        raise InvalidInvocationError("Expected the stored form of an asset key, got an empty value.")
    return key


CoercibleToAssetKey: TypeAlias = AssetKey | str | Sequence[str]
CoercibleToAssetKeyPrefix: TypeAlias = str | Sequence[str]
AssetOrCheckKey: TypeAlias = AssetKey | AssetCheckKey
EntityKey: TypeAlias = AssetKey | AssetCheckKey | AssetJobKey


def is_name(text: str) -> bool:
    """Whether it is made of the letters, digits and underscores of ASCII, one at least."""
    return text.isascii() and text.replace("_", "a").isalnum()


def error_of_word(word: object) -> type[InvalidDefinitionError]:
    """The error for what cannot be a name: another one where it is no text at all."""
    return InvalidDefinitionError if isinstance(word, str) else WrongDeclarationError


def require_text(name: object, what: str, where: str) -> None:
    """Do nothing if a name is text at all.

    Raises:
        WrongDeclarationError: it is something else.
    """
    if not isinstance(name, str):
        raise WrongDeclarationError(_no_name(name, what, where))


def _no_name(name: object, what: str, where: str) -> str:
    return f"{name!r} is not a valid name for {what} ({where}): use letters, digits and underscores."


def require_word(name: str, what: str, where: str, more: str = "") -> str:
    """The name, if it has no other characters than letters, digits, underscores and `more`.

    Raises:
        InvalidDefinitionError: others, or none at all.
    """
    require_text(name, what, where)
    if not is_name(name.translate({ord(character): "_" for character in more}) if more else name):
        raise InvalidDefinitionError(_no_name(name, what, where))
    return name


def require_name(name: str, what: str, where: str) -> str:
    """The name, if it is one that a step or output may have.

    Raises:
        InvalidDefinitionError: not letters, digits and underscores, or a reserved word.
    """
    require_word(name, what, where)
    if name in RESERVED_NAMES:
        raise InvalidDefinitionError(
            f"{name!r} is a reserved word and is not a valid name for {what} ({where}): choose another name."
        )
    return name

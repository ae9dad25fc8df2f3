"""Which assets and checks: the class that users build selections with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeAlias, TypeGuard, cast

from segue.errors import InvalidInvocationError, NotSupportedError, WrongArgumentError
from segue.model import selection_expression as ex
from segue.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey, CoercibleToAssetKeyPrefix
from segue.model.selection_evaluation import SelectableGraph, selected_assets, selected_checks
from segue.model.selection_graph import SelectableDefinition, definitions_graph
from segue.model.selection_syntax import format_selection, parse_selection


class DefinesAssets(Protocol):
    """A definition of one or more assets: anything with `keys`."""

    @property
    def keys(self) -> Iterable[AssetKey]: ...


class DefinesAsset(Protocol):
    """A definition of a single asset: anything with a `key`."""

    @property
    def key(self) -> AssetKey: ...


class DefinesChecks(Protocol):
    """A definition of checks: anything with `check_keys`."""

    @property
    def check_keys(self) -> Iterable[AssetCheckKey]: ...


Selectable: TypeAlias = CoercibleToAssetKey | DefinesAssets | DefinesAsset


class AssetSelection:
    """Assets, and checks, by a rule that is applied to the definitions later.

    Made by the static methods below and combined with `|`, `&` and `-`. A selection of assets brings the checks on
    these assets along, unless `without_checks()`. Immutable; equal when built alike.

    A subclass may find assets by itself: it implements `resolve_inner`, and `resolve_checks_inner` where the checks are
    not just those on the assets.
    """

    __slots__ = ("_expression",)
    _expression: ex.Expression

    @property
    def expression(self) -> ex.Expression:
        """The selection, as a tree of values."""
        return self._expression if type(self) is AssetSelection else ex.Custom(self)

    @staticmethod
    def all(include_sources: bool = False) -> AssetSelection:
        """Every materializable asset; with `include_sources` the external ones too."""
        return selection_of(ex.All(include_sources))

    @staticmethod
    def all_asset_checks() -> AssetSelection:
        """Every check, without the assets."""
        return selection_of(ex.AllChecks())

    @staticmethod
    def assets(*assets_defs: Selectable) -> AssetSelection:
        """These assets, as keys, strings (`a/b` splits), sequences of parts, or definitions."""
        return selection_of(ex.Keys(_keys(assets_defs)))

    @staticmethod
    def keys(*asset_keys: CoercibleToAssetKey) -> AssetSelection:
        """These assets, by key. Superseded by `assets`."""
        return selection_of(ex.Keys(_keys(asset_keys)))

    @staticmethod
    def key_prefixes(*key_prefixes: CoercibleToAssetKeyPrefix, include_sources: bool = False) -> AssetSelection:
        """Assets whose key begins with the part, or all parts, of one of the prefixes."""
        prefixes = tuple(map(_prefix, key_prefixes))
        return selection_of(ex.KeyPrefixes(prefixes=prefixes, include_sources=include_sources))

    @staticmethod
    def key_substring(key_substring: str, include_sources: bool = False) -> AssetSelection:
        """Assets whose key, written `a/b`, contains a text."""
        substring = _text(key_substring, "key_substring")
        return selection_of(ex.KeySubstring(substring=substring, include_sources=include_sources))

    @staticmethod
    def groups(*group_strs: str, include_sources: bool = False) -> AssetSelection:
        """Assets in one of the groups."""
        names = tuple(_text(group, "groups") for group in group_strs)
        return selection_of(ex.Groups(names=names, include_sources=include_sources))

    @staticmethod
    def tag(key: str, value: str, include_sources: bool = False) -> AssetSelection:
        """Assets with this tag and this value; a label has the value ""."""
        tag = ex.Tag(key=_text(key, "tag"), value=_text(value, "tag"), include_sources=include_sources)
        return selection_of(tag)

    @staticmethod
    def tag_string(string: str, include_sources: bool = False) -> AssetSelection:
        """Assets with this tag, written `key=value`, or `key` for a label."""
        key, _, value = _text(string, "tag_string").partition("=")
        if "=" in value:
            raise InvalidInvocationError(f"AssetSelection.tag_string: {string!r} has more than one '=': use tag(k, v).")
        return AssetSelection.tag(key, value, include_sources)

    @staticmethod
    def kind(kind: str | None, include_sources: bool = False) -> AssetSelection:
        """Assets of this kind; None: of no kind."""
        return selection_of(ex.Kind(kind=kind and _text(kind, "kind"), include_sources=include_sources))

    @staticmethod
    def owner(owner: str | None) -> AssetSelection:
        """Assets of this owner (e-mail address or `team:name`), external ones too; None: assets without an owner."""
        return selection_of(ex.Owner(owner=owner and _text(owner, "owner"), include_sources=True))

    @staticmethod
    def checks_for_assets(*assets_defs: Selectable) -> AssetSelection:
        """The checks on these assets, without the assets."""
        return selection_of(ex.ChecksOf(_keys(assets_defs)))

    @staticmethod
    def checks(*assets_defs_or_check_keys: AssetCheckKey | DefinesChecks) -> AssetSelection:
        """These checks, by key or by their definitions, without the assets."""
        return selection_of(ex.Checks(_check_keys(assets_defs_or_check_keys)))

    @staticmethod
    def from_string(string: str, include_sources: bool = False) -> AssetSelection:
        """The selection that a text says, such as `group:sales and not tag:draft` or `+key:orders`.

        Raises:
            InvalidInvocationError: it is not a selection; the message points at the place.
        """
        return selection_of(parse_selection(_text(string, "from_string"), include_sources))

    @staticmethod
    def from_coercible(selection: CoercibleToAssetSelection) -> AssetSelection:
        """Converts a string, a key or definition, a selection, or several of these, to a selection.

        Raises:
            InvalidInvocationError: anything else.
        """
        if isinstance(selection, AssetSelection):
            return selection
        if isinstance(selection, str) or not isinstance(selection, Sequence):
            return _item(selection)
        rules = [_item(item).expression for item in selection if isinstance(item, (str, AssetSelection))]
        named = [item for item in selection if not isinstance(item, (str, AssetSelection))]
        return selection_of(ex.union([ex.Keys(_keys(named)), *rules] if named else rules))

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """These assets and those downstream, at most `depth` steps away; without themselves on request."""
        return selection_of(ex.Downstream(self.expression, _depth(depth), include_self))

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """These assets and those upstream, at most `depth` steps away; only materializable ones."""
        return selection_of(ex.Upstream(self.expression, _depth(depth), include_self))

    def sinks(self) -> AssetSelection:
        """The assets without any downstream asset in the selection, direct or indirect."""
        return selection_of(ex.Sinks(self.expression))

    def roots(self) -> AssetSelection:
        """The assets without any upstream asset in the selection, direct or indirect."""
        return selection_of(ex.Roots(self.expression))

    def sources(self) -> AssetSelection:
        """The older name of `roots`."""
        return self.roots()

    def materializable(self) -> AssetSelection:
        """The materializable ones."""
        return selection_of(ex.Materializable(self.expression))

    def required_multi_asset_neighbors(self) -> AssetSelection:
        """These assets, and those that can only be materialized together with them."""
        return selection_of(ex.RequiredNeighbors(self.expression))

    def upstream_source_assets(self) -> AssetSelection:
        """The assets in or upstream of the selection that are not materializable."""
        return selection_of(ex.UpstreamSources(self.expression))

    def without_checks(self) -> AssetSelection:
        """The assets alone."""
        return self - AssetSelection.all_asset_checks()

    def __or__(self, other: AssetSelection) -> AssetSelection:
        return selection_of(ex.union([self.expression, _other(other, "|")]))

    def __and__(self, other: AssetSelection) -> AssetSelection:
        return selection_of(ex.intersection([self.expression, _other(other, "&")]))

    def __sub__(self, other: AssetSelection) -> AssetSelection:
        return selection_of(ex.Subtract(self.expression, _other(other, "-")))

    def resolve(
        self, all_assets: Iterable[SelectableDefinition] | SelectableGraph, allow_missing: bool = False
    ) -> AbstractSet[AssetKey]:
        """The keys of the selected assets, in an asset graph or among definitions.

        Raises:
            InvalidSubsetError: it names an asset that is not there, and `allow_missing` is not set.
        """
        graph = all_assets if _is_graph(all_assets) else definitions_graph(cast("Iterable[object]", all_assets))
        return selected_assets(self.expression, graph, allow_missing)

    def resolve_checks(self, asset_graph: SelectableGraph, allow_missing: bool = False) -> AbstractSet[AssetCheckKey]:
        """The keys of the selected checks.

        Raises:
            InvalidSubsetError: it names an asset or check that is not there, and `allow_missing` is not set.
        """
        return selected_checks(self.expression, asset_graph, allow_missing)

    def resolve_inner(self, asset_graph: object, allow_missing: bool) -> Iterable[AssetKey]:
        """For subclasses: the selected assets of a `SelectableGraph`."""
        if isinstance(self.expression, ex.Custom):
            raise NotSupportedError(f"{type(self).__name__} must implement resolve_inner(asset_graph, allow_missing).")
        return selected_assets(self.expression, cast("SelectableGraph", asset_graph), allow_missing)

    def resolve_checks_inner(self, asset_graph: object, allow_missing: bool) -> Iterable[AssetCheckKey]:
        """For subclasses: the selected checks; those on the selected assets, unless overridden."""
        keys = frozenset(self.resolve_inner(asset_graph, allow_missing))
        return {key for key in cast("SelectableGraph", asset_graph).checks if key.asset_key in keys}

    def to_serializable_asset_selection(self, asset_graph: SelectableGraph) -> AssetSelection:
        """The selection itself; where it is of a custom class, or holds one, the assets that it selects in a graph by key."""
        has_own_code: bool = ex.fold(self.expression, lambda each, inner: isinstance(each, ex.Custom) or any(inner))
        return AssetSelection.assets(*sorted(self.resolve(asset_graph, allow_missing=True))) if has_own_code else self

    def to_selection_str(self) -> str:
        """The text that `from_string` reads back to a selection of the same assets.

        Raises:
            NotSupportedError: the selection cannot be written as a string.
        """
        return format_selection(self.expression)

    def __eq__(self, other: object) -> bool:
        if type(self) is not AssetSelection or type(other) is not AssetSelection:
            return self is other
        return self.expression == other.expression

    def __hash__(self) -> int:
        return hash(self.expression) if type(self) is AssetSelection else object.__hash__(self)

    def __repr__(self) -> str:
        return f"AssetSelection({self.expression!r})" if type(self) is AssetSelection else object.__repr__(self)

    def __str__(self) -> str:
        try:
            return self.to_selection_str()
        except NotSupportedError:
            return repr(self)

    def __setattr__(self, name: str, value: object) -> None:
        if type(self) is AssetSelection:
            raise AttributeError(f"AssetSelection is immutable: {name!r} cannot be set.")
        object.__setattr__(self, name, value)

    def __setstate__(self, state: object) -> None:
        parts = cast("tuple[dict[str, object] | None, ...]", state if isinstance(state, tuple) else (state,))
        for part in parts:
            for name, value in (part or {}).items():
                object.__setattr__(self, name, value)


CoercibleToAssetSelection: TypeAlias = AssetSelection | Selectable | Sequence["AssetSelection | Selectable"]


def selection_of(expression: ex.Expression) -> AssetSelection:
    """The selection of a tree."""
    made = AssetSelection()
    object.__setattr__(made, "_expression", expression)
    return made


def _is_graph(assets: object) -> TypeGuard[SelectableGraph]:
    return hasattr(assets, "nodes") and hasattr(assets, "parents")


def _item(item: object) -> AssetSelection:
    if isinstance(item, AssetSelection):
        return item
    if isinstance(item, str):
        return AssetSelection.from_string(item)
    return AssetSelection.assets(cast("Selectable", item))


def _keys(items: Sequence[Selectable]) -> tuple[AssetKey, ...]:
    found: list[AssetKey] = []
    for item in items:
        if isinstance(item, (AssetKey, str)) or (
            isinstance(item, Sequence) and all(isinstance(part, str) for part in cast("Sequence[object]", item))
        ):
            found.append(AssetKey.from_coercible(item))
            continue
        keys: object = getattr(item, "keys", None)
        if keys is None or callable(keys):
            keys = (getattr(item, "key", None),)
        defined = list(cast("Iterable[object]", keys))
        if not all(isinstance(key, AssetKey) for key in defined):
            hint = " Unpack a list with *." if isinstance(item, Sequence) else ""
            raise WrongArgumentError(
                f"AssetSelection: expected an asset key (AssetKey, string or sequence of strings) or a definition of "
                f"assets, got {item!r}.{hint}"
            )
        found.extend(sorted(cast("list[AssetKey]", defined)))  # a definition's keys are a set, and sets have no order
    return tuple(dict.fromkeys(found))


def _check_keys(items: Sequence[AssetCheckKey | DefinesChecks]) -> tuple[AssetCheckKey, ...]:
    found: list[AssetCheckKey] = []
    for item in items:
        keys = (
            (item,)
            if isinstance(item, AssetCheckKey)
            else getattr(item, "check_keys", None) or (getattr(item, "key", None),)
        )
        defined = list(cast("Iterable[object]", keys))
        if not all(isinstance(key, AssetCheckKey) for key in defined):
            raise WrongArgumentError(
                f"AssetSelection.checks: expected check keys or definitions of checks, got {item!r}. For all checks on "
                "an asset use AssetSelection.checks_for_assets."
            )
        found.extend(sorted(cast("list[AssetCheckKey]", defined)))
    return tuple(dict.fromkeys(found))


def _prefix(prefix: CoercibleToAssetKeyPrefix) -> tuple[str, ...]:
    parts = (prefix,) if isinstance(prefix, str) else tuple(prefix) if isinstance(prefix, Sequence) else None  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
    if parts is None or not all(isinstance(part, str) for part in parts):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongArgumentError(
            f"AssetSelection.key_prefixes: expected a string or a sequence of strings, got {prefix!r}."
        )
    return parts


def _text(value: str, where: str) -> str:
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongArgumentError(f"AssetSelection.{where}: expected a string, got {value!r}.")
    return value


def _depth(depth: int | None) -> int | None:
    if depth is not None and (not isinstance(depth, int) or depth < 0):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongArgumentError(f"AssetSelection: depth must be 0 or more, or None for all layers, got {depth!r}.")
    return depth


def _other(other: AssetSelection, operator: str) -> ex.Expression:
    if not isinstance(other, AssetSelection):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongArgumentError(
            f"AssetSelection {operator} {other!r}: expected another AssetSelection, such as AssetSelection.assets(...)."
        )
    return other.expression

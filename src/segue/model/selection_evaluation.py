"""What a selection selects in an asset graph. Time is linear in the graph for each part of the expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec

import segue.late as late
from segue.errors import UnresolvedSelectionError
from segue.model import selection_expression as ex
from segue.model.keys import AssetCheckKey, AssetKey

MISSING_SHOWN = 5
Neighbours = Callable[[AssetKey], Iterable[AssetKey]]


class SelectableNode(Protocol):
    """What selections look at in an asset."""

    @property
    def key(self) -> AssetKey: ...
    @property
    def group_name(self) -> str: ...
    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def owners(self) -> Collection[str]: ...
    @property
    def kinds(self) -> Collection[str]: ...
    @property
    def is_materializable(self) -> bool: ...
    @property
    def is_external(self) -> bool: ...


class SelectableCheck(Protocol):
    """What selections look at in a check."""

    @property
    def key(self) -> AssetCheckKey: ...


class SelectableGraph(Protocol):
    """A graph that selections can be resolved against.

    `siblings` are the assets that can only be made together with an asset, itself included.
    """

    @property
    def nodes(self) -> Mapping[AssetKey, SelectableNode]: ...
    @property
    def checks(self) -> Mapping[AssetCheckKey, SelectableCheck]: ...
    def parents(self, key: AssetKey) -> Iterable[AssetKey]: ...
    def children(self, key: AssetKey) -> Iterable[AssetKey]: ...
    def siblings(self, key: AssetKey) -> Iterable[AssetKey]: ...


def selected_assets(
    expression: ex.Expression, graph: SelectableGraph, allow_missing: bool = False
) -> AbstractSet[AssetKey]:
    """The assets that an expression selects.

    Raises:
        InvalidSubsetError: it names an asset that the graph does not have, and `allow_missing` is not set.
    """
    return ex.fold(expression, _Evaluation(graph, allow_missing, with_checks=False).combine).assets


def selected_checks(
    expression: ex.Expression, graph: SelectableGraph, allow_missing: bool = False
) -> AbstractSet[AssetCheckKey]:
    """The checks that an expression selects: those on the selected assets, unless it says otherwise.

    Raises:
        InvalidSubsetError: it names an asset or check that the graph does not have, and `allow_missing` is not set.
    """
    evaluation = _Evaluation(graph, allow_missing, with_checks=True)
    return evaluation.checks_of(ex.fold(expression, evaluation.combine))


class _Selected(msgspec.Struct, frozen=True):
    """What a part of an expression selects; `checks` None stands for the checks on the assets."""

    assets: AbstractSet[AssetKey]
    checks: AbstractSet[AssetCheckKey] | None = None


class _Evaluation:
    """One evaluation: the graph, and what was looked up in it so far, so that many small parts cost no scan each."""

    def __init__(self, graph: SelectableGraph, allow_missing: bool, with_checks: bool) -> None:
        self.graph = graph
        self.allow_missing = allow_missing
        self.with_checks = with_checks
        self._keys_by_text: dict[str, list[AssetKey]] = {}
        self._checks_by_asset: dict[AssetKey, list[AssetCheckKey]] | None = None

    def combine(self, node: ex.Expression, inner: Sequence[_Selected]) -> _Selected:
        """What a node selects, given what the nodes below it select."""
        assets = self._assets(node, [selected.assets for selected in inner])
        return _Selected(assets, self._own_checks(node, inner) if self.with_checks else None)

    def checks_of(self, selected: _Selected) -> AbstractSet[AssetCheckKey]:
        """The selected checks."""
        return self._checks_on(selected.assets) if selected.checks is None else selected.checks

    def _assets(self, node: ex.Expression, inner: Sequence[AbstractSet[AssetKey]]) -> AbstractSet[AssetKey]:
        match node:
            case ex.Filter():
                return self._filtered(node)
            case ex.Keys(keys):
                return self._existing(keys)
            case ex.KeyPattern(pattern):
                return self._fitting(pattern)
            case ex.Unary():
                return self._derived(node, inner[0])
            case ex.Or():
                return frozenset[AssetKey]().union(*inner)
            case ex.And():
                return frozenset(inner[0]).intersection(*inner[1:])
            case ex.Subtract():
                return inner[0] - inner[1]
            case ex.Custom(selection):
                return frozenset(selection.resolve_inner(self.graph, self.allow_missing))
            case _:
                return frozenset[AssetKey]()

    def _own_checks(self, node: ex.Expression, inner: Sequence[_Selected]) -> AbstractSet[AssetCheckKey] | None:
        match node:
            case ex.AllChecks():
                return frozenset(self.graph.checks)
            case ex.ChecksOf(keys):
                return self._checks_on(keys)
            case ex.Checks(keys):
                return self._existing_checks(keys)
            case ex.Custom(selection):
                return frozenset(selection.resolve_checks_inner(self.graph, self.allow_missing))
            case ex.Or() | ex.And() | ex.Subtract() if any(selected.checks is not None for selected in inner):
                first, *others = map(self.checks_of, inner)
                if isinstance(node, ex.Or):
                    return frozenset(first).union(*others)
                return frozenset(first).intersection(*others) if isinstance(node, ex.And) else first - others[0]
            case _:
                return None

    def _filtered(self, node: ex.Filter) -> AbstractSet[AssetKey]:
        fits = _predicate(node)
        nodes = self.graph.nodes.items()
        if node.include_sources:
            return {key for key, asset in nodes if fits(asset)}
        return {key for key, asset in nodes if asset.is_materializable and fits(asset)}

    def _derived(self, node: ex.Unary, operand: AbstractSet[AssetKey]) -> AbstractSet[AssetKey]:
        graph = self.graph
        match node:
            case ex.Downstream(_, depth, include_self):
                found = self._reached(operand, graph.children, depth)
                return found if include_self else found - operand
            case ex.Upstream(_, depth, include_self):
                found = self._reached(operand, graph.parents, depth)
                return self._materializable(found if include_self else found - operand)
            case ex.Sinks():
                return operand - self._beyond(operand, graph.parents)
            case ex.Roots():
                return operand - self._beyond(operand, graph.children)
            case ex.Materializable():
                return self._materializable(operand)
            case ex.RequiredNeighbors():
                return {sibling for key in operand for sibling in graph.siblings(key)} | operand
            case _:
                found = self._reached(operand, graph.parents, None)
                return found - self._materializable(found)

    def _materializable(self, keys: Iterable[AssetKey]) -> AbstractSet[AssetKey]:
        nodes = self.graph.nodes
        return {key for key in keys if nodes[key].is_materializable}

    def _reached(self, start: AbstractSet[AssetKey], step: Neighbours, depth: int | None) -> set[AssetKey]:
        """The start and what lies at most `depth` steps from it."""
        seen = set(start)
        layer = set(start)
        while layer and depth != 0:  # whole sets at a time: these use the hashes that the sets keep
            layer = set[AssetKey]().union(*map(step, layer)) - seen
            seen |= layer
            depth = None if depth is None else depth - 1
        nodes = self.graph.nodes
        return {key for key in seen if key in nodes}

    def _beyond(self, start: AbstractSet[AssetKey], step: Neighbours) -> set[AssetKey]:
        """What lies one or more steps from any of the start; an asset's own past (a self-dependency) does not count."""
        first = {neighbour for key in start for neighbour in step(key) if neighbour is not key and neighbour != key}
        return self._reached(first, step, None)

    def _existing(self, keys: Sequence[AssetKey]) -> AbstractSet[AssetKey]:
        nodes = self.graph.nodes
        missing = [key.to_user_string() for key in keys if key not in nodes]
        if missing and not self.allow_missing:
            raise _missing("asset", missing, [key.to_user_string() for key in nodes])
        return {key for key in keys if key in nodes}

    def _existing_checks(self, keys: Sequence[AssetCheckKey]) -> AbstractSet[AssetCheckKey]:
        checks = self.graph.checks
        missing = [key.to_user_string() for key in keys if key not in checks]
        if missing and not self.allow_missing:
            raise _missing("asset check", missing, [key.to_user_string() for key in checks])
        return {key for key in keys if key in checks}

    def _fitting(self, pattern: str) -> AbstractSet[AssetKey]:
        if not self._keys_by_text:
            for key in self.graph.nodes:
                self._keys_by_text.setdefault(key.to_user_string(), []).append(key)
        if "*" not in pattern:
            return set(self._keys_by_text.get(pattern, ()))
        fits = _wildcard(pattern)
        return {key for text, keys in self._keys_by_text.items() if fits(text) for key in keys}

    def _checks_on(self, keys: Iterable[AssetKey]) -> AbstractSet[AssetCheckKey]:
        if self._checks_by_asset is None:
            self._checks_by_asset = {}
            for check in self.graph.checks:
                self._checks_by_asset.setdefault(check.asset_key, []).append(check)
        checks = self._checks_by_asset
        return {check for key in keys for check in checks.get(key, ())} if checks else set()


def _predicate(node: ex.Filter) -> Callable[[SelectableNode], bool]:
    match node:
        case ex.KeyPrefixes(prefixes=prefixes):
            return lambda asset: any(asset.key.has_prefix(prefix) for prefix in prefixes)
        case ex.KeySubstring(substring=substring):
            return lambda asset: substring in asset.key.to_user_string()
        case ex.Groups(names=names):
            wanted = frozenset(names)
            return lambda asset: asset.group_name in wanted
        case ex.GroupPattern(pattern=pattern):
            fits = _wildcard(pattern)
            return lambda asset: fits(asset.group_name)
        case ex.Tag(key=key, value=value):
            return lambda asset: asset.tags.get(key) == value
        case ex.Kind(kind=kind):
            return lambda asset: kind in asset.kinds if kind is not None else not asset.kinds
        case ex.Owner(owner=owner):
            return lambda asset: owner in asset.owners if owner is not None else not asset.owners
        case ex.Attribute(attribute="external"):
            return lambda asset: asset.is_external
        case ex.Attribute():
            return lambda asset: asset.is_materializable
        case _:
            return lambda _: True


def _wildcard(pattern: str) -> Callable[[str], bool]:
    fullmatch = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _missing(what: str, missing: Sequence[str], existing: Sequence[str]) -> UnresolvedSelectionError:
    lines = [f"The selection includes {len(missing)} {what}(s) not found in these definitions:"]
    for name in missing[:MISSING_SHOWN]:
        near = near_names(name, existing)
        lines.append(f"  {name!r}" + (f", did you mean {' or '.join(map(repr, near))}?" if near else ""))
    if len(missing) > MISSING_SHOWN:
        lines.append(f"  and {len(missing) - MISSING_SHOWN} more")
    lines.append("Check the spelling, and that they are passed to Definitions.")
    return UnresolvedSelectionError("\n".join(lines))


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """At most three names that may have been meant: those with the same last part, then those spelled alike."""
    candidates = list(names)
    same_end = [each for each in candidates if each.endswith(f"/{name}")]
    alike = late.difflib.get_close_matches(name, candidates, n=3, cutoff=0.7)
    return list(dict.fromkeys([*same_end, *alike]))[:3]

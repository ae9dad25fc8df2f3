"""The algebra of selections, against sets computed the plain way on random graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.selection import AssetSelection
from segue.model.selection_graph import DefinedAsset, DefinitionsGraph

A = AssetSelection
key = AssetKey.from_user_string

NAMES = [f"{prefix}a{number}" for number, prefix in enumerate(["", "p/", "p/q/", "", "p/", "z/", "", ""])]
GROUPS = ["g1", "g2"]


@st.composite
def graphs(draw: st.DrawFn, external: bool = True) -> DefinitionsGraph:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    made = [not external or draw(st.integers(0, 3)) > 0 for _ in names]
    nodes = [
        DefinedAsset(key(name), draw(st.sampled_from(GROUPS)), is_materializable=can, is_external=not can)
        for name, can in zip(names, made, strict=True)
    ]
    parents = {
        key(name): [key(parent) for parent in draw(st.lists(st.sampled_from(names[:index]), max_size=3))]
        if index
        else []
        for index, name in enumerate(names)
    }
    checks = [AssetCheckKey(key(name), "c") for name in names if draw(st.booleans())]
    return DefinitionsGraph(nodes, parents, checks)


leaves = st.one_of(
    st.builds(A.all, st.booleans()),
    st.builds(A.groups, st.sampled_from(GROUPS)),
    st.builds(A.key_prefixes, st.sampled_from(["p", "z"])),
    st.sampled_from(NAMES).map(lambda name: A.from_string(f'key:"{name}"')),
)
selections = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(A.upstream, inner, st.none() | st.integers(0, 3), st.booleans()),
        st.builds(A.downstream, inner, st.none() | st.integers(0, 3), st.booleans()),
        st.builds(A.sinks, inner),
        st.builds(A.roots, inner),
        st.builds(lambda left, right: left | right, inner, inner),
        st.builds(lambda left, right: left & right, inner, inner),
        st.builds(lambda left, right: left - right, inner, inner),
    ),
    max_leaves=6,
)


def reachable(start: Iterable[AssetKey], step: Callable[[AssetKey], Iterable[AssetKey]], depth: int) -> set[AssetKey]:
    found = set(start)
    for _ in range(depth):
        found |= {after for each in found for after in step(each)}
    return found


@given(graphs(), selections, selections, selections)
def test_operators_are_those_of_sets(
    graph: DefinitionsGraph, x: AssetSelection, y: AssetSelection, z: AssetSelection
) -> None:
    for find in (
        lambda selection: selection.resolve(graph),
        lambda selection: selection.resolve_checks(graph),
    ):
        assert find(x | y) == find(x) | find(y)
        assert find(x & y) == find(x) & find(y)
        assert find(x - y) == find(x) - find(y)
        assert find(x & (y | z)) == find((x & y) | (x & z))
        assert find(x - (y | z)) == find((x - y) - z) == find((x - y) & (x - z))


@given(graphs(), selections, st.integers(0, 9))
def test_traversals_are_repeated_steps(graph: DefinitionsGraph, x: AssetSelection, depth: int) -> None:
    start = x.resolve(graph)
    made = A.all().resolve(graph)
    assert x.downstream(depth).resolve(graph) == reachable(start, graph.children, depth)
    assert x.downstream(depth, include_self=False).resolve(graph) == reachable(start, graph.children, depth) - start
    assert x.upstream(depth).resolve(graph) == reachable(start, graph.parents, depth) & made
    assert x.downstream().resolve(graph) == reachable(start, graph.children, len(NAMES))
    assert x.upstream_source_assets().resolve(graph) == reachable(start, graph.parents, len(NAMES)) - made


@given(graphs(), selections)
def test_roots_and_sinks_are_the_ends_of_the_selection(graph: DefinitionsGraph, x: AssetSelection) -> None:
    start = x.resolve(graph)

    def beyond(each: AssetKey, step: Callable[[AssetKey], Iterable[AssetKey]]) -> set[AssetKey]:
        return reachable(step(each), step, len(NAMES))

    assert x.roots().resolve(graph) == {each for each in start if not beyond(each, graph.parents) & start}
    assert x.sinks().resolve(graph) == {each for each in start if not beyond(each, graph.children) & start}


@given(graphs(), selections)
def test_a_selection_of_assets_brings_the_checks_on_them(graph: DefinitionsGraph, x: AssetSelection) -> None:
    assert {each.asset_key for each in x.resolve_checks(graph)} == {
        each.asset_key for each in graph.checks if each.asset_key in x.resolve(graph)
    }
    assert x.without_checks().resolve(graph) == x.resolve(graph)
    assert not x.without_checks().resolve_checks(graph)


@given(graphs(external=False), selections)
def test_text_is_read_back_to_the_same_selection(graph: DefinitionsGraph, x: AssetSelection) -> None:
    read = A.from_string(x.to_selection_str())
    assert read.resolve(graph) == x.resolve(graph)
    assert read.resolve_checks(graph) == x.resolve_checks(graph)

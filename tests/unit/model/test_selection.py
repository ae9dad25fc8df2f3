"""Asset selections: what each rule selects, with its checks, and the algebra of combining them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from segue.errors import InvalidInvocationError, InvalidSubsetError, NotSupportedError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.selection import AssetSelection
from segue.model.selection_graph import DefinedAsset, DefinitionsGraph, definitions_graph

key = AssetKey.from_user_string
check = AssetCheckKey.from_user_string


def asset(name: str, group: str = "default", **others: object) -> DefinedAsset:
    return DefinedAsset(key(name), group, is_materializable=True, is_external=False, **others)


# ext, seen -> a -> p/q/b -> m1 -> m3 -> s1 -> s2; m1, m2, m3 are made together; nobody defines nowhere -> lonely
GRAPH = DefinitionsGraph(
    [
        DefinedAsset(key("ext"), "raw", {"t": "v"}, ["team:x"], {"snow"}),
        DefinedAsset(key("seen"), is_external=False),
        asset("a", "g1", tags={"t": "v", "label": ""}, owners=["a@b.com", "team:core"], kinds={"py", "sql"}),
        asset("p/q/b", "g2", owners=["team:x"]),
        asset("m1", owners=["team:x"]),
        asset("m2", owners=["team:x"]),
        asset("m3", owners=["team:x"]),
        asset("s1", "marketing/ads", owners=["team:x"]),
        asset("s2", "marketing/web", owners=["team:x"]),
        asset("lonely"),
    ],
    {
        key(child): [key(parent) for parent in parents.split()]
        for child, parents in {
            "a": "ext seen",
            "p/q/b": "a",
            "m1": "p/q/b",
            "m3": "m1",
            "s1": "m3",
            "s2": "s1",
            "lonely": "nowhere lonely",
        }.items()
    },
    map(check, ["a:one", "a:two", "m3:three", "ext:four"]),
    [[key("m1"), key("m2"), key("m3")]],
)
MADE = "a lonely m1 m2 m3 p/q/b s1 s2"
A = AssetSelection


class Definition:
    """Stands for a definition of assets and checks."""

    def __init__(self, keys: Iterable[str], check_keys: Iterable[str] = ()) -> None:
        self.keys = {key(each) for each in keys}
        self.check_keys = [check(each) for each in check_keys]

    def __repr__(self) -> str:
        return f"Definition({sorted(self.keys)!r})"


class Spec:
    """Stands for the description of one asset."""

    def __init__(self, name: str, deps: Iterable[str] = (), group_name: str | None = None) -> None:
        self.key = key(name)
        self.deps = [Dependency(dep) for dep in deps]
        self.group_name = group_name
        self.tags: dict[str, str] = {}
        self.owners: list[str] = []
        self.kinds: set[str] = set()


class Dependency:
    def __init__(self, name: str) -> None:
        self.asset_key = key(name)


class Computation:
    """Stands for a definition of assets that one function makes."""

    def __init__(self, *specs: Spec, check_keys: Iterable[str] = (), can_subset: bool = False, **kind: bool) -> None:
        self.specs = specs
        self.check_keys = [check(each) for each in check_keys]
        self.can_subset = can_subset
        self.is_executable = kind.get("is_executable", True)
        self.is_materializable = kind.get("is_materializable", True)


def resolved(selection: AssetSelection, graph: DefinitionsGraph = GRAPH) -> tuple[str, str]:
    """The selected assets and checks as sorted text."""
    assets = sorted(each.to_user_string() for each in selection.resolve(graph))
    checks = sorted(each.to_user_string() for each in selection.resolve_checks(graph))
    return " ".join(assets), " ".join(checks)


@pytest.mark.parametrize(
    ("selection", "assets", "checks"),
    [
        (A.all(), MADE, "a:one a:two m3:three"),
        (
            A.all(include_sources=True),
            "a ext lonely m1 m2 m3 nowhere p/q/b s1 s2 seen",
            "a:one a:two ext:four m3:three",
        ),
        (A.all_asset_checks(), "", "a:one a:two ext:four m3:three"),
        (A.assets("a", "p/q/b"), "a p/q/b", "a:one a:two"),
        (A.assets(["p", "q", "b"], key("m2")), "m2 p/q/b", ""),
        (A.assets(Definition(["m1", "m2"]), Spec("a")), "a m1 m2", "a:one a:two"),
        (A.assets("ext"), "ext", "ext:four"),
        (A.assets(), "", ""),
        (A.keys("a"), "a", "a:one a:two"),
        (A.key_prefixes("p"), "p/q/b", ""),
        (A.key_prefixes(["p", "q"], "m2"), "m2 p/q/b", ""),
        (A.key_prefixes("p/q"), "", ""),
        (A.key_prefixes("ext"), "", ""),
        (A.key_prefixes("ext", include_sources=True), "ext", "ext:four"),
        (A.key_substring("q/b"), "p/q/b", ""),
        (A.key_substring("x", include_sources=True), "ext", "ext:four"),
        (A.groups("g1", "g2"), "a p/q/b", "a:one a:two"),
        (A.groups("raw"), "", ""),
        (A.groups("raw", include_sources=True), "ext", "ext:four"),
        (A.groups("unknown"), "", ""),
        (A.groups("g*"), "", ""),
        (A.tag("t", "v"), "a", "a:one a:two"),
        (A.tag("t", "v", include_sources=True), "a ext", "a:one a:two ext:four"),
        (A.tag("t", ""), "", ""),
        (A.tag("label", ""), "a", "a:one a:two"),
        (A.tag_string("t=v"), "a", "a:one a:two"),
        (A.tag_string("label"), "a", "a:one a:two"),
        (A.kind("sql"), "a", "a:one a:two"),
        (A.kind("snow"), "", ""),
        (A.kind("snow", include_sources=True), "ext", "ext:four"),
        (A.kind(None), "lonely m1 m2 m3 p/q/b s1 s2", "m3:three"),
        (A.owner("a@b.com"), "a", "a:one a:two"),
        (A.owner("team:x") & A.groups("raw", "g2", include_sources=True), "ext p/q/b", "ext:four"),
        (A.owner("x"), "", ""),
        (A.owner(None), "lonely nowhere seen", ""),
        (A.checks_for_assets("a", Definition(["m3"])), "", "a:one a:two m3:three"),
        (A.checks_for_assets("unknown"), "", ""),
        (A.checks(check("a:two"), Definition([], ["m3:three"])), "", "a:two m3:three"),
        (A.assets("a").downstream(), "a m1 m3 p/q/b s1 s2", "a:one a:two m3:three"),
        (A.assets("a").downstream(1), "a p/q/b", "a:one a:two"),
        (A.assets("a").downstream(0), "a", "a:one a:two"),
        (A.assets("a").downstream(depth=2, include_self=False), "m1 p/q/b", ""),
        (A.assets("ext").downstream(1), "a ext", "a:one a:two ext:four"),
        (A.assets("a", "p/q/b").downstream(1, include_self=False), "m1", ""),
        (A.assets("m1").upstream(), "a m1 p/q/b", "a:one a:two"),
        (A.assets("m1").upstream(1), "m1 p/q/b", ""),
        (A.assets("m1").upstream(include_self=False), "a p/q/b", "a:one a:two"),
        (A.assets("ext").upstream(), "", ""),
        (A.all().sinks(), "lonely m2 s2", ""),
        (A.assets("a", "m1", "m3").sinks(), "m3", "m3:three"),
        (A.all().roots(), "a lonely m2", "a:one a:two"),
        (A.all(include_sources=True).roots(), "ext m2 nowhere seen", "ext:four"),
        (A.assets("a", "m3").roots(), "a", "a:one a:two"),
        (A.assets("a", "m3").sources(), "a", "a:one a:two"),
        (A.assets("lonely").roots(), "lonely", ""),
        (A.assets("lonely").sinks(), "lonely", ""),
        (A.assets("a", "ext", "seen").materializable(), "a", "a:one a:two"),
        (A.assets("m1").required_multi_asset_neighbors(), "m1 m2 m3", "m3:three"),
        (A.assets("s1", "ext").required_multi_asset_neighbors(), "ext s1", "ext:four"),
        (A.assets("m1").upstream_source_assets(), "ext seen", "ext:four"),
        (A.assets("ext").upstream_source_assets(), "ext", "ext:four"),
        (A.assets("a").without_checks(), "a", ""),
        (A.assets("a") | A.assets("m1"), "a m1", "a:one a:two"),
        (A.assets("a", "m1") & A.assets("m1", "m2"), "m1", ""),
        (A.all() - A.assets("a"), "lonely m1 m2 m3 p/q/b s1 s2", "m3:three"),
        (A.assets("a") - A.checks(check("a:one")), "a", "a:two"),
        (A.assets("a") & A.checks(check("a:one")), "", "a:one"),
        (A.assets("a").without_checks() | A.checks(check("a:one")), "a", "a:one"),
        (A.assets("a") - A.assets("a").without_checks(), "", "a:one a:two"),
        (A.all_asset_checks() - A.checks(check("a:one")), "", "a:two ext:four m3:three"),
        (A.checks(check("a:one")).downstream(), "", ""),
        (A.checks(check("a:one")).without_checks(), "", ""),
        (A.assets("p/q/b").without_checks().upstream(), "a p/q/b", "a:one a:two"),
    ],
    ids=str,
)
def test_what_a_selection_selects(selection: AssetSelection, assets: str, checks: str) -> None:
    assert resolved(selection) == (assets, checks)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", A.assets("a")),
        ("group:g1", A.groups("g1")),
        (["a", "group:g1"], A.assets("a") | A.groups("g1")),
        ([key("a"), key("m1")], A.assets("a", "m1")),
        ([Definition(["a"]), "m1"], A.assets("a") | A.assets("m1")),
        ([["p", "q", "b"]], A.assets("p/q/b")),
        ([A.groups("g1"), "a"], A.groups("g1") | A.assets("a")),
        ([], A.assets()),
        (key("a"), A.assets("a")),
        (Definition(["a"]), A.assets("a")),
        (A.all(), A.all()),
    ],
    ids=str,
)
def test_what_is_taken_as_a_selection(given: object, expected: AssetSelection) -> None:
    assert A.from_coercible(given) == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda: A.assets(5),
        lambda: A.assets([Definition(["a"])]),
        lambda: A.assets({"a": 1}),
        lambda: A.assets(check("a:one")),
        lambda: A.from_coercible(5),
        lambda: A.from_coercible([5]),
        lambda: A.from_string(5),
        lambda: A.checks("a"),
        lambda: A.checks(key("a")),
        lambda: A.groups(1),
        lambda: A.tag("a", 1),
        lambda: A.tag_string("a=b=c"),
        lambda: A.kind(1),
        lambda: A.owner(1),
        lambda: A.key_prefixes(1),
        lambda: A.key_prefixes([1]),
        lambda: A.assets("a").upstream(-1),
        lambda: A.all() | 1,
        lambda: A.all() & "a",
        lambda: A.all() - key("a"),
    ],
)
def test_what_is_no_selection_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidInvocationError):
        call()


def test_unknown_names_are_errors_with_near_names() -> None:
    with pytest.raises(InvalidSubsetError) as caught:
        A.assets("lonly", "b", "zzz", "a").resolve(GRAPH)
    message = str(caught.value)
    assert "3 asset(s)" in message
    assert "'lonly', did you mean 'lonely'?" in message
    assert "'b', did you mean 'p/q/b'" in message
    assert "'zzz'\n" in message
    with pytest.raises(InvalidSubsetError, match=r"'a:onne', did you mean 'a:one'"):
        A.checks(check("a:onne")).resolve_checks(GRAPH)


def test_unknown_names_are_left_out_on_request() -> None:
    assert A.assets("zzz", "a").downstream(1).resolve(GRAPH, allow_missing=True) == {key("a"), key("p/q/b")}
    assert A.checks(check("a:one"), check("a:no")).resolve_checks(GRAPH, allow_missing=True) == {check("a:one")}


def test_a_check_that_does_not_exist_does_not_hinder_the_assets() -> None:
    assert (A.assets("a") | A.checks(check("a:no"))).resolve(GRAPH) == {key("a")}


def test_selections_are_values() -> None:
    selection = A.groups("g1").upstream(2) & A.tag("t", "v") - A.assets("a", "b")
    same = A.groups("g1").upstream(2) & A.tag("t", "v") - A.assets("a", "b")
    assert selection == same
    assert hash(selection) == hash(same)
    assert len({selection, same, A.all()}) == 2
    assert selection != A.all()
    assert copy.deepcopy(selection) == copy.copy(selection) == pickle.loads(pickle.dumps(selection)) == selection
    assert "Groups" in repr(selection)
    assert str(A.groups("g1")) == 'group:"g1"'
    assert str(A.all_asset_checks()) == "check:*"
    with pytest.raises(AttributeError):
        selection.name = "x"


def test_chains_of_one_operator_are_flat() -> None:
    a, b, c = A.assets("a"), A.assets("m1"), A.assets("m2")
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert (a - b) - c != a - (b - c)


class FirstLetter(AssetSelection):
    """A selection class of the user's own."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def resolve_inner(self, asset_graph: DefinitionsGraph, allow_missing: bool) -> set[AssetKey]:
        return {each for each in asset_graph.nodes if each.parts[-1].startswith(self.letter)}


class Nothing(AssetSelection):
    """A selection class that says nothing."""


def test_a_subclass_finds_assets_by_itself_and_combines_with_the_others() -> None:
    assert resolved(FirstLetter("m")) == ("m1 m2 m3", "m3:three")
    assert resolved((FirstLetter("m") - A.assets("m1")).upstream(1)) == ("m1 m2 m3", "m3:three")
    assert resolved(A.from_coercible([FirstLetter("l"), "a"])) == ("a lonely", "a:one a:two")
    letter = FirstLetter("m")
    assert letter == letter
    assert pickle.loads(pickle.dumps(letter)).letter == "m"
    with pytest.raises(NotSupportedError, match="resolve_inner"):
        Nothing().resolve(GRAPH)
    with pytest.raises(NotSupportedError):
        letter.to_selection_str()


def test_what_code_of_its_own_selects_becomes_keys_where_data_is_needed() -> None:
    by_group = A.groups("g").upstream()
    assert by_group.to_serializable_asset_selection(GRAPH) is by_group
    assert FirstLetter("m").to_serializable_asset_selection(GRAPH) == A.assets("m1", "m2", "m3")
    combined = (FirstLetter("m") - A.assets("m1")).to_serializable_asset_selection(GRAPH)
    assert combined == A.assets("m2", "m3")


def test_a_list_of_definitions_is_a_graph_of_its_own() -> None:
    definitions = [
        Spec("raw", group_name="sources"),
        Computation(Spec("a", ["raw", "elsewhere"]), check_keys=["a:one"]),
        Computation(Spec("x", ["a"]), Spec("y", ["a"]), check_keys=["y:two"]),
        Computation(Spec("u", ["x"]), Spec("v", ["x"]), can_subset=True),
        Computation(Spec("watched"), is_materializable=False),
        Computation(Spec("told"), is_materializable=False, is_executable=False),
    ]
    assert A.all().resolve(definitions) == set(map(key, ["a", "x", "y", "u", "v"]))
    assert A.groups("sources", include_sources=True).resolve(definitions) == {key("raw")}
    assert A.assets("a").upstream_source_assets().resolve(definitions) == {key("raw"), key("elsewhere")}
    assert A.assets("x", "u").required_multi_asset_neighbors().resolve(definitions) == set(map(key, ["x", "y", "u"]))
    assert A.from_string("is:external").resolve(definitions) == set(map(key, ["raw", "elsewhere", "told"]))
    assert A.assets("x").downstream().resolve_checks(definitions_graph(definitions)) == set()
    assert A.all().resolve_checks(definitions_graph(definitions)) == {check("a:one"), check("y:two")}


def test_a_long_chain_of_assets_and_of_operators_needs_no_recursion() -> None:
    keys = [key(f"k{number}") for number in range(20_000)]
    graph = DefinitionsGraph(
        [DefinedAsset(each, is_materializable=True, is_external=False) for each in keys],
        {after: [before] for before, after in pairwise(keys)},
    )
    assert len(A.assets("k0").downstream().resolve(graph)) == len(keys)
    assert A.all().roots().resolve(graph) == {keys[0]}
    assert A.all().sinks().resolve(graph) == {keys[-1]}
    selection = A.assets(*keys[:2000])
    for each in keys[1:2000]:
        selection = selection - A.assets(each)
    assert selection.resolve(graph) == {keys[0]}
    assert selection.to_selection_str().count("not") == 1999
    shared = A.assets("k5")
    for _ in range(200):
        shared = (shared - A.assets("k7")) & shared
    assert shared.resolve(graph) == {keys[5]}

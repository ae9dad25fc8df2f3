"""The text form of selections: what it says, how it is written, and what an error points at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidInvocationError, NotSupportedError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.selection import AssetSelection
from segue.model.selection_graph import DefinedAsset, DefinitionsGraph

A = AssetSelection


def pattern(text: str) -> AssetSelection:
    """Assets whose key fits, as `key:` says."""
    return A.from_string(f'key:"{text}"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a single name, also with the signs of the older form
        ("a", A.assets("a")),
        ("p/q/a-b.c", A.assets(["p", "q", "a-b.c"])),
        ("and", A.assets("and")),
        ("*a", A.assets("a").upstream()),
        ("a*", A.assets("a").downstream()),
        ("*a*", A.assets("a").upstream() | A.assets("a").downstream()),
        ("+a", A.assets("a").upstream(1)),
        ("++a", A.assets("a").upstream(2)),
        ("a++", A.assets("a").downstream(2)),
        ("++a+", A.assets("a").upstream(2) | A.assets("a").downstream(1)),
        ("*+a", A.assets("a").upstream()),
        ("a+*", A.assets("a").downstream()),
        ("1+", A.assets("1").downstream(1)),
        # operands
        ("*", A.all()),
        ("  *  ", A.all()),
        ("(*)", A.all()),
        ('"a/b"', A.assets("a/b")),
        ("a or m", A.assets("a") | A.assets("m")),
        ("key:a", pattern("a")),
        ('key:"a"', pattern("a")),
        ("key : a", pattern("a")),
        ("key:p/*", pattern("p/*")),
        ("key:*_x", pattern("*_x")),
        ("key:*", pattern("*")),
        ("key:a-b.c", pattern("a-b.c")),
        ("key_substring:q", A.key_substring("q")),
        ("group:g", A.groups("g")),
        ("group:a/b", A.groups("a/b")),
        ("group:<null>", A.groups()),
        ("tag:t=v", A.tag("t", "v")),
        ('tag:"t"="v"', A.tag("t", "v")),
        ('tag:"t" = v', A.tag("t", "v")),
        ("tag:t", A.tag("t", "")),
        ("tag:t=", A.tag("t", "")),
        ('tag:"a:b"="c=d"', A.tag("a:b", "c=d")),
        ("tag:a:b=c", A.tag("a:b", "c")),
        ('tag:"t=v"', A.tag("t=v", "")),
        ("kind:py", A.kind("py")),
        ("kind:<null>", A.kind(None)),
        ('kind:"<null>"', A.kind("<null>")),
        ("owner:a@b.com", A.owner("a@b.com")),
        ("owner:team:core", A.owner("team:core")),
        ("owner:<null>", A.owner(None)),
        ("check:a:c", A.checks(AssetCheckKey(AssetKey("a"), "c"))),
        ('check:"p/a:c d"', A.checks(AssetCheckKey(AssetKey(["p", "a"]), "c d"))),
        ("check:p/a:*", A.checks_for_assets("p/a")),
        ("check:*", A.all_asset_checks()),
        ("sinks(*)", A.all().sinks()),
        ("roots(group:g)", A.groups("g").roots()),
        # operators and their precedence
        ("not kind:a", A.all() - A.kind("a")),
        ("not(kind:a)", A.all() - A.kind("a")),
        ("not\nkind", A.all() - A.assets("kind")),
        ("not not kind:a", A.all() - (A.all() - A.kind("a"))),
        ("kind:a and kind:b", A.kind("a") & A.kind("b")),
        ("kind:a AND NOT kind:b", A.kind("a") & (A.all() - A.kind("b"))),
        ("kind:a or kind:b and kind:c", A.kind("a") | (A.kind("b") & A.kind("c"))),
        ("kind:a and kind:b or kind:c", (A.kind("a") & A.kind("b")) | A.kind("c")),
        ("(kind:a OR kind:b) and kind:c", (A.kind("a") | A.kind("b")) & A.kind("c")),
        ("not kind:a and kind:b", (A.all() - A.kind("a")) & A.kind("b")),
        ("(kind:a)and(kind:b)", A.kind("a") & A.kind("b")),
        ('kind:"a"and kind:b', A.kind("a") & A.kind("b")),
        ("kind:a\n\tor kind:b", A.kind("a") | A.kind("b")),
        # layers
        ("+kind:a", A.kind("a").upstream()),
        ("kind:a+", A.kind("a").downstream()),
        ("2+kind:a", A.kind("a").upstream(2)),
        ("0+kind:a", A.kind("a").upstream(0)),
        ("2 + kind:a + 1", A.kind("a").upstream(2) | A.kind("a").downstream(1)),
        ("+(kind:a or kind:b)", (A.kind("a") | A.kind("b")).upstream()),
        ("not kind:a+", A.all() - A.kind("a").downstream()),
        ("sinks(kind:a)+1 or kind:b", A.kind("a").sinks().downstream(1) | A.kind("b")),
        ("key:m*+", pattern("m*").downstream()),
        ("key:a1+1", pattern("a1").downstream(1)),
        ("*+", A.all().downstream()),
    ],
)
def test_what_a_text_says(text: str, expected: AssetSelection) -> None:
    assert A.from_string(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", A.all(include_sources=True)),
        ("group:g", A.groups("g", include_sources=True)),
        ("tag:t=v", A.tag("t", "v", include_sources=True)),
        ("kind:k", A.kind("k", include_sources=True)),
        ("key_substring:k", A.key_substring("k", include_sources=True)),
        ("not kind:k", A.all(include_sources=True) - A.kind("k", include_sources=True)),
    ],
)
def test_external_assets_are_seen_on_request(text: str, expected: AssetSelection) -> None:
    assert A.from_string(text, include_sources=True) == expected


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("key:*", "p/x p/y q/x raw", "a wildcard sees external assets too"),
        ("key:p/*", "p/x p/y", "a prefix"),
        ("key:*/x", "p/x q/x", "a suffix"),
        ("key:p*y", "p/y", "both ends"),
        ("key:x", "", "the whole key"),
        ("key:p.x", "", "no regular expression"),
        ("key:unknown", "", "nothing, and no error"),
        ("key:raw", "raw", "an external asset"),
        ("group:sales/*", "p/x p/y", "groups by wildcard"),
        ("group:*", "p/x p/y q/x", "only what a run can make"),
        ("is:external", "raw", "external"),
        ('is:"materializable"', "p/x p/y q/x", "materializable"),
        ("not key:p/x", "p/y q/x", "not, from what a run can make"),
    ],
)
def test_wildcards_and_attributes(text: str, found: str, expected: str) -> None:
    groups = {"p/x": "sales/eu", "p/y": "sales/us", "q/x": "sales"}
    nodes = [
        DefinedAsset(AssetKey.from_user_string(name), group, is_materializable=True, is_external=False)
        for name, group in groups.items()
    ]
    graph = DefinitionsGraph([*nodes, DefinedAsset(AssetKey("raw"))], {})
    assert sorted(key.to_user_string() for key in A.from_string(text).resolve(graph)) == found.split(), expected


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", 0, "found the end"),
        ("   ", 3, "found the end"),
        ("kind:a kind:b", 7, "expected 'and', 'or' or the end, found 'kind:b'"),
        ("kind:a and", 10, "expected an asset name"),
        ("kind:a or or kind:b", 10, "found 'or'"),
        ("(kind:a", 7, "expected ')'"),
        ("kind:a)", 6, "found ')'"),
        ("kind:", 5, "expected a value"),
        ("kind:and", 5, "expected a value"),
        ("kind:a,kind:b", 6, "found ',kind:b'. To select several, separate them with `or`."),
        ("colour:red", 0, "expected one of the filters key, key_substring, group, tag, kind, owner, is"),
        ("Kind:a", 0, "one of the filters"),
        ("heads(*)", 0, "sinks(...) or roots(...)"),
        ("is:odd", 3, "is:external or is:materializable"),
        ("check:odd", 6, "check:asset:name"),
        ("check::odd", 6, "check:asset:name"),
        ("kind:a++", 7, "found '+'"),
        ("++kind:a", 1, "found '+kind:a'"),
        ("kind:a+b", 7, "found 'b'"),
        ("+not kind:a", 1, "found 'not'"),
        ("2+a", 2, "'+' beside a bare name"),
        ("kind:b or a+", 10, "'+' beside a bare name"),
        ("a*b", 0, 'key:"a*b"'),
        ("a b", 2, "found 'b'"),
        ("kind:'a'", 5, "in double quotes"),
        ("(" * 200 + "*" + ")" * 200, 101, "at most 100 levels"),
    ],
)
def test_an_error_points_at_the_place(text: str, place: int, said: str) -> None:
    with pytest.raises(InvalidInvocationError) as caught:
        A.from_string(text)
    first, shown, caret = str(caught.value).split("\n")
    assert said in first
    assert shown == "  " + text.replace("\n", " ")
    assert caret == "  " + " " * place + "^"


@pytest.mark.parametrize("name", ["status", "code_location", "column", "changed_in_branch", "partitions"])
def test_what_only_a_deployment_knows_is_refused(name: str) -> None:
    with pytest.raises(NotSupportedError, match=name):
        A.from_string(f"kind:a or {name}:x")


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (A.all(), "*"),
        (A.assets("a"), 'key:"a"'),
        (A.assets("a", "p/b"), 'key:"a" or key:"p/b"'),
        (A.assets(), "not *"),
        (A.groups("g"), 'group:"g"'),
        (A.groups("g", "h"), 'group:"g" or group:"h"'),
        (A.groups(), "group:<null>"),
        (A.tag("t", "v"), 'tag:"t"="v"'),
        (A.tag("t", ""), 'tag:"t"'),
        (A.kind("py"), 'kind:"py"'),
        (A.kind(None), "kind:<null>"),
        (A.owner("team:x"), 'owner:"team:x"'),
        (A.key_substring('q"\\'), 'key_substring:"q\\"\\\\"'),
        (A.from_string("key:p/*"), 'key:"p/*"'),
        (A.from_string("group:p/*"), 'group:"p/*"'),
        (A.from_string("is:external"), "is:external"),
        (A.key_prefixes("p", include_sources=True), '(key:"p" or key:"p/*")'),
        (A.key_prefixes(["p", "q"]), '(key:"p/q" or key:"p/q/*") and is:materializable'),
        (A.all().materializable(), "* and is:materializable"),
        (A.all() - A.assets("a"), 'not key:"a"'),
        (A.groups("g") - A.assets("a", "b"), 'group:"g" and not (key:"a" or key:"b")'),
        (A.groups("g") & A.kind("k") | A.kind("l"), '(group:"g" and kind:"k") or kind:"l"'),
        (A.kind("k") & (A.groups("g") | A.kind("l")), 'kind:"k" and (group:"g" or kind:"l")'),
        (A.from_string("not not kind:a"), 'not not kind:"a"'),
        (A.assets("a").upstream(), '+key:"a"'),
        (A.assets("a").upstream(2), '2+key:"a"'),
        (A.assets("a").downstream(2), 'key:"a"+2'),
        (A.assets("a").downstream(0), 'key:"a"'),
        (A.assets("a", "b").downstream(), '(key:"a" or key:"b")+'),
        (A.assets("a").downstream(1, include_self=False), 'key:"a"+1 and not key:"a"'),
        (A.assets("a").upstream(2).downstream(), '(2+key:"a")+'),
        (A.all().sinks().roots(), "roots(sinks(*))"),
        ((A.all() - A.kind("k")).roots(), 'roots(not kind:"k")'),
        (A.all_asset_checks(), "check:*"),
        (A.assets("a").without_checks(), 'key:"a" and not check:*'),
        (A.checks(AssetCheckKey(AssetKey(["p", "b"]), "c")), 'check:"p/b:c"'),
        (A.checks_for_assets("a", "b"), 'check:"a:*" or check:"b:*"'),
        (A.assets("a") | A.checks_for_assets("a", "b"), 'key:"a" or (check:"a:*" or check:"b:*")'),
    ],
)
def test_how_a_selection_is_written(selection: AssetSelection, text: str) -> None:
    assert selection.to_selection_str() == text
    read = A.from_string(text)
    assert A.from_string(read.to_selection_str()) == read


@pytest.mark.parametrize(
    "selection",
    [
        A.assets("a").required_multi_asset_neighbors(),
        A.assets("a").upstream_source_assets(),
    ],
)
def test_what_has_no_text_form_says_so(selection: AssetSelection) -> None:
    with pytest.raises(NotSupportedError, match="cannot be written as a string"):
        selection.to_selection_str()


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_can_be_quoted(key: str, value: str) -> None:
    for selection in (A.tag(key, value), A.key_substring(key), A.kind(key), A.owner(value)):
        assert A.from_string(selection.to_selection_str()) == selection


def refusal(text: str) -> str | None:
    """What is said of a text that is no selection."""
    try:
        A.from_string(text)
    except InvalidInvocationError as error:
        return str(error)
    return None


@given(st.text(alphabet='ab*+()"<>=: \n\\andortkey', max_size=15))
def test_any_text_is_read_or_refused(text: str) -> None:
    refused = refusal(text)
    assert refused is None or refused.endswith("^")

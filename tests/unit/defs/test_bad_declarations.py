"""What a decorator or a constructor refuses at once: each error says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import segue as sg

HERE = "test_bad_declarations.py:"
DAILY = sg.DailyPartitionsDefinition("2024-01-01")
STATIC = sg.StaticPartitionsDefinition(["x"])


def up() -> int:
    return 1


def several(**arguments: object) -> sg.AssetsDefinition:
    @sg.multi_asset(**arguments)  # type: ignore[arg-type]
    def function() -> None: ...

    return function


def named(name: str, **arguments: object) -> sg.AssetsDefinition:
    @sg.asset(name=name, **arguments)  # type: ignore[call-overload]
    def function() -> int:
        return 1

    return function


def taking(name: str, upstream: str, **arguments: str) -> sg.AssetsDefinition:
    @sg.asset(name=name, ins={"value": sg.AssetIn(upstream, **arguments)})  # type: ignore[arg-type]
    def function(value: int) -> int:
        return value

    return function


def star_arguments() -> object:
    @sg.asset
    def a(*values: int) -> None: ...

    return a


def positional_only() -> object:
    @sg.asset
    def a(value: int, /) -> None: ...

    return a


def config_without_class() -> object:
    @sg.asset
    def a(config: object) -> None: ...

    return a


def looped(mapping: sg.PartitionMapping | None) -> object:
    return named("loop", deps=[sg.AssetDep("loop", partition_mapping=mapping)], partitions_def=DAILY)


def context_of_another_kind() -> object:
    @sg.asset
    def a(context: int) -> int:
        return context

    return a


def ins_without_parameter() -> object:
    @sg.asset(ins={"other": sg.AssetIn("b")})
    def a(value: int) -> None: ...

    return a


def input_and_dependency() -> object:
    first, last = (sg.TimeWindowPartitionMapping(start_offset=start, end_offset=0) for start in (-2, -1))

    @sg.asset(ins={"value": sg.AssetIn(partition_mapping=first)}, deps=[sg.AssetDep("value", partition_mapping=last)])
    def a(value: int) -> None: ...

    return a


def two_check_inputs() -> object:
    @sg.asset_check(asset="a")
    def check(one: int, two: int) -> bool:
        return one == two

    return check


def context_that_is_not_first() -> object:
    @sg.asset
    def a(value: int, context: sg.AssetExecutionContext) -> None: ...

    return a


def config_known_to_type_checkers_only() -> object:
    @sg.asset
    def a(config: OnlyForTypeCheckers) -> None: ...  # type: ignore[name-defined] # noqa: F821

    return a


def two_mappings_of_one_asset() -> object:
    @sg.asset(ins={"one": sg.AssetIn("b"), "two": sg.AssetIn("b", partition_mapping=sg.LastPartitionMapping())})
    def a(one: int, two: int) -> None: ...

    return a


def specs_and_an_input() -> object:
    @sg.multi_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b")])
    def both(up: int) -> None: ...

    return both


def outs_without_an_input() -> object:
    @sg.multi_asset(outs={"a": sg.AssetOut()}, internal_asset_deps={"a": set()})
    def one(up: int) -> int:
        return up

    return one


def outs_and_specs() -> object:
    @sg.multi_asset(outs={"a": sg.AssetOut()}, specs=[sg.AssetSpec("b")])
    def both() -> None: ...

    return both


DECLARATIONS: list[tuple[Callable[[], object], Sequence[str]]] = [
    (star_arguments, [HERE, "*values"]),
    (positional_only, [HERE, "positional-only"]),
    (config_without_class, [HERE, "'config'", "class 'object'", "a Config class"]),
    (context_of_another_kind, [HERE, "'context'", "cannot be annotated with int", "AssetExecutionContext"]),
    (ins_without_parameter, [HERE, "'other'", "value"]),
    (input_and_dependency, ["'value'", "keep one"]),
    (context_that_is_not_first, [HERE, "'context' must be the first parameter"]),
    (config_known_to_type_checkers_only, [HERE, "'OnlyForTypeCheckers'", "TYPE_CHECKING"]),
    (two_mappings_of_one_asset, [HERE, "'b'", "different partition mappings"]),
    (two_check_inputs, [HERE, "one, two", "additional_ins"]),
    (outs_and_specs, ["outs and specs were both provided"]),
    (lambda: named("a b"), ["'a b'", "letters"]),
    (lambda: named("context"), ["reserved"]),
    (lambda: named("a", key="b"), ["key", "cannot be combined"]),
    (lambda: named("a", group_name="x y"), ["'x y'", "group"]),
    (lambda: named("a", owners=["me"]), ["'me'", "team:"]),
    (lambda: named("a", owners=["owner@$#&*1"]), ["'owner@$#&*1'", "email address"]),
    (lambda: named("a", owners=["me@here"]), ["'me@here'", "email address"]),
    (lambda: named("a", owners=["me and you@here.org"]), ["'me and you@here.org'", "email address"]),
    (lambda: named("a", tags={"k k": "v"}), ["'k k'"]),
    (lambda: named("a", tags={"k": "v v"}), ["'k'", "63"]),
    (lambda: named("a", kinds=set("abcdefghijk")), ["at most 10 kinds", "11"]),
    (lambda: named("a", kinds="python"), ["kinds must be a list", "'python'"]),
    (lambda: named("a", kinds={1}), ["kinds must be a set of strings"]),
    (lambda: named("a", tags=["k"]), ["'a'", "tags must be of type Mapping"]),
    (lambda: named("a", tags={"k": 1}), ["'k'", "string", "1"]),
    (lambda: named("a", tags={"k": "v\n"}), ["'k'", "63"]),
    (lambda: named("a", owners="team:me"), ["owners must be a list"]),
    (lambda: named("a", group_name=""), ["asset 'a'", "leave it out to use the default group"]),
    *[
        (lambda group=group: named("a", group_name=group), ["the asset group name", "slash"])
        for group in ("g\n", "/g", "g/", "g//h", "g /h")
    ],
    (lambda: named("a", metadata=[1]), ["metadata must be of type Mapping"]),
    (lambda: named("a", description=5), ["description must be of type str"]),
    (lambda: named("a", code_version=5), ["code_version must be of type str"]),
    (lambda: named("a", partitions_def="daily"), ["partitions_def must be of type PartitionsDefinition", "'daily'"]),
    (lambda: named("a", retry_policy=3), ["retry_policy must be of type RetryPolicy"]),
    (lambda: named("a", backfill_policy=3), ["backfill_policy must be of type BackfillPolicy"]),
    (lambda: named("a", io_manager_key=3), ["io_manager_key must be of type str"]),
    (lambda: named("a", required_resource_keys="db"), ["required_resource_keys must be a list", "['db']"]),
    (lambda: named("a", required_resource_keys={1}), ["required_resource_keys", "strings"]),
    (lambda: named("a", op_tags=["x"]), ["tags must be of type Mapping"]),
    (lambda: named("a", ins=["x"]), ["ins must be of type Mapping"]),
    (lambda: named("a", deps=named("b")), ["deps must be a list"]),
    (lambda: named("a\n"), ["letters"]),
    (lambda: named("a/b"), ["'a/b'", "letters"]),
    (lambda: named("a", check_specs=["c"]), ["check_specs must be a list of AssetCheckSpecs", "'c'"]),
    (
        lambda: named("a", check_specs=[sg.AssetCheckSpec("c", asset="a"), sg.AssetCheckSpec("c", asset="a")]),
        ["duplicate asset check 'a:c'"],
    ),
    (lambda: sg.asset("a"), ["must decorate a function", "'a'", "@asset(name=...)"]),  # type: ignore[call-overload]
    (lambda: sg.asset(sg.asset(up)), ["must decorate a function", "AssetsDefinition"]),  # type: ignore[call-overload]
    (lambda: sg.asset(print), ["must decorate a function", "print"]),
    (lambda: sg.asset(lambda: 1), ["'<lambda>'", "letters"]),
    (lambda: several(specs=[sg.AssetSpec("a")], deps=["b"]), ["deps requires outs"]),
    (lambda: specs_and_an_input(), ["input 'up'", "specified as AssetIns", "deps of any spec"]),
    (lambda: outs_without_an_input(), ["input 'up'", "internal_asset_deps of any output"]),
    (
        lambda: sg.AssetsDefinition(specs=[sg.AssetSpec("a"), sg.AssetSpec("a", tags={"x": "y"})]),
        ["conflicting", "'a'"],
    ),
    (lambda: sg.AssetsDefinition(specs=[sg.AssetSpec("a")], can_subset=True), ["without node_def", "can_subset"]),
    (
        lambda: sg.AssetsDefinition(specs=[sg.AssetSpec("a")], keys_by_input_name={"up": sg.AssetKey("up")}),
        ["without node_def", "keys_by_input_name"],
    ),
    (
        lambda: sg.AssetsDefinition(specs=[sg.AssetSpec("a")], backfill_policy=sg.BackfillPolicy.single_run()),
        ["without node_def", "backfill_policy"],
    ),
    (lambda: several(specs=["a"]), ["specs must be of type AssetSpec", "'a'"]),
    (lambda: several(specs=[sg.AssetSpec("a"), sg.AssetSpec("a")]), ["duplicate asset key 'a'"]),
    (
        lambda: several(specs=[sg.AssetSpec(["a", "b"]), sg.AssetSpec("a__b")]),
        ["'a/b'", "'a__b'", "same output name"],
    ),
    (
        lambda: several(
            specs=[sg.AssetSpec("a"), sg.AssetSpec("a_c")], check_specs=[sg.AssetCheckSpec("c", asset="a")]
        ),
        ["'a:c'", "'a_c'", "same output name"],
    ),
    (lambda: several(specs=[sg.AssetSpec("a")], internal_asset_deps={"a": set()}), ["requires outs"]),
    (lambda: several(specs=[sg.AssetSpec("a", group_name="g")], group_name="h"), ["'a'", "different group names"]),
    (
        lambda: several(specs=[sg.AssetSpec("a", partitions_def=DAILY)], partitions_def=STATIC),
        ["'a'", "different partitions"],
    ),
    (lambda: several(outs={"a": sg.AssetSpec("a")}), ["outs['a'] must be of type AssetOut"]),
    (lambda: several(outs={"a b": sg.AssetOut()}), ["'a b'", "output"]),
    (lambda: several(outs={"a": sg.AssetOut(key="x"), "b": sg.AssetOut(key="x")}), ["duplicate asset key 'x'"]),
    (lambda: several(outs={"a": sg.AssetOut()}, internal_asset_deps={"b": set()}), ["'b'", "has no output 'b'", "a"]),
    (
        lambda: several(outs={"a": sg.AssetOut()}, internal_asset_deps={"a": {sg.AssetKey("z")}}),
        ["internal_asset_deps['a']", "'z'", "is neither an input nor an output"],
    ),
    (
        lambda: several(
            outs={
                "a": sg.AssetOut(backfill_policy=sg.BackfillPolicy.single_run()),
                "b": sg.AssetOut(backfill_policy=sg.BackfillPolicy()),
            }
        ),
        ["different backfill policies"],
    ),
    (lambda: several(name="a b", specs=[]), ["'a b'"]),
    (lambda: sg.AssetKey(None), ["None"]),  # type: ignore[arg-type]
    (lambda: sg.AssetKey(["a", 1]), ["['a', 1]"]),  # type: ignore[list-item]
    (lambda: sg.AssetIn(metadata=5), ["metadata must be of type Mapping"]),  # type: ignore[arg-type]
    (lambda: sg.AssetIn(partition_mapping=5), ["partition_mapping must be of type PartitionMapping"]),  # type: ignore[arg-type]
    (lambda: sg.AssetOut(backfill_policy=5), ["backfill_policy must be of type BackfillPolicy"]),  # type: ignore[arg-type]
    (lambda: sg.AssetDep("a", partition_mapping=5), ["partition_mapping must be of type PartitionMapping"]),  # type: ignore[arg-type]
    (lambda: sg.AssetDep(several(specs=[sg.AssetSpec("a"), sg.AssetSpec("b")])), ["2 assets"]),
    (lambda: sg.AssetCheckSpec("c", asset="a", additional_deps=["a"]), ["'a:c'", "itself"]),
    (lambda: sg.AssetCheckSpec("c", asset="a", additional_deps="b"), ["additional_deps must be a list"]),
    (lambda: named("loop", deps=["loop"]), ["'loop' depends on itself", "partitions definition"]),
    (lambda: looped(None), ["'loop' depends on itself", "start_offset=-1"]),
    (lambda: looped(sg.IdentityPartitionMapping()), ["'loop' depends on itself"]),
    (lambda: looped(sg.AllPartitionMapping()), ["'loop' depends on itself"]),
    (lambda: looped(sg.TimeWindowPartitionMapping(start_offset=-1)), ["'loop' depends on itself"]),
    (lambda: several(specs=[sg.AssetSpec("loop", deps=["loop"])]), ["'loop' depends on itself", "remove"]),
    (lambda: sg.AssetOut(code_version=1), ["code_version must be of type str"]),  # type: ignore[arg-type]
    (lambda: sg.AssetSpec("a", owners=[1]), ["owner 1"]),  # type: ignore[list-item]
    (lambda: sg.MaterializeResult(tags=5), ["tags must be of type Mapping"]),  # type: ignore[arg-type]
    (lambda: sg.AssetCheckSpec("c", asset="a", metadata=5), ["metadata must be of type Mapping"]),  # type: ignore[arg-type]
    (lambda: sg.asset_check(asset="a", additional_ins={"x": sg.AssetIn("b")})(up), ["'x'", "no matching parameter"]),
    (lambda: sg.asset_check(asset="a", retry_policy=1), ["retry_policy must be of type RetryPolicy"]),  # type: ignore[arg-type]
    (lambda: sg.asset_check(asset="a")(5), ["asset_check must decorate a function"]),  # type: ignore[arg-type]
    (lambda: sg.DataVersion(5), ["DataVersion", "str"]),  # type: ignore[arg-type]
    (lambda: sg.RetryPolicy(max_retries="2"), ["whole number"]),  # type: ignore[arg-type]
    (lambda: sg.RetryPolicy(delay=-1), ["0 or more seconds"]),
    (lambda: sg.RetryPolicy(delay=1, backoff="LINEAR"), ["backoff must be of type Backoff"]),  # type: ignore[arg-type]
    (lambda: sg.RetryPolicy(jitter=sg.Jitter.FULL), ["delay"]),
    (lambda: sg.BackfillPolicy(True), ["whole number"]),
    (lambda: sg.Definitions(assets=up), ["assets=", "a list of"]),  # type: ignore[arg-type]
    (lambda: sg.Definitions(assets="a"), ["assets=", "a list of"]),  # type: ignore[arg-type]
    (lambda: sg.Definitions(assets=[named("a"), [named("b")]]), ["a list inside the list"]),  # type: ignore[list-item]
    (lambda: sg.Definitions(asset_checks=[sg.AssetSpec("a")]), ["asset_checks="]),  # type: ignore[list-item]
    (lambda: sg.Definitions(resources=["r"]), ["resources must be of type Mapping"]),  # type: ignore[arg-type]
    (lambda: sg.Definitions(metadata={"x": object()}), ["'x'", "object"]),
    (lambda: sg.define_asset_job("j", owners=["me"]), ["job 'j'", "'me'"]),
    (
        lambda: sg.Definitions.merge(sg.Definitions(resources={"r": 1}), sg.Definitions(resources={"r": 2})),
        ["different resources", "'r'"],
    ),
    (lambda: named("a").get_asset_spec(sg.AssetKey("b")), ["'b'"]),
    (lambda: sg.AssetCheckSpec("few", asset="a", additional_deps=["a"]), ["check 'a:few'", "remove 'a'"]),
    (lambda: named("a", deps=["b"]).map_asset_specs(lambda spec: spec.replace_attributes(tags=5)), ["tags"]),  # type: ignore[arg-type]
    (lambda: taking("a", "b").map_asset_specs(lambda spec: spec.replace_attributes(deps=[])), ["'b'", "'value'"]),
    (lambda: named("a", deps="b"), ["list", "'b'"]),
    (lambda: sg.AssetKey([]), ["non-empty"]),
    (lambda: sg.AssetIn(key="a", key_prefix="b"), ["both provided"]),
    (lambda: sg.AssetOut(key="a", key_prefix="b"), ["both provided"]),
    (lambda: sg.AssetOut.from_spec(sg.AssetSpec("a", deps=["b"])), ["specs="]),
    (lambda: sg.AssetCheckSpec("a b", asset="a"), ["'a b'"]),
    (lambda: named("a", check_specs=[sg.AssetCheckSpec("c", asset="b")]), ["'b:c'", "asset_check"]),
    (lambda: sg.RetryPolicy(max_retries=-1), ["0 or more"]),
    (lambda: sg.RetryPolicy(backoff=sg.Backoff.LINEAR), ["delay"]),
    (lambda: sg.BackfillPolicy(0), ["at least 1"]),
    (lambda: sg.Definitions(assets=[5]), ["assets=", "5"]),  # type: ignore[list-item]
    (lambda: sg.Definitions(jobs=["j"]), ["jobs="]),  # type: ignore[list-item]
    (lambda: sg.define_asset_job("a b"), ["'a b'"]),
    (lambda: sg.StaticPartitionsDefinition(["a", "a"]), ["'a'"]),
    (lambda: sg.DailyPartitionsDefinition("yesterday"), ["yesterday"]),
    (
        lambda: named("a", metadata={}, deps=[sg.AssetDep("b"), sg.AssetDep("b", metadata={"x": 1})]),
        ["duplicate dependency"],
    ),
]


@pytest.mark.parametrize(("declare", "words"), DECLARATIONS, ids=[row[1][0] for row in DECLARATIONS])
def test_what_cannot_be_declared_is_refused(declare: Callable[[], object], words: Sequence[str]) -> None:
    with pytest.raises(sg.InvalidDefinitionError) as caught:
        declare()
    for word in words:
        assert word in str(caught.value)

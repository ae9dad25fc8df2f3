"""What counts as given by a function of several assets: in which order, what may be left out, what comes unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

import segue as sg

K = sg.AssetKey
SPECS = [sg.AssetSpec("a"), sg.AssetSpec("b")]
CHECK = sg.AssetCheckSpec("good", asset="a")


def made(result: sg.ExecuteInProcessResult) -> list[str]:
    return [key.to_user_string() for event in result.get_asset_materialization_events() if (key := event.asset_key)]


def yields_nothing() -> Iterator[object]:
    yield from ()


def yields_b() -> Iterator[object]:
    yield sg.MaterializeResult(asset_key="b")


def returns_b() -> object:
    return sg.MaterializeResult(asset_key="b")


def returns_nothing() -> None:
    return None


@pytest.mark.parametrize(
    ("function", "can_subset", "expected"),
    [
        (yields_nothing, True, []),
        (yields_b, True, ["b"]),
        (returns_b, True, ["b"]),
        (returns_nothing, True, ["a", "b"]),
        (yields_nothing, False, ["a", "b"]),
        (yields_b, False, ["a", "b"]),
    ],
)
def test_what_a_function_that_can_make_a_part_does_not_report_is_not_made(
    function: Callable[..., object], can_subset: bool, expected: Sequence[str]
) -> None:
    assets = sg.multi_asset(specs=SPECS, can_subset=can_subset)(function)
    assert sorted(made(sg.materialize([assets]))) == expected


def test_checks_of_a_function_that_can_make_a_part_may_be_left_out() -> None:
    some = sg.multi_asset(specs=SPECS, check_specs=[CHECK], can_subset=True)(yields_b)
    assert made(sg.materialize([some])) == ["b"]
    every = sg.multi_asset(specs=SPECS, check_specs=[CHECK])(yields_b)
    with pytest.raises(sg.InvariantViolationError, match="did not yield the result of check 'good'"):
        sg.materialize([every])


def test_a_check_that_is_answered_unasked_is_recorded() -> None:
    @sg.multi_asset(specs=SPECS, check_specs=[CHECK], can_subset=True)
    def pair() -> Iterator[object]:
        yield sg.MaterializeResult(asset_key="b")
        yield sg.AssetCheckResult(passed=False, check_name="good", asset_key="a")

    result = sg.materialize([pair], selection=["b"])
    assert [(each.asset_check_key, each.passed) for each in result.get_asset_check_evaluations()] == [
        (CHECK.key, False)
    ]


def test_a_check_that_the_function_does_not_have_is_refused() -> None:
    @sg.multi_asset(specs=SPECS, check_specs=[CHECK], can_subset=True)
    def pair() -> Iterator[object]:
        yield sg.AssetCheckResult(passed=True, check_name="other", asset_key="a")

    with pytest.raises(sg.InvariantViolationError, match="must match exactly one of its checks"):
        sg.materialize([pair])


def test_an_asset_comes_after_what_it_is_made_from() -> None:
    specs = [sg.AssetSpec("a", deps=["b"]), sg.AssetSpec("b")]

    @sg.multi_asset(specs=specs)
    def wrong() -> Iterator[object]:
        yield sg.MaterializeResult(asset_key="a")
        yield sg.MaterializeResult(asset_key="b")

    with pytest.raises(sg.InvariantViolationError, match="yielded the asset 'a' before its upstream asset 'b'"):
        sg.materialize([wrong])
    assert made(sg.materialize([sg.multi_asset(specs=specs)(returns_nothing)])) == ["b", "a"]


def test_facts_about_an_asset_are_not_facts_about_the_value() -> None:
    @sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))
    def a(context: sg.AssetExecutionContext) -> None:
        context.add_asset_metadata({"of_asset": 1})
        context.add_asset_metadata({"of_partition": 2}, partition_key="x")
        context.add_output_metadata({"of_output": 3})
        assert dict(context.get_output_metadata("result")) == {"of_output": sg.IntMetadataValue(3)}
        with pytest.raises(sg.InvariantViolationError, match="does not materialize the partition 'y'"):
            context.add_asset_metadata({"of_partition": 2}, partition_key="y")

    result = sg.materialize([a], partition_key="x")
    [materialization] = result.asset_materializations_for_node("a")
    assert set(materialization.metadata) == {"of_asset", "of_partition", "of_output"}
    [output] = [event for event in result.all_events if event.event_type is sg.EventType.STEP_OUTPUT]
    assert set(output.step_output_data.metadata) == {"of_output"}


def test_resources_of_an_asset_come_along_when_it_is_called() -> None:
    @sg.asset(resource_defs={"first": sg.ResourceDefinition.hardcoded_resource(1)}, required_resource_keys={"second"})
    def both(context: sg.AssetExecutionContext) -> int:
        return context.resources.first + context.resources.second

    assert both(sg.build_asset_context(resources={"second": 2})) == 3
    context = sg.build_asset_context(resources={"second": 5})
    assert [both(context), both(context)] == [6, 6]
    with pytest.raises(sg.InvalidInvocationError, match=r"has a resource 'first'.*so does what is called"):
        both(sg.build_asset_context(resources={"first": 3, "second": 2}))
    with pytest.raises(sg.InvalidDefinitionError, match="'second'"):
        both(sg.build_asset_context())


def test_a_check_knows_the_asset_that_it_only_waits_for() -> None:
    seen: list[sg.AssetKey] = []

    @sg.asset
    def a() -> None: ...

    @sg.asset(deps=[a])
    def b(context: sg.AssetExecutionContext) -> None:
        seen.append(context.asset_key_for_input("a"))

    @sg.asset_check(asset=b)
    def good(context: sg.AssetCheckExecutionContext) -> sg.AssetCheckResult:
        seen.append(context.asset_key_for_input("b"))
        return sg.AssetCheckResult(passed=True)

    assert sg.Definitions([a, b], asset_checks=[good]).get_implicit_global_asset_job_def().execute_in_process().success
    assert seen == [K("a"), K("b")]


def test_what_a_function_that_can_make_a_part_makes_is_skippable() -> None:
    assert [spec.skippable for spec in sg.multi_asset(specs=SPECS, can_subset=True)(yields_b).specs] == [True, True]
    assert [spec.skippable for spec in sg.multi_asset(specs=SPECS)(yields_b).specs] == [False, False]
    outs = sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut(is_required=False)}, can_subset=True)(yields_b)
    assert [spec.skippable for spec in outs.specs] == [False, True]

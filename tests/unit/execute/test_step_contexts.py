"""What the context of a step says of its place and of other assets, and what it may ask of its function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import segue as sg

HINT = "Hand on what the call gave."


@sg.op
def told(context: sg.OpExecutionContext) -> dict[str, Any]:
    return {
        "name": context.op.name,
        "tags": dict(context.op.tags),
        "definition": context.op.definition is context.op_def,
        "path": context.op_handle.path,
        "handle": str(context.node_handle),
        "itself": context.get_step_execution_context() is context,
    }


@sg.graph
def inner() -> dict[str, Any]:
    return told.tag({"key": "deep"}).alias("below")()


@sg.job
def places() -> None:
    told.tag({"key": "flat"})()
    inner()


def test_an_op_knows_its_place_and_its_tags() -> None:
    result = places.execute_in_process()
    flat = result.output_for_node("told")
    assert flat == {
        "name": "told",
        "tags": {"key": "flat"},
        "definition": True,
        "path": ["told"],
        "handle": "told",
        "itself": True,
    }
    deep = result.output_for_node("inner.below")
    assert (deep["name"], deep["tags"], deep["path"]) == ("below", {"key": "deep"}, ["inner", "below"])
    assert deep["handle"] == "inner.below"


def test_a_hook_sees_the_tags_of_its_step() -> None:
    seen: list[dict[str, str]] = []

    @sg.success_hook
    def notes(context: sg.HookContext) -> None:
        seen.append(dict(context.op.tags))

    @sg.job(hooks={notes})
    def hooked() -> None:
        told.tag({"key": "hooked"})()

    hooked.execute_in_process()
    assert seen == [{"key": "hooked"}]


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["a", "b"]))
def letters(context: sg.AssetExecutionContext) -> str:
    return context.partition_key * 2


@sg.asset(code_version="7")
def number() -> int:
    return 3


def asked(ask: Callable[[sg.AssetExecutionContext], object], resources: dict[str, object] | None = None) -> object:
    """What is asked of the context of a step that comes after `number`, in a run."""
    seen: list[object] = []

    @sg.asset(deps=[number])
    def asks(context: sg.AssetExecutionContext) -> None:
        seen.append(ask(context))

    with sg.Instance.ephemeral() as instance:
        manager = sg.InMemoryIOManager()
        own: dict[str, object] = {"io_manager": manager} if resources is None else resources
        if resources is None:
            sg.materialize([letters], instance=instance, resources=own, partition_key="b")
        sg.materialize([number, asks, letters], instance=instance, resources=own, selection=["number", "asks"])
    return seen[0]


def test_a_step_loads_the_value_of_an_asset() -> None:
    assert asked(lambda context: context.load_asset_value(number.key)) == 3
    assert asked(lambda context: context.load_asset_value(letters.key, partition_key="b")) == "bb"


def test_the_value_is_loaded_by_the_io_manager_of_the_run() -> None:
    opened: list[int] = []

    @sg.io_manager
    def counted() -> sg.IOManager:
        opened.append(1)
        return sg.InMemoryIOManager()

    assert asked(lambda context: context.load_asset_value(number.key), {"io_manager": counted}) == 3
    assert opened == [1]


def test_an_asset_that_is_not_there_has_no_value() -> None:
    with pytest.raises(sg.InvalidInvocationError, match="no asset 'nothing'"):
        asked(lambda context: context.load_asset_value(sg.AssetKey("nothing")))


def test_a_step_learns_what_an_asset_was_made_from() -> None:
    found = asked(lambda context: context.get_asset_provenance(number.key))
    assert isinstance(found, sg.DataProvenance)
    assert found.code_version == "7"
    assert asked(lambda context: context.get_asset_provenance(sg.AssetKey("nothing"))) is None


@pytest.mark.parametrize("name", ["op", "op_handle", "node_handle"])
def test_outside_of_a_run_there_is_no_place(name: str) -> None:
    with pytest.raises(sg.InvalidPropertyError, match="available during a run only"):
        getattr(sg.build_op_context(), name)


def test_outside_of_a_run_no_value_is_known() -> None:
    with pytest.raises(sg.InvalidPropertyError, match="load_asset_value"):
        sg.build_asset_context().load_asset_value(number.key)


def returns(value: object) -> sg.OpDefinition:
    @sg.op(out={"one": sg.Out(), "two": sg.Out(is_required=False)})
    def strict(context: sg.OpExecutionContext) -> Any:
        context.set_requires_typed_event_stream(error_message=HINT)
        assert context.requires_typed_event_stream
        assert context.typed_event_stream_error_message == HINT
        return value

    return strict


def yields(*results: object) -> sg.OpDefinition:
    @sg.op(out={"one": sg.Out(), "two": sg.Out(is_required=False)})
    def strict(context: sg.OpExecutionContext) -> Iterator[Any]:
        context.set_requires_typed_event_stream(error_message=HINT)
        yield from results

    return strict


def runs(strict: sg.OpDefinition) -> bool:
    @sg.job
    def job() -> None:
        strict()

    return job.execute_in_process().success


ONE, TWO = sg.Output(1, output_name="one"), sg.Output(2, output_name="two")


def test_all_results_are_enough() -> None:
    assert runs(returns((ONE, TWO)))
    assert runs(yields(ONE, TWO))


@pytest.mark.parametrize("strict", [returns(None), yields(), yields(ONE), yields(TWO)])
def test_a_missing_result_fails_the_step_with_the_hint(strict: sg.OpDefinition) -> None:
    with pytest.raises(sg.InvariantViolationError, match=f"did not yield .*{HINT}$"):
        runs(strict)


def test_a_plain_value_is_no_result() -> None:
    with pytest.raises(
        sg.InvariantViolationError, match="returned a value of type int, but must return each output as a result"
    ):
        runs(returns((1, 2)))


def test_an_asset_without_value_must_be_named_too() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("first"), sg.AssetSpec("second")])
    def strict(context: sg.AssetExecutionContext) -> Iterator[sg.MaterializeResult[Any]]:
        context.set_requires_typed_event_stream()
        yield sg.MaterializeResult(asset_key="first")

    with pytest.raises(sg.InvariantViolationError, match="did not yield second"):
        sg.materialize([strict])


def test_one_partition_is_no_range_of_them() -> None:
    seen: list[tuple[bool, bool, bool]] = []

    @sg.asset(partitions_def=sg.DailyPartitionsDefinition("2024-01-01"), backfill_policy=sg.BackfillPolicy.single_run())
    def daily(context: sg.AssetExecutionContext) -> None:
        seen.append((context.has_partitions, context.has_partition_key, context.has_partition_key_range))

    sg.materialize([daily], partition_key="2024-01-02")
    ends = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-03"}
    sg.materialize([daily], tags=ends)
    assert seen == [(True, True, False), (True, False, True)]


def test_an_op_that_makes_no_asset_has_no_key() -> None:
    @sg.op
    def plain(context: sg.OpExecutionContext) -> str:
        with pytest.raises(sg.InvalidPropertyError, match="'plain' does not materialize an asset"):
            _ = context.asset_key
        return "done"

    @sg.job
    def work() -> None:
        plain()

    assert work.execute_in_process().output_for_node("plain") == "done"

"""Sensors over assets: one, and several with a cursor for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.model.asset_cursor import START, AssetCursor, Seen, advanced, decode_cursors, encode_cursors

pytestmark = pytest.mark.filterwarnings("ignore::segue.SupersessionWarning")

A, B, P, Q = (sg.AssetKey(name) for name in ("a", "b", "p", "q"))
LETTERS = sg.StaticPartitionsDefinition(["x", "y", "z"])


@sg.asset(partitions_def=LETTERS)
def p() -> int:
    return 1


@sg.asset(partitions_def=LETTERS)
def q(p: int) -> int:
    return p


job = sg.define_asset_job("job", selection=[q])
DEFS = sg.Definitions(assets=[sg.AssetSpec("a"), sg.AssetSpec("b"), p, q], jobs=[job])


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as instance:
        yield instance


def made(instance: sg.Instance, *names: str) -> None:
    """Records materializations: `a`, or `p:x` for a partition."""
    for name in names:
        key, _, partition = name.partition(":")
        instance.report_runless_asset_event(sg.AssetMaterialization(key, partition=partition or None))


# -- one asset


def over_a(answer: object, with_event: bool = True) -> sg.AssetSensorDefinition:
    def look(context: sg.SensorEvaluationContext, event: Any) -> object:
        return answer(context, event) if callable(answer) else answer

    def bare(context: sg.SensorEvaluationContext) -> object:
        return answer

    return sg.asset_sensor(asset_key=A, job=job)(look if with_event else bare)


def test_a_sensor_over_an_asset_is_asked_once_for_each_time_it_was_made(instance: sg.Instance) -> None:
    found = over_a(lambda _, event: sg.RunRequest(run_key=event.event.materialization.asset_key.to_user_string()))
    before = found.evaluate_tick(sg.build_sensor_context(instance))
    assert (list(before.run_requests), before.cursor) == ([], None)
    assert before.skip_message == "a has not been materialized since the last tick."
    made(instance, "b", "a", "a")
    tick = found.evaluate_tick(sg.build_sensor_context(instance))
    assert [request.run_key for request in tick.run_requests] == ["a"]
    again = found.evaluate_tick(sg.build_sensor_context(instance, cursor=tick.cursor))
    assert (list(again.run_requests), again.cursor) == ([], tick.cursor)
    context = sg.build_sensor_context(instance)
    assert [request.run_key for request in found(context)] == ["a"]
    assert context.cursor == tick.cursor
    assert [type(each) for each in found(context)] == [sg.SkipReason]
    assert (found.asset_key, found.sensor_type.value) == (A, "ASSET")


@pytest.mark.parametrize("answer", [None, sg.SkipReason("no"), sg.RunRequest(), sg.SensorResult([sg.RunRequest()])])
@pytest.mark.parametrize("with_event", [True, False])
def test_whatever_it_answers_it_goes_on_from_there(instance: sg.Instance, answer: object, with_event: bool) -> None:
    made(instance, "a")
    (latest,) = instance.fetch_materializations(A, limit=1).records
    tick = over_a(answer, with_event).evaluate_tick(sg.build_sensor_context(instance))
    assert tick.cursor == str(latest.storage_id)


def test_its_cursor_is_its_own(instance: sg.Instance) -> None:
    made(instance, "a")
    with pytest.raises(sg.InvariantViolationError, match="manages its own"):
        over_a(sg.SensorResult(cursor="x")).evaluate_tick(sg.build_sensor_context(instance))


# -- several assets


def over(keys: Sequence[sg.AssetKey], rule: Callable[[Any], object]) -> sg.MultiAssetSensorDefinition:
    def look(context: sg.MultiAssetSensorEvaluationContext) -> object:
        return rule(context)

    return sg.multi_asset_sensor(monitored_assets=keys, job=job)(look)


def several(instance: sg.Instance, keys: Any = (A, B), **arguments: Any) -> sg.MultiAssetSensorEvaluationContext:
    return sg.build_multi_asset_sensor_context(monitored_assets=keys, instance=instance, definitions=DEFS, **arguments)


def ids(instance: sg.Instance) -> list[int]:
    return [
        stored.storage_id
        for key in (A, B, P)
        for stored in several(instance, [key]).materialization_records_for_key(key)
    ]


def test_all_made_and_nothing_twice(instance: sg.Instance) -> None:
    def both(context: sg.MultiAssetSensorEvaluationContext) -> object:
        records = context.latest_materialization_records_by_key()
        if all(records.values()):
            context.advance_all_cursors()
            return sg.RunRequest()
        return sg.SkipReason("waiting")

    sensor = over([A, B], both)
    made(instance, "a")
    tick = sensor.evaluate_tick(several(instance))
    assert (tick.skip_message, tick.cursor) == ("waiting", None)
    made(instance, "b")
    tick = sensor.evaluate_tick(sg.build_sensor_context(instance, cursor=tick.cursor, definitions=DEFS))
    assert len(tick.run_requests) == 1
    again = sensor.evaluate_tick(several(instance, cursor=tick.cursor))
    assert (again.skip_message, again.cursor) == ("waiting", tick.cursor)


def test_a_cursor_moves_with_what_was_taken_care_of(instance: sg.Instance) -> None:
    made(instance, "a", "a", "b")
    first, second, _ = ids(instance)

    def oldest(context: sg.MultiAssetSensorEvaluationContext) -> object:
        record = next(iter(context.materialization_records_for_key(A, limit=1)))
        context.advance_cursor({A: record, B: None})
        return sg.SkipReason(str(record.storage_id))

    tick = over([A, B], oldest).evaluate_tick(several(instance))
    assert tick.skip_message == str(first)
    tick = over([A, B], oldest).evaluate_tick(several(instance, cursor=tick.cursor))
    assert tick.skip_message == str(second)
    assert [
        bool(each) for each in several(instance, cursor=tick.cursor).latest_materialization_records_by_key().values()
    ] == [
        False,
        True,
    ]


def test_what_it_reads_stays_the_same_until_the_evaluation_ends(instance: sg.Instance) -> None:
    made(instance, "a", "p:x", "p:y")
    a, _, y = ids(instance)
    context = several(instance, [A, P])
    context.advance_cursor({A: context.latest_materialization_records_by_key()[A]})
    context.advance_cursor({P: context.latest_materialization_records_by_partition(P)["y"]})
    assert [record.storage_id for record in context.materialization_records_for_key(A)] == [a]
    assert by_partition(context)["y"] == y
    assert context.get_cursor_partition(P) is None

    context.update_cursor_after_evaluation()
    assert list(context.materialization_records_for_key(A)) == []
    assert list(by_partition(context)) == ["x"]
    assert context.get_cursor_partition(P) == "y"


def test_calling_it_leaves_the_cursor_in_the_context(instance: sg.Instance) -> None:
    made(instance, "a")

    def at_once(context: sg.MultiAssetSensorEvaluationContext) -> object:
        context.advance_all_cursors()
        return sg.RunRequest()

    def later(context: sg.MultiAssetSensorEvaluationContext) -> Iterator[object]:
        context.advance_all_cursors()
        yield sg.RunRequest()

    for rule in (at_once, later):
        context = several(instance)
        answer = over([A, B], rule)(context)
        assert (list(answer) if rule is later else [answer]) == [sg.RunRequest()]
        assert context.cursor == several(instance, cursor_from_latest_materializations=True).cursor is not None


def test_runs_without_saying_what_was_taken_care_of_are_refused(instance: sg.Instance) -> None:
    made(instance, "a")
    with pytest.raises(sg.InvalidDefinitionError, match="advance_cursor"):
        over([A], lambda _: sg.RunRequest()).evaluate_tick(several(instance, [A]))
    with pytest.raises(sg.InvariantViolationError, match="manages its own cursor"):
        over([A], lambda _: sg.SensorResult(cursor="x")).evaluate_tick(several(instance, [A]))
    with pytest.raises(sg.InvariantViolationError, match="advance_cursor"):
        over([A], lambda context: context.update_cursor("x")).evaluate_tick(several(instance, [A]))


def by_partition(context: sg.MultiAssetSensorEvaluationContext, **arguments: bool) -> dict[str, int]:
    found = context.latest_materialization_records_by_partition(P, **arguments)
    return {partition: record.storage_id for partition, record in found.items()}


def test_partitions_that_were_passed_over_are_not_lost(instance: sg.Instance) -> None:
    made(instance, "p:x", "p:y", "p:x")
    first_x, y, second_x = ids(instance)

    def after(consumed: str | None, cursor: str | None = None) -> sg.MultiAssetSensorEvaluationContext:
        def take(context: sg.MultiAssetSensorEvaluationContext) -> None:
            if consumed is not None:
                context.advance_cursor({P: context.latest_materialization_records_by_partition(P)[consumed]})

        context = several(instance, [P], cursor=cursor)
        return several(instance, [P], cursor=over([P], take).evaluate_tick(context).cursor)

    none, only_y, only_x = after(None), after("y"), after("x")
    assert by_partition(none) == {"y": y, "x": second_x}
    assert by_partition(only_y) == {"x": second_x}
    assert [each.storage_id for each in only_y.get_trailing_unconsumed_events(P)] == [first_x]
    assert (only_y.get_cursor_partition(P), none.get_cursor_partition(P)) == ("y", None)
    assert by_partition(only_y, after_cursor_partition=True) == {}
    assert by_partition(only_x) == {"y": y}
    assert by_partition(after("y", only_x.cursor)) == {}
    both = several(instance, [P]).latest_materialization_records_by_partition_and_asset()
    assert {partition: list(records) for partition, records in both.items()} == {"y": [P], "x": [P]}


def test_what_is_known_of_the_assets(instance: sg.Instance) -> None:
    made(instance, "p:x", "p:y")
    context = several(instance, [P, Q])
    assert context.all_partitions_materialized(P, ["x", "y"])
    assert not context.all_partitions_materialized(P)
    assert context.get_downstream_partition_keys("x", from_asset_key=P, to_asset_key=Q) == ["x"]
    assert context.assets_defs_by_key == {P: p, Q: q}
    assert several(instance, sg.AssetSelection.keys("b", "a")).asset_keys == [A, B]
    assert several(instance, [sg.AssetKey("unknown")]).assets_defs_by_key == {sg.AssetKey("unknown"): None}


def test_wrong_questions_say_why(instance: sg.Instance) -> None:
    context = several(instance)
    with pytest.raises(sg.InvalidInvocationError, match="not monitored by this sensor"):
        context.materialization_records_for_key(P)
    with pytest.raises(sg.InvariantViolationError, match="not partitioned"):
        context.latest_materialization_records_by_partition(A)
    with pytest.raises(sg.InvalidInvocationError, match="specify the asset key"):
        context.get_cursor_partition(None)
    with pytest.raises(sg.InvariantViolationError, match="not a valid cursor"):
        several(instance, cursor="abc")
    with pytest.raises(sg.InvalidInvocationError, match="keep one"):
        several(instance, cursor="{}", cursor_from_latest_materializations=True)
    with pytest.raises(sg.InvalidInvocationError, match="definitions="):
        sg.build_multi_asset_sensor_context(monitored_assets=[A])
    with pytest.raises(sg.InvalidDefinitionError, match="monitored_assets"):
        sg.multi_asset_sensor(monitored_assets=["a"], job=job)(lambda_free)  # type: ignore[list-item]


def lambda_free(context: object) -> None:
    return None


# -- the cursor as a value

PARTITIONS = st.sampled_from("xyz")


@given(st.lists(PARTITIONS, max_size=12), st.data())
def test_consuming_any_way_leaves_what_was_not_consumed(partitions: list[str], data: st.DataObject) -> None:
    log = [Seen(number, partition) for number, partition in enumerate(partitions, start=1)]

    def open_partitions(cursor: AssetCursor) -> dict[str, int]:
        rest = dict(cursor.unconsumed)
        rest.update({each.partition or "": each.storage_id for each in log if each.storage_id > cursor.storage_id})
        return rest

    cursor, wanted = START, {each.partition or "": each.storage_id for each in log}
    while wanted:
        assert open_partitions(cursor) == wanted
        partition = data.draw(st.sampled_from(sorted(wanted)))
        place = wanted.pop(partition)
        between = [each for each in log if cursor.storage_id < each.storage_id < place]
        cursor = advanced(cursor, Seen(place, partition), between)
        assert decode_cursors(encode_cursors({P: cursor})) == {P: cursor}
    assert open_partitions(cursor) == {}


def test_a_context_takes_definitions_under_one_name() -> None:
    definitions = sg.Definitions()
    assert sg.build_sensor_context(repository_def=definitions).definitions is definitions
    with pytest.raises(sg.InvalidInvocationError, match="both definitions and repository_def"):
        sg.build_sensor_context(definitions=definitions, repository_def=definitions)
    with pytest.raises(sg.InvalidInvocationError, match="both definitions and repository_def"):
        sg.build_multi_asset_sensor_context(
            monitored_assets=[sg.AssetKey("a")], definitions=definitions, repository_def=definitions
        )

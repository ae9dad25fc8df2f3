"""How backfills go on, and that they end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as dg
from segue.decide.backfills.advance import BackfillRun, EndedRun, advance
from segue.decide.backfills.job import advance_job
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget, OffPeak
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset, keys_of_subset, subset_contains, whole

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GRAPHS = int(os.environ.get("SEGUE_RANDOM_GRAPHS", "150"))
"""How many random graphs are tried; `make chaos` tries 10,000."""
LETTERS = dg.StaticPartitionsDefinition(list("abcd"))
DAYS = dg.DailyPartitionsDefinition("2026-02-01")


def graph_of(*assets: dg.AssetsDefinition) -> AssetGraph:
    return dg.Definitions(assets=assets).described.graph


def made(
    name: str,
    deps: list[str | dg.AssetDep] | None = None,
    partitions: dg.PartitionsDefinition | None = None,
    policy: dg.BackfillPolicy | None = None,
) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=deps or [], partitions_def=partitions, backfill_policy=policy)
    def function() -> None: ...

    return function


def backfill_of(graph: AssetGraph, names: str, **fields: object) -> Backfill:
    """A backfill of all of these assets."""
    targets = [
        BackfillTarget(
            AssetKey(name), None if (each := graph.nodes[AssetKey(name)].partitions) is None else whole(each, NOW)
        )
        for name in names.split()
    ]
    plain = Backfill(backfill_id="b", location="main", targets=tuple(targets))
    return msgspec.structs.replace(plain, **fields)


def shown(run: BackfillRun) -> str:
    names = "+".join(key.to_user_string() for key in run.assets)
    if run.bounds is None:
        return names
    return f"{names}[{run.bounds[0]}]" if run.bounds[0] == run.bounds[1] else f"{names}[{'...'.join(run.bounds)}]"


def ended(run: BackfillRun, number: int, *failed: str, is_canceled: bool = False) -> EndedRun:
    targets = [
        BackfillTarget(key, None if run.bounds is None else PartitionSubset((run.bounds,))) for key in run.assets
    ]
    return EndedRun(
        f"run-{number}",
        tuple(each for each in targets if each.key.to_user_string() not in failed),
        tuple(each for each in targets if each.key.to_user_string() in failed),
        run.attempt,
        is_canceled,
    )


def waves(
    graph: AssetGraph, backfill: Backfill, failing: Mapping[str, int] | None = None
) -> tuple[list[list[str]], Backfill]:
    """The runs of each round, when all runs of a round end before the next; `failing` says how often an asset fails."""
    found: list[list[str]] = []
    left = dict(failing or {})
    results: list[EndedRun] = []
    for _ in range(2_000):
        step = advance(backfill, graph, results, 0, NOW)
        backfill = step.backfill
        if backfill.status.has_ended:
            return found, backfill
        found.append([shown(run) for run in step.runs])
        results = []
        for number, run in enumerate(step.runs):
            names = [key.to_user_string() for key in run.assets if left.get(key.to_user_string(), 0) > 0]
            for name in names:
                left[name] -= 1
            results.append(ended(run, number, *names))
    raise AssertionError("the backfill does not end")


def test_assets_that_are_partitioned_alike_are_made_together_one_run_for_each_partition() -> None:
    graph = graph_of(made("one", None, LETTERS), made("two", ["one"], LETTERS))
    found, end = waves(graph, backfill_of(graph, "one two"))
    assert found == [["one+two[a]", "one+two[b]", "one+two[c]", "one+two[d]"]]
    assert end.status is BackfillStatus.COMPLETED_SUCCESS
    assert end.runs == 4


def test_a_policy_says_how_many_partitions_a_run_takes() -> None:
    pairs = dg.BackfillPolicy.multi_run(2)
    graph = graph_of(made("one", None, LETTERS, pairs), made("two", ["one"], LETTERS, dg.BackfillPolicy.single_run()))
    found, _ = waves(graph, backfill_of(graph, "one two"))
    assert found == [["one[a...b]", "one[c...d]"], ["two[a...d]"]]


def test_a_backfill_may_say_otherwise() -> None:
    graph = graph_of(made("one", None, LETTERS))
    assert waves(graph, backfill_of(graph, "one", single_run=True))[0] == [["one[a...d]"]]


def test_what_is_partitioned_otherwise_waits_for_what_it_needs() -> None:
    weekly = dg.WeeklyPartitionsDefinition("2026-02-01")
    graph = graph_of(
        made("day", None, DAYS, dg.BackfillPolicy.single_run()), made("week", ["day"], weekly), made("all", ["week"])
    )
    found, end = waves(graph, backfill_of(graph, "day week all"))
    assert found[0] == ["day[2026-02-01...2026-02-28]"]
    assert found[1] == [f"week[2026-02-{day}]" for day in ("01", "08", "15", "22")][: len(found[1])]
    assert found[2] == ["all"]
    assert end.status is BackfillStatus.COMPLETED_SUCCESS


def test_an_asset_made_from_its_own_past_goes_one_partition_after_the_other() -> None:
    mapping = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    graph = graph_of(made("sum", [dg.AssetDep("sum", partition_mapping=mapping)], DAYS))
    found, end = waves(graph, backfill_of(graph, "sum"))
    assert found == [[f"sum[2026-02-{day:02}]"] for day in range(1, 29)]
    assert end.status is BackfillStatus.COMPLETED_SUCCESS


def test_what_needs_a_failed_partition_is_not_asked_for() -> None:
    graph = graph_of(
        made("one", None, LETTERS, dg.BackfillPolicy.multi_run(2)),
        made("two", ["one"], LETTERS),
        made("three", ["two"]),
    )
    found, end = waves(graph, backfill_of(graph, "one two three"), {"one": 1})
    assert found == [["one[a...b]", "one[c...d]"], ["two[c]", "two[d]"]]
    assert end.status is BackfillStatus.COMPLETED_FAILED
    assert end.failed_runs == 1
    assert {each.key.to_user_string(): each.partitions for each in end.failed} == {
        "one": PartitionSubset((("a", "b"),)),
        "two": PartitionSubset((("a", "b"),)),
        "three": None,
    }


def test_a_failed_run_is_tried_again_as_often_as_the_backfill_says() -> None:
    graph = graph_of(made("one"), made("two", ["one"]))
    once = backfill_of(graph, "one two", retries=1)
    assert waves(graph, once, {"one": 1})[1].status is BackfillStatus.COMPLETED_SUCCESS
    assert waves(graph, once, {"two": 2})[1].status is BackfillStatus.COMPLETED_FAILED
    assert waves(graph, once, {"two": 1})[0] == [["one+two"], ["two"]]


def test_no_more_runs_are_unfinished_than_may_be() -> None:
    graph = graph_of(made("one", None, LETTERS))
    backfill = backfill_of(graph, "one", max_concurrent=3)
    first = advance(backfill, graph, [], 0, NOW)
    assert [shown(run) for run in first.runs] == ["one[a]", "one[b]", "one[c]"]
    second = advance(first.backfill, graph, [ended(first.runs[0], 0)], 2, NOW)
    assert [shown(run) for run in second.runs] == ["one[d]"]


@pytest.mark.parametrize(
    ("hours", "starts"),
    [
        (OffPeak(22, 6), True),
        (OffPeak(1, 6), False),
        (OffPeak(0, 24), True),
        (OffPeak(0, 1), True),
        (OffPeak(0, 1, "Europe/Berlin"), False),
        (OffPeak(1, 2, "Europe/Berlin"), True),
    ],
)
def test_runs_start_in_the_hours_that_are_named(hours: OffPeak, starts: bool) -> None:
    graph = graph_of(made("one"))
    step = advance(backfill_of(graph, "one", off_peak=hours), graph, [], 0, NOW)
    assert bool(step.runs) is starts
    assert step.backfill.status is BackfillStatus.REQUESTED


def test_runs_lie_apart_as_long_as_is_said() -> None:
    graph = graph_of(made("one", None, LETTERS))
    backfill = backfill_of(graph, "one", stagger=60.0)
    shown_at: list[tuple[int, list[str]]] = []
    for second in (0, 1, 59, 60, 100, 120):
        step = advance(backfill, graph, [], backfill.runs, NOW + timedelta(seconds=second))
        assert step.backfill.status is BackfillStatus.REQUESTED
        shown_at.append((second, [shown(run) for run in step.runs]))
        backfill = step.backfill
    assert [each for each in shown_at if each[1]] == [(0, ["one[a]"]), (60, ["one[b]"]), (120, ["one[c]"])]
    earlier = NOW - timedelta(hours=1)  # the clock went back: nobody waits for it to catch up
    assert [shown(run) for run in advance(backfill, graph, [], 3, earlier).runs] == ["one[d]"]


def test_a_staggered_backfill_of_a_job() -> None:
    definition = dg.StaticPartitionsDefinition(list("abc"))
    backfill = Backfill(
        backfill_id="b", location="main", job_name="job", job_partitions=PartitionSubset((("a", "c"),)), stagger=60.0
    )
    first = advance_job(backfill, definition, [], 0, NOW)
    assert [run.bounds for run in first.runs] == [("a", "a")]
    assert advance_job(first.backfill, definition, [], 1, NOW).runs == ()
    second = advance_job(first.backfill, definition, [], 1, NOW + timedelta(seconds=60))
    assert [run.bounds for run in second.runs] == [("b", "b")]


def test_a_paused_backfill_starts_nothing_and_takes_in_what_ends() -> None:
    graph = graph_of(made("one", None, LETTERS))
    first = advance(backfill_of(graph, "one"), graph, [], 0, NOW, 1)
    paused = msgspec.structs.replace(first.backfill, status=BackfillStatus.PAUSED)
    step = advance(paused, graph, [ended(first.runs[0], 0)], 0, NOW)
    assert step.runs == ()
    assert step.backfill.done == (BackfillTarget(AssetKey("one"), PartitionSubset((("a", "a"),))),)
    assert step.backfill.status is BackfillStatus.PAUSED


def test_a_canceled_backfill_ends_with_its_last_run() -> None:
    graph = graph_of(made("one", None, LETTERS))
    first = advance(backfill_of(graph, "one", retries=3), graph, [], 0, NOW, 2)
    canceling = msgspec.structs.replace(first.backfill, status=BackfillStatus.CANCELING)
    step = advance(canceling, graph, [ended(first.runs[0], 0, "one", is_canceled=True)], 1, NOW)
    assert (step.runs, step.backfill.status) == ((), BackfillStatus.CANCELING)
    assert advance(step.backfill, graph, [], 0, NOW).backfill.status is BackfillStatus.CANCELED


def test_runs_that_were_deleted_hold_nothing_up() -> None:
    graph = graph_of(made("one", None, LETTERS), made("two", ["one"]))
    first = advance(backfill_of(graph, "one two"), graph, [], 0, NOW)
    step = advance(first.backfill, graph, [ended(run, 0) for run in first.runs[1:]], 0, NOW)
    assert step.backfill.status is BackfillStatus.COMPLETED_FAILED
    assert step.backfill.failed == (
        BackfillTarget(AssetKey("one"), PartitionSubset((("a", "a"),))),
        BackfillTarget(AssetKey("two")),
    )


def test_a_long_chain_through_an_assets_own_past_fails_as_a_whole() -> None:
    mapping = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    graph = graph_of(made("sum", [dg.AssetDep("sum", partition_mapping=mapping)], DAYS))
    found, end = waves(graph, backfill_of(graph, "sum"), {"sum": 1})
    assert found == [["sum[2026-02-01]"]]
    assert end.status is BackfillStatus.COMPLETED_FAILED


def test_a_thousand_partitions_each_made_from_the_one_before_take_one_decision_each() -> None:
    mapping = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    hours = dg.HourlyPartitionsDefinition("2026-01-01-00:00", end_date="2026-02-11-16:00")
    graph = graph_of(made("sum", [dg.AssetDep("sum", partition_mapping=mapping)], hours))
    keys = list(hours.get_partition_keys(NOW))
    assert len(keys) == 1_000
    backfill, results = backfill_of(graph, "sum"), list[EndedRun]()
    for number, key in enumerate(keys):  # each is asked for by the decision that takes in the end of the one before
        step = advance(backfill, graph, results, 0, NOW)
        assert [shown(run) for run in step.runs] == [f"sum[{key}]"]
        backfill, results = step.backfill, [ended(step.runs[0], number)]
    step = advance(backfill, graph, results, 0, NOW)
    assert (step.backfill.status, step.backfill.runs) == (BackfillStatus.COMPLETED_SUCCESS, 1_000)


NAMES = "pqrstu"
DEFINITIONS = (
    None,
    LETTERS,
    dg.StaticPartitionsDefinition(list("cdef")),
    dg.DailyPartitionsDefinition("2026-02-25"),
    dg.HourlyPartitionsDefinition("2026-02-28-18:00"),
)
MAPPINGS = (None, dg.AllPartitionMapping(), dg.LastPartitionMapping())


@st.composite
def graphs(draw: st.DrawFn) -> AssetGraph:
    """Random graphs of a few assets, with any partitions, mappings and policies."""
    assets: list[dg.AssetsDefinition] = []
    by_name: dict[str, dg.PartitionsDefinition | None] = {}
    for position, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        partitions = by_name[name] = draw(st.sampled_from(DEFINITIONS))
        deps: list[str | dg.AssetDep] = []
        for other in draw(st.lists(st.sampled_from(NAMES[:position]), unique=True, max_size=3)) if position else []:
            mapping = draw(st.sampled_from(MAPPINGS))
            if type(by_name[other]) is not type(partitions) and by_name[other] is not None and partitions is not None:
                mapping = mapping or dg.AllPartitionMapping()
            deps.append(dg.AssetDep(other, partition_mapping=mapping))
        if isinstance(partitions, dg.TimeWindowPartitionsDefinition) and draw(st.booleans()):
            own = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
            deps.append(dg.AssetDep(name, partition_mapping=own))
            policy = None
        else:
            policies = [None, dg.BackfillPolicy.single_run(), dg.BackfillPolicy.multi_run(2)]
            policy = draw(st.sampled_from(policies))
        assets.append(made(name, deps, partitions, policy if partitions is not None else None))
    return graph_of(*assets)


@settings(deadline=None, max_examples=GRAPHS)
@given(graphs(), st.data())
def test_every_backfill_of_any_graph_ends_whatever_fails(graph: AssetGraph, data: st.DataObject) -> None:
    names = " ".join(key.to_user_string() for key in graph.nodes)
    retries = data.draw(st.integers(0, 1), label="retries")
    limit = data.draw(st.sampled_from([None, 1, 3]), label="max_concurrent")
    backfill = backfill_of(graph, names, retries=retries, max_concurrent=limit)
    running: list[BackfillRun] = []
    results: list[EndedRun] = []
    asked: set[tuple[AssetKey, str | None, int]] = set()
    made_so_far: set[tuple[AssetKey, str | None]] = set()
    dropped = data.draw(st.sets(st.sampled_from(list(graph.nodes)), max_size=2), label="assets that go")
    dropped_at = data.draw(st.sampled_from([None, 0, 3]), label="when they go")
    for number in range(3_000):
        gone = dropped if dropped_at is not None and number >= dropped_at else set[AssetKey]()
        step = advance(backfill, graph, results, len(running), NOW, gone=gone)
        backfill = step.backfill
        if backfill.status.has_ended:
            break
        for run in step.runs:
            assert gone.isdisjoint(run.assets), "asked for what is gone"
            for key, partition in _places(graph, run):
                assert (key, partition, run.attempt) not in asked, "asked for twice"
                asked.add((key, partition, run.attempt))
            _require_upstream(graph, run, made_so_far)
        running += step.runs
        assert limit is None or len(running) <= limit
        results = []
        if running:
            run = running.pop(data.draw(st.integers(0, len(running) - 1), label="which ends"))
            fails = data.draw(
                st.sets(st.sampled_from(run.assets)) if data.draw(st.integers(0, 4)) == 0 else st.just(set[AssetKey]())
            )
            if data.draw(st.integers(0, 30), label="deleted") != 30:
                results = [ended(run, number, *(key.to_user_string() for key in fails))]
                made_so_far |= {each for each in _places(graph, run) if each[0] not in fails}
    else:
        raise AssertionError("the backfill does not end")
    assert not running
    left = {each.key for each in backfill.failed}
    for target in backfill.targets:
        definition = graph.nodes[target.key].partitions
        for partition in [None] if definition is None else keys_of_subset(definition, whole(definition, NOW), NOW):
            assert (target.key, partition) in made_so_far or target.key in left, "neither made nor failed"
    assert (backfill.status is BackfillStatus.COMPLETED_FAILED) == bool(backfill.failed)


def _places(graph: AssetGraph, run: BackfillRun) -> list[tuple[AssetKey, str | None]]:
    """What a run makes, partition by partition."""
    found: list[tuple[AssetKey, str | None]] = []
    for key in run.assets:
        definition = graph.nodes[key].partitions
        if definition is None or run.bounds is None:
            found.append((key, None))
        else:
            found += [(key, each) for each in keys_of_subset(definition, PartitionSubset((run.bounds,)), NOW)]
    return found


def _require_upstream(graph: AssetGraph, run: BackfillRun, made_so_far: set[tuple[AssetKey, str | None]]) -> None:
    """Each partition that a run needs is made already, or in the same run: looked up key by key with the public mapping."""
    own = set(_places(graph, run))
    for key, partition in own:
        definition = graph.nodes[key].partitions
        for parent in graph.parents(key):
            above = graph.nodes[parent].partitions
            needed: list[str | None] = [None]
            if above is not None:
                subset = (
                    None
                    if definition is None or partition is None
                    else definition.subset_with_partition_keys([partition])
                )
                mapping = graph.get_partition_mapping(key, parent)
                result = mapping.get_upstream_mapped_partitions_result_for_partitions(subset, definition, above, NOW)
                needed = [*result.partitions_subset.get_partition_keys()]
            for each in needed:
                assert (parent, each) in made_so_far or (parent, each) in own, (
                    f"{key} {partition} needs {parent} {each}"
                )


def test_a_hundred_thousand_partitions_are_planned_in_rounds() -> None:
    hours = dg.HourlyPartitionsDefinition("2014-01-01-00:00")
    graph = graph_of(made("one", None, hours), made("two", ["one"], hours))
    wide = msgspec.structs.replace(backfill_of(graph, "one two"), max_concurrent=1_000)
    first = advance(wide, graph, [], 0, NOW, 500)
    assert len(first.runs) == 500
    second = advance(first.backfill, graph, [], 500, NOW, 500)
    assert len(second.runs) == 500
    assert subset_contains(hours, second.backfill.requested[0].partitions or PartitionSubset(), "2014-02-11-15:00", NOW)

"""From what is asked for to runs: how a range is split, in which order, and what a failure stops."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.requests import Batch, blocked_by, range_batches, single_batch
from segue.decide.asked_partitions import common_partitions
from segue.errors import InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.manifest import AssetNode, ComputationNode, DependencyNode, Manifest, OutputNode
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.multi import MultiPartitionsDefinition
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.policies import BackfillPolicy
from segue.model.request import RunRequest
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG

KEYS = ["a", "b", "c", "d", "e"]
LETTERS = StaticPartitionsDefinition(KEYS)
SINGLE = BackfillPolicy.single_run()
TWO = BackfillPolicy.multi_run(2)


def node(
    name: str, deps: Sequence[str] = (), policy: BackfillPolicy | None = None, partitioned: bool = True
) -> AssetNode:
    return AssetNode(
        key=AssetKey(name),
        deps=tuple(DependencyNode(AssetKey(dep)) for dep in deps),
        computation=name,
        output_name="result",
        partitions=LETTERS if partitioned else None,
        backfill_policy=policy,
    )


def graph_of(*nodes: AssetNode, computations: Sequence[ComputationNode] | None = None) -> AssetGraph:
    own = tuple(
        ComputationNode(name=each.computation or "", outputs=(OutputNode("result", each.key),)) for each in nodes
    )
    return AssetGraph(Manifest(assets=nodes, computations=own if computations is None else tuple(computations)))


def split(graph: AssetGraph, keys: Sequence[str] = KEYS) -> list[tuple[str, str]]:
    """Each run as the assets and the partitions it makes."""
    batches = range_batches(graph, graph.materializable_keys, keys, RunRequest())
    return [("+".join(key.to_user_string() for key in batch.assets), "".join(batch.partitions)) for batch in batches]


@pytest.mark.parametrize(
    ("nodes", "runs"),
    [
        ([node("x")], [("x", "a"), ("x", "b"), ("x", "c"), ("x", "d"), ("x", "e")]),
        ([node("x", policy=SINGLE)], [("x", "abcde")]),
        ([node("x", policy=TWO)], [("x", "ab"), ("x", "cd"), ("x", "e")]),
        ([node("x", policy=TWO), node("y", ["x"], TWO)], [("x+y", "ab"), ("x+y", "cd"), ("x+y", "e")]),
        ([node("x", policy=SINGLE), node("y", ["x"], TWO)], [("x", "abcde"), ("y", "ab"), ("y", "cd"), ("y", "e")]),
        ([node("y", ["x"], SINGLE), node("x", policy=TWO)], [("x", "ab"), ("x", "cd"), ("x", "e"), ("y", "abcde")]),
        ([node("x", partitioned=False), node("y", ["x"], SINGLE)], [("x", ""), ("y", "abcde")]),
        (
            [node("x", policy=SINGLE), node("y", ["x"], partitioned=False), node("z", ["y"], SINGLE)],
            [("x", "abcde"), ("y", ""), ("z", "abcde")],
        ),
    ],
)
def test_a_range_is_split_by_backfill_policy(nodes: list[AssetNode], runs: list[tuple[str, str]]) -> None:
    assert split(graph_of(*nodes)) == runs


def test_runs_of_several_dimensions_are_ranges_in_each() -> None:
    both = MultiPartitionsDefinition({"x": StaticPartitionsDefinition(["1", "2"]), "y": LETTERS})
    graph = graph_of(msgspec.structs.replace(node("x", policy=TWO), partitions=both))
    made: list[str] = []
    for batch in range_batches(graph, graph.materializable_keys, both.get_partition_keys(), RunRequest()):
        made += both.get_partition_keys_in_range(PartitionKeyRange(batch.partitions[0], batch.partitions[-1]))
    assert made == both.get_partition_keys()


def test_assets_of_one_function_share_a_run() -> None:
    both = ComputationNode(name="both", outputs=(OutputNode("x", AssetKey("x")), OutputNode("y", AssetKey("y"))))
    middle = ComputationNode(name="m", outputs=(OutputNode("result", AssetKey("m")),))
    nodes = [
        AssetNode(key=AssetKey("x"), computation="both", partitions=LETTERS, backfill_policy=SINGLE),
        AssetNode(
            key=AssetKey("y"),
            computation="both",
            partitions=LETTERS,
            backfill_policy=SINGLE,
            deps=(DependencyNode(AssetKey("m")),),
        ),
        node("m", policy=TWO),
    ]
    assert split(graph_of(*nodes, computations=[both, middle]), ["a", "b"]) == [("m", "ab"), ("x+y", "ab")]


def test_the_requests_say_the_partition_or_the_range_and_keep_what_is_common() -> None:
    graph = graph_of(node("x", policy=TWO), node("y", partitioned=False))
    common = RunRequest(run_config={"ops": {}}, tags={"who": "ada"}, job_name="nightly")
    ab, cd, e, y = range_batches(graph, graph.materializable_keys, KEYS, common)
    assert (y.request.partition_key, y.request.tags) == (None, {"who": "ada"})
    assert y.request.asset_selection == [AssetKey("y")]
    assert ab.request.partition_key is None
    assert ab.request.tags == {"who": "ada", PARTITION_RANGE_START_TAG: "a", PARTITION_RANGE_END_TAG: "b"}
    assert cd.partitions == ("c", "d")
    assert (e.request.partition_key, e.request.tags) == ("e", {"who": "ada"})
    assert {batch.request.job_name for batch in (y, ab, cd, e)} == {"nightly"}
    assert e.request.run_config == {"ops": {}}


def test_a_whole_job_is_left_to_the_job() -> None:
    graph = graph_of(node("x", policy=SINGLE))
    [batch] = range_batches(graph, graph.materializable_keys, KEYS, RunRequest(job_name="nightly"))
    assert batch.request.asset_selection is None
    [batch] = single_batch(graph.materializable_keys, RunRequest(partition_key="a"))
    assert (batch.partitions, batch.request.partition_key) == (("a",), "a")


def test_a_failure_stops_what_needs_it_for_the_same_partitions() -> None:
    graph = graph_of(node("x"), node("y", ["x"], TWO), node("z", ["y"], SINGLE), node("w", policy=SINGLE))
    batches = range_batches(graph, graph.materializable_keys, KEYS, RunRequest())
    failed = next(batch for batch in batches if batch.partitions == ("c",))
    stopped = [
        (batch.assets[0].to_user_string(), "".join(batch.partitions))
        for batch in batches
        if blocked_by(batch, [failed])
    ]
    assert stopped == [("y", "cd"), ("z", "abcde")]
    assert blocked_by(failed, []) is None


def test_one_partitions_definition_or_an_error_that_names_the_assets() -> None:
    other = AssetNode(key=AssetKey("o"), computation="o", partitions=StaticPartitionsDefinition(["z"]))
    graph = graph_of(node("x"), node("y"), node("n", partitioned=False), other)
    keys = graph.materializable_keys
    assert common_partitions(graph, keys[:3]) is LETTERS
    assert common_partitions(graph, keys[2:3]) is None
    with pytest.raises(InvalidSubsetError, match=r"x, y: .*; o: ") as caught:
        common_partitions(graph, keys)
    assert "--select" in str(caught.value)


@st.composite
def graphs(draw: st.DrawFn) -> AssetGraph:
    size = draw(st.integers(1, 6))
    nodes = []
    for number in range(size):
        deps = draw(st.sets(st.integers(0, number - 1))) if number else set[int]()
        policy = draw(st.sampled_from([None, SINGLE, TWO]))
        partitioned = draw(st.booleans())
        nodes.append(node(f"n{number}", [f"n{dep}" for dep in sorted(deps)], policy, partitioned))
    return graph_of(*nodes)


@given(graph=graphs(), length=st.integers(1, 5))
def test_every_partition_is_made_once_and_after_what_it_is_made_from(graph: AssetGraph, length: int) -> None:
    wanted = KEYS[:length]
    batches: list[Batch] = range_batches(graph, graph.materializable_keys, wanted, RunRequest())
    made: dict[AssetKey, list[str]] = {}
    for batch in batches:
        for key in batch.assets:
            for parent in graph.parents(key):
                if parent not in batch.assets:
                    missing = set(wanted) - set(made.get(parent, ())) if graph.nodes[parent].partitions else set()
                    assert parent in made
                    assert not missing, "a run began before all of another policy's upstream was made"
        for key in batch.assets:
            made.setdefault(key, []).extend(batch.partitions)
    for key, partitions in made.items():
        assert partitions == (wanted if graph.nodes[key].partitions is not None else [])
    assert set(made) == set(graph.nodes)

"""Assets that are made elsewhere and looked at: the functions that do it, and what they leave in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import segue as sg

K = sg.AssetKey
FRUITS = sg.StaticPartitionsDefinition(["apple", "kiwi"])


@sg.observable_source_asset(group_name="g", key_prefix="up", io_manager_key="shelf")
def feed(context: sg.OpExecutionContext) -> sg.DataVersion:
    """Comes from outside."""
    return sg.DataVersion("seven")


def seen(result: sg.ExecuteInProcessResult) -> list[tuple[str, str | None, str | None]]:
    events = [event.payload.asset_observation for event in result.get_asset_observation_events()]  # type: ignore[union-attr]
    return [(each.asset_key.to_user_string(), each.partition, each.data_version) for each in events]


def test_an_observation_records_the_version_of_the_content() -> None:
    result = sg.observe([feed], resources={"shelf": sg.InMemoryIOManager()}, tags={"by": "me"})
    assert seen(result) == [("up/feed", None, "seven")]
    assert result.asset_observations_for_node("up__feed")[0].tags == {"dagster/data_version": "seven"}
    assert result.run.tags == {"by": "me"}
    assert result.get_asset_materialization_planned_events() == []
    assert (feed.is_observable, feed.group_name, feed.description) == (True, "g", "Comes from outside.")


def test_a_job_observes_what_it_names_and_makes_the_rest() -> None:
    @sg.observable_source_asset
    def raw() -> sg.DataVersion:
        return sg.DataVersion("1")

    @sg.asset(deps=[raw])
    def made() -> None: ...

    defs = sg.Definitions([raw, made], jobs=[sg.define_asset_job("both", ["raw", "made"]), sg.define_asset_job("rest")])
    result = defs.get_job_def("both").execute_in_process()
    assert seen(result) == [("raw", None, "1")]
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [made.key]
    assert seen(defs.get_job_def("rest").execute_in_process()) == []
    node = defs.asset_graph.nodes[raw.key]
    assert (node.is_external, node.is_executable, node.is_materializable) == (True, True, False)


def test_each_partition_has_a_version() -> None:
    @sg.observable_source_asset(partitions_def=FRUITS)
    def basket() -> sg.DataVersionsByPartition:
        return sg.DataVersionsByPartition({"apple": "one", "kiwi": sg.DataVersion("two")})

    assert seen(sg.observe([basket])) == [("basket", "apple", "one"), ("basket", "kiwi", "two")]


def test_a_run_for_a_partition_looks_at_it() -> None:
    @sg.observable_source_asset(partitions_def=FRUITS)
    def basket(context: sg.OpExecutionContext) -> sg.DataVersion:
        return sg.DataVersion(context.partition_key)

    assert seen(sg.observe([basket], partition_key="kiwi")) == [("basket", "kiwi", "kiwi")]


def looking(result: object, **arguments: object) -> sg.SourceAsset:
    @sg.observable_source_asset(**arguments)  # type: ignore[call-overload]
    def asset() -> object:
        return result

    return asset


BAD: list[tuple[Callable[[], sg.SourceAsset], str]] = [
    (lambda: looking(sg.DataVersionsByPartition({"apple": "one"})), "has no partitions: return a DataVersion"),
    (lambda: looking(sg.DataVersion("x"), partitions_def=FRUITS), "has partitions: return DataVersionsByPartition"),
    (lambda: looking("x"), "returned str: return a DataVersion"),
]


@pytest.mark.parametrize(("asset", "words"), BAD, ids=[row[1] for row in BAD])
def test_what_says_no_version_is_refused(asset: Callable[[], sg.SourceAsset], words: str) -> None:
    with pytest.raises(sg.InvalidObservationError, match=words):
        sg.observe([asset()])
    assert not sg.observe([asset()], raise_on_error=False).success


@sg.multi_observable_source_asset(
    specs=[sg.AssetSpec("a"), sg.AssetSpec(["b", "c"])],
    can_subset=True,
    resource_defs={"version": "9"},
    check_specs=[sg.AssetCheckSpec("fresh", asset="a")],
)
def two(context: sg.AssetExecutionContext) -> Iterator[sg.ObserveResult]:
    for key in sorted(context.selected_asset_keys):
        yield sg.ObserveResult(
            key,
            metadata={"rows": 3},
            data_version=sg.DataVersion(context.resources.version),
            check_results=[sg.AssetCheckResult(passed=True)] if key == K("a") else [],
        )


def test_one_function_looks_at_several_assets() -> None:
    result = sg.observe([two])
    assert seen(result) == [("a", None, "9"), ("b/c", None, "9")]
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["fresh"]
    metadata = result.asset_observations_for_node("two")[0].metadata
    assert metadata["rows"].value == 3
    assert two.is_observable
    job = sg.Definitions([two], jobs=[sg.define_asset_job("j", ["b/c"])]).get_job_def("j")
    assert seen(job.execute_in_process()) == [("b/c", None, "9")]


def test_what_makes_an_asset_does_not_observe_it() -> None:
    @sg.asset
    def made() -> sg.ObserveResult:
        return sg.ObserveResult()

    with pytest.raises(sg.InvariantViolationError, match="yielded an ObserveResult, but materializes its assets"):
        sg.materialize([made])


def test_nothing_to_observe() -> None:
    with pytest.raises(sg.InvalidSubsetError, match="empty"):
        sg.observe([sg.AssetSpec("a")])


def test_a_failed_observation_is_in_the_result() -> None:
    @sg.observable_source_asset
    def gone() -> sg.DataVersion:
        raise ValueError("not there")

    result = sg.observe([gone], raise_on_error=False)
    assert result.get_failed_step_keys() == {"gone"}
    with pytest.raises(ValueError, match="not there"):
        sg.observe([gone])

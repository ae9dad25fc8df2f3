"""What an instance answers about assets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import segue as sg

A, B, C = sg.AssetKey("a"), sg.AssetKey(["b", "c"]), sg.AssetKey(["b", "d"])
DAYS = sg.StaticPartitionsDefinition(["1", "2", "3", "4"])


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as made:
        yield made


def report(instance: sg.Instance, *keys: sg.AssetKey, partition: str | None = None, **tags: str) -> None:
    for key in keys:
        instance.report_runless_asset_event(sg.AssetMaterialization(key, partition=partition, tags=tags))


def test_keys_come_sorted_by_prefix_and_in_pages(instance: sg.Instance) -> None:
    report(instance, C, A, B)
    assert instance.get_asset_keys() == instance.all_asset_keys() == [A, B, C]
    assert instance.get_asset_keys(prefix=["b"]) == [B, C]
    assert instance.get_asset_keys(limit=2) == [A, B]
    assert instance.get_asset_keys(limit=2, cursor='["b", "c"]') == [C]
    with pytest.raises(sg.InvalidInvocationError, match="cursor"):
        instance.get_asset_keys(cursor="b/c")


def test_the_latest_of_each_asset(instance: sg.Instance) -> None:
    @sg.asset
    def a() -> int:
        return 1

    result = sg.materialize([a], instance=instance)
    report(instance, B)
    first, second = instance.get_asset_records()
    entry = first.asset_entry
    assert (entry.asset_key, entry.last_run_id) == (A, result.run_id)
    assert entry.last_materialization is not None
    assert entry.last_materialization.step_key == "a"
    assert entry.last_materialization == instance.get_latest_materialization_event(A)
    assert entry.last_materialization_storage_id == first.storage_id < second.storage_id
    assert entry.last_event_timestamp == entry.last_materialization.timestamp
    assert second.asset_entry.last_run_id is None
    assert [record.asset_entry.asset_key for record in instance.get_asset_records([B, C])] == [B]
    assert instance.get_latest_materialization_events([C]) == {C: None}


def test_code_versions(instance: sg.Instance) -> None:
    report(instance, A, **{"dagster/code_version": "7"})
    report(instance, B)
    assert instance.get_latest_materialization_code_versions([A, B, C]) == {A: "7", B: None, C: None}


def test_runs_record_the_version_of_the_code(instance: sg.Instance) -> None:
    @sg.asset(code_version="8")
    def a() -> None: ...

    @sg.asset(key=["b", "c"])
    def b() -> None: ...

    run_id = sg.materialize([a, b], instance=instance).run_id
    assert instance.get_latest_materialization_code_versions([A, B]) == {A: "8", B: run_id}


def test_what_a_function_reports_is_on_record_at_once(instance: sg.Instance) -> None:
    def numbers() -> list[object]:
        records = instance.fetch_materializations(B, limit=9, ascending=True).records
        return [record.asset_materialization.metadata["n"].value for record in records if record.asset_materialization]

    @sg.asset
    def a(context: sg.AssetExecutionContext) -> Iterator[sg.AssetMaterialization | sg.Output[int]]:
        context.log_event(sg.AssetMaterialization(B, metadata={"n": 1}))
        assert numbers() == [1]
        yield sg.AssetMaterialization(B, metadata={"n": 2})
        assert numbers() == [1, 2]
        assert instance.get_latest_materialization_event(A) is None
        yield sg.Output(1)

    assert sg.materialize([a], instance=instance).success


def test_a_file_is_an_asset() -> None:
    made = sg.AssetMaterialization.file("/data/day 1.csv", "today's")
    assert (made.asset_key, made.description) == (sg.AssetKey(["data", "day", "1", "csv"]), "today's")
    assert made.metadata == {"path": sg.MetadataValue.path("/data/day 1.csv")}
    assert sg.AssetMaterialization.file("x.csv", asset_key=["k"]).asset_key == sg.AssetKey("k")


def test_the_event_that_tells_the_data_version(instance: sg.Instance) -> None:
    report(instance, A, partition="1")
    report(instance, A)
    instance.report_runless_asset_event(sg.AssetObservation(A))
    instance.report_runless_asset_event(sg.AssetObservation(B))
    made, seen = sg.EventType.ASSET_MATERIALIZATION, sg.EventType.ASSET_OBSERVATION
    for key, is_source, expected in [
        (A, None, made),
        (A, False, made),
        (A, True, seen),
        (B, None, seen),
        (B, False, None),
    ]:
        record = instance.get_latest_data_version_record(key, is_source=is_source)
        assert (None if record is None else record.event_type) == expected, (key, is_source)
    of_partition = instance.get_latest_data_version_record(A, partition_key="1")
    assert of_partition is not None
    assert of_partition.partition_key == "1"
    before = instance.get_latest_data_version_record(A, before_cursor=of_partition.storage_id)
    after = instance.get_latest_data_version_record(A, after_cursor=of_partition.storage_id)
    assert (before, after and after.partition_key) == (None, None)


def test_partitions_that_were_made(instance: sg.Instance) -> None:
    for partition in ("1", "2", "1"):
        report(instance, A, partition=partition)
    ids = instance.get_latest_storage_id_by_partition(A, sg.EventType.ASSET_MATERIALIZATION)
    assert instance.get_materialized_partitions(A) == {"1", "2"}
    assert instance.get_materialized_partitions(A, after_cursor=ids["2"]) == {"1"}
    assert instance.get_materialized_partitions(A, before_cursor=ids["2"]) == {"1"}
    instance.wipe_asset_partitions(A, ["1"])
    assert instance.get_materialized_partitions(A) == {"2"}


def test_how_partitions_stand(instance: sg.Instance) -> None:
    fails = {"3"}

    @sg.asset(partitions_def=DAYS)
    def a(context: sg.AssetExecutionContext) -> None:
        assert instance.get_status_by_partition(A, [context.partition_key], DAYS) == {
            context.partition_key: sg.AssetPartitionStatus.IN_PROGRESS
        }
        if context.partition_key in fails:
            raise ValueError

    def statuses() -> dict[str, str | None]:
        found = instance.get_status_by_partition(A, DAYS.get_partition_keys(), DAYS)
        return {key: None if status is None else status.name for key, status in found.items()}

    def make(key: str) -> None:
        sg.materialize([a], partition_key=key, instance=instance, raise_on_error=False)

    make("1")
    make("3")
    assert statuses() == {"1": "MATERIALIZED", "2": None, "3": "FAILED", "4": None}
    fails = {"1"}
    make("1")
    make("3")
    assert statuses() == {"1": "FAILED", "2": None, "3": "MATERIALIZED", "4": None}
    assert instance.get_status_by_partition(A, ["3", "5"], DAYS) == {
        "3": sg.AssetPartitionStatus.MATERIALIZED,
        "5": None,
    }


def test_how_dynamic_partitions_stand(instance: sg.Instance) -> None:
    names = sg.DynamicPartitionsDefinition(name="names")
    grid = sg.MultiPartitionsDefinition({"day": DAYS, "name": names})

    @sg.asset(partitions_def=names)
    def a(context: sg.AssetExecutionContext) -> None:
        if context.partition_key == "y":
            raise ValueError

    @sg.asset(partitions_def=grid)
    def both() -> None: ...

    instance.add_dynamic_partitions("names", ["x", "y", "z"])
    for key in ("x", "y", "z"):
        sg.materialize([a], partition_key=key, instance=instance, raise_on_error=False)
    sg.materialize([both], partition_key="1|x", instance=instance)
    instance.delete_dynamic_partition("names", "z")
    statuses = sg.AssetPartitionStatus
    assert instance.get_status_by_partition(A, ["x", "y", "z"], names) == {
        "x": statuses.MATERIALIZED,
        "y": statuses.FAILED,
        "z": None,
    }
    assert instance.get_status_by_partition(sg.AssetKey("both"), ["1|x", "2|x", "1|z"], grid) == {
        "1|x": statuses.MATERIALIZED,
        "2|x": None,
        "1|z": None,
    }


def test_dimensions_are_told_apart_in_what_is_recorded(instance: sg.Instance) -> None:
    grid = sg.MultiPartitionsDefinition({"day": DAYS, "letter": sg.StaticPartitionsDefinition(["a", "b"])})

    @sg.asset(partitions_def=grid)
    def both() -> None: ...

    for key in ("1|a", "2|a", "2|b"):
        sg.materialize([both], partition_key=key, instance=instance)
    (record,) = instance.fetch_materializations(sg.AssetKey("both"), limit=1).records
    key = record.partition_key
    assert isinstance(key, sg.MultiPartitionKey)
    assert (key, key.keys_by_dimension) == ("2|b", {"day": "2", "letter": "b"})
    found = instance.get_event_tags_for_asset(sg.AssetKey("both"), filter_tags={"dagster/partition/letter": "a"})
    assert [each["dagster/partition/day"] for each in found] == ["1", "2"]
    report(instance, A, partition="2|b")
    assert type(instance.fetch_materializations(A, limit=1).records[0].partition_key) is str


def test_a_data_version_is_forgotten_with_its_asset(instance: sg.Instance) -> None:
    for partition in ("1", "2"):
        report(instance, A, partition=partition)
    instance.wipe_asset_partitions(A, ["1"])
    assert instance.get_latest_data_version_record(A, partition_key="1") is None
    assert instance.get_latest_data_version_record(A, partition_key="2") is not None
    instance.wipe_assets([A])
    assert instance.get_latest_data_version_record(A) is None


@pytest.mark.parametrize("keys", [["a"], [None]])
def test_only_asset_keys_are_taken(instance: sg.Instance, keys: list[sg.AssetKey]) -> None:
    report(instance, A)
    for asked in (instance.wipe_assets, instance.get_asset_records, instance.get_latest_materialization_code_versions):
        with pytest.raises(sg.WrongTypeError, match="asset_keys"):
            asked(keys)
    with pytest.raises(sg.WrongTypeError, match="asset_keys"):
        instance.has_asset_key("a")  # pyright: ignore[reportArgumentType] reason: the mistake under test
    assert instance.has_asset_key(A)


def test_a_range_is_tried_as_a_whole(instance: sg.Instance) -> None:
    @sg.asset(partitions_def=DAYS, backfill_policy=sg.BackfillPolicy.single_run())
    def a() -> None:
        raise ValueError

    tags = {"dagster/asset_partition_range_start": "2", "dagster/asset_partition_range_end": "3"}
    sg.materialize([a], tags=tags, instance=instance, raise_on_error=False)
    found = instance.get_status_by_partition(A, ["1", "2", "3", "4"], DAYS)
    assert [key for key, status in found.items() if status is sg.AssetPartitionStatus.FAILED] == ["2", "3"]
    assert instance.get_status_by_partition(A, [], DAYS) == {}


def test_only_what_is_about_an_asset_is_reported(instance: sg.Instance) -> None:
    instance.report_runless_asset_event(sg.AssetCheckEvaluation(A, "fresh", passed=True))
    assert instance.get_latest_check_results()[sg.AssetCheckKey(A, "fresh")].evaluation.passed
    with pytest.raises(sg.InvariantViolationError, match="report_runless_asset_event"):
        instance.report_runless_asset_event("a")  # pyright: ignore[reportArgumentType] reason: the mistake under test

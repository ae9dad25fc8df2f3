"""Dependencies of which nothing says how the partitions of both sides belong together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import segue as sg

HOURS = sg.HourlyPartitionsDefinition("2024-01-01-00:00")
NAMES = sg.StaticPartitionsDefinition(["a", "2024-01-01-05:00"])
OTHER = sg.StaticPartitionsDefinition(["q"])
PEOPLE = sg.DynamicPartitionsDefinition(name="people")
TWO = sg.MultiPartitionsDefinition({"x": NAMES, "y": sg.StaticPartitionsDefinition(["1"])})


def chain(upstream: sg.PartitionsDefinition, downstream: sg.PartitionsDefinition) -> list[sg.AssetsDefinition]:
    @sg.asset(partitions_def=upstream)
    def source() -> int:
        return 1

    @sg.asset(partitions_def=downstream, deps=[source])
    def after() -> int:
        return 2

    return [source, after]


@pytest.mark.parametrize(
    ("upstream", "downstream", "key"),
    [
        (HOURS, NAMES, "a"),
        (NAMES, HOURS, "2024-01-01-03:00"),
        (NAMES, PEOPLE, "a"),
        (TWO, OTHER, "q"),
        (OTHER, TWO, "1|a"),
    ],
)
def test_they_load_and_run_and_are_refused_by_validation(
    upstream: sg.PartitionsDefinition, downstream: sg.PartitionsDefinition, key: str
) -> None:
    assets = chain(upstream, downstream)
    definitions = sg.Definitions(assets=assets)
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("people", ["a"])
        if downstream == TWO:
            key = sg.MultiPartitionKey({"x": "a", "y": "1"})
        assert sg.materialize(assets, selection=["after"], partition_key=key, instance=instance).success
    with pytest.raises(
        sg.InvalidDefinitionError,
        match=r"test_unclear.*'after' depends on 'source': There is no default partition mapping",
    ):
        sg.Definitions.validate_loadable(definitions)


def test_validation_shows_all_of_them_together() -> None:
    @sg.asset(partitions_def=HOURS)
    def source() -> None: ...

    @sg.asset(partitions_def=NAMES, deps=[source])
    def one() -> None: ...

    @sg.asset(partitions_def=NAMES, deps=[source])
    def two() -> None: ...

    with pytest.raises(sg.DefinitionErrors, match="2 errors") as caught:
        sg.Definitions.validate_loadable(sg.Definitions(assets=[source, one, two]))
    assert len(caught.value.errors) == 2


def test_the_partition_of_the_same_key_is_taken() -> None:
    @sg.asset(partitions_def=HOURS)
    def source() -> None: ...

    @sg.asset(partitions_def=NAMES, deps=[source], automation_condition=sg.AutomationCondition.eager())
    def after() -> None: ...

    with sg.Instance.ephemeral() as instance:
        definitions = sg.Definitions(assets=[source, after])
        now = datetime(2024, 1, 1, 6, tzinfo=UTC)
        before = sg.evaluate_automation_conditions(definitions, instance, evaluation_time=now)
        instance.report_runless_asset_event(sg.AssetMaterialization("source", partition="2024-01-01-05:00"))
        result = sg.evaluate_automation_conditions(definitions, instance, evaluation_time=now, cursor=before.cursor)
        assert result.get_requested_partitions(after.key) == {"2024-01-01-05:00"}


def test_a_value_that_is_to_be_loaded_from_a_partition_that_is_not_there_is_an_error() -> None:
    @sg.asset(partitions_def=HOURS)
    def source() -> int:
        return 1

    @sg.asset(partitions_def=NAMES)
    def after(source: int) -> int:
        return source

    with pytest.raises(sg.UnknownPartitionError, match=r"do not exist.*: a "):
        sg.materialize([source, after], selection=["after"], partition_key="a")

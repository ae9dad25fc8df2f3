"""What definitions answer about sensors, schedules and specs that are not resolved yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import segue as sg

DAYS = sg.DailyPartitionsDefinition("2024-01-01")


@sg.asset(metadata={"rows": 1})
def plain() -> int:
    return 1


@sg.asset(partitions_def=DAYS)
def daily() -> None: ...


daily_job = sg.define_asset_job("daily_job", [daily])
by_partition = sg.build_schedule_from_partitioned_job(daily_job, name="by_partition", description="each day")


@sg.schedule(cron_schedule="0 0 * * *", target=[plain])
def nightly() -> sg.RunRequest:
    return sg.RunRequest()


@sg.sensor(target=[plain])
def watching() -> sg.SensorReturnTypesUnion:
    return [sg.RunRequest(run_key="one"), sg.RunRequest(run_key="two")]


DEFINITIONS = sg.Definitions([plain, daily], jobs=[daily_job], schedules=[nightly, by_partition], sensors=[watching])


def test_schedules_and_sensors_are_found_as_they_were_declared() -> None:
    assert DEFINITIONS.get_unresolved_schedule_def("nightly") is nightly
    assert DEFINITIONS.get_unresolved_schedule_def("by_partition") is by_partition
    assert DEFINITIONS.get_unresolved_sensor_def("watching") is watching
    for find in (DEFINITIONS.get_unresolved_schedule_def, DEFINITIONS.get_unresolved_sensor_def):
        with pytest.raises(sg.InvariantViolationError, match="nothing_like_it"):
            find("nothing_like_it")


def test_the_answer_of_a_sensor_may_be_any_of_the_kinds() -> None:
    tick = watching.evaluate_tick(sg.build_sensor_context(definitions=DEFINITIONS))
    assert [each.run_key for each in tick.run_requests or ()] == ["one", "two"]

    @sg.sensor(target=[plain])
    def quiet() -> sg.SensorReturnTypesUnion:
        return sg.SkipReason("nothing new")

    @sg.sensor(target=[plain])
    def streaming() -> Iterator[sg.RunRequest]:
        yield sg.RunRequest(run_key="three")

    context = sg.build_sensor_context(definitions=sg.Definitions([plain], sensors=[quiet, streaming]))
    assert quiet.evaluate_tick(context).skip_message == "nothing new"
    assert [each.run_key for each in streaming.evaluate_tick(context).run_requests or ()] == ["three"]


def test_a_schedule_by_partition_with_metadata_is_a_copy() -> None:
    changed = by_partition.with_metadata({"owner": "blue"})
    assert changed.metadata == {"owner": "blue"}
    assert (type(changed), changed.name) == (type(by_partition), by_partition.name)
    assert not by_partition.metadata


def test_specs_are_changed_where_they_are_selected() -> None:
    def counted(spec: sg.AssetSpec) -> sg.AssetSpec:
        return spec.merge_attributes(metadata={"seen": True})

    for changed, seen in (
        (DEFINITIONS.permissive_map_resolved_asset_specs(counted, None), {"plain", "daily"}),
        (DEFINITIONS.permissive_map_resolved_asset_specs(counted, "plain"), {"plain"}),
    ):
        found = {spec.key.to_user_string() for spec in changed.resolve_all_asset_specs() if "seen" in spec.metadata}
        assert found == seen


def test_specs_of_all_assets_hold_those_that_others_only_name() -> None:
    @sg.asset_check(asset="checked", additional_deps=["beside"])
    def full() -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=True)

    definitions = sg.Definitions([sg.AssetSpec("made", deps=["named", "plain"]), plain], asset_checks=[full])
    specs = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    assert set(specs) == {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert set(specs) == {"made", "plain", "named", "checked", "beside"}
    stubs = {name for name, spec in specs.items() if spec.metadata.get("dagster/auto_created_stub_asset")}
    assert stubs == {"named", "checked", "beside"}
    assert specs["named"].group_name == "default"


@sg.asset_check(asset=plain)
def has_rows() -> bool:
    return True


def test_assets_that_only_a_schedule_names_are_part_of_the_definitions() -> None:
    definitions = sg.Definitions(schedules=[nightly])
    assert [spec.key for spec in definitions.resolve_all_asset_specs()] == [plain.key]
    assert definitions.get_assets_def("plain") is plain


def test_a_check_among_the_assets_is_found_by_its_key() -> None:
    definitions = sg.Definitions(assets=[plain, has_rows])
    assert definitions.get_asset_checks_def(has_rows.check_key) is has_rows


def test_what_is_given_as_a_list_is_a_list() -> None:
    definitions = sg.Definitions(assets=[plain], schedules=[nightly], asset_checks=[has_rows])
    assert definitions.assets == [plain]
    assert (definitions.schedules, definitions.asset_checks, definitions.sensors) == ([nightly], [has_rows], [])
    assert [each.name for each in sg.Definitions(schedules=[nightly] * 2).get_repository_def().schedule_defs] == [
        "nightly"
    ]

"""Every place that takes an automation condition passes it on to what is evaluated."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

import segue as dg

C = dg.AutomationCondition


def test_every_way_to_declare_a_condition_reaches_the_evaluation() -> None:
    @dg.asset(automation_condition=C.missing())
    def plain() -> None: ...

    @dg.multi_asset(outs={"one": dg.AssetOut(automation_condition=C.missing()), "two": dg.AssetOut()})
    def outs() -> tuple[int, int]:
        return 1, 2

    @dg.multi_asset(specs=[dg.AssetSpec("three", automation_condition=C.missing())])
    def specs() -> None: ...

    from_spec = dg.AssetSpec("four").replace_attributes(automation_condition=C.missing())

    @dg.multi_asset(outs={"four": dg.AssetOut.from_spec(from_spec)})
    def of_spec() -> int:
        return 4

    @dg.asset_check(asset=plain, automation_condition=C.missing())
    def single() -> bool:
        return True

    @dg.asset(check_specs=[dg.AssetCheckSpec("inside", asset="checked", automation_condition=C.missing())])
    def checked() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="inside", passed=True)])

    job = dg.define_asset_job("job", [plain], automation_condition=C.all_job_root_assets_match(C.missing()))
    defs = dg.Definitions([plain, outs, specs, of_spec, checked], asset_checks=[single], jobs=[job])
    with dg.Instance.ephemeral() as instance:
        result = dg.evaluate_automation_conditions(defs, instance)
    assert {each.key.to_user_string() for each in result.results if not each.true_subset.is_empty} == {
        "plain",
        "one",
        "three",
        "four",
        "plain:single",
        "checked:inside",
        "job:job",
    }
    assert outs.automation_conditions_by_key == {dg.AssetKey("one"): C.missing()}


def test_loading_sets_the_condition_of_all_assets() -> None:
    module = ModuleType("module")

    @dg.asset(automation_condition=C.missing())
    def x() -> None: ...

    @dg.asset
    def y() -> None: ...

    vars(module).update(x=x, y=y, z=dg.AssetSpec("z"))
    loaded = dg.load_assets_from_modules([module], automation_condition=C.eager(), include_specs=True)
    nodes = dg.Definitions(assets=loaded).manifest.assets
    assert {node.key.to_user_string(): node.automation_condition for node in nodes} == dict.fromkeys("xyz", C.eager())


def test_a_sensor_names_the_jobs_whose_conditions_it_evaluates() -> None:
    sensor = dg.AutomationConditionSensorDefinition(
        "mine",
        target="*",
        asset_job_keys={dg.AssetJobKey("b"), dg.AssetJobKey("a")},
        use_user_code_server=True,
        default_condition=dg.AutomationCondition.eager(),
    )
    assert sensor.asset_job_keys == {dg.AssetJobKey("a"), dg.AssetJobKey("b")}
    assert sensor.metadata["dagster/asset_job_keys"] == dg.MetadataValue.json(["a", "b"])
    with pytest.raises(dg.InvalidDefinitionError, match="expected an AutomationCondition"):
        dg.AutomationConditionSensorDefinition("x", target="*", use_user_code_server=True, default_condition=5)


@pytest.mark.parametrize(
    ("condition", "partitions", "words"),
    [
        (C.eager(), [None, None], "all_job_root_assets_match"),
        (C.cron_tick_passed("@daily"), [None, None], "all_job_root_assets_match"),
        (C.all_job_root_assets_match(C.missing()), ["ab", "cd"], "2 different partitions definitions"),
        (C.all_job_root_assets_match(C.missing()) & C.cron_tick_passed("@daily"), ["ab", "ab"], None),
    ],
)
def test_the_condition_of_a_job_is_about_the_job(
    condition: Any, partitions: list[str | None], words: str | None
) -> None:
    def table(name: str, keys: str | None) -> dg.AssetsDefinition:
        cut = None if keys is None else dg.StaticPartitionsDefinition(list(keys))

        @dg.asset(name=name, partitions_def=cut)
        def made() -> None: ...

        return made

    assets = [table(f"table_{number}", keys) for number, keys in enumerate(partitions)]
    defs = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("together", assets, automation_condition=condition)])

    if words is None:
        job: Any = defs.get_job_def("together")
        assert job.automation_condition == condition
    else:
        with pytest.raises(dg.InvalidDefinitionError, match=words):
            defs.get_job_def("together")


def test_a_job_with_config_by_partition_takes_no_condition() -> None:
    cut = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(partitions_def=cut)
    def table() -> None: ...

    config = dg.PartitionedConfig(partitions_def=cut, run_config_for_partition_key_fn=lambda key: {"tags": {"k": key}})
    job = dg.define_asset_job(
        "nightly", [table], config=config, automation_condition=C.all_job_root_assets_match(C.missing())
    )

    with pytest.raises(dg.InvalidDefinitionError, match="partitioned config"):
        dg.Definitions.validate_loadable(dg.Definitions(assets=[table], jobs=[job]))

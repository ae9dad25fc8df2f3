"""What is superseded says so at the user's line, and works."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import segue as sg
import segue.compat.dagster as compat

LETTERS = sg.StaticPartitionsDefinition(["a", "b"])
HOUR = timedelta(hours=1)


@sg.asset
def plain() -> int:
    return 1


@sg.op(code_version="7")
def versioned() -> int:
    return 1


@sg.job(partitions_def=LETTERS)
def by_letter() -> None:
    versioned()


def of_run(read: Callable[[Any], object]) -> object:
    """What is read from the context of an asset in a run of the partition "a"."""
    seen: list[object] = []

    @sg.asset(partitions_def=LETTERS)
    def told(context: sg.AssetExecutionContext) -> None:
        seen.append(read(context))

    assert sg.materialize([told], partition_key="a").success
    return seen[0]


def schedule() -> object:
    return sg.ScheduleDefinition(
        name="nightly", cron_schedule="@daily", job_name="by_letter", environment_vars={"HOME": "/"}
    ).environment_vars


def over_keys() -> object:
    return sg.static_partitioned_config(["a"], tags_for_partition_fn=lambda key: {"letter": key})(
        lambda key: {"ops": {"x": {"config": key}}}
    ).get_tags_for_partition_key("a")["letter"]


def by_partition() -> object:
    return sg.PartitionedConfig(
        LETTERS, run_config_for_partition_fn=lambda partition: {"ops": {partition.name: {}}}
    ).get_run_config_for_partition_key("a")


def loaded() -> object:
    loader = sg.Definitions([plain], resources={"io_manager": kept()}).get_asset_value_loader()
    return loader.load_asset_value("plain", metadata={"a": 1})


def planned() -> object:
    with sg.Instance.ephemeral() as instance:
        sg.materialize([plain], instance=instance)
        return len(instance.fetch_planned_materializations(plain.key, limit=5).records)


SUPERSEDED: dict[str, tuple[Callable[[], object], object]] = {
    "environment_vars": (schedule, {"HOME": "/"}),
    "partitions_def": (lambda: sg.define_asset_job("daily", partitions_def=LETTERS).partitions_def, LETTERS),
    "tags_for_partition_fn": (over_keys, "a"),
    "run_config_for_partition_fn": (by_partition, {"ops": {"a": {}}}),
    "version of op 'versioned'": (lambda: versioned.version, "7"),
    "run_request_for_partition": (lambda: by_letter.run_request_for_partition("a").partition_key, "a"),
    "dagster_run": (lambda: of_run(lambda context: context.dagster_run.job_name == context.job_name), True),
    "get_op_execution_context": (lambda: of_run(lambda context: context.get_op_execution_context() is context), True),
    "asset_partition_key_range": (
        lambda: of_run(lambda context: context.asset_partition_key_range),
        sg.PartitionKeyRange("a", "a"),
    ),
    "asset_partition_key_for_output": (lambda: of_run(lambda context: context.asset_partition_key_for_output()), "a"),
    "asset_partition_keys_for_output": (
        lambda: of_run(lambda context: list(context.asset_partition_keys_for_output())),
        ["a"],
    ),
    "asset_partition_key_range_for_output": (
        lambda: of_run(lambda context: context.asset_partition_key_range_for_output()),
        sg.PartitionKeyRange("a", "a"),
    ),
    "metadata of build_output_context": (
        lambda: sg.build_output_context(metadata={"rows": 1}).definition_metadata,
        {"rows": 1},
    ),
    "metadata of build_input_context": (
        lambda: sg.build_input_context(metadata={"rows": 1}).definition_metadata,
        {"rows": 1},
    ),
    "metadata of the context": (
        lambda: sg.build_input_context(definition_metadata={"rows": 1}).metadata,
        {"rows": 1},
    ),
    "metadata of load_asset_value": (
        lambda: (
            sg.Definitions([plain], resources={"io_manager": kept()})
            .get_asset_value_loader()
            .load_asset_value("plain", metadata={"a": 1})
        ),
        {"a": 1},
    ),
    "version of @op": (lambda: sg.op(name="third", version="3")(lambda: 1).code_version, "3"),
    "fetch_planned_materializations": (planned, 1),
    "MetadataEntry": (lambda: compat.MetadataEntry("rows", value=3).value, sg.MetadataValue.int(3)),
}


def kept() -> sg.IOManager:
    class Tells(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None: ...

        def load_input(self, context: sg.InputContext) -> object:
            return dict(context.definition_metadata)

    return Tells()


@pytest.mark.parametrize("what", SUPERSEDED)
def test_it_warns_and_works(what: str) -> None:
    use, gives = SUPERSEDED[what]
    with pytest.warns(DeprecationWarning, match=what) as warned:
        assert use() == gives
    assert {warning.filename for warning in warned} == {__file__}


def test_the_warning_points_at_the_line_of_the_user() -> None:
    with pytest.warns(DeprecationWarning, match="environment_vars") as warned:
        schedule()
    start = inspect.getsourcelines(schedule)[1]
    assert start < warned[0].lineno <= start + 3
    assert "set variables where the schedule runs" in str(warned[0].message)


def test_one_line_warns_once_where_warnings_are_not_repeated() -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        for _ in range(3):
            schedule()
    assert len(warned) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: sg.run_status_sensor(sg.RunStatus.SUCCESS, name="successes", job_selection=[by_letter])(
            lambda context: None
        ),
        lambda: sg.run_failure_sensor(name="failures", job_selection=[by_letter])(lambda context: None),
    ],
)
def test_a_sensor_of_runs_takes_its_jobs_under_the_old_name(make: Callable[[], object]) -> None:
    with pytest.warns(DeprecationWarning, match="job_selection of .*write monitored_jobs") as warned:
        make()
    assert warned[0].filename == __file__


def test_both_names_of_a_parameter_are_refused() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="both definition_metadata and metadata"):
        sg.build_output_context(metadata={"a": 1}, definition_metadata={"b": 1})


KEPT: list[Callable[[], object]] = [
    lambda: sg.build_last_update_freshness_checks(assets=[plain], lower_bound_delta=HOUR),
    lambda: sg.build_sensor_for_freshness_checks(freshness_checks=[]),
    lambda: sg.MultiAssetSensorDefinition("both", [plain.key], None, lambda context: None, request_assets=None),
]


@pytest.mark.parametrize("use", KEPT)
def test_what_stays_warns_of_its_supersession(use: Callable[[], object]) -> None:
    with pytest.warns(sg.SupersessionWarning) as warned:
        use()
    assert warned[0].filename == __file__


@pytest.mark.parametrize("category", [compat.BetaWarning, compat.PreviewWarning])
def test_categories_that_code_filters_out_are_there(category: type[Warning]) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=category)
        warnings.warn("early", category, stacklevel=1)

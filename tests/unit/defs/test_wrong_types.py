"""Arguments of a wrong type are refused where they are given, by an error that is a definition error and a TypeError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

import segue as sg

WRONG: Any = 5
D = sg.DependencyDefinition


@sg.op
def give() -> int:
    return 1


@sg.graph
def given() -> Any:
    return give()


@sg.job
def giving() -> None:
    give()


def made() -> int:
    return 1


WRONG_TYPES: list[tuple[Callable[[], object], str]] = [
    (lambda: sg.op(name=WRONG)(made), "5 is not a valid name for an op"),
    (lambda: sg.op(code_version=WRONG)(made), "code_version must be of type str, got 5"),
    (lambda: sg.op(pool=WRONG)(made), "pool must be of type str, got 5"),
    (lambda: sg.asset(pool=WRONG)(made), "pool must be of type str, got 5"),
    (lambda: sg.asset(metadata={WRONG: 1})(made), "the keys of metadata must be strings, got 5; write '5'"),
    (lambda: sg.asset(deps=[WRONG])(made), "Expected an asset"),
    (lambda: sg.AssetSpec("a", group_name=WRONG), "the asset group name 5 is not valid"),
    (lambda: sg.AssetSpec("a", automation_condition=WRONG), "expected an AutomationCondition, got 5"),
    (lambda: sg.AssetSpec("a", freshness_policy=WRONG), "freshness_policy must be"),
    (lambda: sg.AssetSpec("a", skippable=WRONG), "skippable must be of type bool, got 5"),
    (lambda: sg.AssetCheckSpec("c", asset="a", blocking=WRONG), "blocking must be of type bool, got 5"),
    (lambda: sg.AssetCheckSpec("c", asset=WRONG), "Expected an asset"),
    (lambda: sg.AssetCheckResult(passed=WRONG), "must be a bool, got 5"),
    (lambda: sg.AssetCheckResult(passed=True, severity=WRONG), "severity must be of type AssetCheckSeverity, got 5"),
    (lambda: sg.AssetCheckResult(passed=True, metadata=WRONG), "metadata must be a mapping of names to values, got 5"),
    (lambda: sg.MaterializeResult(metadata=WRONG), "metadata must be of type Mapping, got 5"),
    (lambda: sg.MaterializeResult(check_results=[WRONG]), "check_results must be of type AssetCheckResult, got 5"),
    (lambda: sg.MaterializeResult(data_version=WRONG), "data_version must be of type DataVersion, got 5"),
    (lambda: sg.ObserveResult(metadata=WRONG), "metadata must be of type Mapping, got 5"),
    (lambda: sg.Output(1, output_name=WRONG), "output_name must be of type str, got 5"),
    (lambda: sg.Output(1, data_version=WRONG), "data_version must be of type DataVersion, got 5"),
    (lambda: sg.AssetMaterialization("a", partition=WRONG), "partition must be of type str, got 5"),
    (lambda: sg.AssetObservation("a", description=WRONG), "description must be of type str, got 5"),
    (lambda: sg.ExpectationResult(True, label=WRONG), "label must be of type str, got 5"),
    (lambda: sg.Failure(description=WRONG), "description must be of type str, got 5"),
    (lambda: sg.Failure(allow_retries=WRONG), "allow_retries must be of type bool, got 5"),
    (lambda: sg.HookDefinition(name="h", hook_fn=WRONG), "hook_fn must be a function, got 5"),
    (
        lambda: sg.SegueType(lambda _, value: True, "t", required_resource_keys=WRONG),
        "required_resource_keys must be of type Set, got 5",
    ),
    (lambda: sg.SegueType(lambda _, value: True, "t", kind=WRONG), "kind must be a member of TypeKind, got 5"),
    (lambda: sg.op(tags={WRONG: "a"})(made), "the keys of tags must be strings, got 5"),
    (lambda: sg.In(asset_key=WRONG), "asset_key"),
    (lambda: sg.In(WRONG), "5 is not a valid type"),
    (lambda: sg.Dict({"a": int}), "Dict requires 2 types in brackets"),
    (lambda: sg.graph(description=WRONG)(made), "description must be of type str, got 5"),
    (lambda: sg.graph(out={"a": WRONG})(made), "out['a'] must be of type GraphOut, got 5"),
    (lambda: given.to_job(description=WRONG), "description must be of type str, got 5"),
    (lambda: given.to_job(resource_defs={WRONG: 1}), "the keys of resource_defs must be strings, got 5"),
    (lambda: sg.build_op_context(mapping_key=WRONG), "mapping_key must be of type str, got 5"),
    (lambda: sg.RetryRequested(max_retries=cast("Any", "twice")), "max_retries must be of type int, got 'twice'"),
    (lambda: sg.TypeCheck(success=WRONG), "success must be a bool, got 5"),
    (lambda: sg.Definitions(resources={WRONG: 1}), "the keys of resources must be strings, got 5"),
    (lambda: sg.Definitions(executor=WRONG), "5 is not an executor"),
    (lambda: sg.Definitions(loggers=WRONG), "loggers must be a mapping"),
    (lambda: sg.Definitions.merge(WRONG), "merge must be of type Definitions, got 5"),
    (lambda: sg.define_asset_job("j", config=WRONG), "config must be a mapping"),
    (lambda: sg.define_asset_job("j", tags=WRONG), "tags must be of type Mapping, got 5"),
    (lambda: sg.define_asset_job("j", hooks=WRONG), "hooks must be a set of hooks, got 5"),
    (lambda: given.to_job(config=WRONG), "config must be a mapping"),
    (lambda: given.to_job(partitions_def=WRONG), "partitions_def must be of type PartitionsDefinition, got 5"),
    (lambda: give.alias(WRONG), "5 is not a valid name"),
    (lambda: give.with_retry_policy(WRONG), "retry_policy must be of type RetryPolicy, got 5"),
    (
        lambda: sg.GraphDefinition("g", node_defs=[give], dependencies=WRONG),
        "dependencies must be of type Mapping, got 5",
    ),
    (
        lambda: sg.GraphDefinition("g", node_defs=[give], dependencies={"give": {"x": WRONG}}),
        "to DependencyDefinitions, got 5",
    ),
    (
        lambda: sg.GraphDefinition("g", node_defs=[give], output_mappings=[WRONG]),
        "must be of type OutputMapping, got 5",
    ),
    (lambda: sg.StaticPartitionsDefinition([WRONG]), "A partition key must be a non-empty string, got 5"),
    (lambda: sg.DailyPartitionsDefinition(WRONG), "start: expected a datetime"),
    (lambda: sg.DailyPartitionsDefinition("2024-01-01", exclusions=[WRONG]), "5 is not the start of a window"),
    (
        lambda: sg.MultiPartitionsDefinition({"a": WRONG, "b": WRONG}),
        "expected a partitions definition for each dimension",
    ),
    (
        lambda: sg.MultiPartitionKey({"a": WRONG, "b": "x"}),
        "The partition key of dimension 'a' must be a string, got 5",
    ),
    (lambda: sg.DynamicPartitionsDefinition(name=WRONG), "name must be of type str, got 5"),
    (lambda: sg.StaticPartitionMapping(WRONG), "must be of type Mapping, got 5"),
    (lambda: sg.MultiToSingleDimensionPartitionMapping(WRONG), "partition_dimension_name must be of type str, got 5"),
    (lambda: sg.sensor(job=WRONG)(made), "5 is not a job"),
    (lambda: sg.schedule(job=giving, cron_schedule=WRONG)(made), "must be a string or a list of strings, got 5"),
    (lambda: sg.ScheduleDefinition(cron_schedule="@daily"), "has no target"),
    (lambda: sg.build_schedule_from_partitioned_job(giving), "is not partitioned"),
    (lambda: sg.run_status_sensor(run_status=WRONG)(made), "run_status must be of type RunStatus"),
    (lambda: sg.Field(int, description=WRONG), "description must be of type str, got 5"),
    (lambda: sg.Field(int, default_value=1, is_required=True), "a required field cannot have a default_value"),
    (lambda: sg.Map(sg.Noneable(int), int), "key_type must be a scalar type"),
    (lambda: sg.Selector(WRONG), "must be given a mapping of fields, got 5"),
    (lambda: sg.Enum("E", [WRONG]), "must contain EnumValue objects, got 5"),
    (lambda: sg.EnumValue(WRONG), "config_value must be a string, got 5"),
    (lambda: sg.ConfigMapping(WRONG), "config_fn must be a function, got 5"),
    (lambda: sg.ResourceDefinition(WRONG), "resource_fn must be a function, got 5"),
    (lambda: sg.SegueType(name="t", type_check_fn=WRONG), "type_check_fn must be a function, got 5"),
    (lambda: sg.SegueType(name="t", type_check_fn=cast("Any", made)), "must take two arguments"),
    (
        lambda: sg.SegueType(name="t", type_check_fn=lambda *_: True, loader=WRONG),
        "loader must be a function decorated with @type_loader",
    ),
    (lambda: sg.PythonObjectType(WRONG), "must be given a class or a tuple of classes, got 5"),
    (lambda: sg.RunsFilter(run_ids=WRONG), "RunsFilter: run_ids must be a sequence, got 5"),
    (lambda: sg.RunsFilter(run_ids=[WRONG]), "RunsFilter: run_ids[0] must be of type str, got 5"),
    (lambda: sg.RunsFilter(job_name=WRONG), "RunsFilter: job_name must be of type str, got 5"),
    (lambda: sg.RunsFilter(tags=WRONG), "RunsFilter: tags must be of type Mapping, got 5"),
    (lambda: sg.RunsFilter(created_before=WRONG), "RunsFilter: created_before must be of type datetime, got 5"),
    (lambda: sg.FreshnessPolicy.time_window(fail_window=WRONG), "fail_window must be a timedelta, got 5"),
    (lambda: sg.build_op_context(partition_key=WRONG), "partition_key must be of type str, got 5"),
    (lambda: sg.build_input_context(upstream_output=WRONG), "upstream_output must be of type OutputContext, got 5"),
    (lambda: sg.with_resources([], WRONG), "resource_defs must be of type Mapping, got 5"),
    (lambda: sg.Instance.ephemeral().get_runs(WRONG), "filters must be of type RunsFilter, got 5"),
    (lambda: sg.Instance.ephemeral().fetch_materializations(WRONG, 1), "records_filter must be of type AssetKey or"),
    (
        lambda: sg.Instance.ephemeral().get_latest_materialization_event(WRONG),
        "asset_keys must be of type AssetKey, got 5",
    ),
    (lambda: sg.AssetsDefinition.from_op(WRONG), "op_def must be an op, got 5"),
    (lambda: sg.LoggerDefinition(WRONG), "logger_fn must be a function that returns a logger, got 5"),
    (lambda: sg.configured(WRONG)(made), "configured must be given a resource, op, graph"),
    (lambda: sg.AssetSelection.groups(WRONG), "expected a string, got 5"),
    (lambda: sg.AssetSelection.assets(WRONG), "expected an asset key"),
    (lambda: sg.TableRecord(WRONG), "expected a mapping of column names to values, got 5"),
    (lambda: D(WRONG), "node must be of type str, got 5"),
    (lambda: sg.NodeInvocation(WRONG), "name must be of type str, got 5"),
    (lambda: sg.MultiDependencyDefinition([WRONG]), "must be given DependencyDefinitions, got 5"),
]


@pytest.mark.parametrize(("make", "words"), WRONG_TYPES, ids=[row[1] for row in WRONG_TYPES])
def test_an_argument_of_a_wrong_type_is_refused_where_it_is_given(make: Callable[[], object], words: str) -> None:
    with pytest.raises(sg.WrongTypeError) as found:
        make()
    assert words in str(found.value)
    assert isinstance(found.value, TypeError)
    assert isinstance(found.value, (sg.InvalidDefinitionError, sg.InvalidInvocationError))


def test_a_use_of_an_op_bears_a_name() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="'a b' is not a valid name"):
        give.alias("a b")


def test_tags_of_a_job_of_assets_are_written_as_those_of_a_job_of_ops() -> None:
    tags = {"plain": "text", "number": 3, "nested": {"k": [1, True]}}
    job = sg.define_asset_job("j", tags=tags, run_tags=tags)
    assert job.tags == given.to_job(tags=tags).tags == {"plain": "text", "number": "3", "nested": '{"k": [1, true]}'}
    with pytest.raises(sg.InvalidDefinitionError, match=r"the tag 'a' .* cannot be written as JSON"):
        sg.define_asset_job("j", tags={"a": object()})

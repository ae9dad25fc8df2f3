"""Values that are written like named tuples: their fields are listed, given as a dict, and replaced in a copy."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg

CASES: list[tuple[Any, dict[str, Any]]] = [
    (sg.AssetSpec("a", deps=["b"], kinds={"sql"}, owners=["team:x"]), {"group_name": "g"}),
    (sg.AssetSpec("a", metadata={"x": 1}, tags={"t": "v"}), {"key": sg.AssetKey("b"), "metadata": {}}),
    (sg.AssetDep("a", metadata={"x": 1}), {"asset_key": sg.AssetKey("b")}),
    (sg.AssetIn(key_prefix="p", metadata={"x": 1}), {"input_manager_key": "m"}),
    (sg.AssetIn(key="a"), {"key": sg.AssetKey("b")}),
    (sg.AssetCheckSpec("c", asset="a", additional_deps=["b"]), {"asset_key": sg.AssetKey("z")}),
    (sg.AssetCheckResult(passed=True, check_name="c"), {"passed": False}),
    (sg.AssetMaterialization("a", metadata={"n": 1}, tags={"t": "v"}), {"partition": "p"}),
    (sg.AssetObservation("a", metadata={"n": 1}), {"metadata": {}}),
    (sg.MaterializeResult("a", value=3), {"metadata": {"x": 1}}),
    (sg.ObserveResult("a"), {"data_version": sg.DataVersion("1")}),
    (sg.ExpectationResult(True), {"label": "l"}),
    (sg.TypeCheck(True), {"success": False}),
    (sg.DataVersion("1"), {"value": "2"}),
    (sg.DataVersionsByPartition({"p": "1"}), {"data_versions_by_partition": {}}),
    (sg.DataProvenance("1", {}, {}, False), {"code_version": "2"}),
    (sg.RunRequest(run_key="k", tags={"t": "v"}), {"partition_key": "p"}),
    (sg.SkipReason("x"), {"skip_message": "y"}),
    (sg.SensorResult(cursor="1", run_requests=[sg.RunRequest()]), {"cursor": "2"}),
    (sg.AddDynamicPartitionsRequest("d", ["x"]), {"partition_keys": ["y"]}),
    (sg.DeleteDynamicPartitionsRequest("d", ["x"]), {"partition_keys": ["y"]}),
    (sg.RetryPolicy(max_retries=2), {"delay": 1.5}),
    (sg.BackfillPolicy.single_run(), {"max_partitions_per_run": 3}),
    (sg.AssetRecordsFilter(sg.AssetKey("a")), {"after_storage_id": 4}),
    (sg.RunStatusChangeRecordsFilter(sg.EventType.RUN_SUCCESS), {"job_names": ["j"]}),
    (sg.Run(run_id="r", job_name="j", tags={"t": "v"}), {"status": sg.RunStatus.QUEUED}),
    (sg.Out(int, metadata={"x": 1}), {"io_manager_key": "m"}),
    (sg.DynamicOut(int), {"is_required": False}),
    (sg.GraphOut(description="d"), {"description": "e"}),
    (sg.DependencyDefinition("n"), {"output": "o"}),
    (sg.MultiDependencyDefinition([sg.DependencyDefinition("n")]), {"dependencies": []}),
    (sg.NodeInvocation("n", alias="m"), {"tags": {"t": "v"}}),
    (sg.OutputMapping("g", "n", "o"), {"graph_output_name": "h"}),
    (sg.HookExecutionResult("h"), {"is_skipped": True}),
]


@pytest.mark.parametrize(("value", "changes"), CASES, ids=[type(value).__name__ for value, _ in CASES])
def test_fields_are_replaced_in_a_copy(value: Any, changes: dict[str, Any]) -> None:
    before = value._asdict()
    changed = value._replace(**changes)
    assert type(changed) is type(value)
    assert changed._asdict() == {**before, **changes}
    assert value._asdict() == before
    assert value._replace() == value
    assert changed != value
    assert tuple(before) == type(value)._fields


def test_a_replaced_value_is_validated() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="owner 'nobody'"):
        sg.AssetSpec("a")._replace(owners=["nobody"])


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(ValueError, match=r"AssetSpec has no field 'color'; its fields are .*group_name"):
        sg.AssetSpec("a")._replace(color="red")

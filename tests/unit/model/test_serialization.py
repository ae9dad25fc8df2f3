"""Public values as text and back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.model.event import ErrorInfo, Event, StepStartData

A = sg.AssetKey(["a", "ü"])
VALUES = [
    A,
    sg.AssetCheckKey(A, "fresh"),
    sg.AssetMaterialization(A, "made", {"rows": 1, "path": sg.MetadataValue.path("x")}, "p", {"k": "v"}),
    sg.AssetObservation(A, data_version="7"),
    sg.AssetCheckEvaluation(A, "fresh", passed=False, metadata={"rows": sg.IntMetadataValue(0)}),
    sg.AssetCheckSeverity.WARN,
    sg.AutomationCondition.eager(),
    sg.AutomationCondition.on_cron("@daily") & ~sg.AutomationCondition.in_progress(),
    sg.BackfillPolicy.multi_run(3),
    sg.RetryPolicy(max_retries=2, delay=0.5, backoff=sg.Backoff.EXPONENTIAL),
    sg.DataVersion("7"),
    ErrorInfo("ValueError: no", "ValueError", ("frame",), ErrorInfo("KeyError: 1", "KeyError")),
    Event(1.0, StepStartData(), "load", "r1", "daily"),
    sg.EventLogEntry(None, "info", "a line", "r1", 5.0),
    sg.EventType.STEP_START,
    sg.ExpectationResult(False, "rows", metadata={"rows": 1}),
    sg.MetadataValue.md("# x"),
    sg.MetadataValue.timestamp(5.0),
    sg.MultiPartitionKey({"day": "1", "color": "red"}),
    sg.PartitionKeyRange("a", "b"),
    sg.LastPartitionMapping(),
    sg.DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin"),
    sg.StaticPartitionsDefinition(["x", "y"]),
    sg.Run(run_id="r1", job_name="daily", asset_selection=frozenset({A}), tags={"a": "b"}),
    sg.RunStatus.SUCCESS,
    sg.RunRequest("k", {"ops": {}}, {"t": "v"}, "daily", [A], True, "p", [sg.AssetCheckKey(A, "fresh")]),
    sg.RunRequest(),
    sg.SkipReason("nothing new"),
    sg.DynamicPartitionsDefinition(name="files").build_add_request(["a"]),
    sg.DynamicPartitionsDefinition(name="files").build_delete_request(["a"]),
    sg.FreshnessPolicy.time_window(timedelta(hours=2), timedelta(hours=1)),
    sg.FreshnessPolicy.cron("@daily", timedelta(hours=1)),
    sg.DefaultScheduleStatus.RUNNING,
    sg.DefaultSensorStatus.STOPPED,
    sg.JobSelector("here", "daily"),
    sg.RepositorySelector(location_name="here", repository_name="r"),
    sg.CodeLocationSelector("here"),
    sg.TableColumn("id", "int", constraints=sg.TableColumnConstraints(nullable=False)),
    sg.TableSchema([sg.TableColumn("id")]),
    sg.TableColumnLineage({"id": [sg.TableColumnDep(A, "id")]}),
    sg.TableRecord({"id": 1}),
    sg.RunsFilter(tags={"a": ["b", "c"]}, statuses=[sg.RunStatus.FAILURE]),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda each: type(each).__name__)
def test_a_value_reads_back_as_it_was(value: Any) -> None:
    text = sg.serialize_value(value)
    # A definition by days is one of time windows, and comes back as such.
    kind = sg.TimeWindowPartitionsDefinition if isinstance(value, sg.DailyPartitionsDefinition) else type(value)
    found = sg.deserialize_value(text, kind)
    assert found == value
    assert type(found) is kind
    nested = {"key": [value, (value, None), {1: value}, {"plain": value}]}
    assert sg.deserialize_value(sg.serialize_value(nested)) == nested
    # A class may be renamed: what is written does not know its name.
    assert type(value).__name__ not in text


AC = sg.AutomationCondition
MISSING = {"__class__": "MissingAutomationCondition", "label": None}
FROM_DAGSTER = [
    (MISSING, AC.missing()),
    (
        {"__class__": "NewlyTrueCondition", "label": "new", "operand": MISSING},
        AC.missing().newly_true().with_label("new"),
    ),
    (
        {"__class__": "OrAssetCondition", "operands": [MISSING, {"__class__": "FailedAutomationCondition"}]},
        AC.missing() | AC.execution_failed(),
    ),
    (
        {
            "__class__": "InLatestTimeWindowCondition",
            "serializable_lookback_timedelta": {
                "__class__": "SerializableTimeDelta",
                "days": 1,
                "seconds": 5,
                "microseconds": 0,
            },
        },
        AC.in_latest_time_window(timedelta(days=1, seconds=5)),
    ),
    (
        {"__class__": "LatestRunExecutedWithTagsCondition", "tag_keys": {"__set__": ["by"]}, "tag_values": {"k": "v"}},
        AC.executed_with_tags(tag_keys={"by"}, tag_values={"k": "v"}),
    ),
    (
        {
            "__class__": "FreshnessResultCondition",
            "label": "freshness_failed",
            "state": {"__enum__": "FreshnessState.FAIL"},
        },
        AC.freshness_failed(),
    ),
    (
        {
            "__class__": "AnyDepsCondition",
            "operand": MISSING,
            "allow_selection": {
                "__class__": "OrAssetSelection",
                "operands": [
                    {
                        "__class__": "KeysAssetSelection",
                        "selected_keys": [{"__class__": "AssetKey", "path": ["a", "b"]}],
                    },
                    {"__class__": "GroupsAssetSelection", "selected_groups": ["g"], "include_sources": False},
                ],
            },
            "ignore_selection": None,
        },
        AC.any_deps_match(AC.missing()).allow(sg.AssetSelection.keys(["a", "b"]) | sg.AssetSelection.groups("g")),
    ),
]


@pytest.mark.parametrize(("stored", "condition"), FROM_DAGSTER, ids=lambda each: str(each)[:40])
def test_a_condition_that_dagster_serialized_is_read(stored: dict[str, Any], condition: AC) -> None:
    assert sg.deserialize_value(json.dumps(stored), sg.AutomationCondition) == condition
    assert sg.deserialize_value(json.dumps([stored])) == [condition]


def test_what_has_no_counterpart_in_a_condition_of_dagsters_is_named() -> None:
    strange = {"__class__": "NotAssetCondition", "operand": {"__class__": "HouseCondition"}}
    with pytest.raises(sg.NotSupportedError, match="HouseCondition"):
        sg.deserialize_value(json.dumps(strange))


@pytest.mark.parametrize("name", ["MissingAutomationCondition", "x"])
def test_a_dict_that_looks_like_one_stays_a_dict(name: str) -> None:
    assert sg.deserialize_value(sg.serialize_value({"__class__": name})) == {"__class__": name}


S = sg.AssetSelection
SELECTIONS = [
    S.all(include_sources=True),
    S.keys(A, "b") | S.key_prefixes(["p", "q"]) | S.key_substring("x"),
    S.groups("sales") - S.tag("tier", "1") & S.kind("dbt") & S.owner("team:x"),
    S.keys(A).upstream(depth=2, include_self=False).downstream().roots() | S.groups("a").sinks(),
    S.all() - S.all_asset_checks() | S.checks_for_assets(A) | S.checks(sg.AssetCheckKey(A, "fresh")),
    S.keys(A).required_multi_asset_neighbors().materializable() | S.keys(A).upstream_source_assets(),
    S.from_string('+key:"a*" and not group:b* and is:external'),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_a_selection_reads_back_as_it_was(selection: S) -> None:
    assert sg.deserialize_value(sg.serialize_value(selection), S) == selection


def test_a_selection_by_code_of_the_users_own_is_not_written() -> None:
    class Mine(sg.AssetSelection):
        pass

    with pytest.raises(sg.NotSupportedError, match="Mine"):
        sg.serialize_value(Mine() | S.all())


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.just("__segue__"), inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers(-5, 5), inner)
    ),
    max_leaves=10,
)


@given(plain)
def test_containers_read_back_as_they_were(value: Any) -> None:
    assert sg.deserialize_value(sg.serialize_value(value)) == value


def test_a_set_comes_back_as_one_that_does_not_change() -> None:
    found = sg.deserialize_value(sg.serialize_value({A, 1}))
    assert found == {A, 1}
    assert isinstance(found, frozenset)


def test_what_has_no_form_is_refused() -> None:
    for value in (object(), [test_what_has_no_form_is_refused], {"a": b"x"}, RuntimeError()):
        with pytest.raises(sg.InvalidInvocationError, match="serialize_value"):
            sg.serialize_value(value)


def test_text_of_something_else_is_refused() -> None:
    for text in (
        "x",
        "",
        json.dumps({"__segue__": "nothing", "value": 1}),
        json.dumps({"__segue__": "asset_materialization", "value": 1}),
        json.dumps({"__segue__": "run_status", "value": "GONE"}),
        json.dumps({"__segue__": "asset_key"}),
        json.dumps({"__segue__": "tuple", "value": 1}),
        json.dumps({"__segue__": "dict", "value": [1]}),
    ):
        with pytest.raises(sg.InvalidInvocationError):
            sg.deserialize_value(text)


def test_the_class_is_compared() -> None:
    text = sg.serialize_value(A)
    assert sg.deserialize_value(text, (str, sg.AssetKey)) == A
    with pytest.raises(sg.InvalidInvocationError, match="AssetKey"):
        sg.deserialize_value(text, str)

"""Data versions: what follows from code and inputs, what is recorded of it, and which assets are stale."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg
from segue.host.inprocess import execute_request
from segue.model.data_version import compute_logical_data_version

COLORS = sg.StaticPartitionsDefinition(["red", "blue"])


def asset(name: str, deps: Any = (), version: str | None = None, **more: Any) -> sg.AssetsDefinition:
    @sg.asset(name=name, deps=list(deps), code_version=version, **more)
    def made() -> None: ...

    return made


def tags_of(result: sg.ExecuteInProcessResult, name: str) -> dict[str, str]:
    [event] = [each for each in result.get_asset_materialization_events() if each.asset_key == sg.AssetKey(name)]
    return dict(event.materialization.tags)


def version_of(result: sg.ExecuteInProcessResult, name: str) -> str:
    return tags_of(result, name)["dagster/data_version"]


def states(instance: sg.Instance, *assets: Any, **more: Any) -> dict[str, str]:
    found = sg.stale_states(sg.Definitions(list(assets)), instance, **more)
    return {key.to_user_string(): state.status.value for key, state in found.items()}


def causes(instance: sg.Instance, key: str, *assets: Any) -> list[tuple[str, str | None]]:
    found = sg.stale_states(sg.Definitions(list(assets)), instance, [key])[sg.AssetKey(key)]
    return [
        (each.category.value, None if each.dependency is None else each.dependency.to_user_string())
        for each in found.causes
    ]


def test_data_of_the_same_code_and_inputs_is_of_the_same_version() -> None:
    with sg.Instance.ephemeral() as instance:
        plain, coded = asset("plain"), asset("coded", version="7")
        after = asset("after", ["plain", "coded"], "8")
        first = sg.materialize([plain, coded, after], instance=instance)
        again = sg.materialize([plain, coded, after], instance=instance)
        alone = sg.materialize([plain, coded, after], selection=["after"], instance=instance)
    assert version_of(first, "plain") != version_of(again, "plain")
    assert version_of(first, "coded") == version_of(again, "coded") == compute_logical_data_version("7", {}).value
    assert version_of(first, "after") != version_of(again, "after") == version_of(alone, "after")
    tags = tags_of(alone, "after")
    provenance = sg.DataProvenance.from_tags(tags)
    assert provenance is not None
    assert provenance.code_version == "8"
    assert provenance.input_data_versions[sg.AssetKey("plain")].value == version_of(again, "plain")
    assert provenance.input_storage_ids[sg.AssetKey("plain")] is not None
    assert provenance.has_input_asset(sg.AssetKey("coded"))
    assert not provenance.is_user_provided


def test_a_version_that_the_function_names_is_kept() -> None:
    @sg.asset
    def named() -> sg.Output[int]:
        return sg.Output(1, data_version=sg.DataVersion("v1"))

    result = sg.materialize([named])
    assert version_of(result, "named") == "v1"
    provenance = sg.DataProvenance.from_tags(tags_of(result, "named"))
    assert provenance is not None
    assert provenance.is_user_provided


def test_tags_from_outside_name_the_version() -> None:
    made = sg.AssetMaterialization("x", tags={"dagster/data_version": "3"})
    assert made.data_version == "3"
    assert sg.DataProvenance.from_tags(made.tags) is None


def test_what_is_never_made_is_missing_and_what_changes_upstream_makes_stale() -> None:
    source, a, b = sg.AssetSpec("source"), asset("a", ["source"], "1"), asset("b", ["a"], "2")
    with sg.Instance.ephemeral() as instance:
        assert states(instance, source, a, b) == {"source": "FRESH", "a": "MISSING", "b": "MISSING"}
        sg.materialize([source, a, b], instance=instance)
        assert states(instance, source, a, b) == {"source": "FRESH", "a": "FRESH", "b": "FRESH"}
        instance.report_runless_asset_event(sg.AssetObservation("source", tags={"dagster/data_version": "x"}))
        assert states(instance, source, a, b) == {"source": "FRESH", "a": "STALE", "b": "FRESH"}
        assert causes(instance, "a", source, a) == [("DATA", "source")]
        sg.materialize([source, a, b], selection=["a"], instance=instance)
        assert states(instance, source, a, b) == {"source": "FRESH", "a": "FRESH", "b": "STALE"}
        assert causes(instance, "b", source, a, b) == [("DATA", "a")]


def test_other_code_and_other_dependencies_make_stale() -> None:
    with sg.Instance.ephemeral() as instance:
        sg.materialize([asset("a"), asset("b", ["a"], "1")], instance=instance)
        assert causes(instance, "b", asset("a"), asset("b", ["a"], "2")) == [("CODE", None)]
        changed = asset("b", ["c"], "1")
        assert causes(instance, "b", asset("c"), changed) == [("DEPENDENCIES", "a"), ("DEPENDENCIES", "c")]
        assert causes(instance, "b", asset("a"), asset("b", ["a"])) == []  # code without a version says nothing


def test_each_partition_is_stale_by_itself() -> None:
    up, down = asset("up", partitions_def=COLORS), asset("down", ["up"], "1", partitions_def=COLORS)
    with sg.Instance.ephemeral() as instance:
        for color in ("red", "blue"):
            sg.materialize([up, down], partition_key=color, instance=instance)
        sg.materialize([up, down], selection=["up"], partition_key="red", instance=instance)
        assert states(instance, up, down, partition_key="red")["down"] == "STALE"
        assert states(instance, up, down, partition_key="blue")["down"] == "FRESH"


def test_only_what_is_stale_is_made() -> None:
    a, b = asset("a", version="1"), asset("b", ["a"], "1")
    job = sg.define_asset_job("both", selection=["a", "b"])
    request = sg.RunRequest(job_name="both", stale_assets_only=True)
    with sg.Instance.ephemeral() as instance:
        sg.materialize([a], instance=instance)
        defs = sg.Definitions([a, b], jobs=[job])
        run = execute_request(defs, instance, request)
        assert [key.to_user_string() for key in run.asset_selection] == ["b"]
        with pytest.raises(sg.InvalidSubsetError, match="none of the selected assets are stale"):
            execute_request(defs, instance, request)

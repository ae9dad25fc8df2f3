"""The sensor that asks again for checks of freshness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import segue as sg

pytestmark = pytest.mark.filterwarnings("ignore::segue.SupersessionWarning")

HOUR = timedelta(hours=1)


def ago(span: timedelta) -> sg.TimestampMetadataValue:
    return sg.MetadataValue.timestamp((datetime.now(UTC) - span).timestamp())


def test_the_sensor_asks_again_where_the_asset_was_made_after_its_check_failed() -> None:
    checks = sg.build_last_update_freshness_checks(assets=["orders"], lower_bound_delta=HOUR)
    sensor = sg.build_sensor_for_freshness_checks(freshness_checks=checks)
    defs = sg.Definitions(asset_checks=checks, sensors=[sensor])
    with sg.Instance.ephemeral() as instance:
        instance.report_runless_asset_event(sg.AssetCheckEvaluation(sg.AssetKey("orders"), "freshness_check", False))
        assert isinstance(sensor(sg.build_sensor_context(instance=instance, definitions=defs)), sg.SkipReason)
        instance.report_runless_asset_event(sg.AssetMaterialization("orders"))
        request = sensor(sg.build_sensor_context(instance=instance, definitions=defs))
    assert isinstance(request, sg.RunRequest)


def test_the_sensor_asks_for_what_never_ran_or_held_until_now() -> None:
    checks = sg.build_last_update_freshness_checks(assets=["a", "b", "c", "d"], lower_bound_delta=HOUR)
    sensor = sg.build_sensor_for_freshness_checks(freshness_checks=checks, tags={"team": "data"})
    until = "dagster/fresh_until_timestamp"
    with sg.Instance.ephemeral() as instance:
        for asset, passed, metadata in (
            ("b", False, {}),
            ("c", True, {until: ago(HOUR)}),
            ("d", True, {until: ago(-HOUR)}),
        ):
            evaluation = sg.AssetCheckEvaluation(sg.AssetKey(asset), "freshness_check", passed, metadata)
            instance.report_runless_asset_event(evaluation)
        defs = sg.Definitions(asset_checks=checks, sensors=[sensor])
        request = sensor(sg.build_sensor_context(instance=instance, definitions=defs))
        assert isinstance(request, sg.RunRequest)
        wanted = [sg.AssetCheckKey(sg.AssetKey(asset), "freshness_check") for asset in ("a", "c")]
        assert request.asset_check_keys == wanted
        assert request.tags == {"team": "data"}
        for key in wanted:
            evaluation = sg.AssetCheckEvaluation(key.asset_key, key.name, True, {until: ago(-HOUR)})
            instance.report_runless_asset_event(evaluation)
        assert isinstance(sensor(sg.build_sensor_context(instance=instance, definitions=defs)), sg.SkipReason)

"""What sensors may start, as they read it."""

from __future__ import annotations

import pytest

import segue as sg


def test_a_selection_of_assets_is_resolved_among_definitions() -> None:
    @sg.asset
    def one() -> None: ...

    @sg.asset(deps=[one])
    def two() -> None: ...

    @sg.asset_check(asset=one)
    def looks() -> bool:
        return True

    for selection in (["one", "two"], [one, two], "one+"):
        sensor = sg.SensorDefinition("watch", evaluation_fn=lambda: None, asset_selection=selection)
        assert sensor.asset_selection is not None
        assert sensor.asset_selection.resolve([one, two, sg.AssetSpec("three")]) == {one.key, two.key}
    assert (one.is_executable, one.is_materializable, looks.is_materializable) == (True, True, False)


def test_a_graph_as_a_job_is_superseded() -> None:
    @sg.op
    def step() -> None: ...

    @sg.graph
    def steps() -> None:
        step()

    with pytest.warns(DeprecationWarning, match=r"steps\.to_job\(\)"):
        sensor = sg.SensorDefinition("watch", evaluation_fn=lambda: None, job=steps)
    assert sensor.job.name == "steps"


def test_a_mock_can_stand_for_the_context_of_a_sensor() -> None:
    class Stand:
        cursor = "7"

    @sg.sensor(job_name="nightly")
    def one(context: sg.SensorEvaluationContext) -> sg.SkipReason:
        return sg.SkipReason(f"since {context.cursor}")

    @sg.sensor(job_name="nightly")
    def none() -> None: ...

    @sg.sensor(job_name="nightly")
    def several():  # type: ignore[no-untyped-def]
        yield sg.RunRequest("a")
        yield sg.RunRequest("b")

    found = [getattr(each, "_evaluation_fn")(Stand()) for each in (one, none, several)]  # noqa: B009 reason: a private name
    assert found == [[sg.SkipReason("since 7")], [], [sg.RunRequest("a"), sg.RunRequest("b")]]

"""`execute_job`: jobs on the record, and steps of earlier runs run again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import segue as sg

BROKEN: set[str] = set()
CALLS: list[str] = []


@sg.op(config_schema={"by": sg.Field(int, default_value=1)})
def start(context: sg.OpExecutionContext) -> int:
    CALLS.append("start")
    return context.op_config["by"]


@sg.op
def double(x: int) -> int:
    CALLS.append("double")
    if "double" in BROKEN:
        raise ValueError("not yet")
    return 2 * x


@sg.op
def show(x: int) -> str:
    CALLS.append("show")
    return f"<{x}>"


@sg.graph(out=sg.GraphOut())
def shown(x: int) -> str:
    return show(x)


@sg.graph(out=sg.GraphOut())
def pipeline() -> str:
    return shown(double(start()))


def numbers() -> sg.JobDefinition:
    return pipeline.to_job(name="numbers", tags={"team": "a"})


@sg.op(out=sg.DynamicOut())
def parts() -> Iterator[sg.DynamicOutput[int]]:
    CALLS.append("parts")
    for each in (1, 2, 3):
        yield sg.DynamicOutput(each, mapping_key=f"p{each}")


@sg.op
def times_ten(x: int) -> int:
    CALLS.append(f"times_ten {x}")
    if f"times_ten {x}" in BROKEN:
        raise ValueError("not yet")
    return 10 * x


@sg.op
def total(xs: list[int]) -> int:
    return sum(xs)


@sg.job
def dynamic() -> None:
    total(parts().map(times_ten).collect())


@sg.asset
def raw() -> int:
    return 4


@sg.asset
def refined(raw: int) -> int:
    return raw + 1


def assets() -> sg.JobDefinition:
    return sg.Definitions([raw, refined], jobs=[sg.define_asset_job("everything", "*")]).resolve_job_def("everything")


@pytest.fixture(autouse=True)
def fresh() -> None:
    BROKEN.clear()
    CALLS.clear()


NUMBERS, DYNAMIC, ASSETS = sg.reconstructable(numbers), sg.reconstructable(dynamic), sg.reconstructable(assets)


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as made:
        yield made


def ran(result: sg.JobExecutionResult) -> list[str]:
    return [event.step_key or "" for event in result.get_step_success_events()]


def test_a_run_and_its_values(instance: sg.Instance) -> None:
    with sg.execute_job(NUMBERS, instance, {"ops": {"start": {"config": {"by": 3}}}}, {"x": "y"}) as result:
        assert result.success
        assert (result.output_for_node("double"), result.output_for_node("shown"), result.output_value()) == (
            6,
            "<6>",
            "<6>",
        )
        with pytest.raises(sg.InvariantViolationError, match="no step 'other'"):
            result.output_for_node("other")
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert (run.tags, run.run_config) == ({"team": "a", "x": "y"}, {"ops": {"start": {"config": {"by": 3}}}})
    for ask in (result.output_value, lambda: result.output_for_node("double")):
        with pytest.raises(sg.InvariantViolationError, match="as a context manager"):
            ask()


def test_failures_stand_in_the_result_or_are_raised(instance: sg.Instance) -> None:
    BROKEN.add("double")
    with sg.execute_job(NUMBERS, instance) as result:
        assert not result.success
        with pytest.raises(sg.StepOutputNotFoundError):
            result.output_for_node("double")
    with pytest.raises(ValueError, match="not yet"):
        sg.execute_job(NUMBERS, instance, raise_on_error=True)


def test_part_of_a_job(instance: sg.Instance) -> None:
    result = sg.execute_job(NUMBERS, instance, op_selection=["*double"])
    assert ran(result) == ["start", "double"]
    assert ran(sg.execute_job(NUMBERS.get_subset(op_selection=["start"]), instance)) == ["start"]
    assert ran(sg.execute_job(ASSETS, instance, asset_selection=[sg.AssetKey("raw")])) == ["raw"]
    assert ran(sg.execute_job(ASSETS, instance, op_selection=["raw"])) == ["raw"]
    assert ran(sg.execute_job(ASSETS, instance, op_selection=[])) == ["raw", "refined"]
    assert ran(sg.execute_job(ASSETS.get_subset(op_selection=["raw"]), instance)) == ["raw"]
    with sg.execute_job(ASSETS, instance) as both:
        assert both.output_for_node("refined") == 5


def test_steps_run_again_take_what_the_earlier_run_stored(instance: sg.Instance) -> None:
    first = sg.execute_job(NUMBERS, instance, {"ops": {"start": {"config": {"by": 3}}}}, {"x": "y"})
    CALLS.clear()
    with sg.execute_job(
        NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(first.run_id, step_selection=["double+"])
    ) as again:
        assert (CALLS, again.output_value()) == (["double", "show"], "<6>")
    assert (again.run.parent_run_id, again.run.root_run_id) == (first.run_id, first.run_id)
    assert "x" not in again.run.tags
    assert again.run.run_config == first.run.run_config
    third = sg.execute_job(
        NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(again.run_id, step_selection=["shown"])
    )
    assert ran(third) == ["shown.show"]
    assert (third.run.parent_run_id, third.run.root_run_id) == (again.run_id, first.run_id)
    everything = sg.execute_job(NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(third.run_id))
    assert ran(everything) == ["start", "double", "shown.show"]


def test_from_failure_runs_what_is_left(instance: sg.Instance) -> None:
    BROKEN.add("double")
    failed = sg.execute_job(NUMBERS, instance)
    BROKEN.clear()
    options = sg.ReexecutionOptions.from_failure(failed.run_id, instance)
    again = sg.execute_job(NUMBERS, instance, reexecution_options=options)
    assert ran(again) == ["double", "shown.show"]
    assert again.run.is_resume_retry
    with pytest.raises(sg.InvariantViolationError, match="is SUCCESS"):
        sg.ReexecutionOptions.from_failure(again.run_id, instance)
    with pytest.raises(sg.RunNotFoundError):
        sg.ReexecutionOptions.from_failure("none", instance)


def test_a_run_done_again_as_a_whole_counts_for_itself(instance: sg.Instance) -> None:
    good = sg.execute_job(NUMBERS, instance)
    BROKEN.add("double")
    bad = sg.execute_job(NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(good.run_id))
    assert ran(bad) == ["start"]
    BROKEN.clear()
    options = sg.ReexecutionOptions.from_failure(bad.run_id, instance)
    assert ran(sg.execute_job(NUMBERS, instance, reexecution_options=options)) == ["double", "shown.show"]


@pytest.mark.parametrize(
    ("selection", "steps", "sum_of_all"),
    [
        (["times_ten[p2]"], ["times_ten[p2]"], None),
        (["times_ten[p2]*"], ["times_ten[p2]", "total"], 60),
        (["times_ten[?]"], ["times_ten[p1]", "times_ten[p2]", "times_ten[p3]"], None),
        (["times_ten"], ["times_ten[p1]", "times_ten[p2]", "times_ten[p3]"], None),
        (["total"], ["total"], 60),
        (["parts+"], ["parts", "times_ten[p1]", "times_ten[p2]", "times_ten[p3]"], None),
        (["parts*"], ["parts", "times_ten[p1]", "times_ten[p2]", "times_ten[p3]", "total"], 60),
    ],
)
def test_steps_of_dynamic_outputs(
    instance: sg.Instance, selection: list[str], steps: list[str], sum_of_all: int | None
) -> None:
    first = sg.execute_job(DYNAMIC, instance)
    options = sg.ReexecutionOptions(first.run_id, step_selection=selection)
    with sg.execute_job(DYNAMIC, instance, reexecution_options=options) as again:
        assert (again.success, ran(again)) == (True, steps)
        if sum_of_all is not None:
            assert again.output_for_node("total") == sum_of_all


def test_only_those_values_that_failed_are_worked_on_again(instance: sg.Instance) -> None:
    BROKEN.update({"times_ten 2", "times_ten 3"})
    result = sg.execute_job(DYNAMIC, instance)
    for left in ["times_ten 2", "times_ten 3"]:
        BROKEN.discard(left)
        options = sg.ReexecutionOptions.from_failure(result.run_id, instance)
        result = sg.execute_job(DYNAMIC, instance, reexecution_options=options)
    assert ran(result) == ["times_ten[p3]", "total"]
    with result:
        assert result.output_for_node("times_ten") == {"p3": 30}
        assert result.output_for_node("total") == 60


@pytest.mark.parametrize(
    ("selection", "error", "said"),
    [
        (["nope"], sg.ExecutionStepNotFoundError, "nope; available: parts"),
        (["times_ten[p9]"], sg.ExecutionStepNotFoundError, r"times_ten\[p9\]"),
        (["parts", "times_ten[p1]"], sg.ExecutionStepNotFoundError, r"times_ten\[p1\]"),
        (["parts", "total"], sg.InvalidSubsetError, r"'total' depends on 'times_ten\[\?\]'"),
        (["a b"], sg.InvalidSubsetError, "step_selection must be names"),
    ],
)
def test_selections_that_cannot_be_run(
    instance: sg.Instance, selection: list[str], error: type[Exception], said: str
) -> None:
    first = sg.execute_job(DYNAMIC, instance)
    options = sg.ReexecutionOptions(first.run_id, step_selection=selection)
    with pytest.raises(error, match=said):
        sg.execute_job(DYNAMIC, instance, reexecution_options=options)
    assert len(instance.get_runs()) == 1


def test_steps_that_never_ended_well_are_no_ground_to_build_on(instance: sg.Instance) -> None:
    BROKEN.add("double")
    failed = sg.execute_job(NUMBERS, instance)
    with pytest.raises(sg.InvalidSubsetError, match=r"depends on 'double'.*select it too"):
        sg.execute_job(NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(failed.run_id, ["shown"]))


def test_the_selection_of_the_earlier_run_stays(instance: sg.Instance) -> None:
    first = sg.execute_job(NUMBERS, instance, op_selection=["start"])
    again = sg.execute_job(NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(first.run_id))
    assert (ran(again), again.run.op_selection) == (["start"], ("start",))
    with pytest.raises(sg.ExecutionStepNotFoundError, match="double"):
        sg.execute_job(NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(first.run_id, ["double"]))
    part = sg.execute_job(ASSETS, instance, asset_selection=[sg.AssetKey("raw")])
    again = sg.execute_job(ASSETS, instance, reexecution_options=sg.ReexecutionOptions(part.run_id))
    assert again.run.asset_selection == {sg.AssetKey("raw")}


def test_what_execute_job_refuses(instance: sg.Instance) -> None:
    with pytest.raises(sg.InvalidInvocationError, match=r"execute_job\(reconstructable\(dynamic\), instance\)"):
        sg.execute_job(dynamic, instance)  # type: ignore[arg-type]
    with pytest.raises(sg.InvalidInvocationError, match="must be an Instance"):
        sg.execute_job(DYNAMIC, None)  # type: ignore[arg-type]
    with pytest.raises(sg.InvalidInvocationError, match=r"\['total'\]"):
        sg.execute_job(DYNAMIC, instance, op_selection="total")
    with pytest.raises(sg.InvalidSubsetError, match="keep one"):
        sg.execute_job(ASSETS, instance, op_selection=["a"], asset_selection=[sg.AssetKey("raw")])
    with pytest.raises(sg.RunNotFoundError):
        sg.execute_job(DYNAMIC, instance, reexecution_options=sg.ReexecutionOptions("none"))
    first = sg.execute_job(DYNAMIC, instance)
    with pytest.raises(sg.InvariantViolationError, match="together"):
        sg.execute_job(
            DYNAMIC, instance, op_selection=["total"], reexecution_options=sg.ReexecutionOptions(first.run_id)
        )
    with pytest.raises(sg.InvalidInvocationError, match=r"write \['total'\]"):
        sg.ReexecutionOptions(first.run_id, "total")


def test_a_run_names_its_steps_where_they_are_a_part_of_its_job(instance: sg.Instance) -> None:
    whole = sg.execute_job(NUMBERS, instance)
    assert (whole.run.step_keys_to_execute, whole.run.resolved_op_selection) == (None, None)
    part = sg.execute_job(NUMBERS, instance, op_selection=["*double"])
    assert part.run.step_keys_to_execute == ["start", "double"]
    assert part.run.resolved_op_selection == {"start", "double"}
    again = sg.execute_job(
        NUMBERS, instance, reexecution_options=sg.ReexecutionOptions(whole.run_id, step_selection=["double"])
    )
    stored = instance.get_run_by_id(again.run_id)
    assert stored is not None
    assert stored.step_keys_to_execute == ["double"]
    assert sg.Run.tags_for_tick_id("7") == {"dagster/tick": "7"}

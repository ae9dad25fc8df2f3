"""What contexts answer inside of runs, in calls outside of them, and in resources, hooks, loggers and IO managers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg
from segue.model.node_handle import NodeHandle

pytestmark = pytest.mark.filterwarnings("ignore:.* is superseded:DeprecationWarning")

DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")
X, Y, UP = sg.AssetKey("x_asset"), sg.AssetKey("y"), sg.AssetKey("up")
Asked = dict[str, Any]


def asked(context: Any, questions: dict[str, Callable[[Any], Any]]) -> Asked:
    """The answer to each question, or the type of what was raised."""
    found: Asked = {}
    for name, question in questions.items():
        try:
            found[name] = question(context)
        except sg.SegueError as error:
            found[name] = type(error)
    return found


OF_ASSETS: dict[str, Callable[[Any], Any]] = {
    "key of output": lambda c: c.asset_key_for_output("x"),
    "key of no output": lambda c: c.asset_key_for_output("none"),
    "output of key": lambda c: c.output_for_asset_key(Y),
    "output of strange key": lambda c: c.output_for_asset_key(UP),
    "partitions of output": lambda c: c.asset_partitions_def_for_output("x") == DAYS,
    "partitions of input": lambda c: c.asset_partitions_def_for_input("up") == DAYS,
    "partitions of no input": lambda c: c.asset_partitions_def_for_input("none"),
    "range of input": lambda c: tuple(c.asset_partition_key_range_for_input("up")),
    "window of output": lambda c: [each.day for each in c.asset_partitions_time_window_for_output("x")],
    "window of input": lambda c: [each.day for each in c.asset_partitions_time_window_for_input("up")],
    "dimensions": lambda c: c.multi_partition_key,
    "op": lambda c: "several" in c.describe_op(),
    "location": lambda c: c.op_execution_context.location_name,
    "is for assets": lambda c: c.has_assets_def,
    "now": lambda c: type(c).get() is c,
}


@sg.asset(partitions_def=DAYS)
def up() -> int:
    return 1


def several_asked() -> tuple[sg.AssetsDefinition, list[Asked]]:
    found: list[Asked] = []

    @sg.multi_asset(
        outs={"x": sg.AssetOut(key=X), "y": sg.AssetOut()},
        ins={"up": sg.AssetIn(partition_mapping=sg.TimeWindowPartitionMapping(start_offset=-1))},
        partitions_def=DAYS,
    )
    def several(context: sg.AssetExecutionContext, up: dict[str, int]) -> Any:
        found.append(asked(context, OF_ASSETS))
        context.set_data_version(X, sg.DataVersion("v9"))
        yield sg.Output(1, "x")
        yield sg.Output(2, "y")

    return several, found


def test_the_context_of_a_step_knows_its_assets_and_their_partitions() -> None:
    several, found = several_asked()
    with sg.Instance.ephemeral() as instance:
        for key in ("2024-01-03", "2024-01-04"):
            assert sg.materialize([up], partition_key=key, instance=instance, resources={"io_manager": MEMORY}).success
        done = sg.materialize(
            [up, several],
            partition_key="2024-01-04",
            selection=[several],
            instance=instance,
            resources={"io_manager": MEMORY},
        )
        assert done.success
        made = instance.get_latest_materialization_event(X)
        assert made is not None
        assert made.asset_materialization is not None
        assert made.asset_materialization.tags["dagster/data_version"] == "v9"
    assert found == [
        {
            "key of output": X,
            "key of no output": sg.InvariantViolationError,
            "output of key": "y",
            "output of strange key": sg.InvariantViolationError,
            "partitions of output": True,
            "partitions of input": True,
            "partitions of no input": sg.InvariantViolationError,
            "range of input": ("2024-01-03", "2024-01-04"),
            "window of output": [4, 5],
            "window of input": [3, 5],
            "dimensions": sg.InvariantViolationError,
            "op": True,
            "location": found[0]["location"],
            "is for assets": True,
            "now": True,
        }
    ]


MEMORY = sg.InMemoryIOManager()


def test_the_context_of_a_step_without_assets_says_so() -> None:
    found: list[Asked] = []
    names = [
        "key of output",
        "output of key",
        "partitions of output",
        "window of output",
        "dimensions",
        "is for assets",
    ]

    @sg.op(out={"x": sg.Out()})
    def plain(context: sg.OpExecutionContext) -> int:
        found.append(asked(context, {name: OF_ASSETS[name] for name in names}))
        with pytest.raises(sg.InvariantViolationError):
            context.set_data_version(X, sg.DataVersion("1"))
        text: Any = "1"
        with pytest.raises(sg.WrongTypeError, match="data_version"):
            context.set_data_version(X, text)
        assert sg.OpExecutionContext.get() is context
        return 1

    @sg.job
    def lone() -> None:
        plain()

    assert lone.execute_in_process().success
    assert found == [{**dict.fromkeys(names, sg.InvariantViolationError), "is for assets": False}]
    with pytest.raises(sg.InvariantViolationError):
        sg.OpExecutionContext.get()


def test_the_context_of_several_dimensions_knows_each() -> None:
    found: list[Any] = []
    grid = sg.MultiPartitionsDefinition({"day": DAYS, "side": sg.StaticPartitionsDefinition(["l", "r"])})

    @sg.asset(partitions_def=grid)
    def cell(context: sg.AssetExecutionContext) -> None:
        found.append(context.multi_partition_key.keys_by_dimension)
        found.append(context.asset_partitions_def_for_output() == grid)
        found.append(context.asset_partitions_time_window_for_output().start.day)

    key = sg.MultiPartitionKey({"day": "2024-01-02", "side": "r"})
    assert sg.materialize([cell], partition_key=key).success
    assert found == [{"day": "2024-01-02", "side": "r"}, True, 2]


# -- outside of runs


def test_in_a_direct_call_the_context_knows_what_the_function_declares() -> None:
    found: list[Asked] = []
    questions = {name: question for name, question in OF_ASSETS.items() if name not in ("location", "op")}

    @sg.multi_asset(
        outs={"x": sg.AssetOut(key=X), "y": sg.AssetOut()},
        ins={"up": sg.AssetIn()},
        check_specs=[sg.AssetCheckSpec("full", asset=X)],
        partitions_def=DAYS,
    )
    def several(context: sg.AssetExecutionContext, up: int) -> Any:
        found.append(asked(context, questions))
        context.set_data_version(X, sg.DataVersion("9"))
        context.add_asset_metadata({"rows": 3}, asset_key=X)
        with pytest.raises(sg.InvariantViolationError, match="z"):
            context.add_asset_metadata({"rows": 3}, asset_key="z")
        with pytest.raises(sg.InvariantViolationError, match="'none'"):
            context.add_output_metadata({"rows": 3}, output_name="none")
        found.append(
            {
                "part": context.is_subset,
                "checks": set(context.selected_asset_check_keys),
                "assets": set(context.selected_asset_keys),
                "of input": context.asset_key_for_input("up"),
                "added": context.get_output_metadata("x"),
            }
        )
        yield sg.Output(up + 1, "x")
        yield sg.Output(2, "y")
        yield sg.AssetCheckResult(passed=True, asset_key=X, check_name="full")

    context = sg.build_asset_context(partition_key="2024-01-04")
    assert [getattr(each, "value", None) for each in several(context, 4)] == [5, 2, None]
    unknown = sg.InvalidPropertyError  # what is upstream of it is not known in a call
    answers = found[0]
    assert (answers["key of output"], answers["output of key"]) == (X, "y")
    assert answers["key of no output"] is sg.InvariantViolationError
    assert answers["output of strange key"] is sg.InvariantViolationError
    assert (answers["partitions of output"], answers["window of output"]) == (True, [4, 5])
    assert answers["dimensions"] is sg.InvariantViolationError
    assert [answers[f"{each} of input"] for each in ("partitions", "range", "window")] == [unknown] * 3
    assert answers["is for assets"]
    assert found[1] == {
        "part": False,
        "checks": {sg.AssetCheckKey(X, "full")},
        "assets": {X, Y},
        "of input": UP,
        "added": {"rows": 3},
    }
    assert not context.is_bound
    assert context.execution_properties.user_events == []


# -- of resources, hooks, loggers and IO managers


def test_a_resource_is_told_what_it_is_made_for() -> None:
    found: list[Asked] = []

    @sg.resource(config_schema={"n": int})
    def made(context: sg.InitResourceContext) -> int:
        found.append(
            {
                "definition": context.resource_def is made,
                "all": set(context.all_resource_defs),
                "run": context.dagster_run is not None and context.dagster_run.run_id == context.run_id,
                "log": context.log_manager is context.log,
                "config": context.resource_config,
            }
        )
        return 5

    @sg.op(required_resource_keys={"made"})
    def user(context: sg.OpExecutionContext) -> int:
        resources = context.resources
        assert set(resources._fields) == {"io_manager", "made"}
        assert len(list(resources)) == 2
        assert "made=5" in repr(resources)
        return resources.made

    @sg.job(resource_defs={"made": made.configured({"n": 3})})
    def used() -> None:
        user()

    assert used.execute_in_process().output_for_node("user") == 5
    assert found == [
        {
            "definition": found[0]["definition"],
            "all": {"io_manager", "made"},
            "run": True,
            "log": True,
            "config": {"n": 3},
        }
    ]


def test_outside_of_a_run_a_resource_is_told_of_no_run() -> None:
    with sg.build_init_resource_context(config={"n": 1}, resources={"other": 5}) as context:
        assert (context.resource_def, context.dagster_run, context.run_id) == (None, None, None)
        assert context.resource_config == {"n": 1}
        assert set(context.all_resource_defs) == {"other"}
        assert context.resources.other == 5
        context.log_manager.info("nobody minds")


def test_a_resource_may_put_another_object_in_its_place() -> None:
    class Stand(sg.ConfigurableResource[Any], sg.IAttachDifferentObjectToOpContext):
        def get_object_to_set_on_execution_context(self) -> str:
            return "what it stands for"

    @sg.op(required_resource_keys={"stand"})
    def user(context: sg.OpExecutionContext) -> str:
        return context.resources.stand

    @sg.job(resource_defs={"stand": Stand()})
    def used() -> None:
        user()

    assert used.execute_in_process().output_for_node("user") == "what it stands for"


def test_a_hook_reaches_the_instance_of_its_run_and_none_outside() -> None:
    found: list[object] = []

    @sg.success_hook
    def note(context: sg.HookContext) -> None:
        found.append(context.instance)

    @sg.op
    def work() -> None: ...

    @sg.job(hooks={note})
    def hooked() -> None:
        work()

    with sg.Instance.ephemeral() as instance:
        assert hooked.execute_in_process(instance=instance).success
        assert found == [instance]
    with pytest.raises(sg.InvalidPropertyError, match="instance"):
        _ = sg.build_hook_context().instance


def test_a_logger_outside_of_a_run_is_told_what_it_was_given_and_no_job() -> None:
    context = sg.build_init_logger_context({"level": "INFO"})
    assert (context.logger_config, context.job_def) == ({"level": "INFO"}, None)
    assert context.run_id == "__EPHEMERAL_RUN_ID"


def test_contexts_of_io_managers_name_the_output_and_are_context_managers() -> None:
    plain = sg.build_output_context(step_key="work", name="result", run_id="r1")
    assert list(plain.get_output_identifier()) == ["r1", "work", "result"]
    assert plain.mapping_key is None
    several = sg.build_output_context(step_key="work", name="result", run_id="r1", mapping_key="left")
    assert several.mapping_key == "left"
    assert list(several.get_output_identifier()) == ["r1", "work", "result", "left"]
    with plain as same:
        assert same is plain
    with sg.build_input_context(upstream_output=plain) as taken:
        assert taken.upstream_output is plain


def test_results_find_skipped_steps_the_success_and_what_a_node_did() -> None:
    @sg.op(out={"taken": sg.Out(int), "left": sg.Out(int, is_required=False)})
    def fork() -> Any:
        yield sg.Output(1, "taken")

    @sg.op
    def use(number: int) -> int:
        return number

    @sg.graph
    def inner(number: int) -> int:
        return use.alias("deep")(number)

    @sg.job
    def branching() -> None:
        taken, left = fork()
        use.alias("skipped")(left)
        inner(taken)

    done = branching.execute_in_process()
    assert [event.step_key for event in done.get_step_skipped_events()] == ["skipped"]
    assert done.get_run_success_event().event_type_value == "RUN_SUCCESS"
    deep = done.compute_events_for_handle(NodeHandle("deep", NodeHandle("inner", None)))
    assert {event.step_key for event in deep} == {"inner.deep"}
    assert "STEP_SUCCESS" in [event.event_type_value for event in deep]

    @sg.op
    def failing() -> None:
        raise ValueError("no")

    @sg.job
    def bad() -> None:
        failing()

    failed = bad.execute_in_process(raise_on_error=False)
    with pytest.raises(sg.InvariantViolationError, match="RUN_SUCCESS"):
        failed.get_run_success_event()

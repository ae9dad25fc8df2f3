"""Requests for runs, and retries of runs that did not end well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.host.inprocess import execute_request
from segue.host.recorded_plan import retry_run
from segue.model.event import Event, RunStartData
from segue.model.request import RunRequest


class World:
    """Two assets of which the second fails until it is repaired; notes each call."""

    def __init__(self) -> None:
        self.broken = True
        self.calls: list[str] = []
        self.factor = 1

    def definitions(self, **arguments: Any) -> sg.Definitions:
        @sg.asset
        def first() -> int:
            self.calls.append("first")
            return self.factor

        @sg.asset
        def second(first: int) -> int:
            self.calls.append("second")
            if self.broken:
                raise ValueError("not yet")
            return first * 10

        @sg.asset
        def third(second: int) -> int:
            self.calls.append("third")
            return second + 1

        return sg.Definitions([first, second, third], **arguments)


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as found:
        yield found


def failed_run(world: World, instance: sg.Instance, **request: Any) -> sg.Run:
    run = execute_request(world.definitions(), instance, RunRequest(**request))
    assert run.is_failure
    world.calls.clear()
    return run


def test_what_ended_well_is_not_done_again(instance: sg.Instance) -> None:
    world = World()
    run = failed_run(world, instance, tags={"team": "a"})
    world.broken, world.factor = False, 99
    again = retry_run(world.definitions(), instance, run.run_id)
    assert again.is_success
    assert world.calls == ["second", "third"]
    assert (again.parent_run_id, again.root_run_id) == (run.run_id, run.run_id)
    chain = {"dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.run_id, "dagster/is_resume_retry": "true"}
    assert again.tags == {"team": "a", **chain}
    assert (again.plan_hash, again.asset_selection) == (run.plan_hash, run.asset_selection)
    made = {
        each.event.materialization.asset_key.to_user_string()
        for each in instance.all_logs(again.run_id, sg.EventType.ASSET_MATERIALIZATION)
    }
    assert made == {"second", "third"}
    planned = instance.all_logs(again.run_id, sg.EventType.ASSET_MATERIALIZATION_PLANNED)
    assert [each.event.step_key for each in planned] == ["second", "third"]
    latest = instance.get_latest_materialization_event(sg.AssetKey("first"))
    assert latest is not None
    assert latest.event.run_id == run.run_id


def test_values_of_finished_steps_come_from_the_io_manager(instance: sg.Instance) -> None:
    world = World()
    run = failed_run(world, instance)
    world.broken = False
    memory = sg.InMemoryIOManager()
    lost = retry_run(world.definitions(resources={"io_manager": memory}), instance, run.run_id)
    assert lost.is_failure
    made = sg.build_output_context(asset_key="first", run_id=run.run_id, step_key="first", name="result")
    memory.handle_output(made, 7)
    found = retry_run(world.definitions(resources={"io_manager": memory}), instance, lost.run_id)
    assert found.is_success
    assert [value for key, value in memory.values.items() if key[-2:] == ("third", "result")] == [71]


def test_a_chain_of_retries_remembers_all_of_it(instance: sg.Instance) -> None:
    world = World()
    run = failed_run(world, instance)
    runs = [run]
    for _ in range(3):
        runs.append(retry_run(world.definitions(), instance, runs[-1].run_id))
    assert world.calls == ["second"] * 3
    assert [each.parent_run_id for each in runs] == [None, *(each.run_id for each in runs[:-1])]
    assert {each.root_run_id for each in runs[1:]} == {run.run_id}
    world.broken = False
    world.calls.clear()
    assert retry_run(world.definitions(), instance, runs[-1].run_id).is_success
    assert world.calls == ["second", "third"]


def test_a_retry_of_a_canceled_run(instance: sg.Instance) -> None:
    stop = [True]

    @sg.asset
    def a() -> int:
        return 1

    @sg.asset
    def b(a: int) -> int:
        if stop:
            raise KeyboardInterrupt
        return a

    definitions = sg.Definitions([a, b])
    with pytest.raises(KeyboardInterrupt):
        execute_request(definitions, instance, RunRequest())
    stop.clear()
    run = retry_run(definitions, instance, instance.get_runs()[0].run_id)
    assert run.is_success
    assert [each.event.step_key for each in instance.all_logs(run.run_id, sg.EventType.STEP_START)] == ["b"]


def test_partitions_config_and_job_stay(instance: sg.Instance) -> None:
    broken = [True]
    seen: list[tuple[str, int]] = []

    class Limits(sg.Config):
        rows: int = 1

    def part(context: sg.AssetExecutionContext, config: Any) -> None:
        seen.append((context.partition_key, config.rows))
        if broken:
            raise ValueError

    part.__annotations__["config"] = Limits
    asset = sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))(part)
    definitions = sg.Definitions([asset], jobs=[sg.define_asset_job("nightly", [asset], tags={"t": "job"})])
    config = {"ops": {"part": {"config": {"rows": 5}}}}
    run = execute_request(definitions, instance, RunRequest(job_name="nightly", partition_key="y", run_config=config))
    broken.clear()
    again = retry_run(definitions, instance, run.run_id)
    assert again.is_success
    assert seen == [("y", 5), ("y", 5)]
    assert (again.job_name, again.partition_start, again.tags["t"]) == ("nightly", "y", "job")
    assert instance.get_materialized_partitions(sg.AssetKey("part")) == {"y"}


@pytest.mark.parametrize("gone", ["first", "second", "third"])
def test_a_plan_that_the_code_has_outgrown_is_refused(instance: sg.Instance, gone: str) -> None:
    world = World()
    run = failed_run(world, instance)
    left = [each for each in world.definitions().assets if each.key.to_user_string() != gone]
    missing = [sg.AssetSpec(gone)]
    with pytest.raises(sg.InvalidInvocationError, match=f"step '{gone}'.*Materialize again"):
        retry_run(sg.Definitions([*left, *missing]), instance, run.run_id)
    assert len(instance.get_runs()) == 1


def test_changed_inputs_outputs_and_resources_are_named(instance: sg.Instance) -> None:
    @sg.asset
    def up() -> int:
        return 1

    @sg.multi_asset(
        outs={"a": sg.AssetOut(io_manager_key="special"), "b": sg.AssetOut()},
        ins={"old": sg.AssetIn("up")},
        name="pair",
    )
    def before(old: int) -> tuple[int, int]:
        raise ValueError

    @sg.multi_asset(outs={"a": sg.AssetOut(), "c": sg.AssetOut()}, ins={"new": sg.AssetIn("up")}, name="pair")
    def after(new: int) -> tuple[int, int]:
        return 1, 2

    resources = {"special": sg.InMemoryIOManager()}
    run = execute_request(sg.Definitions([up, before], resources=resources), instance, RunRequest())
    with pytest.raises(
        sg.InvalidInvocationError, match=r"input pair\.old, output pair\.b, asset 'b', resource 'special'"
    ):
        retry_run(sg.Definitions([up, after]), instance, run.run_id)


def test_config_and_partitions_that_no_longer_fit_leave_no_run(instance: sg.Instance) -> None:
    def fails() -> None:
        raise ValueError

    def definitions(keys: list[str], config: Any = None) -> sg.Definitions:
        def part(config: Any) -> None:
            fails()

        part.__annotations__["config"] = config
        return sg.Definitions([sg.asset(partitions_def=sg.StaticPartitionsDefinition(keys))(part)])

    class Rows(sg.Config):
        rows: int

    class Columns(sg.Config):
        columns: int

    config = {"ops": {"part": {"config": {"rows": 5}}}}
    request = RunRequest(partition_key="b", run_config=config)
    run = execute_request(definitions(["a", "b"], Rows), instance, request)
    with pytest.raises(sg.UnknownPartitionError, match="'b'"):
        retry_run(definitions(["a"], Rows), instance, run.run_id)
    with pytest.raises(sg.InvalidConfigError, match="columns"):
        retry_run(definitions(["a", "b"], Columns), instance, run.run_id)
    assert [each.run_id for each in instance.get_runs()] == [run.run_id]


def test_a_run_that_goes_on_ended_well_or_never_was(instance: sg.Instance) -> None:
    found: list[str] = []

    @sg.asset
    def a(context: sg.AssetExecutionContext) -> None:
        with pytest.raises(sg.InvalidInvocationError, match="is still STARTED: wait until it has ended"):
            retry_run(definitions, instance, context.run_id)
        found.append(context.run_id)

    definitions = sg.Definitions([a])
    assert execute_request(definitions, instance, RunRequest()).is_success
    with pytest.raises(sg.InvalidInvocationError, match=r"succeeded.*Materialize again"):
        retry_run(definitions, instance, found[0])
    with pytest.raises(sg.RunNotFoundError, match="no run 'none'") as caught:
        retry_run(definitions, instance, "none")
    assert caught.value.invalid_run_id == "none"


def test_observers_hear_each_event_at_once(instance: sg.Instance) -> None:
    heard: list[Event] = []

    @sg.asset
    def a() -> None:
        assert heard[-1].event_type is sg.EventType.STEP_START

    run = execute_request(sg.Definitions([a]), instance, RunRequest(), heard.append)
    assert isinstance(heard[0].payload, RunStartData)
    stored = [each.event for each in instance.all_logs(run.run_id)]
    assert heard == stored[1:]  # the planned event is written with the run
    assert run.worker == heard[0].payload.worker


@pytest.mark.parametrize(
    ("request_", "made"),
    [
        (RunRequest(), ["a", "b", "c"]),
        (RunRequest(asset_selection=[sg.AssetKey("a")]), ["a"]),
        (RunRequest(job_name="some"), ["b", "c"]),
        (RunRequest(job_name="some", asset_selection=[sg.AssetKey("c")]), ["c"]),
    ],
)
def test_a_request_says_what_to_make(instance: sg.Instance, request_: RunRequest, made: list[str]) -> None:
    assets = [sg.asset(name=name)(_nothing()) for name in "abc"]
    definitions = sg.Definitions(assets, jobs=[sg.define_asset_job("some", ["b", "c"])])
    run = execute_request(definitions, instance, request_)
    assert sorted(key.to_user_string() for key in run.asset_selection) == made
    assert [key.to_user_string() for key in instance.get_asset_keys()] == made


def test_config_of_the_request_goes_before_that_of_the_job(instance: sg.Instance) -> None:
    seen: list[tuple[int, int]] = []

    class Limits(sg.Config):
        rows: int = 0
        columns: int = 0

    def a(config: Any) -> None:
        seen.append((config.rows, config.columns))

    a.__annotations__["config"] = Limits
    asset = sg.asset(a)
    of_job = {"ops": {"a": {"config": {"rows": 1, "columns": 1}}}}
    definitions = sg.Definitions([asset], jobs=[sg.define_asset_job("j", [asset], config=of_job)])
    execute_request(definitions, instance, RunRequest(job_name="j"))
    of_request = {"ops": {"a": {"config": {"rows": 2}}}}
    execute_request(definitions, instance, RunRequest(job_name="j", run_config=of_request))
    assert seen == [(1, 1), (2, 0)]


def test_what_cannot_be_planned_leaves_no_run(instance: sg.Instance) -> None:
    definitions = World().definitions()
    wrong: list[tuple[RunRequest, type[Exception]]] = [
        (RunRequest(job_name="none"), sg.InvalidSubsetError),
        (RunRequest(asset_selection=[sg.AssetKey("none")]), sg.InvalidSubsetError),
        (RunRequest(partition_key="x"), sg.InvalidSubsetError),
        (RunRequest(run_config={"ops": {"first": {"confg": {"x": 1}}}}), sg.InvalidConfigError),
        (RunRequest(run_config={"ops": {"none": {"config": {}}}}), sg.InvalidConfigError),
    ]
    for request, error in wrong:
        with pytest.raises(error):
            execute_request(definitions, instance, request)
    assert list(instance.get_runs()) == []


def test_definitions_are_planned_for_an_empty_folder(tmp_path: Path) -> None:
    with sg.Instance.local_temp(str(tmp_path / "deep" / "home")) as instance:
        world = World()
        world.broken = False
        assert execute_request(world.definitions(), instance, RunRequest()).is_success


def _nothing() -> Callable[[], None]:
    def function() -> None: ...

    return function

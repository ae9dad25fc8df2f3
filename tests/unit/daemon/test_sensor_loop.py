"""The loop over sensors: who is asked when, and what becomes of the answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from plane import NOON, Plane

import segue as sg
from segue.errors import LeaseLostError, StorageUnavailableError, SupersessionWarning
from segue.model.control_stores import LoopLease
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.model.run import RunStatus
from segue.model.tick_record import TickStatus

ON = sg.DefaultSensorStatus.RUNNING
FILES = sg.DynamicPartitionsDefinition(name="files")


@sg.asset
def source() -> None: ...


@sg.asset(deps=[source])
def table() -> None: ...


@sg.asset(partitions_def=FILES)
def by_file() -> None: ...


job = sg.define_asset_job("job", [table])
files = sg.define_asset_job("files_job", [by_file])


def plane(*sensors: sg.SensorDefinition, timeout: float = 30.0) -> Plane:
    definitions = sg.Definitions(assets=[source, table, by_file], jobs=[job, files], sensors=sensors)
    return Plane(definitions, timeout=timeout)


def sensor(answer: Callable[[sg.SensorEvaluationContext], object], **arguments: object) -> sg.SensorDefinition:
    return sg.SensorDefinition(
        name="sensor",
        evaluation_fn=answer,
        job=job,
        default_status=ON,
        **arguments,  # pyright: ignore[reportArgumentType] reason: what a test varies
    )


def made_now(made: Plane, key: sg.AssetKey) -> None:
    made.instance.report_runless_asset_event(sg.AssetMaterialization(key))


def test_a_sensor_is_asked_when_its_interval_is_over() -> None:
    made = plane(sensor(lambda context: sg.SkipReason("nothing new"), minimum_interval_seconds=10))
    now = NOON
    following = made.ask_sensors(now)
    assert following == now + 10
    made.ask_sensors(now + 5)
    assert len(made.location.asked) == 1
    made.ask_sensors(now + 12)
    assert len(made.location.asked) == 2
    first, _ = made.sensor_ticks("sensor")
    assert (first.status, first.skip_reason) == (TickStatus.SKIPPED, "nothing new")


def test_a_clock_that_is_set_back_keeps_no_sensor_waiting_for_it_to_catch_up() -> None:
    made = plane(sensor(lambda _: sg.SkipReason("nothing"), minimum_interval_seconds=30))
    made.ask_sensors(NOON)
    made.ask_sensors(NOON - 3_600)
    made.ask_sensors(NOON - 3_600 + 31)
    assert len(made.sensor_ticks("sensor")) == 2


def test_cursor_and_run_keys_go_from_tick_to_tick() -> None:
    def next_file(context: sg.SensorEvaluationContext) -> Iterator[sg.RunRequest]:
        number = int(context.cursor or 0) + 1
        context.update_cursor(str(number))
        yield sg.RunRequest(run_key="always the same")
        yield sg.RunRequest(run_key=f"file {number}", tags={"last": context.last_run_key or ""})

    made = plane(sensor(next_file, minimum_interval_seconds=1))
    now = NOON
    for second in range(3):
        made.ask_sensors(now + 2 * second)
    tags = [run.tags.get("last") for run in made.runs()]
    assert tags == [None, "", "file 1", "file 2"]
    assert [tick.cursor for tick in made.sensor_ticks("sensor")] == ["1", "2", "3"]
    assert all(run.status is RunStatus.QUEUED and run.tags["dagster/sensor_name"] == "sensor" for run in made.runs())


def test_a_cursor_that_someone_sets_is_what_the_next_tick_goes_on_from() -> None:
    made = plane(sensor(lambda context: sg.SkipReason(context.cursor), minimum_interval_seconds=1))
    now = NOON
    made.ask_sensors(now)
    made.control.set_cursor(InstigatorId("main", InstigatorKind.SENSOR, "sensor"), "by hand")
    made.ask_sensors(now + 2)
    assert made.sensor_ticks("sensor")[-1].skip_reason == "by hand"


def test_a_cursor_that_someone_sets_while_the_sensor_is_asked_is_not_written_over() -> None:
    made = plane(sensor(lambda context: sg.SensorResult(cursor="asked"), minimum_interval_seconds=1))
    which = InstigatorId("main", InstigatorKind.SENSOR, "sensor")
    made.sensors.round(made.turn(NOON))
    made.location.settle()
    made.control.set_cursor(which, "by hand")
    made.sensors.round(made.turn(NOON))
    assert made.control.instigator_state(which).cursor == "by hand"
    made.ask_sensors(NOON + 10)
    assert made.control.instigator_state(which).cursor == "asked"


def test_partitions_are_added_before_the_runs_that_make_them_and_events_are_recorded() -> None:
    def arrival(context: sg.SensorEvaluationContext) -> sg.SensorResult:
        return sg.SensorResult(
            run_requests=[sg.RunRequest(partition_key="a.csv")],
            dynamic_partitions_requests=[FILES.build_add_request(["a.csv"])],
            asset_events=[sg.AssetObservation(source.key, metadata={"rows": 3})],
            cursor="next",
        )

    made = plane(sg.SensorDefinition(name="sensor", evaluation_fn=arrival, job=files, default_status=ON))
    made.ask_sensors(NOON)
    (run,) = made.runs()
    assert (run.partition_start, run.partition_end, run.tags["dagster/partition"]) == ("a.csv", "a.csv", "a.csv")
    assert made.instance.get_dynamic_partitions("files") == ["a.csv"]
    assert source.key in made.store.observation_states(None)
    assert made.sensor_ticks("sensor")[0].cursor == "next"


def raises(context: sg.SensorEvaluationContext) -> object:
    raise RuntimeError("no connection")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (raises, "no connection"),
        (lambda context: "garbage", "expected RunRequests, a SkipReason or a SensorResult"),
        (lambda context: [sg.RunRequest(tags={"dagster/priority": "high"})], "dagster/priority"),
        (lambda context: [sg.RunRequest(tags={"dagster/max_retries": "-1"})], "dagster/max_retries"),
        (lambda context: [sg.RunRequest()] * 1_000_000, "requested 1,000,000 runs in one tick"),
        (lambda context: [sg.RunRequest(run_key="with a \0")], "NUL"),
        (lambda context: (_ for _ in ()).throw(SystemExit(3)), "3"),
    ],
    ids=["raises", "garbage", "priority", "retries", "a million", "nul", "exits"],
)
def test_what_a_sensor_does_wrong_is_named_and_contained(
    answer: Callable[[sg.SensorEvaluationContext], object], said: str
) -> None:
    good = sg.SensorDefinition(name="good", evaluation_fn=lambda context: [sg.RunRequest()], job=job, default_status=ON)
    made = plane(sensor(answer), good)
    made.ask_sensors(NOON)
    (tick,) = made.sensor_ticks("sensor")
    assert tick.status is TickStatus.FAILURE
    assert tick.error is not None
    assert said in tick.error.message
    assert len(made.runs()) == 1


def test_after_failures_a_sensor_is_asked_ever_later() -> None:
    made = plane(sensor(raises, minimum_interval_seconds=10))
    now, waits = NOON, list[float]()
    for _ in range(7):
        following = made.ask_sensors(now)
        assert following is not None
        waits.append(following - now)
        now = following
        made.sensors = made.new_sensors()  # a restart forgets nothing of it
    assert waits == [20, 40, 80, 160, 300, 300, 300]


def test_a_sensor_that_hangs_delays_no_other_and_is_asked_again() -> None:
    release = threading.Event()

    def hang(context: sg.SensorEvaluationContext) -> sg.SkipReason:
        release.wait()
        return sg.SkipReason("late")

    quick = sg.SensorDefinition(
        name="quick", evaluation_fn=lambda context: sg.SkipReason("here"), job=job, default_status=ON
    )
    made = plane(sensor(hang, minimum_interval_seconds=1), quick, timeout=0.01)
    now = NOON
    made.ask_sensors(now)
    assert made.statuses("quick") == [TickStatus.SKIPPED]
    (tick,) = made.sensor_ticks("sensor")
    assert tick.error is not None
    assert "No answer within 0.01 seconds" in tick.error.message
    made.ask_sensors(now + 3)
    assert len(made.sensor_ticks("sensor")) == 2
    release.set()


def test_a_sensor_is_not_asked_twice_at_once() -> None:
    release = threading.Event()

    def slow(context: sg.SensorEvaluationContext) -> sg.SkipReason:
        release.wait()
        return sg.SkipReason("done")

    made = plane(sensor(slow, minimum_interval_seconds=1))
    now = NOON
    for second in range(5):
        made.sensors.round(made.turn(now + 10 * second))
    assert len(made.location.asked) == 1
    release.set()
    made.location.settle()
    made.sensors.round(made.turn(now + 100))
    assert len(made.location.asked) == 2


def test_switched_off_and_on() -> None:
    made = plane(sensor(lambda context: sg.SkipReason("asked"), minimum_interval_seconds=1))
    now = NOON
    made.switch("sensor", InstigatorStatus.STOPPED, now, InstigatorKind.SENSOR)
    made.ask_sensors(now)
    assert made.location.asked == []
    made.switch("sensor", InstigatorStatus.RUNNING, now, InstigatorKind.SENSOR)
    made.ask_sensors(now)
    assert len(made.location.asked) == 1
    assert made.location.asked[0].started_at == now


def test_an_answer_under_a_lost_lease_is_not_written_and_the_sensor_is_asked_again() -> None:
    def ask(context: sg.SensorEvaluationContext) -> sg.SensorResult:
        return sg.SensorResult([sg.RunRequest(run_key="one")], cursor="after")

    made = plane(sensor(ask, minimum_interval_seconds=1))
    now = NOON
    made.sensors.round(made.turn(now))
    made.location.settle()
    lease, made.lease = made.lease, LoopLease(made.lease.name, made.lease.token + 1)
    with pytest.raises(LeaseLostError):
        made.sensors.round(made.turn(now))
    state = made.control.instigator_state(InstigatorId("main", InstigatorKind.SENSOR, "sensor"))
    assert (made.runs(), state.cursor) == ([], None)
    made.lease = lease
    made.ask_sensors(now + 2)
    assert len(made.runs()) == 1


def following(kind: str) -> sg.SensorDefinition:
    if kind == "asset":
        return sg.AssetSensorDefinition(
            "sensor", source.key, None, lambda context, event: sg.RunRequest(), job=job, default_status=ON
        )
    if kind == "multi":

        def multi(context: sg.MultiAssetSensorEvaluationContext) -> Iterator[sg.RunRequest]:
            if any(context.latest_materialization_records_by_key().values()):
                context.advance_all_cursors()
                yield sg.RunRequest()

        with pytest.warns(SupersessionWarning):
            return sg.MultiAssetSensorDefinition("sensor", [source.key], None, multi, job=job, default_status=ON)

    status = sg.RunStatus.FAILURE if kind == "failure" else sg.RunStatus.SUCCESS

    @sg.run_status_sensor(status, "sensor", request_job=job, monitored_jobs=[files], default_status=ON)
    def status_sensor(context: sg.RunStatusSensorContext) -> sg.RunRequest:
        return sg.RunRequest(tags={"of": context.dagster_run.run_id})

    return status_sensor


@pytest.mark.parametrize("kind", ["asset", "multi", "success", "failure"])
def test_sensors_that_follow_events_are_asked_at_once_and_only_for_what_they_wait_for(kind: str) -> None:
    made = plane(following(kind))
    now = NOON
    made.ask_sensors(now)
    asked = len(made.location.asked)
    # What it does not wait for: another asset, another end.
    made_now(made, table.key)
    made.ask_sensors(now)
    assert len(made.location.asked) == asked
    if kind in ("asset", "multi"):
        made_now(made, source.key)
    else:
        made.instance.add_dynamic_partitions("files", ["x"])

        @sg.asset(name="by_file", partitions_def=FILES)
        def by_file_now() -> None:
            if kind == "failure":
                raise RuntimeError("so that it fails")

        definitions = sg.Definitions(assets=[by_file_now], jobs=[sg.define_asset_job("files_job", [by_file_now])])
        definitions.get_job_def("files_job").execute_in_process(
            partition_key="x", instance=made.instance, raise_on_error=False
        )
    before = len(made.runs())
    made.ask_sensors(now)
    assert len(made.location.asked) == asked + 1
    assert len(made.runs()) == before + 1
    made.ask_sensors(now)
    assert len(made.location.asked) == asked + 1  # the run that it asked for is nothing to it


def test_what_happened_while_a_sensor_was_being_asked_has_it_asked_again() -> None:
    release, asked = threading.Event(), threading.Event()

    def slow(context: sg.SensorEvaluationContext, event: sg.EventLogEntry) -> sg.SkipReason:
        asked.set()
        release.wait()
        return sg.SkipReason("seen")

    made = plane(sg.AssetSensorDefinition("sensor", source.key, None, slow, job=job, default_status=ON))
    made_now(made, source.key)
    now = NOON
    made.sensors.round(made.turn(now))
    asked.wait()
    made_now(made, source.key)
    made.sensors.round(made.turn(now))
    assert len(made.location.asked) == 1
    release.set()
    made.location.settle()
    made.sensors.round(made.turn(now))
    assert len(made.location.asked) == 2


def test_a_quiet_round_over_a_thousand_sensors_is_cheap() -> None:
    many = [
        sg.SensorDefinition(
            name=f"s{number}",
            evaluation_fn=lambda context: sg.SkipReason("nothing"),
            job=job,
            default_status=ON,
        )
        for number in range(1_000)
    ]
    made = plane(*many)
    now = NOON
    made.ask_sensors(now)
    begin = time.process_time()
    for _ in range(100):
        made.sensors.round(made.turn(now + 1))
    assert time.process_time() - begin < 1.0


def test_a_store_that_was_away_for_a_moment_leaves_no_sensor_unasked() -> None:
    made = plane(sensor(lambda context: sg.SkipReason("asked"), minimum_interval_seconds=1))
    read = made.control.instigator_state

    def away(which: InstigatorId) -> InstigatorState:
        raise StorageUnavailableError("away")

    made.control.instigator_state = away
    with pytest.raises(StorageUnavailableError):
        made.ask_sensors(NOON)
    made.control.instigator_state = read
    made.ask_sensors(NOON)
    assert len(made.sensor_ticks("sensor")) == 1


def test_a_request_for_stale_assets_is_for_those_that_are_stale_or_for_no_run() -> None:
    def ask(context: sg.SensorEvaluationContext) -> sg.RunRequest:
        return sg.RunRequest(asset_selection=[source.key, table.key], stale_assets_only=True)

    asked = sg.SensorDefinition(
        name="sensor",
        evaluation_fn=ask,
        asset_selection=sg.AssetSelection.assets(source, table),
        default_status=ON,
        minimum_interval_seconds=1,
    )
    made = plane(asked)
    sg.materialize([source], instance=made.instance)
    made.ask_sensors(NOON)
    (run,) = [run for run in made.runs() if run.tags.get("dagster/sensor_name")]
    assert run.asset_selection == {table.key}
    sg.materialize([source, table], instance=made.instance)
    made.ask_sensors(NOON + 2)
    assert len([run for run in made.runs() if run.tags.get("dagster/sensor_name")]) == 1
    tick = made.sensor_ticks("sensor")[-1]
    assert (tick.status, tick.skip_reason) == (TickStatus.SKIPPED, "None of the requested assets are stale.")

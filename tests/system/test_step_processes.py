"""Steps in processes of their own: what a process is, how it dies, what of it is kept, and that nothing is left."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from step_processes import failure_of, run_job

import segue as sg
from segue.model.event import EventType, RunFailureData
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX")

ABOUT = """
@sg.op(out=sg.DynamicOut())
def two():
    yield sg.DynamicOutput(1, mapping_key="a")
    yield sg.DynamicOutput(2, mapping_key="b")

@sg.op
def about(x):
    return {
        "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0), "dice": random.random(),
        "stdin": os.read(0, 10).decode(),
        "descriptors": sorted(os.readlink(f"/proc/self/fd/{each}").partition(":")[0].rpartition("/")[2]
                              for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}")),
        "terminates": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
        "environment": os.environ.get("MARK"), "folder": os.getcwd(),
    }

@sg.job(executor_def=sg.multiprocess_executor)
def job():
    two().map(about)
"""


def test_each_step_has_a_process_that_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "seen")
    with run_job(tmp_path, ABOUT)[0] as result:
        assert result.success
        one, other = result.output_for_node("about").values()
    assert len({os.getpid(), one["pid"], other["pid"], one["parent"]}) == 4
    assert one["parent"] == other["parent"]
    for each in (one, other):
        assert each["session"] == each["pid"]
        assert each["stdin"] == ""
        assert each["terminates"]
        assert each["environment"] == "seen"
        assert each["folder"] == os.getcwd()
        own = [name for name in each["descriptors"] if name not in {"null", "pipe", "socket"}]
        assert set(own) <= {"segue.db", "segue.db-wal", "segue.db-shm", "write.lock", "fd", "io"}
        assert each["descriptors"].count("socket") == 1
    assert one["dice"] != other["dice"]


DEATHS: dict[str, tuple[str, str]] = {
    "os._exit": ("os._exit(3)", "exited with exit code 3 in the middle of the step"),
    "segfault": ("ctypes.string_at(0)", "was killed by SIGSEGV"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
    "the whole group": ("os.killpg(0, signal.SIGKILL)", "was killed by SIGKILL"),
    "abort": ("os.abort()", "was killed by SIGABRT"),
    "exit": ("sys.exit(4)", "SystemExit: 4"),
    "base exception": ("raise BaseException('bad')", "BaseException: bad"),
    "recursion": ("f = lambda: f(); f()", "RecursionError"),
    "no socket": ("os.closerange(3, 100); sys.exit(5)", "of step 'bad'"),
    "cannot be pickled": ("return threading.Lock()", "cannot pickle '_thread.lock' object"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_however_a_step_dies_the_run_says_how_and_the_others_go_on(tmp_path: Path, death: str) -> None:
    code, says = DEATHS[death]
    ops = f"""
@sg.op
def bad():
    {code}

@sg.op
def good():
    return 7

job = job_of(bad, good)
"""
    with run_job(tmp_path, ops, name="job", config={"max_concurrent": 1})[0] as result:
        assert not result.success
        assert result.output_for_node("good") == 7
        assert [event.step_key for event in result.all_events if event.is_step_failure] == ["bad"]
        assert says in failure_of(result)
        assert result.all_events[-1].is_run_failure


def test_a_step_that_died_is_tried_again(tmp_path: Path) -> None:
    ops = f"""
@sg.op(retry_policy=sg.RetryPolicy(max_retries=1))
def flaky():
    mark = {str(tmp_path / "mark")!r}
    if not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(9)
    return "done"

job = job_of(flaky)
"""
    with run_job(tmp_path, ops)[0] as result:
        assert result.success
        assert result.output_for_node("flaky") == "done"
    retried = next(event for event in result.all_events if event.is_step_up_for_retry)
    assert "exit code 9" in str(retried.step_retry_data.error)


def test_a_run_outlives_the_process_that_starts_its_steps(tmp_path: Path) -> None:
    ops = f"""
@sg.op(retry_policy=sg.RetryPolicy(max_retries=1))
def kills_its_parent():
    mark = {str(tmp_path / "mark")!r}
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return "done"

@sg.op
def kills_it_again():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)

job, worse = job_of(kills_its_parent), job_of(kills_it_again)
"""
    with run_job(tmp_path, ops)[0] as result:
        assert result.success
    assert "process that starts the steps of the run was killed by SIGKILL" in str(
        [event.step_retry_data.error for event in result.all_events if event.is_step_up_for_retry]
    )
    worse, _ = run_job(tmp_path, ops, name="worse")
    assert not worse.success
    assert worse.all_events[-1].is_run_failure


OUTPUT = """
@sg.op
def speaks(context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.write(1, b"past Python" + bytes([10]))
    subprocess.run(["echo", "from a child"], check=True)
    context.log.info("a line")

@sg.op
def silent():
    pass

job = job_of(speaks, silent)
"""


def test_what_a_step_writes_is_kept(tmp_path: Path) -> None:
    result, _ = run_job(tmp_path, OUTPUT)
    (captured,) = [event for event in result.all_events if event.event_type is EventType.LOGS_CAPTURED]
    assert captured.step_key == "speaks"
    data: Any = captured.event_specific_data
    out, err = Path(data.stdout.place), Path(data.stderr.place)
    assert out.read_text() == "to stdout\npast Python\nfrom a child\n"
    assert err.read_text().startswith("to stderr\n")
    assert data.stdout.size == out.stat().st_size
    assert out == tmp_path / "home" / "logs" / result.run_id / "speaks-1.out"
    assert "a line" in [event.message for event in result.all_logs]


def test_a_step_that_writes_without_end_fills_neither_disk_nor_memory(tmp_path: Path) -> None:
    ops = """
@sg.op
def floods():
    line = b"x" * 99 + bytes([10])
    for _ in range(1000):
        os.write(1, line * 1000)

job = job_of(floods)
"""
    result, _ = run_job(tmp_path, ops)
    assert result.success
    (data,) = [event.event_specific_data for event in result.all_events if event.event_type is EventType.LOGS_CAPTURED]
    kept: Any = data
    assert (kept.stdout.size, kept.stdout.dropped) == (100_000_000, 100_000_000 - 10 * 2**20)
    text = Path(kept.stdout.place).read_bytes()
    assert len(text) < 10 * 2**20 + 100
    assert b"89514240 more bytes were written and are not kept" in text[-100:]


def test_hooks_and_watchers_see_what_happened_in_the_other_process(tmp_path: Path) -> None:
    ops = """
@sg.success_hook
def on_success(context):
    told("", hook="success", step=context.step_key, pid=os.getpid())

@sg.failure_hook
def on_failure(context):
    told("", hook="failure", step=context.step_key, error=str(context.op_exception), pid=os.getpid())

@sg.op
def good():
    told("", step="good", pid=os.getpid())

@sg.op
def bad():
    raise ValueError("on purpose")

job = job_of(good, bad, hooks={on_success, on_failure})
"""
    facts = tmp_path / "facts"
    os.environ["FACTS"] = str(facts)
    try:
        result, _ = run_job(tmp_path, ops)
    finally:
        del os.environ["FACTS"]
    told = [json.loads(line) for line in facts.read_text().splitlines()]
    pids = {each["pid"] for each in told if each.get("step") == "good"}
    assert len(pids) == 1  # the hook runs where the step ran
    assert {(each["hook"], each["step"]) for each in told if "hook" in each} == {
        ("success", "good"),
        ("failure", "bad"),
    }
    hooks = [event for event in result.all_events if event.event_type is EventType.HOOK_COMPLETED]
    assert len(hooks) == 2
    assert result.all_events[-1].is_run_failure


RESOURCES = """
class Ours(sg.ConfigurableResource):
    path: str

    def setup_for_execution(self, context):
        told("", event="up", pid=os.getpid())

    def teardown_after_execution(self, context):
        told("", event="down", pid=os.getpid())

@sg.op
def uses(ours: Ours):
    told("", event="used", pid=os.getpid())

@sg.op
def does_not():
    told("", event="not used", pid=os.getpid())

job = job_of(uses, does_not, resource_defs={"ours": Ours(path="x")})
"""


def test_resources_are_set_up_where_they_are_used_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "facts"
    monkeypatch.setenv("FACTS", str(facts))
    result, _ = run_job(tmp_path, RESOURCES)
    assert result.success
    told = [json.loads(line) for line in facts.read_text().splitlines()]
    assert [each["event"] for each in told if each["event"] != "not used"] == ["up", "used", "down"]
    assert len({each["pid"] for each in told if each["event"] != "not used"}) == 1


STUCK = """
class Stuck(sg.ConfigurableResource):
    def teardown_after_execution(self, context):
        raise ConnectionError("the tunnel is stuck")

@sg.success_hook
def after(context):
    pass

@sg.op
def uses(stuck: Stuck):
    pass

@sg.op
def does_not():
    pass

@sg.op
def fails(stuck: Stuck):
    raise ValueError("the step's own")

def stuck_job(*ops, **settings):
    return job_of(*ops, resource_defs={"stuck": Stuck()}, **settings)

job = stuck_job(uses, does_not)
hooked = stuck_job(uses, does_not, hooks={after})
failing = stuck_job(uses, fails)
"""


@pytest.mark.parametrize("name", ["job", "hooked"])
def test_a_resource_that_cannot_be_torn_down_fails_the_run_and_not_the_step(tmp_path: Path, name: str) -> None:
    result, _ = run_job(tmp_path, STUCK, name=name)
    assert not result.success
    events = result.all_events
    assert {event.step_key for event in events if event.is_step_success} == {"uses", "does_not"}
    end = events[-1].payload
    assert isinstance(end, RunFailureData)
    assert (end.reason, end.failure_class) == (FailureReason.RESOURCE_FAILURE, FailureClass.NETWORK)
    assert end.error is not None
    assert end.error.message == "ConnectionError: the tunnel is stuck"


def test_a_step_that_failed_says_more_than_a_resource_that_could_not_be_torn_down(tmp_path: Path) -> None:
    result, _ = run_job(tmp_path, STUCK, name="failing")
    end = result.all_events[-1].payload
    assert isinstance(end, RunFailureData)
    assert (end.reason, end.failed_steps) == (FailureReason.STEP_FAILURE, ("fails",))


def test_spawned_steps_do_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "seen")
    with run_job(tmp_path, ABOUT, config={"max_concurrent": 2, "start_method": {"spawn": {}}})[0] as result:
        assert result.success
        one, other = result.output_for_node("about").values()
    assert one["pid"] != other["pid"]
    assert one["session"] == one["pid"]
    assert one["stdin"] == ""


def test_an_instance_in_memory_is_refused() -> None:
    with pytest.raises(sg.UnmetExecutorRequirementsError, match="in-memory instance"):
        sg.execute_job(sg.reconstructable(in_memory), sg.Instance.ephemeral())


@sg.op
def nothing() -> None: ...


@sg.job(executor_def=sg.multiprocess_executor)
def in_memory() -> None:
    nothing()


def test_tags_limit_what_runs_at_once(tmp_path: Path) -> None:
    ops = """
@sg.op(tags={"database": "one"})
def first():
    time.sleep(0.3)

@sg.op(tags={"database": "one"})
def second():
    time.sleep(0.3)

@sg.op
def third():
    time.sleep(0.3)

job = job_of(first, second, third)
"""
    config = {"max_concurrent": 3, "tag_concurrency_limits": [{"key": "database", "limit": 1}]}
    result, _ = run_job(tmp_path, ops, config=config)
    assert result.success
    spans: dict[str, list[float]] = {}
    for event in result.all_events:
        if event.is_step_start or event.is_step_success:
            spans.setdefault(str(event.step_key), []).append(event.timestamp)
    assert not _overlap(spans["first"], spans["second"])
    assert _overlap(spans["first"], spans["third"])


def _overlap(one: list[float], other: list[float]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    me = psutil.Process()
    measure: Callable[[], tuple[int, int]] = lambda: (me.num_fds(), len(me.children(recursive=True)))  # noqa: E731
    result, instance = run_job(tmp_path, OUTPUT)
    instance.close()
    before = measure()
    result, instance = run_job(tmp_path, OUTPUT)
    instance.close()
    assert result.success
    assert measure() == before

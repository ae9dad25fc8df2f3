"""What user code may do wrong in a step that runs in the process of the run: the run ends as it should, and says what it was."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import segue as sg
from segue.host.recorded_plan import retry_run
from segue.host.rerun import RunAgain
from segue.model.event import RunFailureData, StepFailureData


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[sg.Instance]:
    before = Path.cwd()
    with sg.Instance.local_temp(str(tmp_path)) as instance:
        yield instance
    os.chdir(before)


class Faulty(sg.IOManager):
    """Raises when it loads, or when it stores."""

    def __init__(self, loads: bool) -> None:
        self.loads = loads

    def handle_output(self, context: sg.OutputContext, obj: object) -> None:
        if not self.loads:
            raise ConnectionResetError("the store hung up")

    def load_input(self, context: sg.InputContext) -> object:
        raise FileNotFoundError("the value is gone")


def unpicklable() -> Any:
    return threading.Lock()


def wrong_type() -> int:
    return cast("int", "text")


def nothing_given() -> Iterator[sg.Output[int]]:
    yield from ()


def twice() -> Iterator[sg.Output[int]]:
    yield sg.Output(1)
    yield sg.Output(2)


def system_exit() -> None:
    sys.exit(3)


def generator_exit() -> None:
    raise GeneratorExit


class Own(BaseException):
    """Derived from the very root."""


def base_exception() -> None:
    raise Own("beyond Exception")


def recursion() -> None:
    recursion()


class Unprintable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def unprintable() -> None:
    raise Unprintable


def lone_surrogate() -> None:
    raise ValueError("\udc80")


CASES: list[tuple[Callable[[], Any], str, str | None]] = [
    (unpicklable, "output 'result' of 'unpicklable' was stored", None),
    (wrong_type, "TypeCheckDidNotPass", "validation"),
    (nothing_given, "did not yield the output", None),
    (twice, "twice", None),
    (system_exit, "SystemExit: 3", None),
    (generator_exit, "GeneratorExit", None),
    (base_exception, "Own: beyond Exception", None),
    (recursion, "RecursionError", None),
    (unprintable, "Unprintable", None),
    (lone_surrogate, "\\udc80", None),
]


def ended(
    instance: sg.Instance, *assets: sg.AssetsDefinition, **resources: object
) -> tuple[StepFailureData, RunFailureData]:
    """How the one step failed, and the run; everything is stored, and what is independent of it has run."""
    done: list[str] = []

    @sg.asset
    def independent() -> None:
        done.append("yes")

    result = sg.materialize([*assets, independent], instance=instance, resources=resources, raise_on_error=False)
    assert done == ["yes"]
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status is sg.RunStatus.FAILURE
    stored = [entry.dagster_event.payload for entry in instance.all_logs(result.run_id) if entry.dagster_event]
    [step] = [each for each in stored if isinstance(each, StepFailureData)]
    [end] = [each for each in stored if isinstance(each, RunFailureData)]
    assert end.failed_steps == (assets[-1].node_def.name if assets[-1].node_def else "",)
    return step, end


@pytest.mark.parametrize(("function", "said", "failure_class"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_step_that_goes_wrong(
    instance: sg.Instance, function: Callable[[], Any], said: str, failure_class: str | None
) -> None:
    step, end = ended(instance, sg.asset(function))
    assert said in step.raised.to_string()
    assert (step.failure_class, end.failure_class) == (failure_class or "user_code",) * 2


@pytest.mark.parametrize(
    ("loads", "said", "failure_class"),
    [
        (True, "While the input 'up' of 'down' was loaded (asset 'up')", "upstream_data"),
        (False, "While the output 'result' of 'up' was stored (asset 'up')", "network"),
    ],
)
def test_an_io_manager_that_raises(instance: sg.Instance, loads: bool, said: str, failure_class: str) -> None:
    @sg.asset(io_manager_key="faulty")
    def up() -> int:
        return 1

    @sg.asset
    def down(up: int) -> None: ...

    step, _ = ended(instance, *((up, down) if loads else (up,)), faulty=Faulty(loads))
    assert said in step.raised.to_string()
    assert step.failure_class == failure_class


def test_a_step_that_changes_the_folder_and_the_environment_of_the_process(
    instance: sg.Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inline steps share the process, and so see what one has changed; what Segue keeps stays where it was."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("SEGUE_HOME", "before")

    @sg.asset
    def changes() -> int:
        os.chdir(elsewhere)
        os.environ["SEGUE_HOME"] = "after"
        os.environ["HOME"] = "nowhere"
        print("kept")
        return 1

    @sg.asset
    def after(changes: int) -> str:
        print("kept, too")
        return str(Path.cwd())

    monkeypatch.setenv("HOME", os.environ.get("HOME", "/"))
    result = sg.materialize([changes, after], instance=instance)
    assert result.output_for_node("after") == str(elsewhere.resolve())
    assert list(elsewhere.iterdir()) == []
    assert len(list((tmp_path / "logs" / result.run_id).iterdir())) == 2


def test_a_step_that_removes_its_own_folder(instance: sg.Instance, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    @sg.asset
    def removes() -> int:
        os.chdir(folder)
        folder.rmdir()
        return 1

    @sg.asset
    def after(removes: int) -> None: ...

    assert sg.materialize([removes, after], instance=instance).success


def test_a_retry_makes_steps_of_the_values_that_are_given_now(instance: sg.Instance) -> None:
    """The keys that a dynamic output gave before count no more where it is given anew."""
    values, broken, called = ["a", "b"], True, list[str]()

    @sg.op(out=sg.DynamicOut(str))
    def source() -> Iterator[sg.DynamicOutput[str]]:
        for value in values:
            yield sg.DynamicOutput(value, mapping_key=value)

    @sg.op
    def each(value: str) -> str:
        called.append(value)
        if broken and value == "b":
            raise ValueError("not yet")
        return value

    @sg.op
    def collect(parts: list[str]) -> str:
        return "".join(parts)

    @sg.job(resource_defs={"io_manager": sg.fs_io_manager})
    def work() -> None:
        collect(source().map(each).collect())

    first = work.execute_in_process(instance=instance, raise_on_error=False)
    assert sorted(called) == ["a", "b"]
    broken, values = False, ["b", "c"]
    called.clear()

    defs = sg.Definitions(jobs=[work])
    run = retry_run(defs, instance, first.run_id)
    assert run.is_success
    assert called == ["b"]
    called.clear()
    assert retry_run(defs, instance, first.run_id, again=RunAgain(steps=("source+",))).is_success
    assert sorted(called) == ["b", "c"]
    with pytest.raises(sg.ExecutionStepNotFoundError, match=r"each\[z\]"):
        retry_run(defs, instance, first.run_id, again=RunAgain(steps=("each[z]",)))

"""Ctrl-C and SIGTERM reach the code of a step as one error, and end the run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

import segue as sg

DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
SIGNALS = pytest.mark.parametrize("number", DEFAULTS)


@pytest.fixture(autouse=True)
def nobody_handles_signals() -> Iterator[None]:
    before = {number: signal.signal(number, default) for number, default in DEFAULTS.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@SIGNALS
def test_the_step_may_tidy_up_and_the_run_is_canceled(number: signal.Signals) -> None:
    tidied: list[str] = []

    @sg.asset
    def slow() -> None:
        try:
            os.kill(os.getpid(), number)
        except sg.ExecutionInterruptedError:
            tidied.append("done")
            raise

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt, match=number.name):
            sg.materialize([slow], instance=instance)
        assert instance.get_runs()[0].status is sg.RunStatus.CANCELED
    assert tidied == ["done"]
    assert signal.getsignal(number) == DEFAULTS[number]


@SIGNALS
def test_a_block_outside_of_runs_is_interrupted_too(number: signal.Signals) -> None:
    with pytest.raises(sg.ExecutionInterruptedError), sg.raise_execution_interrupts():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == DEFAULTS[number]


def test_who_handles_a_signal_already_keeps_it() -> None:
    taken: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: taken.append(number))
    with sg.raise_execution_interrupts():
        os.kill(os.getpid(), signal.SIGTERM)
    assert taken == [signal.SIGTERM]


def test_other_threads_change_nothing() -> None:
    seen: list[object] = []

    def work() -> None:
        with sg.raise_execution_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_an_error_says_whose_it_is() -> None:
    @sg.schedule(cron_schedule="@daily", job_name="nightly")
    def asked(context: sg.ScheduleEvaluationContext) -> None:
        raise ValueError("no")

    with pytest.raises(sg.ScheduleExecutionError) as raised:
        asked.evaluate_tick(sg.build_schedule_context())
    assert raised.value.is_user_code_error
    assert not sg.InvalidDefinitionError("no").is_user_code_error

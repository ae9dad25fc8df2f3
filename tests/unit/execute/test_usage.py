"""What steps use: recorded with how they end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.model import codec
from segue.model.event import Event, StepFailureData, StepSuccessData
from segue.model.usage import StepUsage


def usage_of(function: Callable[[], Any]) -> StepUsage:
    result = sg.materialize([sg.asset(name="a")(function)], raise_on_error=False)
    kinds = (StepSuccessData, StepFailureData)
    [payload] = [event.payload for event in result.all_events if isinstance(event.payload, kinds)]
    assert payload.usage is not None
    return payload.usage


def computes() -> None:
    end = time.process_time() + 0.1
    while time.process_time() < end:
        sum(range(1000))


def test_processor_time_is_that_of_the_step() -> None:
    used = usage_of(computes)
    assert 0.09 < used.cpu_seconds < 5
    assert used.wall_seconds > 0.09
    assert usage_of(lambda: None).cpu_seconds < 0.09


def test_a_step_that_fails_says_what_it_used() -> None:
    def fails() -> None:
        computes()
        raise ValueError("no")

    assert usage_of(fails).cpu_seconds > 0.09


@pytest.mark.skipif(sys.platform != "linux", reason="the counters are those of Linux")
def test_bytes_and_memory(tmp_path: Path) -> None:
    file = tmp_path / "data"

    def moves() -> None:
        file.write_bytes(bytes(3_000_000))
        file.read_bytes()
        file.read_bytes()

    used = usage_of(moves)
    assert used.bytes_written is not None
    assert used.bytes_read is not None
    assert 3_000_000 <= used.bytes_written < 3_500_000
    assert 6_000_000 <= used.bytes_read < 6_500_000

    before = usage_of(lambda: None).peak_memory_bytes
    after = usage_of(lambda: len(bytearray(b"x") * 300_000_000)).peak_memory_bytes
    assert before is not None
    assert after is not None
    assert after >= 300_000_000
    assert usage_of(lambda: None).peak_memory_bytes == after  # it is that of the process, and never falls


@pytest.mark.skipif(sys.platform != "linux", reason="the counters are those of Linux")
def test_code_that_closes_every_descriptor_costs_no_more_than_a_number() -> None:
    def closes() -> None:
        counters = f"/proc/{os.getpid()}/io"
        for link in [each for each in Path("/proc/self/fd").iterdir() if os.path.islink(each)]:
            if os.path.lexists(link) and str(link.readlink()) == counters:
                os.close(int(link.name))

    usage_of(lambda: None)
    assert usage_of(closes).bytes_read is None
    assert usage_of(lambda: None).bytes_read is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the counters are those of Linux")
def test_a_child_reads_its_own_counters() -> None:
    usage_of(lambda: None)
    pid = os.fork()
    if pid == 0:
        used = usage_of(lambda: os.write(os.open(os.devnull, os.O_WRONLY), bytes(1_000_000)))
        os._exit(0 if used.bytes_written and used.bytes_written >= 1_000_000 else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_what_was_recorded_before_is_still_read() -> None:
    stored = b'{"timestamp":1,"payload":{"type":"STEP_SUCCESS","duration_ms":3.0},"step_key":"a"}'
    payload = codec.decoder(Event).decode(stored).payload
    assert payload == StepSuccessData(3.0)

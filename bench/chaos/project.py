"""The user code of the chaos runs: a small graph, a pool, values on disk; each step says when it is in and out of user code."""

from __future__ import annotations

import os
import random
import time

import segue as sg

TRACE = os.environ["CHAOS_TRACE"]
EXECUTOR = sg.multiprocess_executor if os.environ.get("CHAOS_EXECUTOR") == "processes" else sg.in_process_executor


def work(name: str, low: float, high: float) -> int:
    """Some work, between two lines of the trace: `in NAME PID` and `out NAME PID`."""
    with open(TRACE, "a") as trace:
        trace.write(f"in {name} {os.getpid()} {time.monotonic()}\n")
        trace.flush()
        time.sleep(random.uniform(low, high))
        trace.write(f"out {name} {os.getpid()} {time.monotonic()}\n")
    return 1


@sg.asset
def first() -> int:
    return work("first", 0.0, 0.02)


@sg.asset(pool="scarce")
def left(first: int) -> int:
    return first + work("left", 0.0, 0.05)


@sg.asset(pool="scarce", retry_policy=sg.RetryPolicy(max_retries=1))
def right(first: int) -> int:
    return first + work("right", 0.0, 0.05)


@sg.asset
def both(left: int, right: int) -> int:
    return left + right + work("both", 0.0, 0.02)


@sg.asset_check(asset=both)
def both_is_four(both: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=both == 4)


defs = sg.Definitions(assets=[first, left, right, both], asset_checks=[both_is_four], executor=EXECUTOR)

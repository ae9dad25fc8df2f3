"""Instances for tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from segue.defs.instance import Instance
from segue.errors import NotSupportedError

# What overrides may switch off or on, and Segue has none of.
_WITHOUT_EFFECT = frozenset({"telemetry", "nux"})


@contextmanager
def instance_for_test(
    overrides: Mapping[str, Any] | None = None,
    set_dagster_home: bool = True,
    temp_dir: str | None = None,
    synchronous_run_coordinator: bool = False,  # noqa: ARG001 reason: said in the docstring
    synchronous_run_launcher: bool = False,  # noqa: ARG001 reason: said in the docstring
) -> Generator[Instance]:
    """An instance with a database in a folder of its own, for the time of a `with` block.

    Args:
        overrides: settings of the instance; only `telemetry` and `nux` are taken, which Segue does not have.
        set_dagster_home: whether `Instance.get()` gives this instance's database inside the block (through SEGUE_HOME).
        temp_dir: the folder, which stays; a temporary one when None.
        synchronous_run_coordinator, synchronous_run_launcher: without effect: runs of a test are executed in its process.

    Raises:
        NotSupportedError: other overrides; pass what is to be different where it is used.
    """
    strange = sorted(set(overrides or {}) - _WITHOUT_EFFECT)
    if strange:
        raise NotSupportedError(
            f"instance_for_test: overrides {', '.join(map(repr, strange))} are not supported: parts of an instance "
            "cannot be replaced. Pass executors, loggers and resources to what you run."
        )
    with ExitStack() as stack:
        folder = temp_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-test-"))
        if set_dagster_home:
            stack.enter_context(_environment("SEGUE_HOME", str(Path(folder).absolute())))
            stack.enter_context(_environment("SEGUE_DATABASE", ""))  # what a test does belongs into no real one
        yield stack.enter_context(Instance.local_temp(folder))


@contextmanager
def _environment(name: str, value: str) -> Generator[None]:
    """Sets a variable for the time of a block, and puts back what was there."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before

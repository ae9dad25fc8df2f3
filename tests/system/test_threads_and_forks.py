"""Which threads that an import starts survive a fork: for each row of the table a fork, and work in the child."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from step_processes import failure_of, run_job

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX")

THREADS: dict[str, tuple[str, str | None]] = {
    "numpy, used": ("import numpy\nsquare = numpy.ones((300, 300)) @ numpy.ones((300, 300))", None),
    "polars": ("import polars", None),
    "pyarrow": ("import pyarrow, pyarrow.parquet", None),
    "a thread of Python's": (
        "threading.Thread(target=threading.Event().wait, name='mine', daemon=True).start()",
        "the Python thread 'mine'",
    ),
    "polars, used": (
        "import polars\npolars.DataFrame({'a': [1, 2]}).lazy().group_by('a').len().collect()",
        "the native thread",
    ),
    "duckdb, used": ("import duckdb\nduckdb.sql('select 1').fetchall()", "the native thread"),
}
WORK = """
@sg.op
def work():
    if "numpy" in sys.modules:
        import numpy
        assert (numpy.ones((400, 400)) @ numpy.ones((400, 400))).sum() == 400 ** 3
    if "polars" in sys.modules:
        import polars
        frame = polars.DataFrame({"a": list(range(1000))}).lazy().group_by(polars.col("a") % 7).len().collect()
        assert frame["len"].sum() == 1000
    if "pyarrow" in sys.modules:
        import pyarrow, pyarrow.compute, pyarrow.parquet
        table = pyarrow.table({"a": list(range(1000))})
        pyarrow.parquet.write_table(table, "/dev/null")
        assert pyarrow.compute.sum(table["a"]).as_py() == 499500
    if "duckdb" in sys.modules:
        import duckdb
        assert duckdb.sql("select 2").fetchall() == [(2,)]

job = job_of(work)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("threads", THREADS)
def test_threads_are_judged(tmp_path: Path, threads: str) -> None:
    code, refused = THREADS[threads]
    result, _ = run_job(tmp_path, f"{code}\n{WORK}")
    assert result.success, failure_of(result)
    told = [event.message for event in result.all_events if "new interpreter" in event.message]
    assert len(told) == (0 if refused is None else 1)
    assert refused is None or refused in told[0]

"""Code written for Dagster finds the names of error classes that it knows, and errors travel between processes all the same."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

_NAMES = """
import pickle, sys
{begins}
import segue

@segue.op
def breaks():
    raise ValueError("no")

@segue.job
def job():
    breaks()

raised = segue.InvalidDefinitionError("wrong")
failed = job.execute_in_process(raise_on_error=False).failure_data_for_node("breaks")
assert failed.error.message.startswith(failed.error.cls_name), failed.error
print(type(raised).__name__, type(raised).__qualname__, failed.error.cls_name, failed.error.cause.cls_name)
print(segue.SegueError.__name__, segue.LoadError.__name__, segue.StorageError.__name__)
print(pickle.dumps(raised).hex())
"""


def _names(begins: str) -> tuple[list[str], bytes]:
    done = subprocess.run(
        [sys.executable, "-c", _NAMES.format(begins=begins)], capture_output=True, text=True, check=True
    )
    *names, pickled = done.stdout.split()
    return names, bytes.fromhex(pickled)


@pytest.mark.parametrize(
    "begins",
    [
        "import segue.compat.dagster",
        "from segue.compat.hook import install; install()",
        "from segue.compat.hook import install, uninstall; install(); import segue.compat.dagster; uninstall()",
    ],
)
def test_errors_carry_dagsters_names_where_its_names_are_looked_up(begins: str) -> None:
    names, pickled = _names(begins)
    assert names == [
        "DagsterInvalidDefinitionError",
        "InvalidDefinitionError",
        "DagsterExecutionStepExecutionError",
        "ValueError",
        "DagsterError",
        "LoadError",
        "StorageError",
    ]
    assert b"Dagster" not in pickled


@pytest.mark.parametrize("begins", ["", "from segue.compat.hook import install, uninstall; install(); uninstall()"])
def test_errors_keep_their_own_names_elsewhere(begins: str) -> None:
    names, _ = _names(begins)
    own = "InvalidDefinitionError"
    assert names == [own, own, "ExecutionStepExecutionError", "ValueError", "SegueError", "LoadError", "StorageError"]


def test_an_error_is_read_where_its_class_has_another_name() -> None:
    _, with_dagsters = _names("import segue.compat.dagster")
    _, with_own = _names("")
    assert with_dagsters == with_own
    read = (
        "import pickle, sys\n{}\nimport segue\n"
        "read = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "assert type(read) is segue.InvalidDefinitionError and str(read) == 'wrong', read"
    )
    for begins in ("", "import segue.compat.dagster"):
        subprocess.run([sys.executable, "-c", read.format(begins), with_own.hex()], check=True)
    assert str(pickle.loads(with_dagsters)) == "wrong"


def test_the_name_of_a_class_inside_a_function_is_recorded_short() -> None:
    code = """
import segue.compat.dagster as dg

def made():
    class Own(Exception): ...
    return Own

@dg.op
def breaks():
    raise made()("no")

@dg.job
def job():
    breaks()

print(job.execute_in_process(raise_on_error=False).failure_data_for_node("breaks").error.cause.cls_name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Own"

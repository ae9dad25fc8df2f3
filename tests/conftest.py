"""For all tests: one that is skipped has not shown anything, so it fails; and a Postgres server for those who need one."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Generator, Iterator

import pytest
from fake_clock import find_faketime
from hypothesis import settings
from pooler import find_pooler
from postgres_server import WITHOUT, Server, server

settings.register_profile("no deadline", deadline=None)  # no test fails because the machine is busy
settings.load_profile("no deadline")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell starts what goes on in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LEFT_OUT = f"left out, as {WITHOUT} is set"
_NO_POOLER = "left out, as pgbouncer is not installed"
_NO_FAKETIME = "left out, as faketime is not installed"


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    allowed = any(reason in str(report.longrepr) for reason in (_LEFT_OUT, _NO_POOLER, _NO_FAKETIME))
    if report.skipped and not hasattr(report, "wasxfail") and not allowed:
        report.outcome = "failed"
        report.longrepr = f"Skipped, and nothing here may be skipped: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Says in the last lines which groups of tests were left out."""
    if hasattr(config, "workerinput"):
        return
    if find_faketime() is None:
        print("NOT RUN: the tests over changes of the clock, as faketime is not installed")
    if os.environ.get(WITHOUT) == "1":
        print(f"NOT RUN: the tests that need a Postgres server ({WITHOUT}=1)")
    elif find_pooler() is None:
        print("NOT RUN: the tests through pgbouncer, which is not installed")


@pytest.fixture(scope="session")
def faketime() -> None:
    """A clock that a test can set."""
    if find_faketime() is None:
        pytest.skip(f"needs faketime: {_NO_FAKETIME}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A Postgres server of this process's own."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"needs a Postgres server: {_LEFT_OUT}")
    with server() as running:
        yield running


_numbers = itertools.count()


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of an empty place in a database."""
    with postgres_server.schema(f"test_{next(_numbers)}") as url:
        yield url

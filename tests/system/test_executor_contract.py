"""Every executor keeps the contract that is shipped to users."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from segue.testing.executor_contract import CONTRACT, FAN_OUT, ISOLATION, ExecutorUnderTest, Rule

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX")
_SPAWN = {"max_concurrent": 2, "start_method": {"spawn": {}}}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("executor", ["in_process", "threads", "async", "multiprocess"])
def test_contract(executor: str, rule: Rule, tmp_path: Path) -> None:
    rule(ExecutorUnderTest(executor, tmp_path))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rule", ISOLATION, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("config", [{}, _SPAWN], ids=["fork", "spawn"])
def test_isolation(config: dict[str, object], rule: Rule, tmp_path: Path) -> None:
    rule(ExecutorUnderTest("multiprocess", tmp_path, config))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rule", CONTRACT[:8], ids=lambda rule: rule.__name__)
def test_contract_of_fresh_interpreters(rule: Rule, tmp_path: Path) -> None:
    rule(ExecutorUnderTest("multiprocess", tmp_path, _SPAWN))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rule", FAN_OUT, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("executor", ["in_process", "threads", "async", "multiprocess"])
def test_fan_out(executor: str, rule: Rule, tmp_path: Path) -> None:
    rule(ExecutorUnderTest(executor, tmp_path))

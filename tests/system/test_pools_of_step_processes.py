"""Pools and limits of resources, with each step in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Project
from step_processes import run_job

import segue as sg

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are POSIX")

POOL = """
def op_of(name, crashes=False):
    @sg.op(name=name, pool="db")
    def work(context):
        info = context.instance.event_log_storage.get_concurrency_info("db")
        if crashes:
            os._exit(3)
        return [each.step_key for each in info.claimed_slots]
    return work
"""
FOUR = POOL + 'job = job_of(*[op_of(f"work_{at}") for at in range(4)])\n'
CRASHES = POOL + 'job = job_of(op_of("a", crashes=True), op_of("b"), op_of("c", crashes=True), op_of("d"))\n'


def _home_with_limit(folder: Path, limit: int) -> Path:
    with sg.Instance.local_temp(str(folder / "home")) as instance:
        instance.set_pool_limit("db", limit)
    return folder / "home"


def test_no_more_steps_run_at_once_than_the_pool_has_slots(tmp_path: Path) -> None:
    home = _home_with_limit(tmp_path, 2)
    result, instance = run_job(tmp_path, FOUR, config={"max_concurrent": 4}, home=home)
    with result, instance:
        assert result.success
        for at in range(4):
            held = result.output_for_node(f"work_{at}")
            assert f"work_{at}" in held
            assert len(held) <= 2
        assert instance.pool_claims("db") == []


def test_the_slot_of_a_process_that_dies_is_free_for_the_next_step(tmp_path: Path) -> None:
    home = _home_with_limit(tmp_path, 1)
    result, instance = run_job(tmp_path, CRASHES, config={"max_concurrent": 4}, home=home)
    with result, instance:
        assert not result.success
        assert sorted(event.step_key or "" for event in result.all_events if event.is_step_failure) == ["a", "c"]
        assert [result.output_for_node(name) for name in ("b", "d")] == [["b"], ["d"]]
        assert instance.pool_claims("db") == []


LIMITED = """
def op_of(name):
    @sg.op(name=name, required_resource_keys={"api"})
    def call(context):
        context.take("api", 2)
    return call

@sg.op(required_resource_keys={"api"})
def fails():
    raise ConnectionRefusedError("nobody answers")

ops = [op_of("a"), op_of("b"), op_of("c"), fails]

@sg.job(executor_def=sg.multiprocess_executor)
def calls():
    for each in ops:
        each()

defs = sg.Definitions(
    jobs=[calls],
    resources={"api": "the api"},
    resource_limits={"api": [sg.RateLimit(100, per=1_000_000.0), sg.CircuitBreaker(failures=2)]},
)
"""


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_tokens_are_taken_and_failures_told_from_step_processes(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    project = Project(tmp_path, LIMITED)
    url = None if database == "sqlite" else request.getfixturevalue("postgres_url")
    environment = {"SEGUE_DATABASE": url}
    assert project.run("materialize", "--job", "calls", environment=environment).code == 1
    (state,) = project.run("pools", "--limits", "--json", environment=environment).document["resources"]
    assert state["failures"] == 1
    assert round(state["tokens"][0]["available"]) == 100 - 4 - 3 * 2

"""What of a `dagster.yaml` means something here."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from segue.migrate.dagster_yaml import counterparts
from segue.migrate.toml import toml_text


@pytest.mark.parametrize(
    ("document", "settings", "left"),
    [
        ({"run_queue": {"max_concurrent_runs": 7}}, {"queue": {"max_runs": 7}}, []),
        ({"concurrency": {"runs": {"max_concurrent_runs": -1}}}, {"queue": {"max_runs": "unlimited"}}, []),
        ({"run_queue": {"max_concurrent_runs": {"env": "N"}}}, {}, ["run_queue.max_concurrent_runs.env"]),
        (
            {"run_coordinator": {"module": "m", "class": "QueuedRunCoordinator", "config": {"max_concurrent_runs": 3}}},
            {"queue": {"max_runs": 3}},
            [],
        ),
        (
            {"run_coordinator": {"module": "m", "class": "Mine"}},
            {},
            ["run_coordinator.module", "run_coordinator.class"],
        ),
        (
            {
                "run_queue": {
                    "tag_concurrency_limits": [
                        {"key": "team", "limit": 2},
                        {"key": "team", "value": "ops", "limit": 1},
                        {"key": "user", "value": {"applyLimitPerUniqueValue": True}, "limit": 4},
                    ]
                }
            },
            {
                "queue": {
                    "tags": [
                        {"key": "team", "limit": 2},
                        {"key": "team", "limit": 1, "value": "ops"},
                        {"key": "user", "limit": 4, "is_per_value": True},
                    ]
                }
            },
            [],
        ),
        ({"run_queue": {"tag_concurrency_limits": [{"key": "a"}]}}, {}, ["run_queue.tag_concurrency_limits"]),
        ({"concurrency": {"pools": {"default_limit": 2, "granularity": "op"}}}, {"default_pool_limit": 2}, []),
        ({"concurrency": {"pools": {"granularity": "run"}}}, {}, ["concurrency.pools.granularity"]),
        ({"concurrency": {"default_op_concurrency_limit": 5}}, {"default_pool_limit": 5}, []),
        (
            {"run_retries": {"enabled": True, "max_retries": 3, "retry_on_asset_or_op_failure": False}},
            {"retries": {"max_retries": 3, "on_step_failure": False}},
            [],
        ),
        ({"run_retries": {"enabled": False, "max_retries": 3}}, {}, []),
        (
            {"run_monitoring": {"enabled": True, "max_runtime_seconds": 60, "poll_interval_seconds": 5}},
            {"max_runtime": 60},
            ["run_monitoring.poll_interval_seconds"],
        ),
        ({"run_monitoring": {"enabled": False, "max_runtime_seconds": 60}}, {}, None),
        ({"telemetry": {"enabled": False}, "nux": {"enabled": False}, "freshness": {"enabled": True}}, {}, []),
        ({"freshness": {"enabled": False}}, {}, ["freshness.enabled"]),
        ({"storage": {"postgres": {"postgres_db": {"password": "x"}}}}, {}, ["storage.postgres.postgres_db.password"]),
    ],
)
def test_settings_that_mean_the_same_are_taken(
    document: dict[str, Any], settings: dict[str, Any], left: list[str] | None
) -> None:
    found, rest = counterparts(document)
    assert found == settings
    if left is not None:
        assert rest == left


def test_what_is_written_says_the_same_when_it_is_read() -> None:
    settings = {
        "queue": {
            "tags": [{"key": "a", "limit": 1}, {"key": "b", "limit": 2}],
            "max_runs": 3,
            "per_location": {"shop": 2},
        },
        "storage": 'a "folder" für\nalles',
        "dagster_compat": True,
        "locations": [{"module": "a"}, {"file": "b.py", "environment": {"X": "1"}}],
        "max_runtime": 60,
    }
    assert tomllib.loads(toml_text(settings)) == settings

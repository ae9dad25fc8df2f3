"""What is listed twice, and what contradicts itself, in definitions and when they are merged."""

from __future__ import annotations

import pytest

import segue as sg


@sg.op
def nothing() -> None: ...


@sg.job
def work() -> None:
    nothing()


@sg.asset
def orders() -> None: ...


def test_the_same_object_may_be_listed_twice() -> None:
    schedule = sg.ScheduleDefinition(job=work, cron_schedule="@daily")
    stored = sg.define_asset_job("stored", [orders])
    definitions = sg.Definitions(
        assets=[orders, orders], jobs=[work, work, stored, stored], schedules=[schedule, schedule]
    )
    sg.Definitions.validate_loadable(definitions)
    assert sorted(job.name for job in definitions.resolve_all_job_defs()) == ["__ASSET_JOB", "stored", "work"]
    other = sg.define_asset_job("stored", [orders], description="another")
    with pytest.raises(sg.InvalidDefinitionError, match="Duplicate job name 'stored'"):
        sg.Definitions.validate_loadable(sg.Definitions(assets=[orders], jobs=[stored, other]))


def test_two_resources_of_one_key_are_both_kinds_of_error() -> None:
    for kind in (sg.InvariantViolationError, sg.InvalidDefinitionError):
        with pytest.raises(kind, match="different resources were provided for the key 'db'"):
            sg.Definitions.merge(sg.Definitions(resources={"db": 1}), sg.Definitions(resources={"db": 2}))


def test_what_is_no_definition_is_of_a_wrong_type() -> None:
    for kind in (sg.InvalidDefinitionError, TypeError):
        with pytest.raises(kind, match="got 5"):
            sg.Definitions(assets=[5])  # type: ignore[list-item]
        with pytest.raises(kind, match="must be a list"):
            sg.Definitions(jobs="work")  # type: ignore[arg-type]

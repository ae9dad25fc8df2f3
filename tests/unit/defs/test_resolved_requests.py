"""A request with the tags and the config of its partition, also of one that is only asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import segue as sg

PLANTS = sg.DynamicPartitionsDefinition(name="plants")
Requests = Sequence[sg.AddDynamicPartitionsRequest | sg.DeleteDynamicPartitionsRequest]


def add(name: str = "plants") -> sg.AddDynamicPartitionsRequest:
    return sg.AddDynamicPartitionsRequest(name, ["leipzig"])


def delete(name: str = "plants") -> sg.DeleteDynamicPartitionsRequest:
    return sg.DeleteDynamicPartitionsRequest(name, ["leipzig"])


@sg.op(config_schema={"plant": str})
def weigh() -> None: ...


@sg.job(partitions_def=PLANTS)
def plain() -> None: ...


@sg.job
def unpartitioned() -> None: ...


def resolved(job: Any, asked: Requests, known: Sequence[str], **more: Any) -> sg.RunRequest:
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("plants", known)
        request = sg.RunRequest(partition_key="leipzig", **more)
        return request.with_resolved_tags_and_config(job, asked, instance)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (["leipzig"], []),
        ([], [add()]),
        (["leipzig"], [delete("stores")]),
        (["leipzig"], [delete(), add()]),
    ],
)
def test_a_partition_that_will_be_there(known: Sequence[str], asked: Requests) -> None:
    assert resolved(plain, asked, known, tags={"team": "scales"}).tags == {
        "team": "scales",
        "dagster/partition": "leipzig",
    }


@pytest.mark.parametrize(
    ("known", "asked"), [([], []), ([], [add("stores")]), (["leipzig"], [delete()]), ([], [add(), delete()])]
)
def test_a_partition_that_will_not_be_there(known: Sequence[str], asked: Requests) -> None:
    with pytest.raises(sg.UnknownPartitionError, match="leipzig"):
        resolved(plain, asked, known)


def test_the_config_of_the_partition_is_filled_in_where_there_is_none() -> None:
    @sg.dynamic_partitioned_config(lambda now: ["leipzig"], tags_for_partition_key_fn=lambda key: {"plant": key})
    def by_plant(key: str) -> dict[str, Any]:
        return {"ops": {"weigh": {"config": {"plant": key}}}}

    @sg.job(config=by_plant)
    def weighing() -> None:
        weigh()

    found = resolved(weighing, [], [])
    assert found.run_config == {"ops": {"weigh": {"config": {"plant": "leipzig"}}}}
    assert found.tags["plant"] == "leipzig"
    own = {"ops": {"weigh": {"config": {"plant": "x"}}}}
    assert resolved(weighing, [], [], run_config=own).run_config == own


def test_what_has_no_partition_is_refused() -> None:
    with pytest.raises(sg.InvalidInvocationError, match="the job is not partitioned"):
        resolved(unpartitioned, [], [])
    with pytest.raises(sg.InvalidInvocationError, match="has no partition key to resolve"):
        sg.RunRequest().with_resolved_tags_and_config(plain, [], None)


def test_a_sensor_cannot_request_a_partition_that_it_removes() -> None:
    @sg.sensor(job=plain)
    def closes() -> sg.SensorResult:
        return sg.SensorResult([sg.RunRequest(partition_key="leipzig")], dynamic_partitions_requests=[delete()])

    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("plants", ["leipzig"])
        context = sg.build_sensor_context(instance=instance, definitions=sg.Definitions(jobs=[plain]))
        with pytest.raises(sg.UnknownPartitionError, match="leipzig"):
            closes.evaluate_tick(context)

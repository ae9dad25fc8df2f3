"""The class of a failure in a run: recorded, decided by rules and by user code, and told apart by retry policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import segue as sg
from segue.model import codec
from segue.model.event import Event, RunFailureData, StepFailureData, StepRetryData


def payloads_of(definitions: sg.Definitions) -> list[Any]:
    """What the run of all assets says of failures."""
    with sg.Instance.ephemeral() as instance:
        result = definitions.get_implicit_global_asset_job_def().execute_in_process(
            instance=instance, raise_on_error=False
        )
        kinds = (StepFailureData, StepRetryData, RunFailureData)
        return [event.payload for event in result.all_events if isinstance(event.payload, kinds)]


def failing(error: BaseException, policy: sg.RetryPolicy | None = None) -> sg.AssetsDefinition:
    @sg.asset(name="a", retry_policy=policy)
    def function() -> None:
        raise error

    return function


def test_the_class_stands_on_the_step_each_retry_and_the_run() -> None:
    found = payloads_of(sg.Definitions([failing(ConnectionResetError(), sg.RetryPolicy(max_retries=1))]))
    assert [type(each) for each in found] == [StepRetryData, StepFailureData, RunFailureData]
    assert {each.failure_class for each in found} == {sg.FailureClass.NETWORK}


def test_rules_of_the_definitions_come_first_also_when_definitions_are_merged() -> None:
    rule = sg.FailureRule(exception="builtins.LookupError", failure_class="upstream_data")
    merged = sg.Definitions.merge(sg.Definitions([failing(KeyError("x"))]), sg.Definitions(failure_rules=[rule]))
    assert payloads_of(merged)[0].failure_class is sg.FailureClass.UPSTREAM_DATA


def test_a_failure_on_purpose_says_its_class_itself() -> None:
    found = payloads_of(sg.Definitions([failing(sg.Failure("no rows", failure_class="upstream_data"))]))
    assert {each.failure_class for each in found} == {sg.FailureClass.UPSTREAM_DATA}
    with pytest.raises(sg.InvalidDefinitionError, match="'rows' is not a failure class"):
        sg.Failure("no rows", failure_class="rows")


def test_a_failing_resource_has_a_class() -> None:
    @sg.resource
    def database(_context: object) -> object:
        raise ConnectionRefusedError

    @sg.asset(required_resource_keys={"database"})
    def a() -> None: ...

    (ended,) = payloads_of(sg.Definitions([a], resources={"database": database}))
    assert ended.failure_class is sg.FailureClass.NETWORK


@pytest.mark.parametrize(
    ("retry_on", "attempts"),
    [
        (None, 3),
        ({sg.FailureClass.NETWORK}, 3),
        (["network", "timeout"], 3),
        ({sg.FailureClass.TIMEOUT, sg.FailureClass.RATE_LIMIT}, 1),
    ],
)
def test_a_retry_policy_tells_classes_apart(retry_on: Any, attempts: int) -> None:
    tried: list[int] = []

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=2, retry_on=retry_on))
    def a() -> None:
        tried.append(1)
        raise ConnectionResetError

    sg.materialize([a], raise_on_error=False)
    assert len(tried) == attempts


def test_retry_on_has_one_form_on_the_wire() -> None:
    policies: Sequence[sg.RetryPolicy] = [
        sg.RetryPolicy(retry_on={"timeout", "network"}),
        sg.RetryPolicy(retry_on=[sg.FailureClass.NETWORK, sg.FailureClass.TIMEOUT, sg.FailureClass.NETWORK]),
    ]
    assert policies[0] == policies[1]
    assert codec.encode(policies[0]) == codec.encode(policies[1])
    assert codec.decoder(sg.RetryPolicy).decode(codec.encode(policies[0])) == policies[0]
    assert sg.deserialize_value(sg.serialize_value(policies[0]), sg.RetryPolicy) == policies[0]


@pytest.mark.parametrize("given", ["network", set[str](), {"nothing"}, 3])
def test_retry_on_that_cannot_be_is_refused(given: Any) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="retry_on"):
        sg.RetryPolicy(retry_on=given)


def test_what_was_recorded_before_there_were_classes_is_still_read() -> None:
    stored = b'{"timestamp":1,"payload":{"type":"STEP_FAILURE","error":{"message":"no","cls_name":"E"}},"step_key":"a"}'
    event = codec.decoder(Event).decode(stored)
    assert isinstance(event.payload, StepFailureData)
    assert event.payload.failure_class is None

"""What the events of a step that failed say of the error."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg
from segue.errors import ExecutionHandleOutputError, ExecutionLoadInputError
from segue.model.error_info import ErrorSource
from segue.model.event import EventType


class Broken(sg.IOManager):
    """Cannot do one of the two things it is for."""

    def __init__(self, side: str) -> None:
        self.side = side

    def handle_output(self, context: sg.OutputContext, obj: object) -> None:
        if self.side == "output":
            raise OSError("no space")

    def load_input(self, context: sg.InputContext) -> int:
        raise OSError("no file")


def failed(side: str) -> Any:
    @sg.op
    def give() -> int:
        return 1

    @sg.op
    def take(number: int) -> None:
        raise AssertionError("not reached")

    @sg.job(resource_defs={"io_manager": Broken(side)})
    def passing() -> None:
        take(give())

    result = passing.execute_in_process(raise_on_error=False)
    with pytest.raises(OSError, match="no space" if side == "output" else "no file"):
        passing.execute_in_process()
    return result


@pytest.mark.parametrize(
    ("side", "step", "kind"),
    [("input", "take", ExecutionLoadInputError), ("output", "give", ExecutionHandleOutputError)],
)
def test_a_failure_names_what_an_io_manager_did(side: str, step: str, kind: type[Exception]) -> None:
    data = failed(side).failure_data_for_node(step)
    assert (data.error.cls_name, data.error.cause.cls_name) == (kind.__name__, "OSError")
    assert data.error_source is ErrorSource.USER_CODE_ERROR


def test_an_error_that_user_code_caught_is_not_that_of_its_step() -> None:
    @sg.asset
    def number() -> int:
        return 1

    @sg.asset(deps=[number])
    def careful(context: sg.AssetExecutionContext) -> None:
        with pytest.raises(OSError, match="no file"):
            context.load_asset_value(number.key)
        raise KeyError("another")

    result = sg.materialize([number, careful], resources={"io_manager": Broken("input")}, raise_on_error=False)
    data = result.failure_data_for_node("careful")
    assert data is not None
    assert data.error.cls_name == sg.ExecutionStepExecutionError.__name__


def test_a_failure_on_purpose_is_taken_by_the_framework() -> None:
    @sg.op
    def give_up() -> None:
        raise sg.Failure("on purpose")

    @sg.job
    def giving_up() -> None:
        give_up()

    result = giving_up.execute_in_process(raise_on_error=False)
    data = result.failure_data_for_node("give_up")
    assert data is not None
    assert data.error_source is ErrorSource.FRAMEWORK_ERROR
    (event,) = [each for each in result.all_events if each.event_type is EventType.STEP_FAILURE]
    assert event.step_handle is not None
    assert (event.step_handle.to_key(), event.step_handle.node_handle.name) == ("give_up", "give_up")


def test_a_job_makes_as_many_partitions_at_once_as_all_of_its_assets_allow() -> None:
    letters = sg.StaticPartitionsDefinition(["a", "b"])

    def asset(name: str, policy: sg.BackfillPolicy | None) -> sg.AssetsDefinition:
        @sg.asset(name=name, partitions_def=letters, backfill_policy=policy)
        def made() -> int:
            return 1

        return made

    assets = [
        asset("all_at_once", sg.BackfillPolicy.single_run()),
        asset("three", sg.BackfillPolicy.multi_run(3)),
        asset("unsaid", None),
    ]
    names = {"one": ["all_at_once"], "two": ["all_at_once", "three"], "all": ["all_at_once", "three", "unsaid"]}
    definitions = sg.Definitions(
        assets=assets, jobs=[sg.define_asset_job(name, selection) for name, selection in names.items()]
    )
    policies = [definitions.resolve_job_def(name).backfill_policy for name in names]
    assert [each.max_partitions_per_run for each in policies] == [None, 3, 1]

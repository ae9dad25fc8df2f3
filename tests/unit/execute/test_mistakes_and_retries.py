"""Which failures a retry policy applies to: not to mistakes in the code of a step, but to whatever an IO manager raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg

RETRIES = sg.RetryPolicy(max_retries=2)


def _raises(_context: sg.TypeCheckContext, _value: object) -> bool:
    raise ValueError("the check is broken")


NEVER = sg.SegueType(name="Never", type_check_fn=lambda _context, _value: False)
BROKEN = sg.SegueType(name="Broken", type_check_fn=_raises)


@sg.op(out=sg.Out(NEVER), retry_policy=RETRIES)
def wrong_output() -> Any:
    return 1


@sg.op(out=sg.Out(BROKEN), retry_policy=RETRIES)
def broken_check() -> Any:
    return 1


@sg.op(retry_policy=RETRIES)
def unknown_output() -> Iterator[sg.Output[int]]:
    yield sg.Output(1, "other")


@sg.op(out=sg.Out(int), retry_policy=RETRIES)
def missing_output() -> Iterator[sg.AssetMaterialization]:
    yield sg.AssetMaterialization("rows")


@sg.op(out=sg.Out(int), retry_policy=RETRIES)
def doubled_output() -> Iterator[sg.Output[int]]:
    yield sg.Output(1)
    yield sg.Output(2)


@pytest.mark.parametrize(
    "op", [wrong_output, broken_check, unknown_output, missing_output, doubled_output], ids=lambda op: op.name
)
def test_a_mistake_in_the_code_is_not_tried_again(op: sg.OpDefinition) -> None:
    @sg.job
    def job() -> None:
        op()

    result = job.execute_in_process(raise_on_error=False)
    assert not result.success
    assert result.retry_attempts_for_node(op.name) == 0


def test_a_wrong_value_is_tried_again_where_the_policy_names_its_class() -> None:
    @sg.op(out=sg.Out(NEVER), retry_policy=sg.RetryPolicy(max_retries=2, retry_on={"validation"}))
    def wrong() -> Any:
        return 1

    @sg.job
    def job() -> None:
        wrong()

    assert job.execute_in_process(raise_on_error=False).retry_attempts_for_node("wrong") == 2


@pytest.mark.parametrize(
    "error", [ValueError("x"), sg.InvariantViolationError("x")], ids=lambda error: type(error).__name__
)
def test_what_an_io_manager_raises_is_tried_again(error: Exception) -> None:
    class Unreliable(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None:
            raise error

        def load_input(self, context: sg.InputContext) -> object: ...

    @sg.op(retry_policy=RETRIES)
    def one() -> int:
        return 1

    @sg.job(resource_defs={"io_manager": sg.IOManagerDefinition.hardcoded_io_manager(Unreliable())})
    def job() -> None:
        one()

    assert job.execute_in_process(raise_on_error=False).retry_attempts_for_node("one") == 2

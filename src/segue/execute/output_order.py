"""How often and in which order a function gives its outputs: each once, an asset after those that it is made from."""

from __future__ import annotations

from collections.abc import Iterator

from segue.errors import InvariantViolationError
from segue.execute.attempt import StepAttempt
from segue.plan.plan import StepOutput


def once(attempt: StepAttempt, output: StepOutput) -> StepOutput:
    """The output, if it may come now.

    Raises:
        InvariantViolationError: it came before, or an asset came before that is made from its own.
    """
    if output.name in attempt.given:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded the output {output.name!r} twice."
        )
    _require_order(attempt, output)
    return output


def _require_order(attempt: StepAttempt, output: StepOutput) -> None:
    key = output.asset_key
    if key is None or not attempt.given:
        return
    children = [child for child in attempt.scope.described.graph.children(key) if child != key]
    late = [child for child in children if attempt.output_of.get(child) in attempt.given]
    if late:
        raise InvariantViolationError(
            f"{attempt.op.shape.source}: {attempt.step_key!r} yielded the asset {late[0].to_user_string()!r} before "
            f"its upstream asset {key.to_user_string()!r}: yield upstream assets first."
        )


def in_order(attempt: StepAttempt) -> Iterator[StepOutput]:
    """The outputs of a step, each asset after those that it is made from."""
    outputs = {output.name: output for output in attempt.step.outputs}
    graph, output_of = attempt.scope.described.graph, attempt.output_of
    done: set[str] = set()

    def visit(name: str) -> Iterator[StepOutput]:
        if name in done:
            return
        done.add(name)
        key = outputs[name].asset_key
        for parent in () if key is None else graph.parents(key):
            if parent in output_of:
                yield from visit(output_of[parent])
        yield outputs[name]

    for name in outputs:
        yield from visit(name)

"""What a function returned, as one result per output: the same rules for a step of a run and for a call in a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import GeneratorType
from typing import Any, cast, get_origin

import msgspec

from segue.defs.io_marks import NO_TYPE
from segue.defs.results import DynamicOutput, MaterializeResult, ObserveResult, Output
from segue.errors import InvariantViolationError
from segue.model.checks import AssetCheckEvaluation, AssetCheckResult
from segue.model.materialization import AssetMaterialization, AssetObservation, ExpectationResult

FACTS = (AssetMaterialization, AssetObservation, ExpectationResult, AssetCheckEvaluation)
RESULTS_OF_ASSETS = (MaterializeResult, ObserveResult, AssetCheckResult)
RESULTS = (Output, DynamicOutput, *RESULTS_OF_ASSETS)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a function is to give.

    Attributes:
        what: how errors name it.
        asked: the outputs without results of checks that are asked for now.
        outputs: all outputs without results of checks, in order.
        dynamic: those that give any number of values.
        valueless: those that never carry a value.
        annotations: what the function's annotation says of each, as written; NO_TYPE where it says nothing.
        is_op: whether it is a plain op, as apart from a function of assets or checks.
    """

    what: str
    asked: Sequence[str]
    outputs: Sequence[str]
    dynamic: frozenset[str]
    valueless: frozenset[str]
    annotations: Mapping[str, object]
    is_op: bool


def single_results(expected: Expected, returned: Any) -> Iterable[Any]:
    """The single results in what came back, each an output, a result of an asset or check, or (yielded) a fact.

    Raises:
        InvariantViolationError: what came back does not fit the outputs.
    """
    if isinstance(returned, GeneratorType):
        return _each(cast("Iterable[Any]", returned))
    if isinstance(returned, FACTS):
        raise InvariantViolationError(
            f"{expected.what} returned a {type(returned).__name__}, which is not an output: yield it in "
            "addition to Output(...), or record it with context.log_event(...)."
        )
    if expected.is_op and isinstance(returned, RESULTS_OF_ASSETS):
        raise InvariantViolationError(
            f"{expected.what} returned a value of type {_type_name(cast('object', returned))}, but an op does "
            "not materialize or check an asset: return the value, or Output(...) with metadata, or declare it "
            "with @asset or @asset_check."
        )
    if not expected.is_op and isinstance(returned, RESULTS):
        return [returned]
    if not expected.outputs and not expected.is_op:
        return _check_results(expected, returned)
    if not expected.outputs:
        if returned is not None:
            raise InvariantViolationError(
                f"{expected.what} returned a {type(returned).__name__}, but is declared without outputs."
            )
        return ()
    values, verdicts = _apart(expected, returned)
    if verdicts:
        return [*single_results(expected, values[0] if len(values) == 1 else values), *verdicts]
    if len(expected.outputs) == 1:
        return _single(expected, returned) if expected.asked else ()
    return _several(expected, returned)


def _apart(expected: Expected, returned: Any) -> tuple[tuple[Any, ...], tuple[AssetCheckResult, ...]]:
    """The plain values in a tuple with one for each output, and the results of checks that stand beside them."""
    if expected.is_op or not isinstance(returned, tuple):
        return (), ()
    given = cast("tuple[Any, ...]", returned)
    values = tuple(each for each in given if not isinstance(each, AssetCheckResult))
    if len(values) != len(expected.outputs) or all(isinstance(each, RESULTS) for each in values):
        return (), ()
    return values, tuple(each for each in given if isinstance(each, AssetCheckResult))


def _each(results: Iterable[Any]) -> Iterator[Any]:
    """The results that a function yields; whoever stops taking them closes it."""
    yield from results


def _check_results(expected: Expected, returned: Any) -> Sequence[Any]:
    if isinstance(returned, bool):
        return [AssetCheckResult(passed=returned)]
    if isinstance(returned, (list, tuple)):
        return cast("Sequence[Any]", returned)
    raise InvariantViolationError(
        f"{expected.what}: the check returned {_type_name(returned)}. Return AssetCheckResult(passed=...) or a bool."
    )


def _single(expected: Expected, returned: Any) -> Iterable[Any]:
    name = expected.outputs[0]
    several = _sequence(returned)
    if several and name not in expected.dynamic and all(isinstance(each, RESULTS) for each in several):
        return several
    return _element(expected, name, returned)


def _several(expected: Expected, returned: Any) -> Iterator[Any]:
    """A tuple: results that name themselves, or one value per output in order."""
    names = expected.outputs
    if returned is None and (not expected.is_op or expected.valueless.issuperset(names)):
        return
    values = _sequence(returned)
    if values and not expected.is_op and all(isinstance(each, RESULTS) for each in values):
        if len(values) != len(names) or not all(isinstance(each, Output) for each in values):
            yield from values
            return
    elif values is None or not isinstance(returned, tuple):
        raise InvariantViolationError(
            f"{expected.what} has the outputs {', '.join(names)} but returned one {_type_name(returned)}. "
            "Return a tuple with one value for each, in this order, or yield each one."
        )
    if len(values) != len(names):
        raise InvariantViolationError(
            f"{expected.what}: Length mismatch: the returned tuple has {len(values)} elements, but there are {len(names)} "
            f"outputs: {', '.join(names)}."
        )
    for name, value in zip(names, values, strict=True):
        if not expected.is_op and isinstance(value, RESULTS) and not isinstance(value, (Output, DynamicOutput)):
            yield value
        else:
            yield from _element(expected, name, value)


def _element(expected: Expected, name: str, value: Any) -> Iterable[Any]:
    """What was returned for one output."""
    annotation = expected.annotations.get(name, NO_TYPE)
    if name in expected.dynamic:
        return _dynamic_values(expected, name, value)
    if isinstance(value, Output):
        output = cast("Output[Any]", value)
        if output.output_name not in ("result", name):
            raise InvariantViolationError(
                f"{expected.what}: the Output in the position of {name!r} is named {output.output_name!r}: "
                "remove the name or correct the order."
            )
        if annotation is not NO_TYPE and annotation is not Any and not is_output_annotation(annotation):
            raise InvariantViolationError(
                f"{expected.what} returned an Output for {name!r}, which is annotated with {annotation!r}: "
                "annotate it with Output[...], or return the plain value."
            )
        return [output if output.output_name == name else output.named(name)]
    if is_output_annotation(annotation):
        raise InvariantViolationError(
            f"{expected.what}: {name!r} is annotated with Output[...], but the function returned a plain "
            f"{_type_name(value)}: return Output(...), or annotate the plain type."
        )
    if isinstance(value, DynamicOutput):
        raise InvariantViolationError(
            f"{expected.what} returned a DynamicOutput for {name!r}, which is not declared with DynamicOut."
        )
    return [Output(value, name)]


def _dynamic_values(expected: Expected, name: str, value: Any) -> Iterator[Any]:
    items = _sequence(value)
    if items is None or any(not isinstance(each, DynamicOutput) for each in items):
        found = _type_name(value) if items is None else ", ".join(sorted({_type_name(each) for each in items}))
        raise InvariantViolationError(
            f"{expected.what}: the dynamic output {name!r} must be a list of DynamicOutput(...), got {found}."
        )
    for each in cast("Sequence[DynamicOutput[Any]]", items):
        if each.output_name not in ("result", name):
            raise InvariantViolationError(
                f"{expected.what}: a value for the output {name!r} is named {each.output_name!r}, which does not match."
            )
        yield each if each.output_name == name else DynamicOutput(each.value, each.mapping_key, name, each.metadata)


def is_output_annotation(annotation: object) -> bool:
    """Whether an annotation says that an `Output` is returned."""
    return annotation is Output or (not isinstance(annotation, type) and get_origin(annotation) is Output)


def _sequence(returned: Any) -> Sequence[Any] | None:
    return cast("Sequence[Any]", returned) if isinstance(returned, (list, tuple)) else None


def _type_name(value: object) -> str:
    return type(value).__name__

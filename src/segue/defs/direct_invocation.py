"""Calling the function of an op, asset or check without a run, as tests do: arguments are bound and checked as in a run."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Mapping, Sequence
from contextlib import ExitStack
from types import GeneratorType
from typing import Any, cast

from segue.defs.config_schema.place import ROOT
from segue.defs.context import current_context
from segue.defs.direct_arguments import arguments_by_name
from segue.defs.direct_context import DirectContext, DirectOpExecutionContext
from segue.defs.direct_step import Binding, DirectStep
from segue.defs.io_marks import is_nothing
from segue.defs.op import OpDefinition
from segue.defs.op_config import config_of_op, is_configured, values_of_instance, violations_of_op
from segue.defs.results import DynamicOutput, MaterializeResult, NoValue, Output
from segue.defs.returned import FACTS, single_results
from segue.defs.type_checks import checked, require_passed
from segue.defs.types.base import TypeCheckContext, passes_at_once
from segue.errors import InvalidConfigError, InvalidInvocationError, InvariantViolationError
from segue.model.checks import AssetCheckResult


def invoke(
    op: OpDefinition,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    definition: Any = None,
    alias: str | None = None,
) -> Any:
    """Calls the function of an op with these arguments.

    Args:
        op: the op.
        args, kwargs: the arguments, the context first where the function takes one.
        definition: the assets or checks behind the op.
        alias: what the call bears as its name.

    Returns:
        What the function returned, checked; for a generator or an async function one that checks as it goes.

    Raises:
        InvalidInvocationError: arguments that the function does not take, or too few.
        InvalidDefinitionError: a resource that nobody gave.
        InvalidConfigError: the config is invalid.
        TypeCheckDidNotPass, InvariantViolationError: an input or output that is not as declared.
        Exception: what the function raises.
    """
    call = _Call(op, definition, alias or op.name)
    try:
        arguments = call.arguments(list(args), dict(kwargs))
    except BaseException:
        call.tear_down()
        raise
    function = op.function
    if inspect.isgeneratorfunction(function):
        return call.stream(function(**arguments))
    if inspect.isasyncgenfunction(function):
        return call.async_stream(function(**arguments))
    if inspect.iscoroutinefunction(function):
        return call.awaited(function(**arguments))
    return call.plain(function, arguments)


class _Call:
    """One call: what it is bound to, and which outputs it gave."""

    def __init__(self, op: OpDefinition, definition: Any, name: str) -> None:
        self.op = op
        self.definition = definition
        self.name = name
        self.what = f"op {name!r}"
        self.step = DirectStep()
        self.context: Any = None
        self.binding: Binding | None = None
        self._given = ExitStack()  # resources that were passed as arguments
        self.tear_down = self._given.close
        weakref.finalize(self, self.tear_down)  # for a generator that nobody goes through
        self.checks = frozenset[str]() if definition is None else frozenset(definition.checks_by_output)

    def arguments(self, args: list[object], kwargs: dict[str, object]) -> dict[str, object]:
        """The arguments by name, checked; what is left out is filled in."""
        self._take_context(args, kwargs)
        op, shape = self.op, self.op.shape
        given = arguments_by_name(op, self.what, args, kwargs)
        found: dict[str, object] = {}
        resources = {key: given.pop(key) for key in shape.resources if key in given}
        config = self._config(given.pop("config", None) if shape.config is not None else None)
        if resources and self.step.declared:
            raise InvalidInvocationError(
                f"{self.what}: resources were provided both as arguments and in the context; keep one."
            )
        resources = self.step.set_up_given(resources, self._given)
        if self.definition is not None and self.definition.resource_defs:
            self.step.bring({key: each for key, each in self.definition.resource_defs.items() if key not in resources})
        needed = [key for key in sorted(op.resource_keys) if key not in resources]
        if shape.context is not None or any(key in shape.resources for key in needed):
            self.step.require_resources(needed, self.what)
        self.binding = Binding(op, self.definition, self.name, self._plain_config(config), resources)
        inputs = self._inputs(given)
        if shape.context is not None:
            found[shape.context] = self.context
        if shape.config is not None:
            found["config"] = config
        if shape.resources:
            opened = self.step.opened_resources()
            found |= {key: resources[key] if key in resources else getattr(opened, key) for key in shape.resources}
        return found | inputs

    def _take_context(self, args: list[object], kwargs: dict[str, object]) -> None:
        """Takes the context out of the arguments."""
        name = self.op.shape.context
        context: object = None
        if (args and isinstance(args[0], DirectContext)) or (name is not None and args):
            context = args.pop(0)
        elif name is not None and name in kwargs:
            context = kwargs.pop(name)
        elif name is not None:
            raise InvalidInvocationError(
                f"{self.what}: the function {self._function_name()!r} takes a context: pass one from "
                "build_op_context() or build_asset_context() as the first argument."
            )
        if context is None:
            self.context = DirectOpExecutionContext(self.step)
        elif isinstance(context, DirectContext):
            self.context = context
            self.step = context._step  # pyright: ignore[reportPrivateUsage] reason: the two are one thing in two files
        else:
            raise InvalidInvocationError(
                f"{self.what} must be called with a context from build_op_context, build_asset_context or "
                f"build_asset_check_context, got {context!r}."
            )

    def _function_name(self) -> str:
        return getattr(self.op.function, "__name__", self.op.name)

    def _config(self, given: object) -> object:
        """The config of the call."""
        own = self.step.given_config
        model: Any = self.op.shape.config
        if given is not None and own is not None:
            raise InvalidInvocationError(
                f"{self.what}: config was provided both as an argument and in the context; keep one."
            )
        value = own if given is None else given
        if isinstance(model, type) and isinstance(value, model) and not is_configured(self.op):
            with_variables: Any = getattr(value, "with_variables_read", None)
            return value if with_variables is None else with_variables()
        entry = {} if value is None else {"config": value}
        missing = () if entry else violations_of_op(self.op, entry, ROOT)
        if missing:
            raise InvalidConfigError(f"Error in config for op {self.name!r}:", missing)
        try:
            return config_of_op(self.op, entry, ROOT)
        except InvalidConfigError as error:
            raise InvalidConfigError(f"Error in config for op {self.name!r}:", error.errors, value) from error

    def _plain_config(self, config: object) -> object:
        """The config of the call as plain values."""
        return values_of_instance(self.op, config, ROOT) if hasattr(config, "to_run_config") else config

    def _inputs(self, given: dict[str, object]) -> dict[str, object]:
        """The inputs by name, each of its type; defaults where none is given."""
        found: dict[str, object] = {}
        for name in self.op.input_names:
            told = self.op.ins[name]
            if is_nothing(told.dagster_type):
                if name in given:
                    raise InvalidInvocationError(
                        f"{self.what}: the input {name!r} has type Nothing and never carries a value: do not pass it."
                    )
                continue
            if name in given:
                found[name] = given.pop(name)
            elif told.has_default_value:
                found[name] = told.default_value
            elif not (self.op.shape.takes_any and name not in self.op.shape.inputs):
                raise InvalidInvocationError(f"{self.what} requires a value for its input {name!r}.")
            else:
                continue
            self._check_type(self.op.input_type(name), found[name], f'{self.what} input "{name}"')
        if given and not self.op.shape.takes_any:
            raise InvalidInvocationError(
                f"{self.what} has no input {', '.join(map(repr, given))}; available: "
                f"{', '.join(self.op.input_names) or 'none'}."
            )
        return found | given

    def plain(self, function: Any, arguments: dict[str, object]) -> Any:
        """Calls a function and checks what it returns."""
        self._begin()
        token = current_context.set(self.context)
        streams = False
        try:
            returned = function(**arguments)
            streams = isinstance(returned, (GeneratorType, Coroutine, AsyncIterator))
            if not streams:
                self._check_returned(returned)
        finally:
            current_context.reset(token)
            self.step.unbind()
            if not streams:
                self.tear_down()
        if isinstance(returned, GeneratorType):
            return self.stream(cast("Generator[Any]", returned))
        if isinstance(returned, Coroutine):
            return self.awaited(cast("Coroutine[Any, Any, Any]", returned))
        return returned

    def stream(self, items: Generator[Any]) -> Generator[Any]:
        """Gives on what a generator yields, each checked; at its end nothing may be missing."""
        self._begin()
        try:
            for result in items:
                self._check(result)
                yield result
            self._require_all()
        finally:
            self._end()

    async def async_stream(self, items: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        """As `stream`, for an async generator."""
        self._begin()
        try:
            async for result in items:
                self._check(result)
                yield result
            self._require_all()
        finally:
            self._end()

    async def awaited(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Awaits an async function and checks what it returns."""
        try:
            self._begin()
        except InvalidInvocationError:
            coroutine.close()
            self.tear_down()
            raise
        try:
            returned = await coroutine
            self._check_returned(returned)
        finally:
            self._end()
        return returned

    def _end(self) -> None:
        self.step.unbind()
        self.tear_down()

    def _begin(self) -> None:
        assert self.binding is not None  # made with the arguments
        self.step.bind(self.binding)

    def _check_returned(self, returned: object) -> None:
        outputs = [name for name in self.op.output_names if name not in self.checks]
        if returned is None and not outputs and len(self.checks) == 1:
            return  # the function of a check that is called for what it does besides
        expected = self.op.expected(self.what, outputs, outputs, self.definition is None)
        for result in single_results(expected, returned):
            self._check(result)
        self._require_all(with_valueless=self.definition is not None and returned is not None)

    def _check(self, result: Any) -> None:
        """Makes sure that one result is what the function may give."""
        if isinstance(result, Output):
            self._check_output(cast("Output[Any]", result))
        elif isinstance(result, DynamicOutput):
            self._check_dynamic(cast("DynamicOutput[Any]", result))
        elif isinstance(result, MaterializeResult) and self.definition is not None:
            self._check_materialize_result(cast("MaterializeResult[Any]", result))
        elif isinstance(result, AssetCheckResult) and self.definition is not None:
            self._check_check_result(result)
        elif not isinstance(result, FACTS):
            kind = type(cast("object", result))
            raise InvariantViolationError(
                f"{self.what} yielded a value of type {kind}: it must yield Output(...), or events about assets "
                "(AssetMaterialization, AssetObservation)."
            )

    def _check_output(self, output: Output[Any]) -> None:
        name = output.output_name
        self._require_output(name)
        if name in self.checks:
            self.step.properties.given.add((name, None))
            return
        if self.op.is_dynamic(name):
            raise InvariantViolationError(
                f"{self.what} returned a plain Output for the dynamic output {name!r}: use DynamicOutput(value, "
                "mapping_key=...)."
            )
        self._give(name, None)
        self._check_type(self.op.output_type(name), output.value, f'{self.what} output "{name}"')

    def _check_dynamic(self, output: DynamicOutput[Any]) -> None:
        name = output.output_name
        self._require_output(name)
        if not self.op.is_dynamic(name):
            raise InvariantViolationError(
                f"{self.what} returned a DynamicOutput for {name!r}, which is not declared with DynamicOut."
            )
        self._give(name, output.mapping_key)
        self._check_type(self.op.output_type(name), output.value, f'{self.what} output "{name}"')

    def _check_materialize_result(self, result: MaterializeResult[Any]) -> None:
        by_key = {spec.key: name for name, spec in self.definition.specs_by_output.items()}
        if result.asset_key is None and len(by_key) == 1:
            name = next(iter(by_key.values()))
        elif result.asset_key in by_key:
            name = by_key[result.asset_key]
        else:
            known = ", ".join(key.to_user_string() for key in by_key) or "none"
            named = "names no asset" if result.asset_key is None else f"names {result.asset_key.to_user_string()!r}"
            raise InvariantViolationError(f"{self.what}: a MaterializeResult {named}; expected one of: {known}.")
        self._give(name, None)
        for each in result.check_results:
            self._check_check_result(each)
        if not isinstance(result.value, NoValue):
            self._check_type(self.op.output_type(name), result.value, f'{self.what} output "{name}"')

    def _check_check_result(self, result: AssetCheckResult) -> None:
        for name, spec in self.definition.checks_by_output.items():
            if result.asset_key in (None, spec.asset_key) and result.check_name in (None, spec.name):
                self.step.properties.given.add((name, None))
                return
        known = ", ".join(spec.key.to_user_string() for spec in self.definition.check_specs) or "none"
        raise InvariantViolationError(
            f"{self.what}: an AssetCheckResult (asset_key={result.asset_key!r}, "
            f"check_name={result.check_name!r}) does not match any of its checks: {known}."
        )

    def _require_output(self, name: str) -> None:
        if name not in self.op.output_names:
            raise InvariantViolationError(
                f"{self.what} yielded an unknown output {name!r}; available: "
                f"{', '.join(self.op.output_names) or 'none'}."
            )

    def _give(self, name: str, mapping_key: str | None) -> None:
        given = self.step.properties.given
        if (name, mapping_key) in given:
            value = "" if mapping_key is None else f" with mapping_key {mapping_key!r}"
            raise InvariantViolationError(f"{self.what} yielded the output {name!r}{value} more than once.")
        given.add((name, mapping_key))

    def _require_all(self, *, with_valueless: bool = False) -> None:
        """At the end: every output is there that must be, also those that carry no value where results stand for them."""
        given = {name for name, _ in self.step.properties.given}
        for name, out in self.op.outs.items():
            needless = not out.is_required or out.is_dynamic or name in self.checks
            needless = needless or (name in self.op.valueless_outputs and not with_valueless)
            if name not in given and not needless and not self._is_skippable(name):
                raise InvariantViolationError(
                    f"{self.what} ended without its output {name!r}: return or yield it, or declare it with "
                    "Out(is_required=False)."
                )
        self._require_checks()

    def _require_checks(self) -> None:
        """At the end: every check has a result, where the function cannot be asked for a part of them."""
        given = {name for name, _ in self.step.properties.given}
        missing = [name for name in self.definition.checks_by_output if name not in given] if self.checks else []
        if missing and not self.op.can_subset:
            names = ", ".join(self.definition.checks_by_output[name].key.to_user_string() for name in missing)
            raise InvariantViolationError(
                f"{self.what} did not return a result for: {names}. Return or yield an AssetCheckResult for each of its checks."
            )

    def _is_skippable(self, name: str) -> bool:
        spec = None if self.definition is None else self.definition.specs_by_output.get(name)
        return spec is not None and (spec.skippable or self.op.can_subset)

    def _check_type(self, kind: Any, value: object, what: str) -> None:
        if passes_at_once(kind, value):
            return
        context = TypeCheckContext(self.step.run_id, self.step.log, self.step.opened_resources())
        require_passed(kind, checked(kind, value, context, what), what)

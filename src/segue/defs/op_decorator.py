"""`@op`: a function as an op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, overload

from segue.defs.docstrings import read_docstring
from segue.defs.op import OpDefinition, fill_op
from segue.defs.op_io import In, Out
from segue.defs.signature import UserFunction, function_name, read_function
from segue.defs.superseded import renamed
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy


@overload
def op(compute_fn: UserFunction, /) -> OpDefinition: ...
@overload
def op(
    *,
    name: str | None = ...,
    description: str | None = ...,
    ins: Mapping[str, In] | None = ...,
    out: Out | Mapping[str, Out] | None = ...,
    config_schema: object = ...,
    required_resource_keys: Set[str] | None = ...,
    tags: Mapping[str, Any] | None = ...,
    version: str | None = ...,
    retry_policy: RetryPolicy | None = ...,
    code_version: str | None = ...,
    pool: str | None = ...,
    step_policy: StepPolicy | None = ...,
) -> Callable[[UserFunction], OpDefinition]: ...
def op(
    compute_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    out: Out | Mapping[str, Out] | None = None,
    config_schema: object = None,
    required_resource_keys: Set[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    version: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    pool: str | None = None,
    step_policy: StepPolicy | None = None,
) -> OpDefinition | Callable[[UserFunction], OpDefinition]:
    """Declares an op: a function that runs as a step of a job, tied to others in a `@job` or `@graph` function.

    A first parameter called `context` gets the `OpExecutionContext`; a parameter annotated with a resource class gets the
    resource of its name; `config`, annotated with a `Config` class, gets the config; every other parameter is an input.

    Args:
        name: the function's name when None.
        description: for people; the docstring when None.
        ins: the inputs, by name; inputs of type `Nothing` need not be parameters.
        out: the output, or several by name.
        config_schema: the schema of its config, if there is no `config` parameter.
        required_resource_keys: resources taken from `context.resources`.
        tags: tags on its steps.
        version: superseded by `code_version`.
        retry_policy: how a failed step is tried again.
        code_version: the version of the code.
        pool: the pool whose slots its steps take.
        step_policy: when its steps may start, how long they may take, and more.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
    """

    def decorate(function: UserFunction) -> OpDefinition:
        own_name = name or function_name(function, "op")
        said = read_docstring(function)
        return fill_op(
            OpDefinition.__new__(OpDefinition),
            function,
            read_function(function, f"op {own_name!r}"),
            said,
            name=own_name,
            ins=ins,
            out=out,
            description=description or said.text,
            config_schema=config_schema,
            required_resource_keys=required_resource_keys,
            tags=tags,
            retry_policy=retry_policy,
            code_version=renamed("@op", "code_version", code_version, "version", version),
            pool=pool,
            step_policy=step_policy,
        )

    return decorate if compute_fn is None else decorate(compute_fn)

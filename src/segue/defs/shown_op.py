"""The op of assets as its readers see it: each input and output with what the assets behind it say."""

from __future__ import annotations

from collections.abc import Mapping, Set

from segue.defs.op import OpDefinition
from segue.defs.op_io import In, Out
from segue.defs.types.base import NOTHING_TYPE
from segue.model.assets import IO_MANAGER_KEY_METADATA, AssetSpec


def shown_op(
    op: OpDefinition,
    *,
    inputs: Mapping[str, tuple[Mapping[str, object] | None, str | None]],
    ordering: Set[str],
    specs: Mapping[str, AssetSpec],
    checks: Set[str],
    io_managers: Mapping[str, str],
    optional: Set[str],
) -> OpDefinition:
    """A copy of an op that says of its inputs and outputs what the assets say. Steps run the op itself, which knows less.

    Args:
        op: the op.
        inputs: by input whose value it takes: the metadata, and the resource that loads it.
        ordering: the names of the inputs that only order.
        specs: the assets, by output.
        checks: the outputs that carry checks.
        io_managers: the resource that stores each asset, by output.
        optional: the outputs that the function may leave out.
    """
    ins = {
        name: op.ins[name].replaced(
            dagster_type=op.input_type(name),
            metadata=metadata or op.ins[name].metadata,
            input_manager_key=manager or op.ins[name].input_manager_key,
        )
        for name, (metadata, manager) in inputs.items()
    }
    ins |= {name: In(NOTHING_TYPE) for name in sorted(ordering)}
    outs = {name: _out_of(op, name, spec, io_managers[name], name not in optional) for name, spec in specs.items()}
    outs |= {name: Out(op.output_type(name), is_required=name not in optional) for name in checks}
    return op.with_replaced_properties(
        op.name, ins=ins, input_names=tuple(ins), outs={name: outs.get(name, op.outs[name]) for name in op.output_names}
    )


def _out_of(op: OpDefinition, name: str, spec: AssetSpec, io_manager_key: str, is_required: bool) -> Out:
    declared = op.outs[name]
    is_of_spec = name == spec.key.to_python_identifier()  # the outputs of `specs` are named after their assets
    is_stored_by_function = is_of_spec and name in op.valueless_outputs
    has_no_value = is_stored_by_function and IO_MANAGER_KEY_METADATA not in spec.metadata
    return declared.replaced(
        dagster_type=NOTHING_TYPE if has_no_value else op.output_type(name),
        description=spec.description or declared.description,
        is_required=is_required,
        io_manager_key=io_manager_key,
        metadata=spec.metadata or declared.metadata,
        code_version=spec.code_version or declared.code_version,
    )

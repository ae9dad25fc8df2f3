"""What a trigger rule asks of the inputs of its step: a default, for what no step of the run may have given."""

from __future__ import annotations

from collections.abc import Iterable

from segue.defs.op import OpDefinition
from segue.errors import InvalidDefinitionError
from segue.model.step_policy import StepPolicy, TriggerRule


def require_defaults(op: OpDefinition, policy: StepPolicy | None, names: Iterable[str], where: str) -> None:
    """Refuses inputs that may be missing and have no default.

    Args:
        op: what the step runs.
        policy: how the step is to be run.
        names: its inputs that take single values of other steps or of assets.
        where: the step, for the message.

    Raises:
        InvalidDefinitionError: the trigger rule lets the step start without a value that the function cannot do without.
    """
    if policy is None or policy.rule is TriggerRule.ALL_SUCCESS:
        return
    without = [name for name in names if not op.ins[name].has_default_value]
    if without:
        raise InvalidDefinitionError(
            f"{op.source or where}: {where} has the trigger rule {policy.rule.value!r}, so it may start without "
            f"a value for {', '.join(map(repr, without))}. Give each of these parameters a default, or list the "
            "upstream assets in deps."
        )

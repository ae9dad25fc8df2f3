"""Dynamic outputs: what a plan's templates become when the mapping keys are known. Pure.

A step that takes one value of a dynamic output (or the output of a step that does) stands in the plan once, as a
template: `double[?]`. When the step that gives the dynamic output has ended, each mapping key makes a step of it,
`double[a]`, and the lists that collect its outputs get one element for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from segue.model.steps import AnySource, CollectSource, FanInSource, OutputSource
from segue.plan.plan import PlanStep

TEMPLATE = "[?]"


class Expansion(msgspec.Struct, frozen=True):
    """What becomes of the templates behind one step.

    Attributes:
        made: the steps made of each template, by its key.
        changed: steps that collect, now with their lists.
    """

    made: Mapping[str, tuple[PlanStep, ...]]
    changed: tuple[PlanStep, ...]


def expand(steps: Iterable[PlanStep], step_key: str, mapping_keys: Mapping[str, Sequence[str]]) -> Expansion:
    """The steps that the values of dynamic outputs make.

    Args:
        steps: the steps that have not ended, in order of the plan.
        step_key: the step that gave the values.
        mapping_keys: the keys of each dynamic output that it gave, in the order in which they were given. Behind one that
            it did not give nothing changes: its templates have nothing to work on.
    """
    steps = list(steps)
    templates = {each.key: each for each in steps if _origin_output(each, step_key) in mapping_keys}
    made = {
        key: tuple(
            _concrete(each, mapping_key, templates)
            for mapping_key in mapping_keys.get(_origin_output(each, step_key) or "", ())
        )
        for key, each in templates.items()
    }
    lists = {(step_key, output): tuple(keys) for output, keys in mapping_keys.items()}
    changed: list[PlanStep] = []
    for each in steps:
        if each.key not in templates:
            resolved = _resolve_lists(each, lists, made)
            if resolved is not each:
                changed.append(resolved)
    return Expansion(made, tuple(changed))


def concrete_key(template_key: str, mapping_key: str) -> str:
    """The key of the step that a template makes for a mapping key."""
    return template_key.removesuffix(TEMPLATE) + f"[{mapping_key}]"


def template_key(key: str) -> str:
    """The key of the template that a step was made of; the key itself for a step that stands in the plan."""
    path, bracket, _ = key.partition("[")
    return path + TEMPLATE if bracket else key


def _origin_output(step: PlanStep, step_key: str) -> str | None:
    """The dynamic output of this step behind which another stands; None where it stands behind none."""
    return step.origin[1] if step.origin is not None and step.origin[0] == step_key else None


def _concrete(step: PlanStep, mapping_key: str, templates: Mapping[str, PlanStep]) -> PlanStep:
    def key_of(key: str) -> str:
        return concrete_key(key, mapping_key) if key in templates else key

    def source_of(source: AnySource | None) -> AnySource | None:
        if not isinstance(source, OutputSource):
            return source
        if (source.step, source.output) == step.origin:
            return msgspec.structs.replace(source, mapping_key=mapping_key)
        return msgspec.structs.replace(source, step=key_of(source.step))

    inputs = [msgspec.structs.replace(each, source=source_of(each.source)) for each in step.inputs]
    return msgspec.structs.replace(
        step,
        key=concrete_key(step.key, mapping_key),
        inputs=tuple(inputs),
        depends_on=tuple(key_of(each) for each in step.depends_on),
        needs=tuple((key_of(each), output) for each, output in step.needs),
        origin=None,
    )


def _resolve_lists(
    step: PlanStep,
    lists: Mapping[tuple[str, str], tuple[str, ...]],
    made: Mapping[str, tuple[PlanStep, ...]],
) -> PlanStep:
    """The step with every list that is known now written out."""
    inputs = list(step.inputs)
    changed = False
    for index, each in enumerate(inputs):
        source = each.source
        if not isinstance(source, CollectSource):
            continue
        parts: list[OutputSource] | None = None
        if source.step in made:
            parts = [OutputSource(part.key, source.output, source.io_manager_key) for part in made[source.step]]
        elif (source.step, source.output) in lists:
            keys = lists[(source.step, source.output)]
            parts = [OutputSource(source.step, source.output, source.io_manager_key, key) for key in keys]
        if parts is not None:
            inputs[index] = msgspec.structs.replace(each, source=FanInSource(tuple(parts)))
            changed = True
    if not changed:
        return step
    depends_on: dict[str, None] = {}
    for each in step.depends_on:
        if each in made:
            depends_on.update(dict.fromkeys(part.key for part in made[each]))
        else:
            depends_on[each] = None
    groups: list[tuple[tuple[str, str], ...]] = []
    for group in step.needs_any:
        if len(group) == 1 and group[0][0] in made:
            groups.append(tuple((part.key, group[0][1]) for part in made[group[0][0]]))
        elif group[0] not in lists:
            groups.append(group)
    return msgspec.structs.replace(
        step, inputs=tuple(inputs), depends_on=tuple(depends_on), needs_any=tuple(each for each in groups if each)
    )

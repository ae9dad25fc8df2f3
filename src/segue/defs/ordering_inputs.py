"""Inputs that only order: an asset that a function waits for without taking its value, by a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey

_OWN = "__subset_input__"


def ordering_inputs(
    specs: Mapping[str, AssetSpec],
    checks: Iterable[AssetCheckSpec],
    taken: Collection[AssetKey],
    *,
    can_subset: bool,
) -> dict[str, AssetKey]:
    """The assets that a function waits for without taking their values.

    Args:
        specs: the assets that it makes, by output.
        checks: the checks that it runs.
        taken: the assets whose values it takes.
        can_subset: whether it can make some of its assets only; what one of them is made from can then be made by an
            earlier call of it.
    """
    outputs = {spec.key: output for output, spec in specs.items()}
    found: dict[str, AssetKey] = {}
    for spec in specs.values():
        for key in (dep.asset_key for dep in spec.deps):
            if key in taken:
                continue
            if key not in outputs or key == spec.key:
                found.setdefault(_name(key), key)
            elif can_subset:
                found.setdefault(f"{_OWN}{outputs[key]}", key)
    for check in checks:
        for key in check_upstream(check):
            if key not in taken and key not in outputs:
                found.setdefault(_name(key), key)
    return found


def check_upstream(check: AssetCheckSpec) -> list[AssetKey]:
    """The assets that a check looks at: its own, then the others."""
    return [check.asset_key, *(dep.asset_key for dep in check.additional_deps)]


def _name(key: AssetKey) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", "_".join(key.parts))

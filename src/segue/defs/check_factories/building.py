"""What the factories of checks have in common: one step for the checks of several assets, and what is recorded of these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from segue.defs.asset_check import multi_asset_check
from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.context import AssetCheckExecutionContext
from segue.defs.instance import Instance
from segue.errors import WrongDeclarationError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_deps import coerce_asset_key
from segue.model.checks import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec
from segue.model.event import EventType
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization
from segue.model.stores import EventFilter

Judge: TypeAlias = Callable[[AssetCheckExecutionContext, AssetKey], AssetCheckResult]
"""What a check finds on one asset; which asset and check it was is filled in."""


def checks_of_assets(
    where: str,
    assets: Sequence[object],
    judge: Judge,
    *,
    step: str,
    check_name: str,
    description: str,
    blocking: bool = False,
    metadata: Mapping[str, object] | None = None,
) -> Sequence[AssetChecksDefinition]:
    """A check of one name on each of several assets, as one step.

    Args:
        where: the function that users called.
        assets: the assets, by key or definition; a definition of several assets stands for all of them.
        judge: what a check finds.
        step: the beginning of the step's name; the rest tells the assets and the check apart from others.
        check_name, description, blocking, metadata: of each check.

    Raises:
        InvalidDefinitionError: an asset is given twice.
    """
    keys = asset_keys(where, assets)
    require_kind(where, "blocking", blocking, bool)
    if not keys:
        return []
    named = json.dumps([check_name, *sorted(key.to_user_string() for key in keys)])

    @multi_asset_check(
        name=f"{step}_{hashlib.sha256(named.encode()).hexdigest()[:8]}",
        specs=[
            AssetCheckSpec(check_name, asset=key, description=description, blocking=blocking, metadata=metadata)
            for key in keys
        ],
        description=description,
        can_subset=True,
    )
    def run_checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            found = judge(context, key.asset_key)
            yield AssetCheckResult(
                passed=found.passed,
                asset_key=key.asset_key,
                check_name=key.name,
                metadata=found.metadata,
                severity=found.severity,
                description=found.description,
            )

    return [run_checks]


def asset_keys(where: str, assets: Sequence[object]) -> list[AssetKey]:
    """The assets that people passed, in order.

    Raises:
        InvalidDefinitionError: an asset is given twice.
    """
    found: list[AssetKey] = []
    for each in require_list(where, "assets", assets):
        keys = None if isinstance(each, (str, AssetKey)) else getattr(each, "keys", None)
        if keys is not None and not callable(keys):
            found += sorted(keys)
        else:
            found.append(coerce_asset_key(each))
    twice = sorted({key.to_user_string() for key in found if found.count(key) > 1})
    if twice:
        raise WrongDeclarationError(f"{where}: duplicate assets: {', '.join(twice)}.")
    return found


def require_severity(where: str, severity: object) -> None:
    """Do nothing if this is a severity.

    Raises:
        InvalidDefinitionError: it is not.
    """
    if not isinstance(severity, AssetCheckSeverity):
        raise WrongDeclarationError(f"{where}: severity must be AssetCheckSeverity.WARN or .ERROR, got {severity!r}.")


def materializations(instance: Instance, key: AssetKey, limit: int) -> list[AssetMaterialization]:
    """The last materializations of an asset, newest first; what was wiped does not count."""
    return [each.event.materialization for each in events_of(instance, key, EventType.ASSET_MATERIALIZATION, limit)]


def events_of(
    instance: Instance, key: AssetKey, kind: EventType, limit: int, partition: str | None = None
) -> Sequence[EventLogRecord]:
    """The last events of one kind about an asset, newest first, as far back as it was wiped."""
    wiped = instance.store.events(EventFilter(asset_key=key, types=(EventType.ASSET_WIPED,), ascending=False), 1)
    which = EventFilter(
        asset_key=key,
        types=(kind,),
        partitions=None if partition is None else (partition,),
        after=wiped[0].storage_id if wiped else None,
        ascending=False,
    )
    return instance.store.events(which, limit)

"""Which settings of `segue.toml` follow from a `dagster.yaml`. Nothing is read or written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

_NO_LIMIT = -1
_RUNS = ("run_queue", "run_coordinator.config", "concurrency.runs")  # three places for the same limits


def counterparts(document: Mapping[str, Any]) -> tuple[dict[str, object], list[str]]:
    """The settings that mean the same here, and the paths of those that have no counterpart.

    Args:
        document: what stands in the file.

    Returns:
        Settings as they are written in `segue.toml`, tables as dicts; and the paths of what is left, in the order of the file,
        without values, since some are secrets.
    """
    rest = _Rest(document)
    settings: dict[str, object] = {}
    queue: dict[str, object] = {}
    for place in _RUNS:
        most = rest.take(f"{place}.max_concurrent_runs", _is_limit)
        if most is not None:
            queue["max_runs"] = "unlimited" if most == _NO_LIMIT else most
        limits = rest.take(f"{place}.tag_concurrency_limits", _are_tag_limits)
        if limits:
            queue["tags"] = [_tag_limit(each) for each in limits]
    if rest.take("run_coordinator.class", lambda name: name in ("QueuedRunCoordinator", "DefaultRunCoordinator")):
        rest.take("run_coordinator.module")
    for place in ("concurrency.pools.default_limit", "concurrency.default_op_concurrency_limit"):
        slots = rest.take(place, lambda number: _is_number(number) and number > 0)
        if slots is not None:
            settings["default_pool_limit"] = slots
    rest.take("concurrency.pools.granularity", lambda word: word == "op")
    retries = _retries(rest)
    if rest.take("run_monitoring.enabled", lambda enabled: enabled is True):
        longest = rest.take("run_monitoring.max_runtime_seconds", _is_number)
        if longest:
            settings["max_runtime"] = longest
    for place in ("telemetry.enabled", "nux.enabled"):  # nothing is sent from here, and nobody is asked to register
        rest.take(place)
    for place in ("freshness.enabled", "auto_materialize.enabled"):
        rest.take(place, lambda enabled: enabled is True)
    tables = {"queue": queue, "retries": retries}
    return settings | {name: table for name, table in tables.items() if table}, rest.paths()


def _retries(rest: _Rest) -> dict[str, object]:
    enabled = rest.take("run_retries.enabled", lambda value: isinstance(value, bool))
    if enabled is None:
        return {}
    most = rest.take("run_retries.max_retries", _is_number)
    on_step_failure = rest.take("run_retries.retry_on_asset_or_op_failure", lambda value: isinstance(value, bool))
    if not enabled or not most:
        return {}
    return {"max_retries": most} | ({} if on_step_failure is None else {"on_step_failure": on_step_failure})


class _Rest:
    """What of a document nobody has taken yet, by path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._values = dict(_leaves(document))

    def take(self, path: str, is_understood: Callable[[Any], bool] = lambda _value: True) -> Any:
        """Takes out a value; None where there is none, or where it is not understood and so stays."""
        if path not in self._values or not is_understood(self._values[path]):
            return None
        return self._values.pop(path)

    def paths(self) -> list[str]:
        """Where there is anything left."""
        return list(self._values)


def _leaves(data: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in cast("Mapping[str, object]", data).items():
        path = f"{above}.{key}" if above else key
        if isinstance(value, dict) and value:
            found += _leaves(cast("Mapping[str, Any]", value), path)
        else:
            found.append((path, cast("object", value)))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_limit(value: Any) -> bool:
    return _is_number(value) and value >= _NO_LIMIT


def _are_tag_limits(value: object) -> bool:
    return isinstance(value, list) and all(_is_tag_limit(each) for each in cast("list[object]", value))


def _is_tag_limit(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    limit = cast("Mapping[str, Any]", value)
    allowed = limit.get("value")
    is_per_value = isinstance(allowed, dict) and list(cast("dict[str, object]", allowed)) == [_PER_VALUE]
    return (
        limit.keys() <= {"key", "value", "limit"}
        and isinstance(limit.get("key"), str)
        and _is_number(limit.get("limit"))
        and (allowed is None or isinstance(allowed, str) or is_per_value)
    )


_PER_VALUE = "applyLimitPerUniqueValue"


def _tag_limit(limit: Mapping[str, Any]) -> dict[str, object]:
    written: dict[str, object] = {"key": limit["key"], "limit": limit["limit"]}
    value = limit.get("value")
    if isinstance(value, str):
        written["value"] = value
    elif value is not None and value[_PER_VALUE]:
        written["is_per_value"] = True
    return written

"""The freshness state of an asset under its freshness policy."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from segue.cli.output import duration, moment, print_heading, print_pairs, print_table
from segue.decide.freshness import freshness_state, next_change
from segue.model.event import EventType
from segue.model.freshness import CronFreshnessPolicy, FreshnessPolicy, FreshnessState, TimeWindowFreshnessPolicy
from segue.model.keys import AssetKey
from segue.model.stores import EventFilter, Store

RECENT_CHANGES = 5


class FreshnessChangeDocument(msgspec.Struct, frozen=True):
    """That a control plane saw the state become another."""

    timestamp: float
    state: str
    previous_state: str


class FreshnessDocument(msgspec.Struct, frozen=True):
    """How an asset stands against its freshness policy now; states are `PASS`, `WARN`, `FAIL`, `UNKNOWN` (never made).

    Attributes:
        state: as of now, by when it was made last.
        policy: what is asked of it, in words.
        changes_at: when it becomes another if nothing is made until then; null for never.
        changes: the last changes that a control plane recorded, newest first.
    """

    state: str
    policy: str
    changes_at: float | None
    changes: tuple[FreshnessChangeDocument, ...]


def freshness_document(
    policy: FreshnessPolicy, store: Store, key: AssetKey, last_updated: float | None, now: float
) -> FreshnessDocument:
    """How an asset stands.

    Args:
        policy: what is asked of it.
        store: where changes are recorded.
        key: the asset.
        last_updated: when it was made last, in seconds since 1970, UTC; None for never.
        now: the moment, likewise.
    """
    which = EventFilter(asset_key=key, types=(EventType.FRESHNESS_STATE_CHANGE,), ascending=False)
    events = [record.event for record in store.events(which, RECENT_CHANGES)]
    state = _state(policy, last_updated, now)
    changes = [(each.timestamp, each.asset_freshness_state_change_data) for each in events]
    return FreshnessDocument(
        state=state.value,
        policy=_words(policy),
        changes_at=_changes_at(policy, last_updated, now, state),
        changes=tuple(
            FreshnessChangeDocument(when, data.state.value, data.previous_state.value) for when, data in changes
        ),
    )


def _state(policy: FreshnessPolicy, last_updated: float | None, now: float) -> FreshnessState:
    return freshness_state(policy, last_updated, datetime.fromtimestamp(now, UTC))


def _changes_at(policy: FreshnessPolicy, last_updated: float | None, now: float, state: FreshnessState) -> float | None:
    """When the state becomes another: not at a deadline for which the asset was made already, but at the one after it."""
    at: float | None = now
    for _ in range(2):
        at = None if at is None else next_change(policy, last_updated, datetime.fromtimestamp(at, UTC))
        if at is not None and _state(policy, last_updated, at) is not state:
            return at
    return None


def print_freshness(document: FreshnessDocument) -> None:
    """Prints the section."""
    print_heading("Freshness")
    until = document.changes_at
    print_pairs(
        {
            "State": f"{document.state}{'' if until is None else f' until {moment(until)}'}",
            "Policy": document.policy,
        }
    )
    rows = [(moment(each.timestamp), f"{each.previous_state} -> {each.state}") for each in document.changes]
    if rows:
        print_table(("CHANGED AT", "FROM -> TO"), rows, empty="")


def _words(policy: FreshnessPolicy) -> str:
    if isinstance(policy, TimeWindowFreshnessPolicy):
        fails = f"fails after {duration(policy.fail_window.total_seconds())}"
        warn = policy.warn_window
        return fails if warn is None else f"warns after {duration(warn.total_seconds())}, {fails}"
    if isinstance(policy, CronFreshnessPolicy):
        early = duration(policy.lower_bound_delta.total_seconds())
        return f"made by each {policy.deadline_cron} ({policy.timezone}), at most {early} before"
    return type(policy).__name__

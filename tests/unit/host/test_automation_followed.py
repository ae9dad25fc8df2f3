"""Automation that looks only at what has changed says what an evaluation of everything says: over graphs, conditions, events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from automation_world import NAMES, SENSOR, Condition, Declared, Step, World
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as sg
from segue.host.automations import Automations

C = sg.AutomationCondition
MOST = 5
LEAVES: list[Condition] = [
    C.missing(),
    C.newly_updated(),
    C.newly_requested(),
    C.will_be_requested(),
    C.run_in_progress(),
    C.backfill_in_progress(),
    C.in_progress(),
    C.execution_failed(),
    C.in_latest_time_window(),
    C.in_latest_time_window(timedelta(days=2)),
    C.initial_evaluation(),
    C.data_version_changed(),
    C.code_version_changed(),
    C.cron_tick_passed("0 * * * *"),
    C.cron_tick_passed("30 1 * * *"),
    C.executed_with_root_target(),
    C.executed_with_tags(tag_keys={"t"}),
    C.any_new_update_has_run_tags(tag_keys={"t"}),
    C.all_new_updates_have_run_tags(tag_keys={"t"}),
    C.freshness_failed(),
    C.freshness_passed(),
    C.any_deps_updated(),
    C.any_deps_missing(),
    C.any_deps_in_progress(),
    C.all_deps_blocking_checks_passed(),
    C.any_downstream_conditions(),
    C.any_checks_match(C.check_failed()),
    C.newly_missing(),
]
READY: list[Condition] = [
    C.eager(),
    C.on_missing(),
    C.on_cron("0 * * * *"),
    C.missing(),
    # What becomes true only when something is over:
    C.any_deps_match(~C.missing() & ~C.newly_updated()),
    C.any_deps_match(~C.missing() & ~C.cron_tick_passed("0 * * * *")),
    C.any_deps_match(C.newly_requested()),
    C.any_deps_match(C.will_be_requested()),
]


def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Conditions made from others."""
    return st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        inner.map(lambda one: ~one),
        inner.map(lambda one: one.newly_true()),
        st.tuples(inner, inner).map(lambda two: two[0].since(two[1])),
        inner.map(lambda one: one.since_last_handled()),
        inner.map(C.any_deps_match),
        inner.map(C.all_deps_match),
        st.tuples(st.sampled_from(NAMES[:2]), inner).map(lambda two: C.asset_matches(*two)),
    )


CONDITIONS = st.one_of(
    st.sampled_from(READY), st.sampled_from(READY), st.recursive(st.sampled_from(LEAVES), joined, max_leaves=5)
)
DECLARED = st.builds(
    Declared,
    st.lists(st.integers(1, 3), max_size=2, unique=True),
    st.sampled_from([0, 0, 0, 0, 1, 2, 2, 3, 4]),
    st.one_of(CONDITIONS, CONDITIONS, st.none()),
    st.one_of(st.booleans(), CONDITIONS),
    st.booleans(),
)
HAPPENS = [
    "made",
    "made",
    "made",
    "wiped",
    "observed",
    "checked",
    "wiped",
    "began",
    "ended",
    "failed",
    "added",
    "removed",
    "backfill wanted",
    "backfill went on",
    "backfill gave up",
    "waits",
]
STEPS = st.lists(st.builds(Step, st.sampled_from(HAPPENS), st.integers(0, 4), st.integers(0, 3)), max_size=3)


@settings(max_examples=60)
@given(st.lists(DECLARED, min_size=2, max_size=MOST), st.lists(STEPS, max_size=10))
def test_what_is_evaluated_by_what_changed_is_what_is_evaluated_whole(
    declared: list[Declared], rounds: list[list[Step]]
) -> None:
    world = World(declared)
    if all(node.automation_condition is None for node in world.definitions.asset_graph.nodes.values()) and all(
        node.automation_condition is None for node in world.definitions.asset_graph.checks.values()
    ):
        return
    for steps in [[], *rounds, []]:
        for step in steps:
            world.happen(step)
        try:
            whole = world.ask("forgets", Automations())
        except sg.InvalidDefinitionError:  # it matches an asset whose partitions say nothing of its own
            return
        followed = world.ask("remembers", world.remembering)
        for name in ("requests", "backfills", "evaluations", "cursor"):
            assert getattr(followed, name) == getattr(whole, name), name
        assert sorted(followed.condition_cursors, key=str) == sorted(whole.condition_cursors, key=str)
        assert world.store.condition_cursors("remembers", SENSOR) == world.store.condition_cursors("forgets", SENSOR)
        world.now += timedelta(minutes=1)


def asset(condition: Condition | None = None, *, made_from: int | None = None) -> Declared:
    """An asset without partitions, made from the one so many before it."""
    return Declared([] if made_from is None else [made_from], 0, condition, False, False)


QUIET: list[Step] = []
WHAT_IS_OVER = {
    "a request downstream of a request": (
        [
            asset(),
            asset(C.any_deps_updated(), made_from=1),
            asset(C.any_deps_match(C.will_be_requested()), made_from=1),
        ],
        [QUIET, QUIET, QUIET, [Step("made", 0, 0)]],
        [["b", "c"]],
    ),
    "a request of the evaluation before": (
        [asset(), asset(C.any_deps_missing(), made_from=1), asset(C.any_deps_match(C.newly_requested()), made_from=1)],
        [[Step("made", 0, 0)], QUIET, QUIET, QUIET, [Step("wiped", 0, 0)], QUIET],
        [["b"], ["b", "c"]],
    ),
    "a tick of a cron schedule that passed": (
        [asset(), asset(C.any_deps_match(~C.run_in_progress() & ~C.cron_tick_passed("0 * * * *")), made_from=1)],
        [[Step("began", 0, 0)], QUIET, QUIET, [Step("ended", 0, 0), Step("waits", 0, 2)], QUIET],
        [["b"]],
    ),
    "a backfill that gives up": (
        [asset(), asset(C.any_deps_match(~C.backfill_in_progress()), made_from=1)],
        [[Step("backfill wanted", 0, 0)], QUIET, QUIET, [Step("backfill gave up", 0, 0)]],
        [["b"]],
    ),
    "a backfill that was not there": (
        [asset(), asset(C.any_deps_match(C.backfill_in_progress()), made_from=1)],
        [QUIET, QUIET, QUIET, [Step("backfill wanted", 0, 0)], [Step("backfill gave up", 0, 2)], QUIET],
        [["b"]],
    ),
    "an update that was new": (
        [asset(), asset(C.any_deps_match(~C.missing() & ~C.newly_updated()), made_from=1)],
        [QUIET, QUIET, QUIET, [Step("made", 0, 0)], QUIET],
        [["b"]],
    ),
}


@pytest.mark.parametrize(("declared", "rounds", "asked"), WHAT_IS_OVER.values(), ids=WHAT_IS_OVER)
def test_what_hangs_on_what_is_over_is_evaluated_once_more(
    declared: list[Declared], rounds: list[list[Step]], asked: list[list[str]]
) -> None:
    world = World(declared)
    found: list[list[str]] = []
    for steps in rounds:
        for step in steps:
            world.happen(step)
        answer = world.ask("remembers", world.remembering)
        found += [[key.to_user_string() for key in run.asset_selection or ()] for run in answer.requests]
        world.now += timedelta(minutes=1)
    assert found == asked


def test_nothing_is_asked_of_single_assets_where_nothing_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked_in(count: int) -> list[int]:
        """How many statements an evaluation takes after nothing happened, and one after an asset was made."""
        eager = [Declared([1], place % 3, C.eager(), True, False) for place in range(count)]
        world = World([asset(), *eager])
        for place in range(1, count + 1):
            world.happen(Step("backfill wanted", place, 0))
        for _ in range(4):
            world.ask("remembers", world.remembering)
            world.now += timedelta(minutes=1)
        database, statements = world.store.database, list[str]()
        read = database.read

        def counting(statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
            statements.append(statement)
            return read(statement, parameters)

        monkeypatch.setattr(database, "read", counting)
        quiet = world.ask("remembers", world.remembering)
        assert quiet.skip_reason == "Nothing has changed since the last evaluation of the conditions."
        after_nothing = len(statements)
        world.happen(Step("made", 0, 0))
        statements.clear()
        world.ask("remembers", world.remembering)
        return [after_nothing, len(statements)]

    few, many = asked_in(3), asked_in(30)
    assert few == many
    assert max(few) < 10

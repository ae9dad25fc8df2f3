"""Automation that looks only at what has changed says what an evaluation of everything says: over graphs, conditions, events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as sg
from segue.host.automations import Automations
from segue.model.event import Event, RunFailureData, RunStartData, RunSuccessData, StepMaterializationData
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.run import FailureReason, Run
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import TickAnswer, TickTask
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of

C = sg.AutomationCondition
Condition = sg.AutomationCondition[sg.AssetOrCheckKey]
START = datetime(2024, 1, 5, 1, tzinfo=UTC)
SENSOR = "default_automation_condition_sensor"
NAMES = ["a", "b", "c", "d", "e", *(f"more_{place}" for place in range(30))]
MOST = 5
PARTITIONS: list[tuple[sg.PartitionsDefinition | None, list[str]]] = [
    (None, []),
    (sg.StaticPartitionsDefinition(["x", "y", "z"]), ["x", "y", "z"]),
    (sg.DailyPartitionsDefinition("2024-01-01"), ["2024-01-02", "2024-01-04", "2024-01-05", "2024-01-06"]),
    (sg.DailyPartitionsDefinition("2024-01-03"), ["2024-01-04", "2024-01-05"]),
    (sg.DynamicPartitionsDefinition(name="kinds"), ["k", "l"]),
]


class Declared(NamedTuple):
    """One asset: what it is made from (how far before it), how it is cut, its condition, its check, whether it is external."""

    deps: list[int]
    partitions: int
    condition: Condition | None
    check: Condition | bool
    is_external: bool


class Step(NamedTuple):
    """What happens to which asset (or for how long nothing does), and in which of its partitions."""

    what: str
    asset: int
    number: int


LEAVES: list[Condition] = [
    C.missing(),
    C.newly_updated(),
    C.newly_requested(),
    C.will_be_requested(),
    C.run_in_progress(),
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
    "waits",
]
STEPS = st.lists(st.builds(Step, st.sampled_from(HAPPENS), st.integers(0, 4), st.integers(0, 3)), max_size=3)


def definitions_of(declared: list[Declared]) -> sg.Definitions:
    """The definitions."""
    assets: list[sg.AssetsDefinition | sg.AssetSpec] = []  # an asset depends on some before it
    checks: list[sg.AssetChecksDefinition] = []
    for place, each in enumerate(declared):
        partitions = PARTITIONS[each.partitions][0]
        freshness = sg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=40)) if place % 2 else None
        if each.is_external and place < 2:
            assets.append(sg.AssetSpec(NAMES[place], partitions_def=partitions))
            continue

        @sg.asset(
            name=NAMES[place],
            deps=[_dep(declared, place, place - back) for back in each.deps if back <= place],
            partitions_def=partitions,
            automation_condition=each.condition,
            freshness_policy=freshness,
        )
        def made() -> None: ...

        assets.append(made)
        if each.check is not False:

            @sg.asset_check(
                name=f"checks_{NAMES[place]}",
                asset=NAMES[place],
                blocking=True,
                automation_condition=None if each.check is True else each.check,
            )
            def passes() -> sg.AssetCheckResult:
                return sg.AssetCheckResult(passed=True)

            checks.append(passes)
    return sg.Definitions(assets=assets, asset_checks=checks)


def _dep(declared: list[Declared], place: int, dep: int) -> sg.AssetDep:
    """A dependency, with a mapping where none goes without saying."""
    one, other = (declared[each].partitions for each in (dep, place))
    goes_without = one == other or 0 in (one, other) or {one, other} == {2, 3}
    return sg.AssetDep(NAMES[dep], partition_mapping=None if goes_without else sg.AllPartitionMapping())


class World:
    """A store in which things happen, and two automations over it: one that remembers, one that begins anew each time."""

    def __init__(self, declared: list[Declared]) -> None:
        self.declared = declared
        self.definitions = definitions_of(declared)
        self.instance = sg.Instance.ephemeral()
        store = self.instance.store
        assert isinstance(store, SqliteStore)
        self.store = store
        self.control = control_of(store)
        self.now = START
        self.open: list[Run] = []
        self.remembering = Automations()
        self.cursors: dict[str, str | None] = {"remembers": None, "forgets": None}

    def happen(self, step: Step) -> None:
        """Carries out a step."""
        each = self.declared[step.asset % len(self.declared)]
        key = sg.AssetKey(NAMES[step.asset % len(self.declared)])
        names = PARTITIONS[each.partitions][1]
        partition = names[step.number % len(names)] if names else None
        seconds = self.now.timestamp()
        match step.what:
            case "made":
                run = self.open[-1] if self.open and step.number % 2 else None
                version = {"dagster/data_version": "1"} if step.number == 0 else {}
                fact = sg.AssetMaterialization(key, partition=partition, tags=version)
                run_id = None if run is None else run.run_id
                self.store.append([Event(seconds, StepMaterializationData(fact), run_id=run_id)])
            case "observed":
                self.instance.report_runless_asset_event(
                    sg.AssetObservation(key, partition=partition, tags={"dagster/data_version": str(step.number)})
                )
            case "checked":
                self.instance.report_runless_asset_event(
                    sg.AssetCheckEvaluation(
                        asset_key=key, check_name=f"checks_{key.path[-1]}", passed=step.number % 2 == 0, metadata={}
                    )
                )
            case "wiped":
                self.store.wipe(key, None if partition is None or step.number > 1 else [partition], seconds)
            case "began":
                run = Run(
                    run_id=f"run-{len(self.open)}-{seconds}-{step.asset}-{step.number}",
                    job_name="j",
                    asset_selection=frozenset({key}),
                    partition_start=partition,
                    partition_end=partition,
                    tags={"t": "1"} if step.number % 2 else {},
                    created_at=seconds,
                )
                if self.store.get_run(run.run_id) is None:
                    self.store.create_run(run, b"", b"", [Event(seconds, RunStartData(), run_id=run.run_id)])
                    self.open.append(run)
            case "ended" | "failed" if self.open:
                run = self.open.pop()
                payload = RunSuccessData() if step.what == "ended" else RunFailureData(FailureReason.STEP_FAILURE, "")
                self.store.append([Event(seconds, payload, run_id=run.run_id)])
            case "added":
                self.instance.add_dynamic_partitions("kinds", ["k", "l"][: 1 + step.number % 2])
            case "removed":
                self.instance.delete_dynamic_partition("kinds", "k")
            case "waits":
                self.now += [timedelta(0), timedelta(minutes=35), timedelta(hours=5), timedelta(days=1)][step.number]
            case _:
                pass

    def ask(self, location: str, automations: Automations) -> TickAnswer:
        """One evaluation, put on record; the runs that it asks for are left out."""
        which = InstigatorId(location, InstigatorKind.SENSOR, SENSOR)
        task = TickTask(kind=which.kind, name=SENSOR, location=location, cursor=self.cursors[location])
        answer = automations.answer(self.definitions, self.instance, task, self.now.timestamp())
        tick = Tick(instigator=which, status=TickStatus.SKIPPED, started_at=0.0, ended_at=0.0, cursor=answer.cursor)
        self.control.commit_ticks([TickCommit(tick=tick, condition_cursors=answer.condition_cursors)])
        self.cursors[location] = answer.cursor
        return answer


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
        assert quiet.skip_reason == "Nothing has happened since the conditions were evaluated last."
        after_nothing = len(statements)
        world.happen(Step("made", 0, 0))
        statements.clear()
        world.ask("remembers", world.remembering)
        return [after_nothing, len(statements)]

    few, many = asked_in(3), asked_in(30)
    assert few == many
    assert max(few) < 10

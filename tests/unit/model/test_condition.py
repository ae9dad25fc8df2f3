"""Conditions as values: how they combine, compare, travel, and keep their identity."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as dg
from segue.model.condition.base import AnyCondition
from segue.model.condition.operators import (
    AndAutomationCondition,
    NotAutomationCondition,
    OrAutomationCondition,
    SinceCondition,
)
from segue.model.condition.wire import condition_from_wire
from segue.model.manifest import decode_manifest, encode_manifest

C = dg.AutomationCondition
LEAVES: list[AnyCondition] = [
    C.missing(),
    C.run_in_progress(),
    C.backfill_in_progress(),
    C.execution_failed(),
    C.check_passed(),
    C.check_failed(),
    C.initial_evaluation(),
    C.in_latest_time_window(),
    C.in_latest_time_window(timedelta(hours=3)),
    C.will_be_requested(),
    C.newly_updated(),
    C.newly_requested(),
    C.code_version_changed(),
    C.data_version_changed(),
    C.cron_tick_passed("0 6 * * *", "Europe/Berlin"),
    C.freshness_passed(),
    C.freshness_warned(),
    C.freshness_failed(),
    C.executed_with_root_target(),
    C.executed_with_tags(tag_keys={"a", "b"}, tag_values={"c": "d"}),
    C.any_new_update_has_run_tags(tag_keys={"a"}),
    C.all_new_updates_have_run_tags(tag_values={"c": "d"}),
    C.any_downstream_conditions(),
]
GROUP = dg.AssetSelection.groups("g")


def scopes(inner: AnyCondition) -> list[AnyCondition]:
    return [
        C.any_deps_match(inner).allow(GROUP),
        C.all_deps_match(inner).ignore(GROUP),
        C.any_checks_match(inner, blocking_only=True),
        C.all_checks_match(inner),
        C.asset_matches("a/b", inner),
        C.any_job_root_assets_match(inner),
        C.all_job_root_assets_match(inner),
        inner.newly_true(),
        inner.since_last_handled(),
        ~inner,
    ]


CONDITIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.flatmap(lambda each: st.sampled_from(scopes(each))),
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        st.tuples(inner, inner).map(lambda two: two[0].since(two[1])),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_a_condition_survives_its_stored_form_pickling_and_copying(condition: AnyCondition) -> None:
    back = condition_from_wire(json.loads(json.dumps(condition.to_wire())))
    for other in (back, pickle.loads(pickle.dumps(condition)), copy.deepcopy(condition)):
        assert other == condition
        assert hash(other) == hash(condition)
        assert other.get_unique_id() == condition.get_unique_id()
        assert other.get_snapshot() == condition.get_snapshot()
    assert condition.is_serializable


@given(CONDITIONS)
def test_two_nodes_of_a_condition_share_an_id_only_where_they_mean_the_same(condition: AnyCondition) -> None:
    found: dict[str, set[str]] = {}

    def collect(node: AnyCondition, parent: str | None, index: int | None, shared: bool) -> None:
        own = node.get_node_unique_id(parent_unique_id=parent, index=index)
        assert shared or isinstance(node, SinceCondition) or own not in found
        found.setdefault(own, set()).add(node.get_unique_id())
        for place, child in enumerate(node.children):
            collect(child, own, place, shared or isinstance(node, SinceCondition))

    collect(condition, None, None, False)
    assert all(len(meanings) == 1 for meanings in found.values())


def test_what_since_remembers_outlives_changes_around_it() -> None:
    since = C.missing().since(C.newly_updated())
    ids = {since.get_node_unique_id(parent_unique_id=parent, index=index) for parent, index in ((None, None), ("p", 1))}
    assert len(ids) == 1
    assert C.missing().since(C.in_progress()).get_node_unique_id(parent_unique_id=None, index=None) not in ids


# What is remembered is kept under these: when one of them changes, every user's state is lost.
STABLE = {
    C.eager(): "eager",
    C.on_cron("0 0 * * *"): "on_cron",
    C.on_missing(): "on_missing",
    C.any_downstream_conditions(): "any_downstream_conditions",
}


def test_ids_stay_the_same_across_releases() -> None:
    assert {name: condition.get_unique_id() for condition, name in STABLE.items()} == {
        "eager": "8a3086a3f34e50eaaef28e1133ce971f",
        "on_cron": "3fd69adad02d5392819ab924715d6b67",
        "on_missing": "53026c1fd5425d10b31493c9c6c9aa6b",
        "any_downstream_conditions": "ea6e58fd9dc65527ab95ef11b573e37d",
    }


def test_a_label_and_a_narrower_selection_keep_what_is_remembered() -> None:
    plain = C.any_deps_match(C.missing())
    for other in (plain.with_label("mine"), plain.allow(GROUP), plain.ignore(GROUP)):
        assert other != plain
        assert other.get_unique_id() == plain.get_unique_id()


NAMES = {
    "AND": C.missing() & C.newly_updated(),
    "OR": C.missing() | C.newly_updated(),
    "NOT": ~C.missing(),
    "SINCE": C.missing().since(C.newly_updated()),
    "NEWLY_TRUE": C.missing().newly_true(),
    'ANY_DEPS_MATCH(allow_selection=group:"g")': C.any_deps_match(C.missing()).allow(GROUP),
    "ALL_CHECKS_MATCH(blocking_only=True)": C.all_checks_match(C.missing(), blocking_only=True),
    "cron_tick_passed(cron_schedule=0 0 * * *, cron_timezone=UTC)": C.cron_tick_passed("0 0 * * *"),
    "executed_with_tags(tag_keys={a,b}, tag_values={c:d})": LEAVES[19],
    "check_failed": C.check_failed(),
    "a/b": C.asset_matches("a/b", C.missing()),
}


def test_names_show_the_arguments() -> None:
    assert {name: condition.name for name, condition in NAMES.items()} == {name: name for name in NAMES}


def test_the_labels_of_composed_conditions() -> None:
    labels = {each.get_label() for each in (C.eager(), C.on_missing(), C.on_cron("0 0 * * *"), C.in_progress())}
    assert labels == {"eager", "on_missing", "on_cron(0 0 * * *, UTC)", "in_progress"}


def test_operands_of_one_kind_stand_in_one_row_unless_labelled() -> None:
    one, two, three = LEAVES[:3]
    assert isinstance(one & two & three, AndAutomationCondition)
    assert (one & two & three).children == (one, two, three)
    assert (one | (two | three)).children == (one, two, three)
    labelled = (one & two).with_label("both")
    assert (labelled & three).children == (labelled, three)


def test_replace_finds_conditions_labels_and_names_anywhere() -> None:
    condition = C.eager()
    replaced = condition.replace("newly_missing", C.missing())
    assert "newly_missing" not in repr(replaced)
    assert replaced.get_label() == "eager"
    assert condition.replace(C.missing(), C.newly_updated()) == condition.replace("missing", C.newly_updated())
    assert condition.replace("eager", C.missing()) == C.missing()
    assert condition.replace("nothing has this name", C.missing()) == condition


def test_without_takes_an_operand_away() -> None:
    rest = C.eager().without(~C.any_deps_missing())
    assert len(rest.children) == len(C.eager().children) - 1
    assert rest.get_label() == "eager"


def test_allow_reaches_conditions_on_dependencies_but_not_those_inside_them() -> None:
    inner = C.any_deps_match(C.missing())
    condition = (C.missing() & ~C.any_deps_match(inner).since(C.newly_updated())).allow(GROUP)
    assert repr(condition).count("allow_selection=AssetSelection") == 1
    twice = inner.allow(GROUP).allow(dg.AssetSelection.assets("x"))
    assert twice.allow_selection == dg.AssetSelection.assets("x") | GROUP


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: C.missing() & 3, "&: expected an AutomationCondition, got 3"),  # pyright: ignore[reportArgumentType, reportOperatorIssue] reason: what users do
    (lambda: C.missing() | C.eager, "Call it"),  # pyright: ignore[reportArgumentType, reportOperatorIssue] reason: what users do
    (lambda: C.cron_tick_passed("every day"), "not a valid cron schedule"),
    (lambda: C.on_cron("0 0 * * *", "Mars/Olympus"), "Unknown time zone"),
    (lambda: C.executed_with_tags(tag_keys="abc"), "must be a set of strings"),  # pyright: ignore[reportArgumentType] reason: what users do
    (lambda: C.in_latest_time_window(3), "must be a timedelta"),  # pyright: ignore[reportArgumentType] reason: what users do
    (lambda: C.eager().without(C.missing()), "is not an operand"),
    (lambda: (C.missing() & C.newly_updated()).without(C.missing()), "at least two operands"),
    (lambda: C.eager().allow("group:g"), "expected an AssetSelection"),  # pyright: ignore[reportArgumentType] reason: what users do
    (lambda: dg.AssetSpec("x", automation_condition="eager"), "expected an AutomationCondition"),  # pyright: ignore[reportArgumentType] reason: what users do
    (lambda: dg.AssetCheckSpec("c", asset="x", automation_condition=C.eager), "Call it"),  # pyright: ignore[reportArgumentType] reason: what users do
]


@pytest.mark.parametrize(("build", "says"), BAD, ids=[says for _, says in BAD])
def test_what_is_no_condition_is_refused(build: Callable[[], object], says: str) -> None:
    with pytest.raises(dg.InvalidDefinitionError, match=says):
        build()


class Mine(dg.AutomationCondition[dg.AssetKey]):
    def evaluate(self, context: dg.AutomationContext) -> dg.AutomationResult:
        return dg.AutomationResult(context, true_subset=context.candidate_subset)


def test_conditions_stand_in_the_manifest_and_those_of_users_by_name() -> None:
    specs = [
        dg.AssetSpec("eager", automation_condition=C.eager()),
        dg.AssetSpec("own", automation_condition=C.missing() & ~Mine()),
    ]
    manifest = dg.Definitions(assets=specs).manifest
    eager, own = [node.automation_condition for node in decode_manifest(encode_manifest(manifest)).assets]
    assert eager == C.eager()
    assert isinstance(own, AndAutomationCondition)
    negated = own.children[1]
    assert isinstance(negated, NotAutomationCondition)
    assert negated.children[0].name == "Mine"
    assert not own.is_serializable
    assert own.get_unique_id() == (C.missing() & ~Mine()).get_unique_id()
    assert encode_manifest(decode_manifest(encode_manifest(manifest))) == encode_manifest(manifest)


def test_operators_keep_their_order_of_precedence() -> None:
    condition = C.missing() | C.newly_updated() & ~C.in_progress()
    assert isinstance(condition, OrAutomationCondition)
    assert [child.operator_type for child in condition.children] == ["identity", "and"]

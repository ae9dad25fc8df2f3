"""Tags of materializations and observations, and of what functions return to get them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import segue as sg
from segue.model import codec

TAGGED: dict[str, Callable[[Any], Any]] = {
    "materialization": lambda tags: sg.AssetMaterialization("a", tags=tags),
    "observation": lambda tags: sg.AssetObservation("a", tags=tags),
    "output": lambda tags: sg.Output(1, tags=tags),
    "materialize result": lambda tags: sg.MaterializeResult(tags=tags),
    "observe result": lambda tags: sg.ObserveResult(tags=tags),
}


@pytest.mark.parametrize("tagged", TAGGED.values(), ids=TAGGED)
@pytest.mark.parametrize(
    "tags",
    [{"two words": "x"}, {"a/b/c": "x"}, {"": "x"}, {"a": 1}, {"a": "x y"}, {"a": "x" * 64}, {5: "x"}, "a"],
    ids=str,
)
def test_tags_that_are_not_short_plain_text_are_refused(tagged: Callable[[Any], Any], tags: Any) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="tag"):
        tagged(tags)


@pytest.mark.parametrize("tagged", TAGGED.values(), ids=TAGGED)
@pytest.mark.parametrize(
    "tags", [{"team/tier": "gold-1.2_x"}, {"a": ""}, {"dagster/input_data_version/a/b": "x y"}], ids=str
)
def test_other_tags_and_the_systems_own_are_taken(tagged: Callable[[Any], Any], tags: Mapping[str, str]) -> None:
    assert tagged(tags).tags == tags


@pytest.mark.parametrize("kind", [sg.AssetMaterialization, sg.AssetObservation])
def test_what_was_recorded_under_another_rule_is_still_read(kind: type[Any]) -> None:
    old = kind.recorded(asset_key="a", tags={"two words": "x y"}, partition="p")
    assert codec.decoder(kind).decode(codec.encode(old)) == old
    assert pickle.loads(pickle.dumps(old)) == copy.copy(old) == old


@pytest.mark.parametrize(
    "wrong",
    [{"asset_key": "a"}, {"check_name": 5}, {"passed": "yes"}, {"severity": "WARN"}, {"description": 5}],
    ids=str,
)
def test_an_evaluation_of_wrong_types_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"asset_key": sg.AssetKey("a"), "check_name": "fresh", "passed": True, **wrong}
    with pytest.raises(TypeError, match=next(iter(wrong))):
        sg.AssetCheckEvaluation(**given)


def test_a_cursor_that_is_not_text_is_refused() -> None:
    class Counts(sg.AutomationCondition):
        def evaluate(self, context: sg.AutomationContext) -> sg.AutomationResult:
            return sg.AutomationResult(context, context.candidate_subset, cursor=5)  # pyright: ignore[reportArgumentType] reason: it is refused

    @sg.asset(automation_condition=Counts())
    def counted() -> None: ...

    with pytest.raises(TypeError, match="cursor must be of type str"):
        sg.evaluate_automation_conditions([counted], sg.Instance.ephemeral())

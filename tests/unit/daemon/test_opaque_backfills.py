"""Backfills over partitions and mappings of the user's own classes: what only their code knows is asked, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest
from plane import NOON, Plane

import segue as sg
from segue.daemon.backfills import Backfills
from segue.location.base import CodeLocation
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.messages import AskOpaque, OpaqueAnswered, decode_answer, decode_ask, encode_message
from segue.model.partitions.subset import PartitionSubset
from segue.model.questions import MappingQuestion, OpaqueAnswer, PartitionsQuestion, Question
from segue.model.run import RunStatus

LETTERS = sg.StaticPartitionsDefinition(["a", "b", "c"])
NUMBERS = sg.StaticPartitionsDefinition(["1", "2", "3"])


class Squares(sg.PartitionsDefinition):
    """Square numbers."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: sg.DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        return ["0", "1", "4", "9"]


class ByPlace(sg.PartitionMapping):
    """The partition at the same place."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: sg.PartitionsSubset | None,
        downstream_partitions_def: sg.PartitionsDefinition | None,
        upstream_partitions_def: sg.PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: sg.DynamicPartitionsStore | None = None,
    ) -> sg.UpstreamPartitionsResult:
        wanted = ["abc"[int(key) - 1] for key in downstream_partitions_subset or ()]
        return sg.UpstreamPartitionsResult(
            partitions_subset=upstream_partitions_def.subset_with_partition_keys(wanted),
            required_but_nonexistent_subset=upstream_partitions_def.empty_subset(),
        )

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: sg.PartitionsSubset,
        upstream_partitions_def: sg.PartitionsDefinition,
        downstream_partitions_def: sg.PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: sg.DynamicPartitionsStore | None = None,
    ) -> sg.PartitionsSubset:
        fed = [str("abc".index(key) + 1) for key in upstream_partitions_subset]
        return downstream_partitions_def.subset_with_partition_keys(fed)


class Broken(ByPlace):
    """One that nobody can ask."""

    def get_downstream_partitions_for_partitions(self, *_: object, **__: object) -> sg.PartitionsSubset:
        raise RuntimeError("no map at hand")


def letter_and_number(mapping: sg.PartitionMapping) -> list[sg.AssetsDefinition]:
    @sg.asset(partitions_def=LETTERS)
    def letter() -> None: ...

    @sg.asset(partitions_def=NUMBERS, deps=[sg.AssetDep(letter, partition_mapping=mapping)])
    def number() -> None: ...

    return [letter, number]


class Recording:
    """A backfill that goes on, and what was asked meanwhile."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, assets: list[sg.AssetsDefinition], *targets: BackfillTarget
    ) -> None:
        self.plane = Plane(sg.Definitions(assets=assets))
        self.loop = Backfills(self.plane.store, self.plane.control, self.plane.locations)
        self.asked: list[Question] = []
        ask = self.loop.questions.ask

        def recorded(location: CodeLocation, question: Question, now: float) -> None:
            self.asked.append(question)
            ask(location, question, now)

        monkeypatch.setattr(self.loop.questions, "ask", recorded)
        self.plane.control.create_backfill(Backfill(backfill_id="b", location="main", created_at=NOON, targets=targets))

    def go_on(self) -> list[tuple[str, str | None]]:
        """Rounds until nothing is asked any more; what is under way then, which ends well."""
        while True:
            before = len(self.asked)
            self.loop.round(self.plane.turn(NOON))
            if len(self.asked) == before:
                break
        self.plane.queue().round(self.plane.turn(NOON))
        runs = [run for run in self.plane.runs() if run.status is RunStatus.STARTING]
        self.plane.start([run.run_id for run in runs])
        self.plane.end([run.run_id for run in runs])
        return sorted((next(iter(run.asset_selection)).to_user_string(), run.partition_start) for run in runs)

    @property
    def backfill(self) -> Backfill:
        found = self.plane.control.get_backfill("b")
        assert found is not None
        return found


def part(*keys: str) -> PartitionSubset:
    return PartitionSubset(tuple((key, key) for key in keys))


def test_a_mapping_of_the_users_own_orders_the_runs_of_a_backfill(monkeypatch: pytest.MonkeyPatch) -> None:
    letter, number = letter_and_number(ByPlace())
    case = Recording(
        monkeypatch,
        [letter, number],
        BackfillTarget(letter.key, part("a", "c")),
        BackfillTarget(number.key, part("1", "2")),
    )
    assert case.go_on() == [("letter", "a"), ("letter", "c"), ("number", "2")]  # nothing of letter b is wanted
    assert case.go_on() == [("number", "1")]
    assert case.go_on() == []
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS
    assert {type(each) for each in case.asked} == {MappingQuestion}
    assert len(case.asked) == len(set(case.asked))  # each was asked once


def test_what_is_asked_is_asked_again_when_the_definitions_change(monkeypatch: pytest.MonkeyPatch) -> None:
    letter, number = letter_and_number(ByPlace())
    case = Recording(
        monkeypatch, [letter, number], BackfillTarget(letter.key, part("a")), BackfillTarget(number.key, part("1"))
    )
    case.loop.round(case.plane.turn(NOON))
    first = case.asked[0]
    case.plane.location.load(sg.Definitions(assets=[letter, number, *letter_and_others()]))
    case.loop.round(case.plane.turn(NOON))
    assert case.asked == [first, first]


def letter_and_others() -> list[sg.AssetsDefinition]:
    @sg.asset
    def other() -> None: ...

    return [other]


def test_a_mapping_that_raises_stands_at_the_backfill_which_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    letter, number = letter_and_number(Broken())
    case = Recording(
        monkeypatch, [letter, number], BackfillTarget(letter.key, part("a")), BackfillTarget(number.key, part("1"))
    )
    for _ in range(3):
        case.loop.round(case.plane.turn(NOON))
    assert (
        case.backfill.error == "The code of 'number' could not determine the partitions: RuntimeError: no map at hand"
    )
    assert case.backfill.status is BackfillStatus.REQUESTED
    assert case.plane.runs() == []


def test_what_other_code_cannot_answer_ends_the_backfill_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    letter, number = letter_and_number(ByPlace())
    wanted = (BackfillTarget(letter.key, part("a", "b")), BackfillTarget(number.key, part("1", "2")))
    case = Recording(monkeypatch, [letter, number], *wanted)
    assert case.go_on() == [("letter", "a"), ("letter", "b")]
    plain = letter_and_number(sg.AllPartitionMapping())
    case.plane.location.load(sg.Definitions(assets=plain))
    asked = len(case.asked)
    assert case.go_on() == []
    ended = case.backfill
    assert ended.status is BackfillStatus.COMPLETED_FAILED
    assert "which partitions of 'letter' 'number' depends on" in (ended.error or "")
    assert [(each.name, each.what) for each in ended.changes] == [("number", ("dependencies",))]
    assert ended.failed == wanted
    assert len(case.asked) == asked


def test_other_code_that_raises_where_the_first_answered_ends_the_backfill(monkeypatch: pytest.MonkeyPatch) -> None:
    letter, number = letter_and_number(ByPlace())
    case = Recording(
        monkeypatch, [letter, number], BackfillTarget(letter.key, part("a")), BackfillTarget(number.key, part("1"))
    )
    case.loop.round(case.plane.turn(NOON))

    def raises(*_: object, **__: object) -> sg.PartitionsSubset:
        raise RuntimeError("no map at hand")

    monkeypatch.setattr(ByPlace, "get_downstream_partitions_for_partitions", raises)
    case.plane.location.load(sg.Definitions(assets=[letter, number, *letter_and_others()]))
    for _ in range(3):
        case.loop.round(case.plane.turn(NOON))
    assert case.backfill.status is BackfillStatus.COMPLETED_FAILED
    assert "no map at hand" in (case.backfill.error or "")


def test_partitions_of_the_users_own_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    @sg.asset(partitions_def=Squares())
    def square() -> None: ...

    @sg.asset(partitions_def=Squares(), deps=[square])
    def root() -> None: ...

    part = PartitionSubset((("1", "4"),))
    case = Recording(monkeypatch, [square, root], BackfillTarget(square.key, part), BackfillTarget(root.key, part))
    found = [*case.go_on(), *case.go_on(), *case.go_on()]
    assert sorted({name for _, name in found}, key=str) == ["1", "4"]
    assert case.backfill.status is BackfillStatus.COMPLETED_SUCCESS
    assert {type(each) for each in case.asked} == {PartitionsQuestion}


def test_questions_and_answers_survive_the_wire() -> None:
    question = MappingQuestion(sg.AssetKey("a"), sg.AssetKey("b"), True, part("x"), "e")
    asked = AskOpaque(question=question, now=1.5)
    assert decode_ask.decode(encode_message(asked)) == asked
    answer = OpaqueAnswered(answer=OpaqueAnswer(part=part("x"), missing=("y",)), memory=3)
    assert decode_answer.decode(encode_message(answer)) == answer
    assert msgspec.structs.replace(question, is_up=False) != question

"""Sets of partitions against plain sets of keys, for every kind of definition."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue as sg
from segue.model.partitions.loading import DynamicKeys
from segue.model.partitions.subset import keys_of_subset, subset_of_keys, union_of_all

NOW = datetime(2024, 1, 20, tzinfo=UTC)
LETTERS = sg.StaticPartitionsDefinition(list("dacbef"))
DAYS = sg.DailyPartitionsDefinition("2024-01-01", exclusions=["2024-01-03"], end_date="2024-01-15")
CUSTOMERS = sg.DynamicPartitionsDefinition(name="customers")
STORE = DynamicKeys({"customers": ["zoe", "amy", "bob", "joe", "eve"]})


class Squares(sg.PartitionsDefinition):
    """A class of a user's own."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: sg.DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        return [str(number * number) for number in range(7)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Squares)

    def __hash__(self) -> int:
        return 7


SQUARES = Squares()
DEFINITIONS: list[sg.PartitionsDefinition] = [
    LETTERS,
    DAYS,
    CUSTOMERS,
    SQUARES,
    sg.MultiPartitionsDefinition({"day": DAYS, "letter": LETTERS}),
    sg.MultiPartitionsDefinition({"a": LETTERS, "b": sg.StaticPartitionsDefinition(["1", "2"]), "c": DAYS}),
    sg.MultiPartitionsDefinition({"who": CUSTOMERS, "letter": LETTERS}),
]


@given(data=st.data(), definition=st.sampled_from(DEFINITIONS))
@settings(max_examples=300, deadline=None)
def test_algebra_is_that_of_sets_of_keys(data: st.DataObject, definition: sg.PartitionsDefinition) -> None:
    keys = list(definition.get_partition_keys(NOW, STORE))
    some = st.lists(st.sampled_from(keys), unique=True, max_size=25)
    one, two = set(data.draw(some)), set(data.draw(some))
    with sg.partition_loading_context(NOW, STORE):
        left, right = definition.subset_with_partition_keys(one), definition.subset_with_partition_keys(two)
        for subset, expected in (
            (left, one),
            (left | right, one | two),
            (left & right, one & two),
            (left - right, one - two),
            (left.with_partition_keys(two), one | two),
            (definition.subset_with_all_partitions() - left, set(keys) - one),
            (definition.deserialize_subset((left | right).serialize()), one | two),
            (pickle.loads(pickle.dumps(left)), one),
            (copy.deepcopy(left), one),
        ):
            assert list(subset.get_partition_keys()) == [key for key in keys if key in expected]
            assert (len(subset), bool(subset), subset.is_empty) == (len(expected), bool(expected), not expected)
            assert [key for key in keys if key in subset] == [key for key in keys if key in expected]
            assert subset == definition.subset_with_partition_keys(expected)
            assert hash(subset) == hash(definition.subset_with_partition_keys(expected))
            boxes = [
                definition.get_partition_keys_in_range(ends) for ends in subset.get_partition_key_ranges(definition)
            ]
            assert sorted(key for box in boxes for key in box) == sorted(expected)
        assert (left == right) == (one == two)
        assert left.get_partition_keys_not_in_subset(definition) == [key for key in keys if key not in one]


def test_keys_that_a_definition_cannot_have_are_refused() -> None:
    for definition, key in ((LETTERS, "z"), (DAYS, "2024-01-03"), (DAYS, "2023-12-31"), (DAYS, "soon")):
        with pytest.raises(sg.UnknownPartitionError, match=key):
            definition.subset_with_partition_keys([key])
    multi = DEFINITIONS[4]
    for key in ("2024-01-01", "2024-01-01|z", "2024-01-01|a|b"):
        with pytest.raises(sg.UnknownPartitionError):
            multi.subset_with_partition_keys([key])


def test_dynamic_keys_that_nobody_can_look_up_are_taken_as_they_are_named() -> None:
    one, two = CUSTOMERS.subset_with_partition_keys(["x", "y"]), CUSTOMERS.subset_with_partition_keys(["y", "z"])
    assert set((one | two).get_partition_keys()) == {"x", "y", "z"}
    assert set((one & two).get_partition_keys()) == {"y"}
    assert set((one - two).get_partition_keys()) == {"x"}
    assert one != two
    assert one == CUSTOMERS.subset_with_partition_keys(["y", "x"])
    assert CUSTOMERS.empty_subset().with_partition_keys(["x", "y"]) == one
    with pytest.raises(sg.WrongTypeError, match="stored by an instance"):
        CUSTOMERS.subset_with_all_partitions()


def test_a_text_of_another_definition_is_told_apart() -> None:
    text = LETTERS.subset_with_partition_keys(["a"]).serialize()
    assert LETTERS.can_deserialize_subset(text)
    assert LETTERS.can_deserialize_subset(text, LETTERS.get_serializable_unique_identifier(), type(LETTERS).__name__)
    other = sg.StaticPartitionsDefinition(["a", "b"])
    assert not LETTERS.can_deserialize_subset(text, other.get_serializable_unique_identifier())
    assert not LETTERS.can_deserialize_subset(text, None, "DailyPartitionsDefinition")
    assert not LETTERS.can_deserialize_subset("no JSON")
    with pytest.raises(sg.InvalidInvocationError, match="not a partitions subset"):
        LETTERS.deserialize_subset("[1, {}]")


def test_sets_that_another_orchestrator_wrote_are_read() -> None:
    for text in ('["c", "a"]', '{"version": 1, "subset": ["c", "a"]}'):
        assert LETTERS.deserialize_subset(text) == LETTERS.subset_with_partition_keys(["a", "c"])
    start = datetime(2024, 1, 4, tzinfo=UTC).timestamp()
    windows = f'{{"version": 1, "time_windows": [[{start}, {start + 2 * 86400}]], "num_partitions": 2}}'
    assert list(DAYS.deserialize_subset(windows)) == ["2024-01-04", "2024-01-05"]
    assert list(DAYS.deserialize_subset(f"[[{start}, {start + 86400}]]")) == ["2024-01-04"]


def test_ten_million_partitions_are_counted_without_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    products = sg.StaticPartitionsDefinition([f"product-{number}" for number in range(10_000)])
    shops = sg.StaticPartitionsDefinition([f"shop-{number}" for number in range(1_000)])
    both = sg.MultiPartitionsDefinition({"product": products, "shop": shops})
    join = type(both).join_key
    monkeypatch.setattr(type(both), "join_key", lambda self, parts: written.append("") or join(self, parts))
    everything = both.subset_with_all_partitions()
    some = both.subset_with_partition_keys(
        [f"product-{number}|shop-{number % 1000}" for number in range(0, 10_000, 500)]
    )
    rest = everything - some
    assert (both.get_num_partitions(), len(everything), len(rest)) == (10_000_000, 10_000_000, 10_000_000 - len(some))
    assert "product-7|shop-7" in rest
    assert "product-500|shop-500" not in rest
    assert both.has_partition_key("product-9999|shop-999")
    assert rest | some == everything
    assert rest & some == both.empty_subset()
    assert len(written) < 1_000

    hours = sg.HourlyPartitionsDefinition("0900-01-01-00:00", end_date="2040-12-31-00:00")
    every_hour = hours.subset_with_all_partitions(datetime(2040, 12, 31, tzinfo=UTC))
    assert len(every_hour) == hours.get_num_partitions(datetime(2041, 1, 1, tzinfo=UTC)) > 9_900_000
    assert "1492-10-12-03:00" in every_hour
    assert len(every_hour - hours.subset_with_partition_keys(["1492-10-12-03:00"])) == len(every_hour) - 1


def test_windows_of_time_that_follow_each_other_are_one_stretch() -> None:
    some = DAYS.subset_with_partition_keys(["2024-01-02", "2024-01-04", "2024-01-06"])  # the 3rd is left out
    assert some.num_partitions == 3
    stretches = [(window.start.day, window.end.day) for window in some.included_time_windows]
    assert stretches == [(2, 5), (6, 7)]
    with pytest.raises(sg.InvalidInvocationError, match="not time windows"):
        _ = LETTERS.subset_with_partition_keys(["a"]).included_time_windows


LISTED = [LETTERS, DAYS, sg.MultiPartitionsDefinition({"day": DAYS, "letter": LETTERS})]


@given(data=st.data(), definition=st.sampled_from(LISTED))
@settings(max_examples=100, deadline=None)
def test_several_sets_together_hold_what_any_of_them_holds(
    data: st.DataObject, definition: sg.PartitionsDefinition
) -> None:
    keys = list(definition.get_partition_keys(NOW))
    sets = data.draw(st.lists(st.sets(st.sampled_from(keys), max_size=8), max_size=6))
    together = union_of_all(definition, [subset_of_keys(definition, each, NOW) for each in sets], NOW)
    expected = {key for each in sets for key in each}
    assert together == subset_of_keys(definition, expected, NOW)
    assert keys_of_subset(definition, together, NOW) == [key for key in keys if key in expected]


def test_an_identifier_changes_with_the_keys_of_a_dimension() -> None:
    multi = sg.MultiPartitionsDefinition({"customer": CUSTOMERS, "letter": LETTERS})
    with sg.Instance.ephemeral() as instance, sg.partition_loading_context(dynamic_partitions_store=instance):
        before = multi.get_serializable_unique_identifier()
        instance.add_dynamic_partitions("customers", ["ada"])
        assert before != multi.get_serializable_unique_identifier() == multi.get_serializable_unique_identifier()

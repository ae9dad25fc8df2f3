"""Partitions listed by name, and definitions of the user's own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from segue.errors import InvalidDefinitionError, UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.static import StaticPartitionsDefinition
from segue.model.partitions.subset import keys_of_subset, subset_of_keys

NOW = datetime(2024, 1, 1, tzinfo=UTC)
LETTERS = StaticPartitionsDefinition(["b", "a", "c"])


class Squares(PartitionsDefinition):
    """A definition as users write one: keys that grow with the years."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: object | None = None
    ) -> Sequence[str]:
        return [str(number**2) for number in range((current_time or NOW).year - 2020)]


def test_the_keys_keep_their_order() -> None:
    assert LETTERS.get_partition_keys() == ["b", "a", "c"]
    assert (LETTERS.get_first_partition_key(), LETTERS.get_last_partition_key()) == ("b", "c")
    assert LETTERS.get_num_partitions() == 3


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("b", "c", ["b", "a", "c"]), ("a", "a", ["a"]), ("c", "b", [])],
)
def test_a_range_includes_both_ends(start: str, end: str, expected: list[str]) -> None:
    assert LETTERS.get_partition_keys_in_range(PartitionKeyRange(start, end)) == expected


def test_an_unknown_key_is_refused_by_name() -> None:
    assert not LETTERS.has_partition_key("z")
    with pytest.raises(UnknownPartitionError, match="'z'"):
        LETTERS.validate_partition_key("z")
    with pytest.raises(UnknownPartitionError, match="'z'"):
        LETTERS.get_partition_keys_in_range(PartitionKeyRange("a", "z"))
    LETTERS.validate_partition_key("a")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a", "b", "a"], "duplicates: \\['a'\\]"),
        (["a", ""], "non-empty string"),
        (["a", 5], "non-empty string, got 5"),
        (["a...b"], "separates the two ends"),
        ("abc", "single string 'abc'"),
    ],
)
def test_what_cannot_be_a_list_of_keys_is_refused(keys: list[str], message: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=message):
        StaticPartitionsDefinition(keys)


def test_an_empty_list_has_neither_first_nor_last() -> None:
    nothing = StaticPartitionsDefinition([])
    assert nothing.get_first_partition_key() is None
    assert nothing.get_last_partition_key() is None


def test_a_value_that_cannot_change() -> None:
    assert StaticPartitionsDefinition(("b", "a", "c")) == LETTERS
    assert StaticPartitionsDefinition(["a", "b", "c"]) != LETTERS
    assert hash(StaticPartitionsDefinition(["b", "a", "c"])) == hash(LETTERS)
    assert pickle.loads(pickle.dumps(LETTERS)) == LETTERS == copy.deepcopy(LETTERS)
    assert repr(LETTERS) == "StaticPartitionsDefinition(partition_keys=['b', 'a', 'c'])"
    with pytest.raises(AttributeError, match="immutable"):
        LETTERS.other = 1
    keys = LETTERS.get_partition_keys()
    assert isinstance(keys, list)
    keys.clear()
    assert LETTERS.get_num_partitions() == 3


def test_a_definition_of_the_users_own_needs_only_its_keys() -> None:
    squares = Squares()
    assert squares.get_partition_keys_in_range(PartitionKeyRange("1", "9"), current_time=NOW) == ["1", "4", "9"]
    assert squares.has_partition_key("9", current_time=NOW)
    assert not squares.has_partition_key("9", current_time=datetime(2023, 1, 1, tzinfo=UTC))
    assert squares.get_last_partition_key(current_time=NOW) == "9"
    subset = subset_of_keys(squares, ["4", "0", "1"], NOW)
    assert subset.ranges == (("0", "4"),)
    assert keys_of_subset(squares, subset, NOW) == ["0", "1", "4"]
    with pytest.raises(UnknownPartitionError, match="'5'"):
        squares.validate_partition_key("5", current_time=NOW)


def test_partition_keys_are_a_list() -> None:
    with pytest.raises(InvalidDefinitionError, match="must be a list of strings, got None"):
        StaticPartitionsDefinition(None)  # pyright: ignore[reportArgumentType] reason: what is refused


@pytest.mark.parametrize("key", ["a\nb", "a\tb", "a\x00"])
def test_a_key_with_a_control_character_is_refused(key: str) -> None:
    with pytest.raises(InvalidDefinitionError, match="control character"):
        StaticPartitionsDefinition([key])

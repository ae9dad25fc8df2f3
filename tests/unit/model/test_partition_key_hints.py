"""What the error for a partition key that there is not says besides: which may have been meant."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import segue as sg

REGIONS = sg.StaticPartitionsDefinition(["north", "south", "east"])
DAYS = sg.DailyPartitionsDefinition(start_date="2021-05-05", end_date="2021-06-01")
BOTH = sg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})
NOW = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("definition", "key", "hint"),
    [
        (REGIONS, "nrth", "Did you mean 'north'?"),
        (REGIONS, "South", "Did you mean 'south' or 'north'?"),
        (REGIONS, "elsewhere", "'east'])."),
        (DAYS, "2021-05-04", "Its partition keys range from '2021-05-05' to '2021-05-31'."),
        (DAYS, "May 5", "Its partition keys range from '2021-05-05' to '2021-05-31'."),
        (sg.DailyPartitionsDefinition(start_date="2023-01-01"), "2023-01-01", "It has no partitions yet."),
        (BOTH, "2021-05-06|sout", "Partition key 'sout' not found in dimension 'region'. Did you mean 'south'?"),
        (
            BOTH,
            "2021-01-01|east",
            "Partition key '2021-01-01' not found in dimension 'day'. Its partition keys range from '2021-05-05' to",
        ),
        (BOTH, "east", "Its keys are written <day>|<region>."),
    ],
)
def test_the_error_names_what_may_have_been_meant(definition: sg.PartitionsDefinition, key: str, hint: str) -> None:
    with pytest.raises(sg.UnknownPartitionError, match=re.escape(f"Partition key {key!r} not found in ")) as raised:
        definition.validate_partition_key(key, NOW)
    assert hint in str(raised.value)


def test_keys_of_a_store_are_hinted_at_too() -> None:
    customers = sg.DynamicPartitionsDefinition(name="customers")
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", ["acme"])
        with pytest.raises(sg.UnknownPartitionError, match="Did you mean 'acme'"):
            customers.validate_partition_key("acne", dynamic_partitions_store=instance)


def test_the_end_of_a_range_is_hinted_at() -> None:
    with pytest.raises(sg.UnknownPartitionError, match="Its first partition key is '2021-05-05'"):
        DAYS.get_partition_keys_in_range(sg.PartitionKeyRange("2020-01-01", "2021-05-07"))
    with pytest.raises(sg.UnknownPartitionError, match="Did you mean 'east'"):
        REGIONS.get_partition_keys_in_range(sg.PartitionKeyRange("north", "est"))

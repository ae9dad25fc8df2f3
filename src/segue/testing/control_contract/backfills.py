"""Rules about backfills."""

from __future__ import annotations

import msgspec
import pytest

from segue.errors import BackfillNotFoundError, InvariantViolationError, LeaseLostError
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.control_stores import LoopLease
from segue.model.keys import AssetKey
from segue.model.partitions.subset import PartitionSubset
from segue.testing.control_contract.builders import Stores, wanted

TARGET = BackfillTarget(AssetKey(["a", "b"]), PartitionSubset((("2026-01-01", "2026-02-01"),)))


def backfill(name: str) -> Backfill:
    return Backfill(backfill_id=name, location="main", targets=(TARGET, BackfillTarget(AssetKey("c"))), tags={"x": "y"})


def backfills_come_back_as_they_were_written(stores: Stores) -> None:
    stores.control.create_backfill(backfill("one"))
    assert stores.control.get_backfill("one") == backfill("one")
    assert stores.control.get_backfill("two") is None
    with pytest.raises(InvariantViolationError):
        stores.control.create_backfill(backfill("one"))


def backfills_are_listed_newest_first_in_pages(stores: Stores) -> None:
    for name in ("one", "two", "three"):
        stores.control.create_backfill(backfill(name))
    paused = msgspec.structs.replace(backfill("two"), status=BackfillStatus.PAUSED)
    assert stores.control.update_backfill(paused, backfill("two"))
    assert [each.backfill_id for each in stores.control.backfills(None, 2)] == ["three", "two"]
    assert [each.backfill_id for each in stores.control.backfills(None, 2, "two")] == ["one"]
    open_ones = stores.control.backfills([BackfillStatus.REQUESTED, BackfillStatus.CANCELING], 10)
    assert [each.backfill_id for each in open_ones] == ["three", "one"]
    assert stores.control.backfills([], 10) == []
    with pytest.raises(BackfillNotFoundError, match="four"):
        stores.control.backfills(None, 2, "four")


def active_backfills_are_those_that_will_ask_for_more_runs(stores: Stores) -> None:
    for status in BackfillStatus:
        before = backfill(status.value)
        stores.control.create_backfill(before)
        assert stores.control.update_backfill(msgspec.structs.replace(before, status=status), before)
    requested = backfill("REQUESTED")
    paused = msgspec.structs.replace(backfill("PAUSED"), status=BackfillStatus.PAUSED)
    assert list(stores.store.active_backfills()) == [requested, paused]


def what_someone_changed_meanwhile_is_not_written_over(stores: Stores) -> None:
    stores.control.create_backfill(backfill("one"))
    canceling = msgspec.structs.replace(backfill("one"), status=BackfillStatus.CANCELING)
    assert stores.control.update_backfill(canceling, backfill("one"))
    further = msgspec.structs.replace(backfill("one"), runs=1)
    assert not stores.control.update_backfill(further, backfill("one"), [wanted("a")])
    assert stores.control.get_backfill("one") == canceling
    assert stores.store.get_run("a") is None


def a_backfill_is_written_with_its_runs(stores: Stores) -> None:
    stores.control.create_backfill(backfill("one"))
    further = msgspec.structs.replace(backfill("one"), runs=2)
    with pytest.raises(LeaseLostError):
        stores.control.update_backfill(further, backfill("one"), [wanted("a")], LoopLease("loop/backfills", 1))
    assert stores.control.update_backfill(further, backfill("one"), [wanted("a"), wanted("b")])
    assert [run.run_id for _, _, run in stores.control.queued_runs(10)] == ["a", "b"]
    assert stores.control.get_backfill("one") == further


RULES = (
    backfills_come_back_as_they_were_written,
    backfills_are_listed_newest_first_in_pages,
    active_backfills_are_those_that_will_ask_for_more_runs,
    what_someone_changed_meanwhile_is_not_written_over,
    a_backfill_is_written_with_its_runs,
)

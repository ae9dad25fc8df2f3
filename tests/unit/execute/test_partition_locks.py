"""Two runs never make the same partition of an asset at once, unless that is allowed."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import segue as dg
from segue.errors import ResourceBusyError
from segue.host.inprocess import execute_request
from segue.host.recorded_plan import retry_run
from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest, PartitionLocks, partition_resource
from segue.model.concurrency import Concurrency
from segue.model.event import EngineEventData, Event, EventType, RunFailureData
from segue.model.failure_class import FailureClass
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import EventFilter

DAYS = dg.StaticPartitionsDefinition(["mon", "tue", "wed"])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.Instance]:
    with dg.Instance.local_temp(str(tmp_path)) as instance:
        yield instance


def _definitions(
    tags: Mapping[str, str] | None = None, op_tags: Mapping[str, str] | None = None
) -> tuple[dg.Definitions, list[str]]:
    made: list[str] = []

    @dg.asset(tags=tags, op_tags=op_tags)
    def plain() -> None:
        made.append("plain")

    @dg.asset(partitions_def=DAYS, tags=tags, op_tags=op_tags)
    def daily(context: dg.AssetExecutionContext) -> None:
        made.extend(context.partition_keys)

    return dg.Definitions(assets=[plain, daily]), made


def _hold(instance: dg.Instance, asset: str, partition: str | None = None) -> None:
    """Has another run make it."""
    claimant = Claimant("other", None, instance.store.worker())
    request = ClaimRequest(claimant, (Claim(partition_resource(asset, partition), 1, 1),))
    assert instance.store.claim([request], 1.0)[0].is_granted


def _run(
    instance: dg.Instance,
    definitions: dg.Definitions,
    asset: str = "plain",
    partition: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> tuple[Run, list[str]]:
    """A run, and what its engine said."""
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event.payload, EngineEventData):
            said.append(event.payload.message)

    request = dg.RunRequest(asset_selection=[dg.AssetKey(asset)], partition_key=partition, tags=tags)
    return execute_request(definitions, instance, request, listen), said


def test_a_run_holds_what_it_makes_until_it_ends(instance: dg.Instance) -> None:
    held: list[str] = []

    @dg.asset
    def plain() -> None:
        held.extend(each.resource for each in instance.store.claim_records(ClaimFilter()))

    @dg.asset(partitions_def=DAYS)
    def daily() -> None:
        held.extend(each.resource for each in instance.store.claim_records(ClaimFilter()))

    for asset, partition in (("plain", None), ("daily", "tue")):
        run, _ = _run(instance, dg.Definitions(assets=[plain, daily]), asset, partition)
        assert run.is_success
    assert held == ["partition:plain|", "partition:daily|tue"]
    assert instance.store.claim_records(ClaimFilter()) == []


def test_what_is_looked_at_checked_or_no_asset_is_not_locked(instance: dg.Instance) -> None:
    held: list[str] = []

    @dg.asset
    def plain() -> None: ...

    @dg.asset_check(asset=plain)
    def is_good() -> dg.AssetCheckResult:
        held.extend(each.resource for each in instance.store.claim_records(ClaimFilter()))
        return dg.AssetCheckResult(passed=True)

    @dg.op
    def work() -> None:
        held.extend(each.resource for each in instance.store.claim_records(ClaimFilter()))

    @dg.job
    def ops() -> None:
        work()

    definitions = dg.Definitions(assets=[plain], asset_checks=[is_good], jobs=[ops])
    keys = [dg.AssetCheckKey(dg.AssetKey("plain"), "is_good")]
    assert execute_request(definitions, instance, dg.RunRequest(asset_selection=[], asset_check_keys=keys)).is_success
    assert execute_request(definitions, instance, dg.RunRequest(job_name="ops")).is_success
    assert held == []


def test_a_range_is_locked_partition_by_partition(instance: dg.Instance) -> None:
    definitions, made = _definitions({"segue/partition_lock": "skip"})
    tags = {"dagster/asset_partition_range_start": "mon", "dagster/asset_partition_range_end": "tue"}
    _hold(instance, "daily", "wed")
    assert _run(instance, definitions, "daily", tags=tags)[0].is_success
    assert made == ["mon", "tue"]
    _hold(instance, "daily", "tue")
    assert _run(instance, definitions, "daily", tags=tags)[0].status is RunStatus.CANCELED
    assert _run(instance, definitions, "daily", "mon")[0].is_success


def test_a_tag_of_the_run_wins_over_that_of_the_asset(instance: dg.Instance) -> None:
    definitions, made = _definitions({"segue/partition_lock": "fail"})
    _hold(instance, "plain")
    run, _ = _run(instance, definitions, "plain", tags={"segue/partition_lock": "skip"})
    assert (run.status, made) == (RunStatus.CANCELED, [])
    with pytest.raises(dg.InvalidDefinitionError, match="must be one of wait, skip, fail, allow, got 'maybe'"):
        _run(instance, definitions, "plain", tags={"segue/partition_lock": "maybe"})


def test_a_run_waits_until_the_other_one_has_ended_and_says_so_once(instance: dg.Instance) -> None:
    definitions, made = _definitions()
    _hold(instance, "plain")
    is_waiting = threading.Event()
    said: list[str] = []
    ended: list[Run] = []

    def listen(event: Event) -> None:
        if isinstance(event.payload, EngineEventData):
            said.append(event.payload.message)
            if event.payload.message.startswith("Waits"):
                is_waiting.set()

    request = dg.RunRequest(asset_selection=[dg.AssetKey("plain")])
    thread = threading.Thread(target=lambda: ended.append(execute_request(definitions, instance, request, listen)))
    thread.start()
    assert is_waiting.wait(30)
    assert made == []
    (waiting,) = instance.get_runs()
    assert waiting.status is RunStatus.STARTED
    instance.store.release_claims("other", None)
    thread.join(30)
    assert made == ["plain"]
    assert ended[0].is_success
    (text,) = [each for each in said if each.startswith("Waits")]
    assert "the asset 'plain' (1 of 1 in use by run other; 1 requested)" in text


def test_a_run_can_be_told_to_be_skipped(instance: dg.Instance) -> None:
    definitions, made = _definitions({"segue/partition_lock": "skip"})
    _hold(instance, "plain")
    run, _ = _run(instance, definitions)
    assert run.status is RunStatus.CANCELED
    assert made == []
    assert instance.store.claim_records(ClaimFilter(run_id=run.run_id)) == []
    result = dg.materialize(list(definitions.assets or ()), instance=instance, selection="plain")
    assert not result.success


def test_a_run_can_be_told_to_fail(instance: dg.Instance) -> None:
    instance.concurrency = Concurrency(partition_locks=PartitionLocks.FAIL)

    @dg.asset
    def plain() -> None: ...

    _hold(instance, "plain")
    with pytest.raises(ResourceBusyError, match="in use by run other") as caught:
        dg.materialize([plain], instance=instance)
    assert caught.value.resources == ("partition:plain|",)
    assert caught.value.run_ids == ("other",)
    (run,) = instance.get_runs()
    assert run.failure_reason is FailureReason.RESOURCE_BUSY
    (record,) = instance.store.events(EventFilter(types=(EventType.RUN_FAILURE,)), 2)
    failure = record.event.payload
    assert isinstance(failure, RunFailureData)
    assert failure.failure_class is FailureClass.RATE_LIMIT


@pytest.mark.parametrize(
    ("default", "tags", "op_tags", "status"),
    [
        ("allow", {}, {}, RunStatus.SUCCESS),
        ("skip", {"segue/partition_lock": "allow"}, {}, RunStatus.SUCCESS),
        ("skip", {}, {"segue/partition_lock": "allow"}, RunStatus.SUCCESS),
        ("allow", {"segue/partition_lock": "fail"}, {}, RunStatus.FAILURE),
        ("allow", {}, {"segue/partition_lock": "fail"}, RunStatus.FAILURE),
        ("wait", {"segue/partition_lock": "skip"}, {"segue/partition_lock": "fail"}, RunStatus.CANCELED),
    ],
)
def test_the_tag_of_an_asset_wins_over_that_of_its_step_and_the_setting(
    instance: dg.Instance, default: str, tags: dict[str, str], op_tags: dict[str, str], status: RunStatus
) -> None:
    instance.concurrency = Concurrency(partition_locks=PartitionLocks(default))
    definitions, made = _definitions(tags, op_tags)
    _hold(instance, "daily", "mon")
    run, _ = _run(instance, definitions, "daily", "mon")
    assert run.status is status
    assert made == (["mon"] if status is RunStatus.SUCCESS else [])


@pytest.mark.parametrize("where", [0, 1])
def test_a_tag_that_says_none_of_it_is_refused_with_the_definitions(where: int) -> None:
    tags = {"segue/partition_lock": "perhaps"}
    definitions, _ = _definitions(*((tags, None), (None, tags))[where])
    with pytest.raises(dg.DefinitionErrors, match=r"must be one of wait, skip, fail, allow, got 'perhaps'"):
        dg.Definitions.validate_loadable(definitions)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are POSIX")
def test_what_a_run_held_whose_end_could_not_be_recorded_is_free_for_the_next_one(instance: dg.Instance) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    made: list[str] = []

    @dg.asset(tags={"segue/partition_lock": "skip"})
    def plain() -> None:
        made.append("plain")
        if len(made) == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))

    definitions = dg.Definitions(assets=[plain])
    try:
        with pytest.raises(dg.StorageUnavailableError):
            _run(instance, definitions)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(instance.store.claim_records(ClaimFilter())) == 1
    run, _ = _run(instance, definitions)
    assert run.is_success
    assert instance.store.claim_records(ClaimFilter()) == []


def test_a_run_inside_a_step_works_under_the_locks_around_it(instance: dg.Instance) -> None:
    made: list[str] = []

    @dg.asset
    def plain(context: dg.AssetExecutionContext) -> None:
        made.append("plain")
        if len(made) == 1:
            assert dg.materialize([plain, other], instance=instance).success

    @dg.asset
    def other() -> None:
        made.append("other")

    assert dg.materialize([plain], instance=instance).success
    assert sorted(made) == ["other", "plain", "plain"]
    assert instance.store.claim_records(ClaimFilter()) == []


def test_a_retry_locks_only_what_it_makes(instance: dg.Instance) -> None:
    attempts: list[int] = []
    held: list[str] = []

    @dg.asset
    def first() -> None: ...

    @dg.asset(deps=[first])
    def second() -> None:
        attempts.append(1)
        held[:] = [each.resource for each in instance.store.claim_records(ClaimFilter())]
        if len(attempts) == 1:
            raise ValueError("once")

    definitions = dg.Definitions(assets=[first, second])
    failed = execute_request(definitions, instance, dg.RunRequest())
    assert sorted(held) == ["partition:first|", "partition:second|"]
    assert retry_run(definitions, instance, failed.run_id).is_success
    assert held == ["partition:second|"]

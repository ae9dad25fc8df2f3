"""Runs that are not this process's any more: nothing of them is recorded, and the error says so."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import segue as dg
from segue.model.event import EventType
from segue.model.run import RunStatus
from segue.storage.sqlite import open_sqlite


@pytest.fixture
def instance() -> Iterator[dg.Instance]:
    with dg.Instance.ephemeral() as instance:
        yield instance


def test_a_run_that_was_ended_from_outside_records_nothing_more(instance: dg.Instance) -> None:
    called: list[str] = []

    @dg.asset
    def first(context: dg.AssetExecutionContext) -> int:
        called.append("first")
        context.instance.report_run_failed(context.run, "given up by the operator")
        return 1

    @dg.asset
    def second(first: int) -> int:
        called.append("second")
        return first

    with pytest.raises(dg.LeaseLostError, match="has ended \\(FAILURE\\)") as caught:
        dg.materialize([first, second], instance=instance)
    (run,) = instance.get_runs()
    assert caught.value.name == run.run_id
    assert run.status is RunStatus.FAILURE
    assert called == ["first"]
    assert instance.get_latest_materialization_event(dg.AssetKey("first")) is None
    types = [record.event_log_entry.dagster_event_type for record in instance.get_records_for_run(run.run_id).records]
    assert types[-1] is EventType.RUN_FAILURE


def test_user_code_cannot_swallow_that_the_run_is_lost(instance: dg.Instance) -> None:
    @dg.op
    def stubborn(context: dg.OpExecutionContext) -> int:
        context.instance.report_run_canceled(context.run)
        with contextlib.suppress(Exception):
            context.log_event(dg.AssetMaterialization("table"))
        return 1

    @dg.op
    def after(before: int) -> None:
        raise AssertionError("not reached")

    @dg.job
    def both() -> None:
        after(stubborn())

    with pytest.raises(dg.LeaseLostError):
        both.execute_in_process(instance=instance)
    (run,) = instance.get_runs()
    assert run.status is RunStatus.CANCELED
    assert instance.get_latest_materialization_event(dg.AssetKey("table")) is None


class Stored(dg.IOManager):
    """Keeps the fencing token with each value."""

    def __init__(self) -> None:
        self.tokens: list[int | None] = []

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        context.require_lease()
        self.tokens.append(context.fencing_token)

    def load_input(self, context: dg.InputContext) -> object:
        return None


def test_user_code_is_given_a_token_that_grows_from_run_to_run(instance: dg.Instance) -> None:
    stored = Stored()
    seen: list[int | None] = []

    @dg.asset
    def table(context: dg.AssetExecutionContext) -> int:
        context.require_lease()
        seen.append(context.fencing_token)
        return 1

    @dg.op
    def write(context: dg.OpExecutionContext) -> int:
        seen.append(context.fencing_token)
        return 1

    @dg.job(resource_defs={"io_manager": dg.IOManagerDefinition.hardcoded_io_manager(stored)})
    def daily() -> None:
        write()

    for _ in range(2):
        dg.materialize([table], instance=instance, resources={"io_manager": stored})
        daily.execute_in_process(instance=instance)
    assert None not in seen
    assert seen == sorted(set(seen), key=lambda token: token or 0)
    assert len(seen) == 4
    assert stored.tokens == seen


def test_outside_of_a_run_there_is_no_lease_to_lose() -> None:
    context = dg.build_asset_context()
    context.require_lease()
    assert context.fencing_token is None
    output = dg.build_output_context(step_key="s", name="result")
    output.require_lease()
    assert output.fencing_token is None


def test_a_lease_that_is_lost_is_told_before_something_is_changed_outside(instance: dg.Instance) -> None:
    reached: list[str] = []

    @dg.asset
    def table(context: dg.AssetExecutionContext) -> None:
        context.instance.report_run_failed(context.run)
        try:
            context.require_lease()
            reached.append("behind")
        except dg.LeaseLostError:
            reached.append("lost")

    with pytest.raises(dg.LeaseLostError):
        dg.materialize([table], instance=instance)
    assert reached == ["lost"]


class Folder(dg.UPathIOManager):
    """Values as text, below a folder."""

    def dump_to_path(self, context: dg.OutputContext, obj: object, path: Path) -> None:
        path.write_text(str(obj))

    def load_from_path(self, context: dg.InputContext, path: Path) -> object:
        return path.read_text()


@pytest.mark.parametrize("manager", [dg.FilesystemIOManager, Folder])
def test_io_managers_store_nothing_of_a_lost_run(
    instance: dg.Instance, tmp_path: Path, manager: Callable[[Path], dg.IOManager]
) -> None:
    @dg.asset
    def table(context: dg.AssetExecutionContext) -> int:
        if context.run_tags.get("lose"):
            context.instance.report_run_failed(context.run)
        return len(instance.get_runs())

    resources = {"io_manager": manager(tmp_path)}
    assert dg.materialize([table], instance=instance, resources=resources).success
    before = (tmp_path / "table").read_bytes()
    with pytest.raises(dg.LeaseLostError):
        dg.materialize([table], instance=instance, resources=resources, tags={"lose": "yes"})
    assert [path.name for path in tmp_path.iterdir()] == ["table"]
    assert (tmp_path / "table").read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="waiting is not interrupted there")
def test_a_step_of_a_lost_run_is_interrupted_where_leases_run_out(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.lease_seconds = 0.15  # as on Postgres, where it is longer
    instance = dg.Instance(store, tmp_path / "storage")

    @dg.asset
    def long(context: dg.AssetExecutionContext) -> None:
        context.instance.report_run_failed(context.run, "given up by the operator")
        threading.Event().wait(60)
        raise AssertionError("was not interrupted")

    @dg.asset(deps=[long])
    def after() -> None:
        raise AssertionError("not reached")

    began = time.monotonic()
    with pytest.raises(dg.LeaseLostError, match="has ended \\(FAILURE\\)"):
        dg.materialize([long, after], instance=instance)
    assert time.monotonic() - began < 30
    (run,) = instance.get_runs()
    assert run.status is RunStatus.FAILURE
    types = [record.event_log_entry.dagster_event_type for record in instance.get_records_for_run(run.run_id).records]
    assert types[-1] is EventType.RUN_FAILURE
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="waiting is not interrupted there")
def test_a_step_of_a_canceled_run_is_interrupted_once_where_leases_run_out(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.lease_seconds = 0.15  # as on Postgres, where it is longer
    instance = dg.Instance(store, tmp_path / "storage")
    tidied: list[str] = []

    @dg.asset
    def long(context: dg.AssetExecutionContext) -> None:
        try:
            context.instance.report_run_canceling(context.run)
            threading.Event().wait(60)
            raise AssertionError("was not interrupted")
        finally:
            for _ in range(20):  # longer than the time between two looks
                threading.Event().wait(0.01)
            tidied.append("to the end")

    with pytest.raises(KeyboardInterrupt):
        dg.materialize([long], instance=instance)
    (run,) = instance.get_runs()
    assert run.status is RunStatus.CANCELED
    assert tidied == ["to the end"]
    store.close()


def test_a_run_that_keeps_its_lease_is_left_alone(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    store.lease_seconds = 0.01
    instance = dg.Instance(store, tmp_path / "storage")

    @dg.asset
    def table() -> None:
        names = {thread.name for thread in threading.enumerate()}
        assert "segue-run-lease" in names
        for _ in range(20):
            store.leases()

    for _ in range(5):
        assert dg.materialize([table], instance=instance).success
    store.close()


def test_a_run_whose_end_could_not_be_recorded_is_interrupted_as_soon_as_it_can_be(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with dg.Instance.local_temp(str(home)) as instance:

        @dg.asset
        def table() -> int:
            instance.store.close()
            home.rename(tmp_path / "away")
            home.touch()  # as a disk that is not there
            return 1

        with pytest.raises(dg.StorageUnavailableError):
            dg.materialize([table], instance=instance)
        home.unlink()
        (tmp_path / "away").rename(home)
        (run,) = instance.get_runs()
        assert run.status is RunStatus.FAILURE
        (record,) = instance.get_records_for_run(run.run_id, of_type=EventType.RUN_FAILURE).records
        assert "ended before the run did" in record.event_log_entry.message

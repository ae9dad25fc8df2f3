"""What is kept beside the log goes when nothing refers to it any more, and never while somebody may come to refer to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from segue.model.backfill import Backfill, BackfillStatus
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import AssetCheckEvaluationData
from segue.model.keys import AssetKey
from segue.model.location import LocationState, LocationStatus
from segue.model.metadata import normalize_metadata
from segue.model.retention import DAY, Retention
from segue.model.run import Run
from segue.model.stored_content import ArtifactSettings
from segue.model.stores import Store
from segue.retention import Removed, prune
from segue.storage.artifacts import ArtifactFolder, artifact_folder, artifacts_in
from segue.storage.for_control import retention_of
from segue.storage.opening import open_control
from segue.storage.postgres import open_postgres
from segue.storage.pruning import REFERRING_EVENTS
from segue.storage.sqlite import open_sqlite
from segue.storage.sqlite.dialect import SQLITE
from segue.testing.storage_contract.builders import add_events, made, started, succeeded

A = AssetKey("a")
RESULT = AssetCheckEvaluationData(
    AssetCheckEvaluation(A, "fresh", True, metadata=normalize_metadata({"text": "result\n" * 50_000}))
)
EVENTS = Retention(events=DAY, output=None, ticks=None, failed_ticks=None, evaluations=None)


def big(name: str) -> str:
    """A text that is too large for the log, a different one for each name."""
    return f"{name}\n" * 50_000


@pytest.fixture(params=["sqlite", "postgres"])
def store_in(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    def opened(home: Path) -> Store:
        if request.param == "sqlite":
            return open_sqlite(home)
        return open_postgres(request.getfixturevalue("postgres_url"), artifacts_in(home, None))

    return opened


def pruned(store: Store, home: Path, *, is_trial: bool = False) -> Removed:
    """What goes ten days from now."""
    total = Removed()
    for removed in prune(
        retention_of(store),
        open_control(store),
        EVENTS,
        time.time() + 10 * DAY,
        output_folder=None,
        artifacts=artifact_folder(home, ArtifactSettings()),
        is_asked=True,
        is_trial=is_trial,
    ):
        total = total.plus(removed)
    return total


def kept(home: Path) -> set[str]:
    """The first lines of what is kept in files."""
    return {path.read_text().split("\\n")[0].rpartition('"')[2] for path in (home / "artifacts").iterdir()}


def test_what_nothing_refers_to_goes_and_what_is_the_latest_stays(
    store_in: Callable[[Path], Store], tmp_path: Path
) -> None:
    store = store_in(tmp_path)
    for name in ("r1", "r2", "deleted"):
        store.create_run(Run(run_id=name, job_name="daily", created_at=time.time()), b"", b"", [])
    add_events(
        store, "r1", started(), made("a", text=big("old")), made("p", "1", text=big("of a partition")), succeeded()
    )
    add_events(store, "r2", started(), made("a", text=big("new")), RESULT, succeeded())
    add_events(store, "deleted", started(), made("b", text=big("of a run that is deleted")), succeeded())
    store.delete_run("deleted")
    (tmp_path / "artifacts" / "mine.txt").write_text("mine")
    latest = {"new", "of a partition", "result", "of a run that is deleted", "mine"}
    assert pruned(store, tmp_path, is_trial=True).artifacts == 0  # the events are there yet
    assert kept(tmp_path) == latest | {"old"}
    assert pruned(store, tmp_path).artifacts == 1
    assert kept(tmp_path) == latest
    assert store.asset_states([A])[A].materialization.metadata["text"].value == big("new")
    store.wipe(A, None, time.time())
    assert pruned(store, tmp_path, is_trial=True).artifacts == 0  # as long as its last events are there
    store.close()


def test_what_is_dropped_with_its_events_can_be_counted_before(
    store_in: Callable[[Path], Store], tmp_path: Path
) -> None:
    store = store_in(tmp_path)
    store.create_run(Run(run_id="r1", job_name="daily", created_at=time.time()), b"", b"", [])
    add_events(store, "r1", started(), made("a", text=big("old")), succeeded())
    store.delete_run("r1")
    add_events(store, None, made("a"))
    assert [pruned(store, tmp_path, is_trial=trial).artifacts for trial in (True, True, False, False)] == [1, 1, 1, 0]
    assert kept(tmp_path) == set()
    store.close()


def test_what_a_writer_comes_upon_meanwhile_stays(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path)
    add_events(store, None, made("a", text=big("again")))
    (path,) = (tmp_path / "artifacts").iterdir()
    os.utime(path, (1.0, 1.0))
    add_events(store, None, made("a"))
    folder = ArtifactFolder(tmp_path / "artifacts")
    before = time.time() - DAY
    assert folder.untouched(before) == [path.name]
    add_events(store, None, made("b", text=big("again")))  # between the look and the removal
    assert not folder.remove(path.name, before)
    assert folder.untouched(before) == []
    (state,) = store.asset_states([AssetKey("b")]).values()
    assert state.materialization.metadata["text"].value == big("again")
    assert [each.name for each in (tmp_path / "artifacts").iterdir()] == [path.name]
    store.close()


def test_a_writer_that_comes_after_the_removal_writes_anew(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path)
    add_events(store, None, made("a", text=big("again")))
    (path,) = (tmp_path / "artifacts").iterdir()
    os.utime(path, (1.0, 1.0))
    folder = ArtifactFolder(tmp_path / "artifacts")
    assert folder.remove(path.name, 2.0)
    assert not folder.remove(path.name, 2.0)  # as another process that prunes at once
    add_events(store, None, made("b", text=big("again")))
    assert kept(tmp_path) == {"again"}
    store.close()


def test_leavings_of_processes_that_died_go(tmp_path: Path) -> None:
    names = [f"{'a' * 32}.77.part", f"{'b' * 32}.removed", "c" * 32, "notes.part.txt", "film.part", "one.removed"]
    for name in names:
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1.0, 1.0))
    assert ArtifactFolder(tmp_path).untouched(2.0) == ["c" * 32]
    assert {path.name for path in tmp_path.iterdir()} == {"c" * 32, "notes.part.txt", "film.part", "one.removed"}
    assert ArtifactFolder(tmp_path / "nowhere").untouched(2.0) == []


def test_an_object_store_is_left_alone(tmp_path: Path) -> None:
    assert artifact_folder(tmp_path, ArtifactSettings("s3://bucket/segue")) is None


def test_the_few_events_that_refer_to_files_are_found_by_an_index(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path)
    statement = f"EXPLAIN QUERY PLAN {REFERRING_EVENTS.format(SQLITE.has_artifact)}"
    (line,) = store.database.read(statement, (0, 10))
    assert line[-1] == "SEARCH events USING INDEX events_with_artifacts (id>?)"
    store.close()


def test_the_definitions_that_an_open_backfill_goes_by_stay(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path)
    control = open_control(store)
    state = LocationState(name="shop", status=LocationStatus.READY, manifest_hash="old")
    control.put_location(state, b"{}")
    control.put_location(replace(state, manifest_hash="new"), b"{}")
    backfill = Backfill(backfill_id="b1", location="shop", manifest_hash="old")
    control.create_backfill(backfill)
    pruned(store, tmp_path)
    assert control.get_manifest("old") is not None
    control.update_backfill(replace(backfill, status=BackfillStatus.COMPLETED_SUCCESS), backfill)
    pruned(store, tmp_path)
    assert control.get_manifest("old") is None
    assert control.get_manifest("new") is not None
    store.close()

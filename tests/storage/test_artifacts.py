"""Metadata that is too large for the event log is kept beside it, is read as before, and is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import segue as sg
from segue.errors import StorageUnavailableError
from segue.model.event import AssetObservationData, Event
from segue.model.keys import AssetKey
from segue.model.materialization import AssetObservation
from segue.model.metadata_values import StoredMetadataValue
from segue.model.stored_content import ArtifactSettings
from segue.model.stores import EventFilter, Store
from segue.storage.artifacts import artifacts_in
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import open_memory, open_sqlite
from segue.testing.storage_contract.builders import add_events, checked, made

BIG = "a line of text\n" * 10_000  # 150 kB
A = AssetKey("a")


@pytest.fixture(params=["sqlite", "postgres"])
def store_in(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    def opened(home: Path) -> Store:
        if request.param == "sqlite":
            return open_sqlite(home)
        return open_postgres(request.getfixturevalue("postgres_url"), artifacts_in(home, None))

    return opened


def test_what_is_too_large_is_kept_in_a_file(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path / "home")
    place = add_events(store, None, made("a", small=1, text=BIG, data={"rows": list(range(40_000))}))
    assert len(list((tmp_path / "home" / "artifacts").iterdir())) == 2
    first, second, event = store.events(EventFilter(), None)
    assert event.storage_id == place
    for note, key in ((first, "text"), (second, "data")):
        assert note.event.event_type_value == "LOG_MESSAGE"
        assert f"The metadata '{key}'" in note.event_log_entry.user_message
    for materialization in (event.asset_materialization, store.asset_states([A])[A].materialization):
        assert materialization is not None
        assert materialization.metadata["small"].value == 1
        text = materialization.metadata["text"]
        assert isinstance(text, StoredMetadataValue)
        assert (text.kind, text.preview) == ("text", BIG[:200])
        assert text.size == Path(text.path).stat().st_size
        assert text.value == BIG
        assert text.load() == sg.MetadataValue.text(BIG)
        assert materialization.metadata["data"].value == {"rows": list(range(40_000))}
    add_events(store, None, made("b", other=BIG))
    assert len(list((tmp_path / "home" / "artifacts").iterdir())) == 2  # the same content, the same file
    store.close()


def test_of_many_the_largest_go(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path / "home")
    sizes = {f"m{number}": "x" * (30_000 + 100 * number) for number in range(40)}  # 1.28 MB
    add_events(store, None, made("a", **sizes))
    (event,) = store.events(EventFilter(asset_key=A), None)
    materialization = event.asset_materialization
    assert materialization is not None
    moved = {key for key, value in materialization.metadata.items() if isinstance(value, StoredMetadataValue)}
    assert moved == {f"m{number}" for number in range(40 - len(moved), 40)}
    assert 6 <= len(moved) <= 9
    assert {key: value.value for key, value in materialization.metadata.items()} == sizes
    store.close()


def test_every_kind_of_event_with_metadata(store_in: Callable[[Path], Store], tmp_path: Path) -> None:
    store = store_in(tmp_path / "home")
    observed = AssetObservation("a", metadata={"big": BIG})
    store.append([Event(1.0, AssetObservationData(observed))])
    assert store.observation_states([A])[A].observation.metadata["big"].value == BIG
    evaluation = checked("a", "fresh")
    add_events(store, None, type(evaluation)(evaluation.evaluation.with_metadata({"big": BIG})))
    (state,) = store.check_states(None).values()
    assert state.evaluation.metadata["big"].value == BIG
    store.close()


def test_a_home_may_be_moved_and_a_lost_file_is_named(tmp_path: Path) -> None:
    content = f"{BIG}{tmp_path}"
    store = open_sqlite(tmp_path / "home")
    add_events(store, None, made("a", text=content))
    store.close()
    (tmp_path / "home").rename(tmp_path / "moved")
    store = open_sqlite(tmp_path / "moved")
    text = store.asset_states([A])[A].materialization.metadata["text"]
    assert text.value == content
    for file in (tmp_path / "moved" / "artifacts").iterdir():
        file.unlink()
    with pytest.raises(StorageUnavailableError, match=r"artifacts.* \(160,\d\d\d bytes\) cannot be read"):
        assert text.value
    store.close()


def test_in_memory_all_stays_in_the_log() -> None:
    store = open_memory()
    add_events(store, None, made("a", text=BIG))
    assert store.asset_states([A])[A].materialization.metadata["text"] == sg.MetadataValue.text(BIG)


def test_the_place_and_the_limits_can_be_set(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "home", ArtifactSettings(str(tmp_path / "else where"), 1_024, 4_096))
    add_events(store, None, made("a", text="x" * 1_100))
    (file,) = (tmp_path / "else where").iterdir()
    assert json.loads(file.read_bytes()) == {"type": "text", "text": "x" * 1_100}
    store.close()


def test_nothing_is_recorded_where_it_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = open_sqlite(tmp_path / "home", ArtifactSettings(str(tmp_path / "file")))
    with pytest.raises(StorageUnavailableError, match="artifacts"):
        add_events(store, None, made("a", text=BIG))
    assert store.events(EventFilter(), None) == []
    store.close()


def test_user_code_sees_no_difference(tmp_path: Path) -> None:
    @sg.asset
    def report() -> sg.MaterializeResult[None]:
        return sg.MaterializeResult(metadata={"text": sg.MetadataValue.md(BIG), "rows": 3})

    with sg.Instance.local_temp(str(tmp_path)) as instance:
        result = sg.materialize([report], instance=instance)
        event = instance.get_latest_materialization_event(sg.AssetKey("report"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["text"].value == BIG
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
        assert sum("too large for the event log" in each for each in said) == 1
    assert list((tmp_path / "artifacts").iterdir())

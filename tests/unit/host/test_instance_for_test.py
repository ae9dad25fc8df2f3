"""Instances for tests: what they give, and what they leave as it was."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

import segue as sg


@sg.asset
def a() -> int:
    return 1


def test_inside_the_block_it_is_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_HOME", "/nowhere")
    with sg.instance_for_test(overrides={"telemetry": {"enabled": False}}) as instance:
        folder = Path(os.environ["SEGUE_HOME"])
        result = sg.materialize([a], instance=instance)
        with sg.Instance.get() as same:
            assert same.get_run_by_id(result.run_id) == result.run
        assert Path(instance.storage_directory()).is_relative_to(folder)
    assert os.environ["SEGUE_HOME"] == "/nowhere"
    assert not folder.exists()


def test_a_given_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEGUE_HOME", raising=False)
    with sg.instance_for_test(temp_dir=str(tmp_path), synchronous_run_launcher=True) as instance:
        run_id = sg.materialize([a], instance=instance).run_id
    assert "SEGUE_HOME" not in os.environ
    with sg.instance_for_test(temp_dir=str(tmp_path), set_dagster_home=False) as again:
        assert again.has_run(run_id)
        assert not again.has_run("nobody")
        assert "SEGUE_HOME" not in os.environ


def test_parts_cannot_be_replaced() -> None:
    with (
        pytest.raises(sg.NotSupportedError, match="'run_launcher', 'storage'"),
        sg.instance_for_test(overrides={"storage": {}, "run_launcher": {}}),
    ):
        pass


def test_where_an_instance_keeps_what_it_records(tmp_path: Path) -> None:
    with sg.instance_for_test(temp_dir=str(tmp_path)) as stored, sg.Instance.ephemeral() as passing:
        assert (stored.is_persistent, stored.is_ephemeral) == (True, False)
        assert (passing.is_persistent, passing.is_ephemeral) == (False, True)
        assert stored.root_directory == str(tmp_path)
        assert Path(passing.storage_directory()).parent == Path(passing.root_directory)
        run_id = sg.materialize([a], instance=stored).run_id
        with sg.Instance.from_ref(pickle.loads(pickle.dumps(stored.get_ref()))) as same:
            assert same.get_run_ids() == [run_id]
        with pytest.raises(sg.InvariantViolationError, match="memory"):
            passing.get_ref()
    folder = passing.root_directory
    passing.dispose()
    assert not Path(folder).exists()

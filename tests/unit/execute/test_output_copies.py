"""What steps write, copied to a URL: read from there without the files of the run, and never in the way of a step."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner

import segue as sg
from segue.cli.run_logs import logs
from segue.model.event import LogMessageData
from segue.output_copies import CopiesOfRuns, OutputCopier, OutputCopies

LONG_AGO = 1_000_000_000.0


def talks() -> None:
    print("0123456789")
    print("oh no", file=sys.stderr)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Sets where things are; gives back the folder of the local logs."""

    def put(logs: str, limit: int = 1000) -> Path:
        for name, value in {"HOME": str(tmp_path / "home"), "LOGS": logs, "LOG_LIMIT": str(limit)}.items():
            monkeypatch.setenv(f"SEGUE_{name}", value)
        return tmp_path / "home" / "logs"

    return put


def run() -> sg.ExecuteInProcessResult:
    return sg.materialize([sg.asset(talks)], instance=sg.Instance.get())


def shown(run_id: str, *options: str) -> str:
    answer = CliRunner().invoke(logs, [run_id, *options], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def place(scheme: str, tmp_path: Path) -> str:
    return f"{scheme}://{tmp_path}/copies" if scheme == "file" else f"memory://{tmp_path.name}/copies"


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_copies_are_shown_where_the_files_are_not(scheme: str, settings: Callable[..., Path], tmp_path: Path) -> None:
    folder = settings(place(scheme, tmp_path))
    run_id = run().run_id
    here = shown(run_id)
    assert here == "talks:\n0123456789\n"
    assert str(folder) in shown(run_id, "--json")
    shutil.rmtree(folder)
    assert shown(run_id) == here
    assert f'"{scheme}://' in shown(run_id, "--json")


def test_a_copy_is_cut_where_the_file_is(settings: Callable[..., Path], tmp_path: Path) -> None:
    settings(place("memory", tmp_path), limit=4)
    run_id = run().run_id
    files = fsspec.filesystem("memory")
    text = files.cat_file(f"/{tmp_path.name}/copies/{run_id}/talks-1.out")
    assert text == b"0123\n(7 more bytes were written and are not kept)\n"


def test_a_place_that_is_away_is_told_once_and_in_no_steps_way(settings: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("where a folder should be")
    folder = settings(place("file", tmp_path))
    result = run()
    assert result.success
    payloads = [stored.event.payload for stored in sg.Instance.get().all_logs(result.run_id)]
    warnings = [each.message for each in payloads if isinstance(each, LogMessageData) and each.level == logging.WARNING]
    assert len(warnings) == 1
    assert f"could not be copied to file://{tmp_path}/copies/{result.run_id}" in warnings[0]
    assert str(folder / result.run_id) in warnings[0]
    assert shown(result.run_id) == "talks:\n0123456789\n"


def test_what_could_not_be_copied_is_copied_once_the_place_is_back(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "talks-1.out").write_text("hello")
    (tmp_path / "copies").write_text("where a folder should be")
    url, has_warned = f"{place('file', tmp_path)}/run", threading.Event()
    with OutputCopier(tmp_path / "run", url, lambda _: has_warned.set()):
        assert has_warned.wait(30)
        (tmp_path / "copies").unlink()
    [copy] = OutputCopies(url).files(is_last=True)
    assert (copy.path.read_bytes(), copy.size) == (b"hello", 5)


@pytest.mark.parametrize(
    ("url", "said"), [("memory://copies", r"pip install 'segue\[paths\]'"), ("nowhere://copies", "nowhere")]
)
def test_what_is_not_installed_is_named(
    url: str, said: str, settings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(url)
    if url.startswith("memory"):
        monkeypatch.setitem(sys.modules, "upath", None)  # as where it is not installed
    with pytest.raises(sg.NotSupportedError, match=said):
        run()


def test_copies_of_a_run_are_removed_together(tmp_path: Path) -> None:
    for name in ("old", "young"):
        folder = tmp_path / "copies" / name
        folder.mkdir(parents=True)
        for file in ("a-1.out", "a-1.err"):
            (folder / file).write_text("hello")
            os.utime(folder / file, (LONG_AGO, LONG_AGO))
    os.utime(tmp_path / "copies" / "young" / "a-1.err")
    copies = CopiesOfRuns(place("file", tmp_path))
    assert sorted(copies.runs()) == ["old", "young"]
    assert [copies.is_untouched(name, LONG_AGO + 1) for name in ("old", "young")] == [True, False]
    copies.remove("old")
    copies.remove("old")  # another process was first
    assert copies.runs() == ["young"]

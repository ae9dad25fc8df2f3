"""What steps in the process of the run write to stdout and stderr: kept by attempt, and still written where it went."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.execute.capture import StreamCapture, file_name, step_of_file
from segue.host.inprocess import execute_request
from segue.model.event import LogsCapturedData


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[sg.Instance]:
    with sg.Instance.local_temp(str(tmp_path)) as instance:
        yield instance


def kept(instance: sg.Instance, *functions: Callable[[], Any]) -> dict[str, tuple[str, str]]:
    """What is kept of each attempt of a run of these assets: stdout and stderr."""
    assets = [sg.asset(name=each.__name__, retry_policy=sg.RetryPolicy(max_retries=1))(each) for each in functions]
    result = sg.materialize(assets, instance=instance, raise_on_error=False)
    found: dict[str, tuple[str, str]] = {}
    for event in result.all_events:
        data = event.payload
        if isinstance(data, LogsCapturedData):
            texts = [Path(each.place).read_text() if each else "" for each in (data.stdout, data.stderr)]
            sizes = [len(text.encode()) for text in texts]
            assert sizes == [each.size if each else 0 for each in (data.stdout, data.stderr)]
            found[f"{event.step_key} {data.attempt}"] = (texts[0], texts[1])
    return found


def prints() -> None:
    print("hello ☃")
    print("oh no", file=sys.stderr)


def silent() -> None: ...


def fails() -> None:
    print("trying")
    raise ValueError("no")


def test_both_streams_are_kept_by_attempt_and_still_written(
    instance: sg.Instance, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = kept(instance, prints, silent, fails)
    assert found == {
        "prints 1": ("hello ☃\n", "oh no\n"),
        "fails 1": ("trying\n", ""),
        "fails 2": ("trying\n", ""),
    }
    written = capsys.readouterr()
    assert (sorted(written.out.splitlines()), written.err) == (["hello ☃", "trying", "trying"], "oh no\n")
    [folder] = (tmp_path / "logs").iterdir()
    assert sorted(each.name for each in folder.iterdir()) == [
        "fails-1.out",
        "fails-2.out",
        "prints-1.err",
        "prints-1.out",
    ]


def test_the_streams_of_the_process_are_given_back(instance: sg.Instance) -> None:
    before = (sys.stdout, sys.stderr)
    kept(instance, prints)
    assert (sys.stdout, sys.stderr) == before


def closes() -> None:
    print("before")
    sys.stdout.close()
    sys.stderr.close()


def replaces() -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        print("elsewhere")
    sys.stdout.write("here")
    sys.stdout.writelines([" and", " there\n"])
    sys.stdout.buffer.write(b"bytes\n")
    sys.stdout.flush()


def from_threads() -> None:
    threads = [threading.Thread(target=lambda: sys.stdout.write("from a thread\n")) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def after() -> None:
    print("after")


def test_code_that_closes_replaces_or_shares_the_streams_does_no_harm(instance: sg.Instance, capfd: Any) -> None:
    assert kept(instance, closes)["closes 1"] == ("before\n", "")
    assert kept(instance, replaces)["replaces 1"] == ("here and there\nbytes\n", "")
    assert kept(instance, from_threads)["from_threads 1"] == ("from a thread\n" * 3, "")
    assert kept(instance, after)["after 1"] == ("after\n", "")
    assert capfd.readouterr().out.count("after") == 1


def test_what_is_left_in_place_of_a_stream_stays(instance: sg.Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    own = io.StringIO()

    def leaves() -> None:
        monkeypatch.setattr(sys, "stdout", own)
        print("to the other")

    assert kept(instance, leaves) == {}
    assert sys.stdout is own
    assert own.getvalue() == "to the other\n"


def test_a_stream_that_outlives_the_run_still_writes(instance: sg.Instance, capsys: pytest.CaptureFixture[str]) -> None:
    held: list[Any] = []

    def holds() -> None:
        held.append(sys.stdout)

    kept(instance, holds)
    print("late", file=held[0])
    assert capsys.readouterr().out == "late\n"


def test_runs_in_two_threads_keep_what_is_theirs(instance: sg.Instance) -> None:
    barrier = threading.Barrier(2)
    found: dict[str, tuple[str, str]] = {}

    def made(name: str) -> Callable[[], None]:
        def function() -> None:
            barrier.wait(30)
            print(name)
            barrier.wait(30)

        function.__name__ = name
        return function

    threads = [
        threading.Thread(target=lambda each=each: found.update(kept(instance, made(each)))) for each in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a 1": ("a\n", ""), "b 1": ("b\n", "")}


def test_who_watches_a_run_does_not_write_into_its_steps(instance: sg.Instance) -> None:
    @sg.asset
    def logs(context: sg.AssetExecutionContext) -> None:
        context.log.info("line")
        print("own")

    defs = sg.Definitions([logs])
    request = sg.RunRequest(asset_selection=[sg.AssetKey("logs")])
    captured: list[LogsCapturedData] = []

    def watch(event: sg.Event) -> None:
        print("watching")
        if isinstance(event.payload, LogsCapturedData):
            captured.append(event.payload)

    execute_request(defs, instance, request, watch)
    assert captured[0].stdout is not None
    assert Path(captured[0].stdout.place).read_text() == "own\n"


def test_an_instance_in_memory_keeps_nothing(tmp_path: Path) -> None:
    with sg.Instance.ephemeral(str(tmp_path)) as instance:
        assert kept(instance, prints) == {}
    assert not list(tmp_path.rglob("*.out"))


def test_a_folder_that_cannot_be_written_fails_no_step(instance: sg.Instance, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file stands in the way")
    result = sg.materialize([sg.asset(prints)], instance=instance)
    assert result.success
    assert any("could not be captured" in event.message for event in instance.all_logs(result.run_id))


def test_a_stream_is_cut_at_its_limit_and_says_so(tmp_path: Path) -> None:
    capture = StreamCapture(tmp_path / "a-1.out", 5)
    capture.take(b"abc")
    capture.take(b"defg")
    stream = capture.end()
    assert stream is not None
    assert (stream.size, stream.dropped) == (7, 2)
    assert (tmp_path / "a-1.out").read_bytes().startswith(b"abcde\n(2 more bytes")


@pytest.mark.parametrize("key", ["a", "graph.a[x]", "a/b c-2", "ü"])
def test_the_name_of_a_file_says_of_which_step_it_is(key: str) -> None:
    assert step_of_file(file_name(key, 3)) == (key, 3)


def test_a_process_without_streams_runs(tmp_path: Path) -> None:
    code = (
        "import sys, segue as sg\n"
        "sys.stdout = sys.stderr = None\n"
        "@sg.asset\n"
        "def a(): print('nowhere')\n"
        f"with sg.Instance.local_temp({str(tmp_path)!r}) as instance:\n"
        "    assert sg.materialize([a], instance=instance).success\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Readers and injectors of one's own, sessions over several processes, and what the log says when nobody talks."""

from __future__ import annotations

import base64
import json
import os
import threading
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import segue as sg


def said(method: str, **params: Any) -> dict[str, Any]:
    return {"__dagster_pipes_version": "0.1", "method": method, "params": params}


class Told(sg.PipesMessageReader):
    """Messages that the test itself gives."""

    def __init__(self, *messages: Mapping[str, Any]) -> None:
        self.messages = messages
        self.launched: list[sg.PipesLaunchedData] = []
        self.opened: list[Any] = []

    @contextmanager
    def read_messages(self, handler: sg.PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        self.handler = handler
        yield {"where": "here"}
        for message in self.messages:
            handler.handle_message(dict(message))

    def on_launched(self, launched_payload: sg.PipesLaunchedData) -> None:
        self.launched.append(launched_payload)

    def on_opened(self, opened_payload: Any) -> None:
        self.opened.append(opened_payload)

    def no_messages_debug_text(self) -> str:
        return "Messages were expected from the test."


Talk = list[tuple[sg.PipesSession, Any]]


def talk(
    reader: sg.PipesMessageReader, injector: sg.PipesContextInjector | None = None, act: Any = None
) -> tuple[sg.ExecuteInProcessResult, Sequence[sg.PipesExecutionResult]]:
    """A step with a session that is read by `reader`; `act` is called with the session while it is open."""
    found: list[Any] = []

    @sg.asset
    def orders(context: sg.AssetExecutionContext) -> Any:
        with sg.open_pipes_session(context, injector or sg.PipesEnvContextInjector(), reader) as session:
            if act is not None:
                act(session)
        found.extend(session.get_results())
        yield from found

    return sg.materialize([orders], raise_on_error=False), found


def test_a_reader_of_ones_own_is_told_when_the_process_starts_and_begins() -> None:
    reader = Told(said("opened", extras={"job": 7}), said("closed"))
    done, results = talk(reader, act=lambda session: session.report_launched({"extras": {"pid": 3}}))
    assert done.success
    assert reader.launched == [{"extras": {"pid": 3}}]
    assert reader.opened == [{"extras": {"job": 7}}]
    assert [type(each) for each in results] == [sg.MaterializeResult]
    assert reader.handler.received_closed_message


def test_what_breaks_a_reader_fails_the_step_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Told):
        @contextmanager
        def read_messages(self, handler: sg.PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
            yield {}
            error = ConnectionError("cable cut")
            handler.report_pipes_framework_exception("the cable", (ConnectionError, error, None))

    done, _ = talk(Broken())
    assert not done.success
    failure = done.get_step_failure_events()[0].step_failure_data.error
    assert failure is not None
    assert "the cable raised ConnectionError('cable cut')" in failure.message
    assert "[pipes] the cable raised." in caplog.text


def test_several_processes_each_get_parameters_of_their_own(tmp_path: Path) -> None:
    one, two = Told(said("opened"), said("closed")), Told(said("opened"), said("closed"))
    found: list[Any] = []

    def act(session: sg.PipesSession) -> None:
        found.extend(session.get_per_writer_bootstrap_env_vars())
        arguments = session.get_per_writer_bootstrap_cli_arguments()
        assert [list(each.values()) for each in arguments] == [list(each.values()) for each in found]
        assert all(name.startswith("--dagster-pipes-") for each in arguments for name in each)
        assert session.default_remote_invocation_info["dagster/run-id"] == session.context.run_id
        assert session.default_remote_invocation_info["dagster/job"] == session.context.job_name
        session.report_launched({"extras": {}})

    done, _ = talk(sg.PipesCompositeMessageReader([one, two]), act=act)
    assert done.success
    packed = [each["DAGSTER_PIPES_MESSAGES"] for each in found]
    assert [json.loads(zlib.decompress(base64.b64decode(each))) for each in packed] == [{"where": "here"}] * 2
    assert (one.launched, two.launched) == ([{"extras": {}}], [{"extras": {}}])
    assert one.opened


@pytest.mark.parametrize("kind", ["file", "composite", "own"])
def test_silence_is_told_with_where_the_talk_was_expected(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told, context = tmp_path / "messages", tmp_path / "context.json"
    file = sg.PipesFileMessageReader(str(told))
    reader = {"file": file, "composite": sg.PipesCompositeMessageReader([file, Told()]), "own": Told()}[kind]
    given: list[Any] = []

    def act(session: sg.PipesSession) -> None:
        given.append(json.loads(context.read_text())["asset_keys"])

    done, _ = talk(reader, sg.PipesFileContextInjector(str(context)), act)
    assert done.success
    assert given == [["orders"]]
    assert not context.exists()
    expected = {"file": [str(told)], "composite": [str(told), "from the test"], "own": ["from the test"]}[kind]
    for text in (str(context), *expected):
        assert text in caplog.text


class Chunks(sg.PipesBlobStoreMessageReader):
    """Chunks that the test gives; the process is said to have ended when they are read."""

    def __init__(self, *chunks: str) -> None:
        super().__init__(interval=0.01)
        self.chunks = chunks

    @contextmanager
    def get_params(self) -> Generator[Mapping[str, Any]]:
        yield {"store": "memory"}

    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        return self.chunks[index - 1] if index <= len(self.chunks) else None

    def no_messages_debug_text(self) -> str:
        return "Chunks were expected."


class Printed(sg.PipesLogReader):
    """What a process printed, read at once."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.read = threading.Event()

    def start(self, params: Mapping[str, Any], is_session_closed: threading.Event) -> None:
        self.read.set()

    def stop(self) -> None:
        """It has stopped already."""

    def is_running(self) -> bool:
        return False

    def target_is_readable(self, params: Mapping[str, Any]) -> bool:
        return self.target.exists()


def test_a_log_reader_may_be_added_while_messages_are_read(tmp_path: Path) -> None:
    printed = Printed(tmp_path / "printed")
    assert (printed.name, printed.debug_info, printed.with_debug_info("nothing came")) == (
        "Printed",
        None,
        "nothing came",
    )
    lines = "\n".join(json.dumps(each) for each in (said("opened"), said("closed")))
    reader = Chunks(lines)

    def act(session: sg.PipesSession) -> None:
        reader.add_log_reader(printed)
        printed.target.write_text("hello")
        assert printed.read.wait(60)

    done, _ = talk(reader, act=act)
    assert done.success
    assert reader.launched_payload is None
    assert reader.opened_payload == {}
    assert os.listdir(tmp_path) == ["printed"]

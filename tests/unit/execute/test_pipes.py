"""Steps that talk with external processes: real ones, that speak the protocol with the library of its makers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import segue as dg
from segue.errors import InvariantViolationError, PipesExecutionError

BOTH = "import dagster_pipes\nwith dagster_pipes.open_dagster_pipes() as pipes:\n"
WRITE = """
    import base64, json, os, zlib
    place = json.loads(zlib.decompress(base64.b64decode(os.environ["DAGSTER_PIPES_MESSAGES"])))["path"]
    with open(place, "a") as messages:
        messages.write({text!r})
    """


def command(code: str, *, talks: bool = True) -> list[str]:
    """A Python process; with `talks` the code stands inside of an open pipe."""
    text = textwrap.dedent(code).strip()
    return [sys.executable, "-W", "ignore", "-c", BOTH + textwrap.indent(text, "    ") if talks else text]


def run(
    code: str, client: dg.PipesSubprocessClient | None = None, *, talks: bool = True, extras: Any = None, **asset: Any
) -> dg.ExecuteInProcessResult:
    @dg.asset(**asset)
    def orders(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient) -> Any:
        return pipes.run(context=context, command=command(code, talks=talks), extras=extras).get_results()

    return dg.materialize([orders], resources={"pipes": client or dg.PipesSubprocessClient()})


def lines_of(result: dg.ExecuteInProcessResult) -> list[str]:
    return [str(event.payload.message) for event in result.all_logs if type(event.payload).__name__ == "LogMessageData"]


def materialization(result: dg.ExecuteInProcessResult) -> Any:
    (event,) = result.get_asset_materialization_events()
    return event.materialization


@pytest.mark.parametrize("injector", [dg.PipesTempFileContextInjector(), dg.PipesEnvContextInjector()])
def test_what_the_process_reports_is_recorded(
    injector: dg.PipesContextInjector, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(
        """
        pipes.log.warning(f"working for {pipes.asset_key} with {pipes.get_extra('size')}")
        pipes.report_asset_materialization(
            metadata={"rows": 3, "note": {"raw_value": "*x*", "type": "md"}, "none": None}, data_version="v7"
        )
        pipes.report_asset_check("full", passed=False, severity="WARN", metadata={"missing": 2})
        """,
        dg.PipesSubprocessClient(context_injector=injector),
        extras={"size": 12},
        check_specs=[dg.AssetCheckSpec("full", asset="orders")],
    )
    made = materialization(result)
    assert made.metadata["rows"] == dg.IntMetadataValue(3)
    assert made.metadata["note"] == dg.MarkdownMetadataValue("*x*")
    assert made.metadata["none"] == dg.NullMetadataValue()
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "working for orders with 12" in caplog.text


def test_metadata_of_every_kind() -> None:
    made = materialization(
        run(
            """
            pipes.report_asset_materialization(metadata={
                "text": {"raw_value": "a", "type": "text"},
                "url": {"raw_value": "http://a", "type": "url"},
                "path": {"raw_value": "/a", "type": "path"},
                "json": {"raw_value": [1], "type": "json"},
                "float": {"raw_value": 1.5, "type": "float"},
                "bool": {"raw_value": True, "type": "bool"},
                "run": {"raw_value": "r", "type": "dagster_run"},
                "asset": {"raw_value": "a/b", "type": "asset"},
                "timestamp": {"raw_value": 5, "type": "timestamp"},
                "table": {"raw_value": {"records": [{"code": 1}], "schema": [{"name": "code", "type": "int",
                          "constraints": {"unique": True}}]}, "type": "table"},
                "schema": {"raw_value": {"columns": ["code"]}, "type": "table_schema"},
                "lineage": {"raw_value": {"deps_by_column": {"a": [{"asset_key": "b/c", "column_name": "d"}]}},
                            "type": "table_column_lineage"},
            })
            """
        )
    ).metadata
    assert made["run"] == dg.RunMetadataValue("r")
    assert made["asset"] == dg.AssetMetadataValue(dg.AssetKey(["a", "b"]))
    assert made["timestamp"] == dg.TimestampMetadataValue(5.0)
    assert made["table"].records == [dg.TableRecord({"code": 1})]
    assert made["table"].schema.columns[0].constraints.unique
    assert made["schema"].schema == dg.TableSchema(columns=[dg.TableColumn("code")])
    assert made["lineage"].column_lineage.deps_by_column["a"][0].asset_key == dg.AssetKey(["b", "c"])
    assert [made[name].value for name in ("text", "url", "path", "json", "float", "bool")] == [
        "a", "http://a", "/a", [1], 1.5, True,
    ]  # fmt: skip


def test_the_process_learns_of_partitions_and_attempts() -> None:
    days = dg.DailyPartitionsDefinition("2026-01-01")

    @dg.multi_asset(specs=[dg.AssetSpec("a/b", partitions_def=days), dg.AssetSpec("c", partitions_def=days)])
    def two(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient) -> Any:
        code = """
            window = pipes.partition_time_window
            pipes.report_custom_message({
                "keys": pipes.asset_keys, "partition": pipes.partition_key, "window": [window["start"], window["end"]],
                "range": [pipes.partition_key_range["start"], pipes.partition_key_range["end"]],
                "run": pipes.run_id, "job": pipes.job_name, "retry": pipes.retry_number,
            })
            pipes.report_asset_materialization(asset_key="c", metadata={"x": 1})
            """
        done = pipes.run(context=context, command=command(code))
        (told,) = done.get_custom_messages()
        assert (told["run"], told["job"], told["retry"]) == (context.run_id, context.job_name, 0)
        assert (told["keys"], told["partition"]) == (["a/b", "c"], "2026-01-02")
        assert told["window"] == ["2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00"]
        assert told["range"] == ["2026-01-02", "2026-01-02"]
        with pytest.raises(InvariantViolationError, match="2 materializations"):
            done.get_materialize_result()
        yield from done.get_results()

    result = dg.materialize([two], partition_key="2026-01-02", resources={"pipes": dg.PipesSubprocessClient()})
    made = {
        str(event.materialization.asset_key.to_user_string()) for event in result.get_asset_materialization_events()
    }
    assert made == {"a/b", "c"}  # the first one counts as made, though nothing was said of it


class Tagged(dg.PipesClient):
    def run(self, *, context: Any, extras: Any = None, **kwargs: Any) -> dg.PipesClientCompletedInvocation:
        injector, reader = dg.PipesTempFileContextInjector(), dg.PipesTempFileMessageReader()
        with dg.open_pipes_session(context, injector, reader, extras) as session:
            subprocess.run(kwargs["command"], env={**os.environ, **session.get_bootstrap_env_vars()}, check=True)
        return dg.PipesClientCompletedInvocation(session, metadata={"cluster": "blue"})


def test_the_process_learns_what_the_asset_was_made_from() -> None:
    told: list[Any] = []

    @dg.asset(code_version="up-1")
    def up() -> None: ...

    @dg.asset(deps=[up], code_version="down-2")
    def down(context: dg.AssetExecutionContext) -> None:
        with dg.open_pipes_session(context, dg.PipesEnvContextInjector(), dg.PipesTempFileMessageReader()) as session:
            told.append(session.context_data)

    instance = dg.Instance.ephemeral()
    for _ in range(2):
        dg.materialize([up, down], instance=instance)
    first, second = told
    assert first["code_version_by_asset_key"] == second["code_version_by_asset_key"] == {"down": "down-2"}
    assert first["provenance_by_asset_key"] == {"down": None}
    provenance = second["provenance_by_asset_key"]["down"]
    assert (provenance["code_version"], provenance["is_user_provided"]) == ("down-2", False)
    assert list(provenance["input_data_versions"]) == ["up"]


def test_one_result_holds_its_checks_and_added_metadata() -> None:
    @dg.asset(check_specs=[dg.AssetCheckSpec("full", asset="orders")])
    def orders(context: dg.AssetExecutionContext, pipes: Tagged) -> Any:
        silent = pipes.run(context=context, command=command("pass"))
        with pytest.raises(InvariantViolationError, match="no materializations"):
            silent.get_materialize_result(implicit_materialization=False)
        with pytest.raises(InvariantViolationError, match="0 results"):
            silent.get_asset_check_result()
        only_check = pipes.run(context=context, command=command("pipes.report_asset_check('full', True)"))
        assert only_check.get_asset_check_result().check_name == "full"
        return only_check.get_materialize_result()

    result = dg.materialize([orders], resources={"pipes": Tagged()})
    assert materialization(result).metadata == {"cluster": dg.TextMetadataValue("blue")}
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]


@pytest.mark.parametrize(
    ("code", "talks", "said"),
    [
        ("import sys; sys.exit(3)", False, "The external process ended with code 3"),
        ("import os; os.kill(os.getpid(), 9)", False, "was terminated by the signal SIGKILL"),
        (WRITE.format(text="rubbish\n"), False, "a line that is not a message: 'rubbish'"),
        (
            WRITE.format(text=json.dumps({"__dagster_pipes_version": "9", "method": "opened"}) + "\n"),
            False,
            "version '9' of the pipes protocol; supported: 0.1",
        ),
        (
            WRITE.format(text=json.dumps({"__dagster_pipes_version": "0.1", "method": "sing"}) + "\n"),
            False,
            "unknown method 'sing'",
        ),
        (
            "pipes.report_asset_materialization(metadata={'x': {'raw_value': 1, 'type': 'colour'}})",
            True,
            "ended with code 1|unknown type, 'colour'",
        ),
    ],
)
def test_a_process_that_fails_or_talks_rubbish_is_named(code: str, talks: bool, said: str) -> None:
    with pytest.raises(PipesExecutionError, match=said):
        run(code, talks=talks)


def test_what_a_process_raises_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PipesExecutionError):
        run("raise ValueError('no such table')")
    assert "the external process raised ValueError: " in caplog.text
    assert "no such table" in caplog.text


def test_silence_is_told_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    assert run("pass", talks=False).success
    assert "no message was received from the external process" in caplog.text
    assert "temporary file" in caplog.text


def test_environment_folder_and_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    client = dg.PipesSubprocessClient(env={"A": "client", "B": "client"}, cwd=str(tmp_path))
    code = "import os; print(os.environ['A'], os.environ['B'], os.path.realpath(os.getcwd()))"

    @dg.asset
    def orders(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient) -> Any:
        pipes.run(context=context, command=command(code, talks=False), env={"B": "run"})
        quiet = dg.PipesSubprocessClient(forward_stdio=False)
        return quiet.run(context=context, command="echo not shown").get_results()

    dg.materialize([orders], resources={"pipes": client})
    printed = capfd.readouterr().out
    assert f"client run {tmp_path.resolve()}" in printed
    assert "not shown" not in printed


@pytest.mark.parametrize(
    ("ends", "code"),
    [(True, ""), (False, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n")],
)
def test_a_cancelled_step_ends_its_process(
    ends: bool, code: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The step is interrupted as soon as the process says that it works; it ends, or is killed when it will not."""
    ready = tmp_path / "ready"
    source = f"{code}import os, time\nopen({str(ready)!r}, 'w').write(str(os.getpid()))\nos.kill(os.getppid(), 2)\ntime.sleep(60)"
    client = dg.PipesSubprocessClient(termination_timeout_seconds=30 if ends else 0.2)
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(source, client, talks=False)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready.read_text()), 0)
    assert ("killing it" in caplog.text) is not ends


class Chunks(dg.PipesBlobStoreMessageReader):
    """Messages in numbered files."""

    def __init__(self, folder: Path, log_reader: dg.PipesLogReader) -> None:
        super().__init__(interval=0.01, log_readers=[log_reader])
        self.folder = folder

    @contextmanager
    def get_params(self) -> Generator[Mapping[str, Any]]:
        yield {"folder": str(self.folder)}

    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        file = Path(params["folder"]) / str(index)
        return file.read_text() if file.exists() else None

    def no_messages_debug_text(self) -> str:
        return f"Chunks were expected in {self.folder}."


class Printed(dg.PipesLogReader):
    """Keeps the lines of a file."""

    def __init__(self, file: Path) -> None:
        self.file, self.seen, self.thread = file, "", threading.Thread()

    def start(self, params: Mapping[str, Any], is_session_closed: threading.Event) -> None:
        def read() -> None:
            is_session_closed.wait()
            self.seen = self.file.read_text()

        self.thread = threading.Thread(target=read)
        self.thread.start()

    def stop(self) -> None:
        self.thread.join()

    def is_running(self) -> bool:
        return self.thread.is_alive()

    def target_is_readable(self, params: Mapping[str, Any]) -> bool:
        return self.file.exists()

    @property
    def debug_info(self) -> str:
        return f"lines of {self.file}"


def say(method: str, **params: Any) -> str:
    return json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params}) + "\n"


def test_messages_in_chunks_of_a_store(tmp_path: Path) -> None:
    printed = Printed(tmp_path / "printed")
    assert printed.with_debug_info("Nothing came.") == f"Nothing came.\nlines of {tmp_path / 'printed'}"

    @dg.asset
    def orders(context: dg.AssetExecutionContext) -> Any:
        reader = Chunks(tmp_path, printed)
        with dg.open_pipes_session(context, dg.PipesEnvContextInjector(), reader) as session:
            session.report_launched({"pod": "p-1"})
            (tmp_path / "printed").write_text("hello")
            (tmp_path / "1").write_text(say("opened", extras={}) + say("report_custom_message", payload=1))
            (tmp_path / "2").write_text(say("report_asset_materialization", asset_key="orders", metadata={"n": 2}))
            (tmp_path / "3").write_text(say("closed"))
        assert reader.launched_payload == {"pod": "p-1"}
        assert reader.opened_payload == {"extras": {}}
        assert session.message_handler.received_opened_message
        assert session.message_handler.received_closed_message
        assert session.get_custom_messages() == (1,)
        assert session.context_data["run_id"] == context.run_id
        assert set(session.get_bootstrap_cli_arguments()) == {"--dagster-pipes-context", "--dagster-pipes-messages"}
        return session.get_results()

    assert materialization(dg.materialize([orders])).metadata == {"n": dg.IntMetadataValue(2)}
    assert printed.seen == "hello"


def test_a_session_ends_when_its_file_is_read(tmp_path: Path) -> None:
    place, told = tmp_path / "messages", tmp_path / "context"

    @dg.asset
    def orders(context: dg.AssetExecutionContext) -> Iterator[Any]:
        injector, reader = dg.PipesFileContextInjector(str(told)), dg.PipesFileMessageReader(str(place))
        with dg.open_pipes_session(context=context, context_injector=injector, message_reader=reader) as session:
            assert json.loads(told.read_text())["asset_keys"] == ["orders"]
            assert session.get_bootstrap_params()["DAGSTER_PIPES_MESSAGES"]["path"] == str(place)
            with place.open("a") as file:
                file.write(
                    say("opened")
                    + say("report_asset_materialization", asset_key=None, data_version="v")
                    + say("closed")
                )
        yield from session.get_results()

    assert dg.materialize([orders]).success
    assert not place.exists()
    assert not told.exists()


def test_several_writers_share_a_session() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b")])
    def both(context: dg.AssetExecutionContext) -> Any:
        reader = dg.PipesCompositeMessageReader([dg.PipesTempFileMessageReader() for _ in range(2)])
        with dg.open_pipes_session(context, dg.PipesTempFileContextInjector(), reader) as session:
            writers = session.get_per_writer_bootstrap_env_vars()
            assert len({each["DAGSTER_PIPES_MESSAGES"] for each in writers}) == 2
            assert len({each["DAGSTER_PIPES_CONTEXT"] for each in writers}) == 1
            for key, place in zip("ab", session.message_reader_params["composite_writers"], strict=True):
                with open(place["path"], "a") as file:
                    file.write(say("opened") + say("report_asset_materialization", asset_key=key) + say("closed"))
        assert session.message_handler.received_closed_message
        return session.get_results(implicit_materializations=False)

    assert len(dg.materialize([both]).get_asset_materialization_events()) == 2
    with pytest.raises(InvariantViolationError, match="at least one"):
        dg.PipesCompositeMessageReader([])
    nested = dg.PipesCompositeMessageReader([dg.PipesTempFileMessageReader(), dg.PipesTempFileMessageReader()])
    with pytest.raises(InvariantViolationError, match="single-writer"):
        dg.PipesCompositeMessageReader([nested])

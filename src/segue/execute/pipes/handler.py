"""What comes of the messages of an external process: log lines, results, problems."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from segue.defs.context import OpExecutionContext
from segue.defs.results import MaterializeResult
from segue.errors import PipesExecutionError
from segue.execute.pipes.protocol import PipesMessage, PipesParams, metadata_of, require_version
from segue.model.checks import AssetCheckResult, AssetCheckSeverity
from segue.model.keys import AssetKey
from segue.model.materialization import DataVersion

if TYPE_CHECKING:  # a reader hands its messages to a handler
    from segue.execute.pipes.readers import PipesMessageReader

PipesExecutionResult: TypeAlias = MaterializeResult[Any] | AssetCheckResult
PipesLaunchedData: TypeAlias = dict[str, Any]


class PipesMessageHandler:
    """Takes the messages of an external process, from any thread: log lines go to the log of the step, results are kept.

    Args:
        context: of the step.
        message_reader: what reads the messages.
    """

    def __init__(self, context: OpExecutionContext, message_reader: PipesMessageReader) -> None:
        self._context = context
        self._reader = message_reader
        self._results: list[PipesExecutionResult] = []
        self._custom: list[Any] = []
        self._opened = 0
        self._closed = 0
        self.problems: list[str] = []

    @property
    def received_opened_message(self) -> bool:
        """Whether every writer has said that it began."""
        return self._opened >= self._reader.expected_writer_count

    @property
    def received_closed_message(self) -> bool:
        """Whether every writer has said that it ended."""
        return self._closed >= self._reader.expected_writer_count

    def get_reported_results(self) -> Sequence[PipesExecutionResult]:
        """The materializations and check results that came so far."""
        return tuple(self._results)

    def get_custom_messages(self) -> Sequence[Any]:
        """The messages of the process by `report_custom_message` so far."""
        return tuple(self._custom)

    @contextmanager
    def handle_messages(self) -> Generator[PipesParams]:
        """Reads messages for as long as this is open; gives what the process must know to write them."""
        with self._reader.read_messages(self) as params:
            yield params

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Tells the reader what is known of the process since it was started."""
        self._reader.on_launched(launched_payload)

    def handle_message(self, message: PipesMessage) -> None:
        """Handles one message. Errors in it are kept, and reported when the session ends.

        Args:
            message: with the version of the protocol, a method and its parameters.
        """
        try:
            require_version(message)
            self._take(str(message.get("method")), message.get("params") or {})
        except (PipesExecutionError, LookupError, TypeError, ValueError) as error:
            self.report_problem(f"{message.get('method')}: {error}")

    def report_problem(self, problem: str) -> None:
        """Notes that something the process said is lost: it is logged at once and fails the session in the end."""
        self.problems.append(problem)
        self._context.log.error(f"[pipes] {problem}")

    def report_pipes_framework_exception(self, origin: str, exc_info: Any) -> None:
        """Notes that reading messages failed.

        Args:
            origin: what failed.
            exc_info: type, value and traceback of its exception.
        """
        self.problems.append(f"{origin} raised {exc_info[1]!r}")
        self._context.log.error(f"[pipes] {origin} raised.", exc_info=exc_info)

    def _take(self, method: str, params: Mapping[str, Any]) -> None:
        match method:
            case "opened":
                self._opened += 1
                self._reader.on_opened(params)
                self._context.log.info("[pipes] the external process has opened the pipe.")
            case "closed":
                self._closed += 1
                self._log_exception(params.get("exception"))
            case "log":
                level = logging.getLevelNamesMapping().get(str(params["level"]).upper(), logging.INFO)
                self._context.log.log(level, str(params["message"]))
            case "log_external_stream":
                self._context.log.info(f"[pipes] [{params.get('stream')}] {params.get('text')}")
            case "report_asset_materialization":
                self._results.append(self._materialization(params))
            case "report_asset_check":
                self._results.append(self._check(params))
            case "report_custom_message":
                self._custom.append(params.get("payload"))
            case _:
                raise PipesExecutionError(f"unknown method {method!r}")

    def _materialization(self, params: Mapping[str, Any]) -> MaterializeResult[Any]:
        version = params.get("data_version")
        return MaterializeResult(
            asset_key=self._asset_key(params.get("asset_key")),
            metadata=metadata_of(params.get("metadata")),
            data_version=None if version is None else DataVersion(version),
        )

    def _check(self, params: Mapping[str, Any]) -> AssetCheckResult:
        return AssetCheckResult(
            asset_key=self._asset_key(params.get("asset_key")),
            check_name=params["check_name"],
            passed=params["passed"],
            severity=AssetCheckSeverity(params.get("severity", "ERROR")),
            metadata=metadata_of(params.get("metadata")),
        )

    def _asset_key(self, said: object) -> AssetKey | None:
        return None if said is None else AssetKey.from_user_string(str(said))

    def _log_exception(self, said: object) -> None:
        if not isinstance(said, dict):
            return
        exception = cast("Mapping[str, Any]", said)
        stack = "".join(exception.get("stack") or [])
        text = str(exception.get("message") or "").strip()
        self._context.log.error(f"[pipes] the external process raised {exception.get('name')}: {text}\n{stack}")

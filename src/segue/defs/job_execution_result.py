"""`JobExecutionResult`: how a run of `execute_job` went, with values loaded from where they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from segue.defs.execution_result import ExecutionResult
from segue.defs.job_definition import JobDefinition
from segue.errors import InvariantViolationError
from segue.model.event import Event
from segue.model.graph import AssetGraph
from segue.model.run import Run


class JobExecutionResult(ExecutionResult):
    """How a run of `execute_job` went. Values are loaded by the IO managers that stored them, inside of a `with` block.

    Attributes:
        run: the run as it ended.
        all_events: every event of its execution, in order.
    """

    def __init__(
        self,
        run: Run,
        events: Sequence[Event],
        values: AbstractContextManager[Mapping[tuple[str, str], object]],
        graph: AssetGraph,
        job: JobDefinition,
    ) -> None:
        self._stored = values
        self._is_open = False
        super().__init__(run, events, {}, graph, job)

    def __enter__(self) -> Self:
        self._values = self._stored.__enter__()
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._values, self._is_open = {}, False
        self._stored.__exit__(kind, error, traceback)

    def output_value(self, output_name: str = "result") -> Any:
        """The value of an output of the job's graph, loaded.

        Raises:
            InvariantViolationError: outside of a `with` block; the graph has no such output, or it was not given.
            Exception: whatever the IO manager raises.
        """
        self._require_open("output_value")
        return super().output_value(output_name)

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value that a step, or a graph in the job (by its path), gave for an output, loaded; a dict by mapping key for
        a dynamic output, and for a step that ran once for each value of one.

        Raises:
            InvariantViolationError: outside of a `with` block; there is no such output, or it was not given.
            Exception: whatever the IO manager raises.
        """
        self._require_open("output_for_node")
        return super().output_for_node(node_str, output_name)

    def _require_open(self, what: str) -> None:
        if not self._is_open:
            raise InvariantViolationError(
                f"{what} loads a value with the resources of the run, so the result must be used as a context "
                f"manager: write `with execute_job(...) as result:` and call result.{what}() inside."
            )

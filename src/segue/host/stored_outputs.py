"""The values that a run left with its IO managers, loaded when they are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from segue.defs.instance import Instance
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.log import get_logger
from segue.defs.resource_context import Resources, seen_by_context
from segue.defs.value_context import ValueScope
from segue.execute.resources import OpenedResources, ResourceScope, set_up
from segue.execute.value_types import declared_type
from segue.host.recording import Executed, run_partitions
from segue.model.event import Event, HandledOutputData
from segue.plan.dynamic import template_key


class StoredOutputs(Mapping[tuple[str, str], object]):
    """The values that a run stored, by step and output; a context manager, which holds the IO managers.

    The values of a dynamic output are a dict by mapping key.

    Args:
        executed: the run.
        events: its events.
        instance: where it is recorded.
    """

    def __init__(self, executed: Executed, events: Sequence[Event], instance: Instance) -> None:
        self._executed = executed
        self._instance = instance
        self._stack = contextlib.ExitStack()
        self._stored: dict[tuple[str, str], list[HandledOutputData]] = {}
        for event in events:
            if isinstance(event.payload, HandledOutputData) and event.step_key is not None:
                self._stored.setdefault((event.step_key, event.payload.output_name), []).append(event.payload)

    def __enter__(self) -> Self:
        done = self._executed
        keys = {each.manager_key for several in self._stored.values() for each in several}
        scope = ResourceScope(done.described.resources, done.config, done.run, self._instance, get_logger())
        self._opened: OpenedResources = set_up(sorted(keys), scope, self._stack)
        self._now = datetime.fromtimestamp(done.run.created_at, UTC)
        job = done.described.jobs.get(done.run.job_name)
        found = run_partitions(done.plan, done.described, job, self._instance, self._now)
        self._partitions_def, self._subset = found or (None, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, key: tuple[str, str]) -> object:
        stored = self._stored[key]
        if stored[0].mapping_key is None:
            return self._load(*key, stored[-1])
        return {each.mapping_key: self._load(*key, each) for each in stored}

    def _load(self, step_key: str, output_name: str, stored: HandledOutputData) -> object:
        run, described = self._executed.run, self._executed.described
        step = next(each for each in self._executed.plan.steps if each.key in (step_key, template_key(step_key)))
        output = next(each for each in step.outputs if each.name == output_name)
        spec = None if output.asset_key is None else described.specs[output.asset_key]
        op = described.op_of(run.job_name, step.path, step.graph) or described.ops[step.computation]
        single = run.partition_start if run.partition_start == run.partition_end else None
        scope = ValueScope(
            asset_key=output.asset_key,
            partitions_def=None if output.asset_key is None else described.graph.nodes[output.asset_key].partitions,
            subset=self._subset if output.is_partitioned else None,
            run_partition=single
            if single is None or self._partitions_def is None
            else self._partitions_def.typed_key(single),
            now=self._now,
            resources=Resources({key: seen_by_context(value) for key, value in self._opened.by_key.items()}),
            resource_config=self._opened.configs.get(stored.manager_key),
            instance=self._instance,
        )
        kind = declared_type(op.outs[output_name].dagster_type)
        upstream = OutputContext(
            scope,
            step_key=step_key,
            name=output_name,
            run_id=run.run_id,
            job_name=run.job_name,
            mapping_key=stored.mapping_key,
            asset_spec=spec,
            definition_metadata=op.outs[output_name].metadata if spec is None else spec.metadata,
            dagster_type=kind,
            op_def=op,
        )
        manager: Any = self._opened.by_key[stored.manager_key]
        return manager.load_input(
            InputContext(scope, upstream_output=upstream, job_name=run.job_name, dagster_type=kind)
        )

"""User code by its place, imported in a process that was started for it."""

from __future__ import annotations

import sys

from segue.defs.definitions import Definitions
from segue.host.jobs import definitions_of
from segue.host.reconstruct import ReconstructableJob
from segue.host.source import CodeTarget, load_definitions, module_named
from segue.model.messages import LoadCode


def load_code(message: LoadCode) -> Definitions:
    """Imports the code, and resolves what all of its runs need.

    Raises:
        LoadError: it cannot be imported, or holds no definitions.
        InvariantViolationError: there is no such job any more.
        SegueError: the definitions cannot be resolved.
    """
    if message.import_path:
        sys.path[:] = message.import_path
    if message.job is not None:
        definitions, _ = definitions_of(ReconstructableJob.from_dict(message.job).get_definition(), {})
    else:
        definitions = load_definitions(
            CodeTarget(
                file=message.file,
                module=message.module,
                attribute=message.attribute,
                working_directory=message.working_directory,
                dagster_compat=message.dagster_compat,
            )
        )
    for name in message.preload:
        module_named(name)
    definitions = definitions.with_failure_rules(message.failure_rules)
    definitions.described.graph.make_ready()  # worked out once, here
    _ = definitions.asset_graph
    return definitions


def code_of_target(target: CodeTarget, start_method: str = "fork") -> LoadCode:
    """The message that has another process load the same code."""
    return LoadCode(
        file=target.file,
        module=target.module,
        attribute=target.attribute,
        working_directory=target.working_directory,
        dagster_compat=target.dagster_compat,
        import_path=tuple(sys.path),
        start_method=start_method,
    )


def code_of_job(job: ReconstructableJob, start_method: str = "fork") -> LoadCode:
    """The same for a job by the place of its code."""
    return LoadCode(job=dict(job.to_dict()), import_path=tuple(sys.path), start_method=start_method)

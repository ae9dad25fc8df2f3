"""The loggers of a run, made when it starts."""

from __future__ import annotations

from collections.abc import Mapping

from segue.defs.run_config import config_entry
from segue.defs.run_loggers import RunLoggers
from segue.execute.run_scope import RunScope


def start_loggers(scope: RunScope) -> None:
    """Makes the loggers that the run config names, and has them given all events from here on.

    Raises:
        InvalidConfigError: config that a logger does not take.
        InvalidDefinitionError: the function of a logger gave none.
        Exception: what the function of a logger raised.
    """
    named: Mapping[str, object] = scope.run_config.get("loggers") or {}
    if not named:
        return
    run = scope.run
    known = scope.described.run_loggers(run.job_name)
    job = scope.described.jobs.get(run.job_name)
    made = {
        key: known[key].make(config_entry(scope.run_config, "loggers", key).get("config"), job, run.run_id)
        for key in named
    }
    scope.sink.log_to(RunLoggers(made, run))

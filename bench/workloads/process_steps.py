"""Steps that do not depend on each other, each in a process of its own, two at a time; event log in SQLite, values in files."""

from __future__ import annotations

import process_jobs
from library import load, report, stored_instance

dg = load()

if __name__ == "__main__":
    with stored_instance("home") as instance:
        config = {"execution": {"config": {"max_concurrent": 2}}}

        def run() -> None:
            job = dg.reconstructable(process_jobs.fan_out)
            assert dg.execute_job(job, instance, run_config=config).success

        report(process_jobs.COUNT + 1, run)

"""How much memory a step takes that has a process of its own, while four of them are alive; for Linux."""

from __future__ import annotations

import json
from pathlib import Path

import worker_jobs
from library import load, stored_instance

dg = load()

if __name__ == "__main__":
    with stored_instance("home") as instance:
        config = {"execution": {"config": {"max_concurrent": worker_jobs.COUNT}}}
        assert dg.execute_job(dg.reconstructable(worker_jobs.fan_out), instance, run_config=config).success
    found = [line.split() for line in Path(worker_jobs.HERE, "found").read_text().splitlines()]
    print(json.dumps({"steps": [int(step) for step, _ in found], "zygote": max(int(zygote) for _, zygote in found)}))

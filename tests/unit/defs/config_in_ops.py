"""What config becomes on its way into an op."""

from __future__ import annotations

from typing import Any

import segue as sg


def received(model: Any, config: Any = None) -> Any:
    """What an op gets for this config, and what its context says."""

    def tell(context: sg.OpExecutionContext, config: Any) -> list[Any]:
        return [config, context.op_config]

    tell.__annotations__["config"] = model
    op = sg.op(tell)

    @sg.job
    def job() -> None:
        op()

    run_config = {} if config is None else {"ops": {"tell": {"config": config}}}
    return job.execute_in_process(run_config=run_config).output_for_node("tell")

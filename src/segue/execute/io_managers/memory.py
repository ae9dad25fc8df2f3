"""An IO manager that keeps values in memory, for tests and for runs that leave nothing behind."""

from __future__ import annotations

from typing import Any

from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.errors import StepOutputNotFoundError
from segue.model.keys import AssetKey


class InMemoryIOManager(IOManager):
    """Keeps values in a dict, as long as the object lives.

    Attributes:
        values: the value of each asset, by key and partition (None without).
        between_steps: the value of each output of an op, by run, step, output and mapping key.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[AssetKey, str | None], object] = {}
        self.between_steps: dict[tuple[str, ...], object] = {}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Keeps the value, under each partition that it is for."""
        if not context.has_asset_key:
            self.between_steps[tuple(context.get_identifier())] = obj
            return
        keys = context.asset_partition_keys if context.has_asset_partitions else (None,)
        for key in keys:
            self.values[(context.asset_key, key)] = obj

    def load_input(self, context: InputContext) -> Any:
        """The value; for several partitions a dict of values by partition key, for none of them None.

        Raises:
            StepOutputNotFoundError: it was not kept here.
        """
        if not context.has_asset_key:
            return self._between_steps(tuple(context.get_identifier()))
        if not context.has_asset_partitions:
            return self._value(context.asset_key, None)
        keys = context.asset_partition_keys
        values = {key: self._value(context.asset_key, key) for key in keys}
        return values if len(keys) > 1 else next(iter(values.values()), None)

    def _between_steps(self, place: tuple[str, ...]) -> object:
        if place not in self.between_steps:
            run_id, step_key, output = place[:3]
            raise StepOutputNotFoundError(
                f"No value of the output {output!r} of {step_key!r} of run {run_id} is in memory: run the step again, or use an "
                "IO manager that keeps values.",
                step_key,
                output,
            )
        return self.between_steps[place]

    def _value(self, key: AssetKey, partition: str | None) -> object:
        if (key, partition) not in self.values:
            what = key.to_user_string() if partition is None else f"{key.to_user_string()}, partition {partition}"
            raise StepOutputNotFoundError(
                f"No value of {what} is in memory: make it in the same run, or use an IO manager that keeps values.",
                key.to_python_identifier(),
                "result",
            )
        return self.values[(key, partition)]

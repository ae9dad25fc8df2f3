"""An IO manager that keeps values in memory, for tests and for runs that leave nothing behind."""

from __future__ import annotations

from typing import Any

from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.model.keys import AssetKey


class InMemoryIOManager(IOManager):
    """Keeps values in a dict, as long as the object lives.

    Attributes:
        values: the values by run, step, output and, where they have one, mapping key or partition; of an asset, or a partition
            of one, the latest.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], object] = {}
        self._latest: dict[tuple[AssetKey, str | None], tuple[str, ...]] = {}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Keeps the value, under each partition that it is for."""
        if not context.has_asset_key:
            self.values[tuple(context.get_identifier())] = obj
            return
        keys = context.asset_partition_keys if context.has_asset_partitions else (None,)
        place = _place_of_asset(context)
        for key in keys:
            before = self._latest.get((context.asset_key, key))
            if before is not None:
                self.values.pop(before, None)
            here = place if key is None else (*place, key)
            self._latest[(context.asset_key, key)] = here
            self.values[here] = obj

    def load_input(self, context: InputContext) -> Any:
        """The value; for several partitions a dict of values by partition key, for no partition None.

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
        if place not in self.values:
            run_id, step_key, output = place[:3]
            raise StepOutputNotFoundError(
                f"The value of the output {output!r} of {step_key!r} of run {run_id} is not in memory. Run the step "
                "again, or use a persistent IO manager.",
                step_key,
                output,
            )
        return self.values[place]

    def _value(self, key: AssetKey, partition: str | None) -> object:
        place = self._latest.get((key, partition))
        if place is None or place not in self.values:
            what = key.to_user_string() if partition is None else f"{key.to_user_string()}, partition {partition}"
            raise StepOutputNotFoundError(
                (
                    f"The value of {what} is not in memory. Materialize it in the same run, or use a persistent IO "
                    "manager."
                ),
                key.to_python_identifier(),
                "result",
            )
        return self.values[place]


def _place_of_asset(context: OutputContext) -> tuple[str, ...]:
    """Where the value of an asset is kept: by its step, or, in a context made by hand that names none, by its key."""
    try:
        return tuple(context.get_identifier())
    except InvariantViolationError:
        return tuple(context.asset_key.path)

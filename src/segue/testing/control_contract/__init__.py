"""What every store of the control plane must do, as functions that take a fresh one; for whoever writes a store.

    @pytest.mark.parametrize("rule", CONTROL_CONTRACT, ids=lambda rule: rule.__name__)
    def test_contract(rule, my_stores):
        rule(my_stores)

Each rule takes `Stores`, both empty and on one database, and asserts. Needs pytest.
"""

from collections.abc import Callable

from segue.testing.control_contract import backfills, deployment, payloads, queue, ticks
from segue.testing.control_contract.builders import Stores

CONTROL_CONTRACT: tuple[Callable[[Stores], None], ...] = (
    *ticks.RULES,
    *payloads.RULES,
    *queue.RULES,
    *backfills.RULES,
    *deployment.RULES,
)

__all__ = ["CONTROL_CONTRACT", "Stores"]

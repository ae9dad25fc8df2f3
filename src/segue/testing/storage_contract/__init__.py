"""What every store must do, as functions that take a fresh one; for whoever writes a store, ours included.

    @pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
    def test_contract(rule, my_store):
        rule(my_store)

Each rule takes an empty `segue.model.stores.Store` and asserts. Needs pytest.
"""

from collections.abc import Callable

from segue.model.stores import Store
from segue.testing.storage_contract import (
    assets,
    bad_input,
    checks,
    claims,
    dynamic_partitions,
    events,
    gates,
    leases,
    observations,
    partitions,
    planning,
    run_lists,
    runs,
    wiping,
)

CONTRACT: tuple[Callable[[Store], None], ...] = (
    *runs.RULES,
    *planning.RULES,
    *run_lists.RULES,
    *events.RULES,
    *gates.RULES,
    *leases.RULES,
    *assets.RULES,
    *observations.RULES,
    *partitions.RULES,
    *checks.RULES,
    *claims.RULES,
    *dynamic_partitions.RULES,
    *wiping.RULES,
    *bad_input.RULES,
)

__all__ = ["CONTRACT"]

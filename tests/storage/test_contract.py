from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.model.stores import Store
from segue.testing.storage_contract import CONTRACT


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_contract(rule: Callable[[Store], None], store: Store) -> None:
    rule(store)

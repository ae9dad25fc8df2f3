"""Assets that depend on each other in a cycle are found in whatever order they are declared, and nothing else is."""

from __future__ import annotations

from graphlib import CycleError as NaiveCycleError
from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg

NAMES = "abcdef"


@given(
    st.permutations(NAMES),
    st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=2), max_size=6),
    st.sets(st.sampled_from(NAMES), max_size=2),
)
def test_a_cycle_is_found_in_any_order_of_declaration(
    order: list[str], deps: dict[str, set[str]], external: set[str]
) -> None:
    """`graphlib` says whether there is one; some of the assets are external."""
    deps = {name: names - {name} for name, names in deps.items()}

    def declared(name: str) -> sg.AssetsDefinition | sg.AssetSpec:
        taken = sorted(deps.get(name, ()))
        if name in external:
            return sg.AssetSpec(name, deps=taken)

        @sg.asset(name=name, deps=taken)
        def made() -> None: ...

        return made

    definitions = sg.Definitions(assets=[declared(name) for name in order])
    try:
        TopologicalSorter(deps).prepare()
    except NaiveCycleError:
        with pytest.raises(sg.CycleError, match="cycle"):
            _ = definitions.asset_graph
    else:
        assert {key.to_user_string() for key in definitions.asset_graph.nodes} == set(NAMES)

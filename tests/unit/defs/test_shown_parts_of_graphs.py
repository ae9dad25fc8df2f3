"""What is said of a graph's inputs, outputs and dependencies can be read where it is printed."""

from __future__ import annotations

import segue as sg


def test_parts_of_graphs_show_what_they_hold() -> None:
    assert repr(sg.GraphIn(description="orders")) == "GraphIn(description='orders')"
    assert repr(sg.GraphOut(description="totals")) == "GraphOut(description='totals')"
    shown = repr(
        sg.MultiDependencyDefinition([sg.DependencyDefinition("load"), sg.DependencyDefinition("clean", "rows")])
    )
    assert "'load'" in shown
    assert "'rows'" in shown

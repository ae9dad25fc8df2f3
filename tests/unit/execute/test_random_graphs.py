"""Runs of random graphs, with failures, retries, gaps and blocking checks, against a model of what should become of them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.host.recorded_plan import retry_run


class Fate(enum.Enum):
    """What happens to one asset when its turn comes."""

    GOOD = "good"
    FAILS = "fails"
    FAILS_ONCE = "fails once"
    GIVES_NOTHING = "gives nothing"
    BLOCKED = "its blocking check fails"


class Graph:
    """A random graph; asset n takes the values of `inputs[n]` and merely depends on `deps[n]`."""

    def __init__(self, fates: list[Fate], inputs: list[list[int]], deps: list[list[int]]) -> None:
        self.fates = fates
        self.inputs = inputs
        self.deps = deps
        self.calls: list[int] = []

    def definitions(self) -> list[Any]:
        return [
            *(self._asset(n) for n in range(len(self.fates))),
            *(self._check(n) for n, fate in enumerate(self.fates) if fate is Fate.BLOCKED),
        ]

    def _asset(self, n: int) -> sg.AssetsDefinition:
        @sg.asset(
            name=f"a{n}",
            ins={f"i{m}": sg.AssetIn(f"a{m}") for m in self.inputs[n]},
            deps=[f"a{m}" for m in self.deps[n]],
            output_required=False,
            retry_policy=sg.RetryPolicy(max_retries=1),
        )
        def function(context: sg.AssetExecutionContext, **values: int) -> Iterator[Any]:
            self.calls.append(n)
            fate = self.fates[n]
            if fate is Fate.FAILS or (fate is Fate.FAILS_ONCE and context.retry_number == 0):
                raise ValueError(n)
            if fate is not Fate.GIVES_NOTHING:
                yield sg.Output(n + sum(values.values()))

        return function

    def _check(self, n: int) -> sg.AssetChecksDefinition:
        @sg.asset_check(asset=f"a{n}", name="c", blocking=True)
        def check() -> bool:
            return self.fates[n] is not Fate.BLOCKED

        return check

    def expected(self, selected: set[int]) -> dict[int, str]:
        """What becomes of each selected asset: made, failed, empty, skipped or abandoned."""
        ends: dict[int, str] = {}
        for n in sorted(selected):
            above = [m for m in {*self.inputs[n], *self.deps[n]} if m in selected]
            if any(ends[m] in ("failed", "abandoned") for m in above) or any(
                self.fates[m] is Fate.BLOCKED and ends[m] == "made" for m in above
            ):
                ends[n] = "abandoned"
            elif any(ends[m] in ("skipped", "empty") for m in above):
                ends[n] = "skipped"
            else:
                ends[n] = {Fate.FAILS: "failed", Fate.GIVES_NOTHING: "empty"}.get(self.fates[n], "made")
        return ends


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 7))
    above = [sorted(draw(st.sets(st.integers(0, n - 1), max_size=3))) if n else [] for n in range(count)]
    taken = [[m for m in each if draw(st.booleans())] for each in above]
    fates = [draw(st.sampled_from([Fate.GOOD, Fate.GOOD, *Fate])) for _ in range(count)]
    return Graph(fates, taken, [[m for m in each if m not in taken[n]] for n, each in enumerate(above)])


def ended(result: sg.ExecuteInProcessResult, n: int) -> str:
    """What became of an asset, read from the run's events."""
    key = f"a{n}"
    if result.is_node_failed(key):
        return "failed"
    if result.is_node_success(key):
        return "made" if result.asset_materializations_for_node(key) else "empty"
    return "skipped" if result.is_node_skipped(key) else "abandoned"


@given(graphs())
def test_a_run_does_what_the_model_says(graph: Graph) -> None:
    everything = set(range(len(graph.fates)))
    expected = graph.expected(everything)
    with sg.Instance.ephemeral() as instance:
        result = sg.materialize(graph.definitions(), instance=instance, raise_on_error=False)
        assert {n: ended(result, n) for n in everything} == expected
        recorded = {key.to_user_string() for key in instance.get_asset_keys()}
        assert recorded == {f"a{n}" for n, end in expected.items() if end == "made"}
        bad = {n for n, end in expected.items() if end == "made" and graph.fates[n] is Fate.BLOCKED}
        assert result.success is not (bool(bad) or "failed" in expected.values())
        assert {each.asset_key.to_user_string() for each in result.get_asset_check_evaluations()} == {
            f"a{n}" for n in bad
        }
    tries = {Fate.FAILS: 2, Fate.FAILS_ONCE: 2}
    assert sorted(graph.calls) == sorted(
        n
        for n, end in expected.items()
        if end not in ("skipped", "abandoned")
        for _ in range(tries.get(graph.fates[n], 1))
    )


@given(graphs())
def test_a_retry_finishes_what_a_repaired_graph_can_make(graph: Graph) -> None:
    """After a repair the retry makes the rest, does nothing twice, and still knows which outputs were never given."""
    everything = set(range(len(graph.fates)))
    before = graph.expected(everything)
    with sg.Instance.ephemeral() as instance:
        run = sg.materialize(graph.definitions(), instance=instance, raise_on_error=False).run
        if run.is_success:
            return
        graph.calls.clear()
        repaired = {Fate.FAILS: Fate.GOOD, Fate.BLOCKED: Fate.GOOD}
        definitions = graph.definitions()
        graph.fates = [repaired.get(fate, fate) for fate in graph.fates]
        assets = [each for each in definitions if not isinstance(each, sg.AssetChecksDefinition)]
        checks = [each for each in definitions if isinstance(each, sg.AssetChecksDefinition)]
        again = retry_run(sg.Definitions(assets, asset_checks=checks), instance, run.run_id)
        assert again.is_success
        after = graph.expected(everything)
        recorded = {key.to_user_string() for key in instance.get_asset_keys()}
    assert recorded == {f"a{n}" for n, end in after.items() if end == "made"}
    assert set(graph.calls) == {
        n for n in everything if before[n] in ("failed", "abandoned") and after[n] in ("made", "empty")
    }


def test_a_long_chain_and_a_wide_fan() -> None:
    count = 300
    chain = Graph([Fate.GOOD] * count, [[n - 1] if n else [] for n in range(count)], [[]] * count)
    result = sg.materialize_to_memory(chain.definitions())
    assert result.asset_value(f"a{count - 1}") == count * (count - 1) // 2
    fan = Graph([Fate.GOOD] * count, [[]] * (count - 1) + [list(range(count - 1))], [[]] * count)
    assert sg.materialize_to_memory(fan.definitions()).asset_value(f"a{count - 1}") == count * (count - 1) // 2

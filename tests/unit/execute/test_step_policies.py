"""Step policies in runs: trigger rules with the inputs that are missing, priorities, and where a policy may be said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

import segue as sg
from segue.host.recorded_plan import retry_run
from segue.model.manifest import decode_manifest, encode_manifest

ALL_DONE = sg.StepPolicy(trigger_rule="all_done")


def statuses(result: sg.ExecuteInProcessResult) -> dict[str, str]:
    """How each step ended."""
    ends = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}
    return {
        event.step_key or "": event.event_type_value.removeprefix("STEP_").lower()
        for event in result.all_events
        if event.event_type_value in ends
    }


@sg.asset
def broken() -> int:
    raise ValueError("no")


@sg.asset
def whole() -> int:
    return 1


def test_a_step_that_runs_after_a_failure_keeps_the_defaults_of_what_is_missing_and_the_run_still_fails() -> None:
    seen: list[Any] = []

    @sg.asset(step_policy=ALL_DONE)
    def report(broken: int = -1, whole: int = -1) -> None:
        seen.append((broken, whole))

    @sg.asset(deps=[report])
    def after() -> None: ...

    result = sg.materialize([broken, whole, report, after], raise_on_error=False)
    assert seen == [(-1, 1)]
    assert statuses(result) == {"broken": "failure", "whole": "success", "report": "success", "after": "success"}
    assert not result.success


def test_tidying_up_runs_only_after_a_failure() -> None:
    @sg.asset(deps=["broken"], step_policy=sg.StepPolicy(trigger_rule="one_failed"))
    def tidy() -> None: ...

    @sg.asset(deps=["whole"], step_policy=sg.StepPolicy(trigger_rule="one_failed"))
    def idle() -> None: ...

    result = sg.materialize([broken, whole, tidy, idle], raise_on_error=False)
    assert statuses(result) == {"broken": "failure", "whole": "success", "tidy": "success", "idle": "skipped"}


def test_a_job_of_ops_the_same_way() -> None:
    seen: list[int] = []

    @sg.op
    def fails() -> int:
        raise ValueError("no")

    @sg.op(ins={"value": sg.In(int, default_value=7)})
    def always(value: int) -> None:
        seen.append(value)

    @sg.job
    def work() -> None:
        always.with_step_policy(ALL_DONE)(fails())

    result = work.execute_in_process(raise_on_error=False)
    assert seen == [7]
    assert statuses(result) == {"fails": "failure", "always": "success"}


def test_a_step_that_may_start_without_a_value_needs_a_default() -> None:
    @sg.asset(step_policy=ALL_DONE)
    def report(broken: int) -> None: ...

    with pytest.raises(sg.InvalidDefinitionError, match=r"trigger rule 'all_done'.* 'broken'.*a default"):
        _ = sg.Definitions([broken, report]).described

    @sg.op
    def one() -> int:
        return 1

    @sg.op(step_policy=ALL_DONE)
    def two(value: int) -> None: ...

    with pytest.raises(sg.InvalidDefinitionError, match="the step 'two' has the trigger rule"):

        @sg.job
        def work() -> None:
            two(one())


def test_dynamic_steps_behind_a_failure_are_not_started_and_what_collects_them_gets_none() -> None:
    seen: list[Any] = []

    @sg.op(out=sg.DynamicOut(int))
    def source() -> Any:
        raise ValueError("no")

    @sg.op(step_policy=sg.StepPolicy(trigger_rule="always"))
    def each(value: int = 0) -> int:
        return value

    @sg.op(step_policy=ALL_DONE)
    def collect(values: list[int]) -> None:
        seen.append(values)

    @sg.job
    def work() -> None:
        collect(source().map(each).collect())

    result = work.execute_in_process(raise_on_error=False)
    assert seen == [[]]
    assert statuses(result) == {"source": "failure", "collect": "success"}


def test_a_retry_runs_what_failed_and_what_comes_after_it_also_what_ran_in_spite_of_it() -> None:
    runs: list[str] = []
    is_well = False

    @sg.asset
    def flaky() -> int:
        if not is_well:
            raise ValueError("no")
        return 1

    @sg.asset(deps=[flaky], step_policy=ALL_DONE)
    def tidy() -> None:
        runs.append("tidy")

    @sg.asset
    def after(flaky: int) -> None:
        runs.append("after")

    job = sg.define_asset_job("job")
    defs = sg.Definitions([flaky, tidy, after], jobs=[job])
    with sg.Instance.ephemeral() as instance:
        first = defs.get_job_def("job").execute_in_process(instance=instance, raise_on_error=False)
        assert runs == ["tidy"]
        is_well = True
        assert retry_run(defs, instance, first.run_id).is_success
        assert sorted(runs) == ["after", "tidy", "tidy"]


def test_of_steps_that_could_start_those_of_higher_priority_go_first() -> None:
    order: list[str] = []

    def made(name: str, priority: int) -> sg.AssetsDefinition:
        @sg.asset(name=name, step_policy=sg.StepPolicy(priority=priority))
        def function() -> None:
            order.append(name)

        return function

    @sg.asset(op_tags={"dagster/priority": 3})
    def e() -> None:
        order.append("e")

    sg.materialize([made("a", 0), made("b", -1), made("c", 5), made("d", 0), e])
    assert order == ["c", "e", "a", "d", "b"]


POLICY = sg.StepPolicy(timeout=30, priority=2)


@sg.asset(step_policy=POLICY)
def an_asset() -> None: ...


@sg.multi_asset(specs=[sg.AssetSpec("x")], step_policy=POLICY)
def several() -> None: ...


@sg.asset_check(asset="an_asset", step_policy=POLICY)
def a_check() -> bool:
    return True


@sg.multi_asset_check(specs=[sg.AssetCheckSpec("other", asset="an_asset")], step_policy=POLICY)
def checks() -> Any: ...


@sg.op
def an_op() -> int:
    return 1


@sg.graph_asset(step_policy=POLICY)
def of_graph() -> int:
    return an_op()


@sg.graph_multi_asset(outs={"left": sg.AssetOut()}, step_policy=POLICY)
def of_graphs() -> Any:
    return {"left": an_op()}


@pytest.mark.parametrize("definition", [an_asset, several, a_check, checks, of_graph, of_graphs])
def test_every_declaration_takes_a_policy_and_the_manifest_keeps_it(definition: Any) -> None:
    kind = "asset_checks" if isinstance(definition, sg.AssetChecksDefinition) else "assets"
    given: dict[str, Any] = {"assets": [an_asset], kind: [definition]}
    manifest = decode_manifest(encode_manifest(sg.Definitions(**given).manifest))
    name = cast("sg.AssetsDefinition", definition).node_def
    node = next(each for each in manifest.computations if name is not None and each.name == name.name)
    assert (node.steps[0] if node.steps else node).step_policy == POLICY


def test_every_use_of_an_op_takes_a_policy() -> None:
    node = sg.OpDefinition(lambda _context, _inputs: None, "node", outs={}, step_policy=POLICY)

    @sg.op(step_policy=sg.StepPolicy(priority=1))
    def declared() -> None: ...

    @sg.job
    def work() -> None:
        node()
        declared()
        declared.with_step_policy(POLICY).alias("replaced")()

    steps = {step.path: step.step_policy for step in work.flat.steps}
    assert steps == {"node": POLICY, "declared": sg.StepPolicy(priority=1), "replaced": POLICY}
    graph = sg.GraphDefinition(
        "graph", node_defs=[declared], dependencies={sg.NodeInvocation("declared", alias="x", step_policy=POLICY): {}}
    )
    assert [step.step_policy for step in graph.to_job().flat.steps] == [POLICY]


@pytest.mark.parametrize(
    "declare",
    [
        lambda: sg.asset(name="x", step_policy=cast("Any", 3))(lambda: None),
        lambda: sg.op(name="x", step_policy=cast("Any", 3))(lambda: None),
        lambda: an_op.with_step_policy(cast("Any", 3)),
    ],
)
def test_what_is_no_policy_is_refused(declare: Callable[[], object]) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="step_policy must be of type StepPolicy"):
        declare()


@pytest.mark.parametrize("policy", [sg.StepPolicy(memory_limit="1 GiB"), sg.StepPolicy(executor="multiprocess")])
def test_what_needs_a_process_for_each_step_is_refused_in_the_process_of_the_run(policy: sg.StepPolicy) -> None:
    @sg.asset(step_policy=policy)
    def limited() -> None: ...

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(sg.NotSupportedError, match="limited"):
            sg.materialize([limited], instance=instance)
        assert instance.get_runs() == []

"""A declared job of assets is resolved over a graph by itself, and any job says how its steps are executed."""

from __future__ import annotations

import pytest

import segue as sg


@sg.asset
def orders() -> int:
    return 3


@sg.asset
def total(orders: int) -> int:
    return orders * 2


@sg.asset_check(asset=total)
def even(total: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=total % 2 == 0)


GRAPH = sg.Definitions(assets=[orders, total], asset_checks=[even]).resolve_asset_graph()


def test_a_job_resolves_over_a_graph_and_runs() -> None:
    job = sg.define_asset_job("both", selection="*", tags={"team": "shop"}).resolve(asset_graph=GRAPH)
    result = job.execute_in_process()
    assert result.asset_value("total") == 6
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    assert (job.name, job.tags["team"]) == ("both", "shop")


def test_the_executor_and_resources_are_those_given() -> None:
    @sg.asset(required_resource_keys={"rate"})
    def priced(context: sg.AssetExecutionContext) -> int:
        return context.resources.rate

    graph = sg.Definitions(assets=[priced], resources={"rate": 1}).resolve_asset_graph()
    declared = sg.define_asset_job("prices", selection=[priced])
    job = declared.resolve(graph, sg.in_process_executor, {"rate": 7})
    assert job.executor_def is sg.in_process_executor
    assert job.execute_in_process().asset_value("priced") == 7


def test_a_selection_that_the_graph_lacks_is_refused() -> None:
    with pytest.raises(sg.InvalidSubsetError, match="lost"):
        sg.define_asset_job("odd", selection=sg.AssetSelection.assets("lost")).resolve(asset_graph=GRAPH)


def test_metadata_is_replaced() -> None:
    job = sg.define_asset_job("both", metadata={"old": 1})
    assert job.with_metadata({"new": 2}).metadata == {"new": 2}
    assert job.metadata == {"old": 1}


def test_a_job_that_names_no_executor_has_the_default_one() -> None:
    @sg.op
    def work() -> None: ...

    @sg.job
    def plain() -> None:
        work()

    @sg.job(executor_def=sg.in_process_executor)
    def own() -> None:
        work()

    assert plain.executor_def is sg.multi_or_in_process_executor
    assert own.executor_def is sg.in_process_executor
    assert (plain.has_specified_executor, own.has_specified_executor) == (False, True)
    given = sg.Definitions(jobs=[plain, own], executor=sg.multiprocess_executor)
    assert [given.get_job_def(name).executor_def for name in ("plain", "own")] == [
        sg.multiprocess_executor,
        sg.in_process_executor,
    ]


class Table:
    """A value that no run config can hold."""

    def __init__(self, rows: int) -> None:
        self.rows = rows


class Tables(sg.IOManager):
    def handle_output(self, context: sg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: sg.InputContext) -> Table:
        return Table(4)


def test_a_job_loads_what_its_assets_take_from_elsewhere_whatever_its_type() -> None:
    @sg.asset
    def stock() -> Table:
        return Table(1)

    @sg.asset
    def shelves(stock: Table, feed: Table) -> int:
        return stock.rows + feed.rows

    @sg.asset_check(asset="feed")
    def long(table: Table) -> bool:
        return table.rows > 3

    definitions = sg.Definitions(
        assets=[stock, shelves, sg.AssetSpec("feed")],
        asset_checks=[long],
        jobs=[sg.define_asset_job("part", selection=[shelves])],
        resources={"io_manager": Tables()},
    )
    result = definitions.get_job_def("part").execute_in_process()
    assert result.output_for_node("shelves") == 8
    assert definitions.resolve_implicit_global_asset_job_def().execute_in_process().success


def test_steps_are_selected_by_the_names_of_their_functions() -> None:
    job = sg.Definitions(assets=[orders, total], asset_checks=[even], jobs=[sg.define_asset_job("all")]).get_job_def(
        "all"
    )

    def ran(result: sg.ExecuteInProcessResult) -> list[str | None]:
        return [event.step_key for event in result.get_step_success_events()]

    assert ran(job.execute_in_process(op_selection=["orders"])) == ["orders"]
    assert ran(job.execute_in_process(op_selection=["orders", "total+"])) == ["orders", "total", "total_even"]
    assert job.get_subset(op_selection=["*total"]).asset_layer.executable_asset_keys == {orders.key, total.key}
    assert job.get_subset(op_selection=["*total"]).asset_check_selection == set()
    for nothing in ({"asset_selection": []}, {"op_selection": []}):
        assert len(ran(job.execute_in_process(**nothing))) == 3
    with pytest.raises(sg.InvalidSubsetError, match="both op_selection and asset_selection"):
        job.get_subset(op_selection=["orders"], asset_selection=[total.key])


def test_a_run_of_assets_without_a_job_has_one_to_show() -> None:
    made = sg.materialize([orders, total, even]).job_def
    assert (made.name, made.asset_layer.executable_asset_keys) == ("__ephemeral_asset_job__", {orders.key, total.key})
    assert sorted(made.graph.node_dict) == ["orders", "total", "total_even"]
    part = sg.materialize([orders, total, even], selection=[orders]).job_def
    assert part.asset_layer.executable_asset_keys == {orders.key}


@sg.op
def counted(orders: int) -> int:
    return orders


@sg.op
def doubled(number: int) -> int:
    return number * 2


@sg.graph_asset
def report(orders: int) -> int:
    return doubled(counted(orders))


def test_a_selected_graph_comes_whole() -> None:
    job = sg.Definitions(assets=[orders, report], jobs=[sg.define_asset_job("all")]).get_job_def("all")
    result = job.execute_in_process(op_selection=["orders+"])
    assert [event.step_key for event in result.get_step_success_events()] == [
        "orders",
        "report.counted",
        "report.doubled",
    ]
    with pytest.raises(sg.InvalidSubsetError, match=r"run together; add report\.doubled"):
        job.get_subset(op_selection=["report.counted"])


EXTERNAL = sg.AssetSpec("elsewhere")


@sg.asset(deps=[EXTERNAL])
def copied() -> None: ...


@sg.observable_source_asset
def watched() -> sg.DataVersion:
    return sg.DataVersion("1")


@pytest.mark.parametrize(
    "selection",
    [["elsewhere"], ["elsewhere", "copied"], "elsewhere*", sg.AssetSelection.all(include_sources=True)],
)
def test_a_selection_of_external_assets_is_refused(selection: sg.AssetSelection | str | list[str]) -> None:
    assets = [EXTERNAL, copied, orders]
    definitions = sg.Definitions(assets=assets, jobs=[sg.define_asset_job("all_of_it", selection)])
    with pytest.raises(sg.InvalidDefinitionError, match="external assets, which no run can materialize: elsewhere"):
        definitions.get_job_def("all_of_it")
    with pytest.raises(sg.InvalidDefinitionError, match="elsewhere"):
        sg.materialize(assets, selection=selection)


def test_an_asset_that_is_only_observed_may_be_selected() -> None:
    result = sg.materialize([watched, orders], selection=["watched", "orders"])
    assert [event.step_key for event in result.all_events if event.is_step_success] == ["orders", "watched"]


def test_a_part_with_assets_outside_of_the_job_is_refused() -> None:
    job = sg.Definitions(assets=[EXTERNAL, copied]).get_implicit_global_asset_job_def()
    with pytest.raises(sg.InvalidDefinitionError, match="'elsewhere'"):
        job.get_subset(asset_selection=[EXTERNAL.key])

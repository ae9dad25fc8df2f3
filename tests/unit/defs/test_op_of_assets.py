"""The op of assets: what it says of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import segue as sg


def test_the_op_of_assets_says_of_inputs_and_outputs_what_the_assets_say() -> None:
    @sg.multi_asset(
        ins={"rate": sg.AssetIn("fx", metadata={"as": "float"}, input_manager_key="files")},
        deps=["calendar"],
        outs={
            "net": sg.AssetOut(description="Without tax", metadata={"unit": "EUR"}, io_manager_key="lake"),
            "tax": sg.AssetOut(is_required=False, dagster_type=int, code_version="2"),
        },
        compute_kind="python",
        op_tags={"size": "s"},
    )
    def prices(rate: float) -> Any: ...

    op = prices.op
    assert op is prices.op
    inputs = {
        each.name: (each.dagster_type.display_name, each.metadata, each.input_manager_key) for each in op.input_defs
    }
    assert inputs == {"rate": ("Float", {"as": "float"}, "files"), "calendar": ("Nothing", {}, None)}
    assert list(op.ins) == ["rate", "calendar"]
    net, tax = (op.output_dict[name] for name in ("net", "tax"))
    assert (net.description, net.metadata, net.io_manager_key, net.is_required) == (
        "Without tax",
        {"unit": "EUR"},
        "lake",
        True,
    )
    assert (tax.dagster_type.display_name, tax.is_required, tax.code_version) == ("Int", False, "2")
    assert op.tags == {"dagster/compute_kind": "python", "size": "s"}
    renamed = prices.with_attributes(asset_key_replacements={sg.AssetKey("calendar"): sg.AssetKey("days")})
    assert list(renamed.op.ins) == ["rate", "days"]
    part = sg.AssetsDefinition(
        node_def=op, keys_by_output_name={"net": sg.AssetKey("net"), "tax": sg.AssetKey("tax")}, can_subset=True,
        selected_asset_keys={sg.AssetKey("tax")}, keys_by_input_name={"rate": sg.AssetKey("fx")},
    )  # fmt: skip
    assert list(part.op.outs) == ["net", "tax"]


def test_assets_that_the_function_stores_itself_have_outputs_without_a_value() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b", deps=["a"])], can_subset=True)
    def both() -> Any: ...

    @sg.multi_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b", skippable=True)])
    def stored() -> Iterator[sg.MaterializeResult[Any]]: ...

    assert [each.is_required for each in both.op.output_defs] == [False, False]
    assert list(both.op.ins) == ["__subset_input__a"]
    assert [(each.dagster_type.display_name, each.is_required) for each in stored.op.output_defs] == [
        ("Nothing", True),
        ("Nothing", False),
    ]


def test_a_step_sees_the_same_op() -> None:
    seen: list[object] = []

    @sg.asset(deps=["calendar"], description="Per day", io_manager_key="lake")
    def sales(context: sg.AssetExecutionContext) -> int:
        seen.extend(
            [context.op_execution_context.op_def, context.op_execution_context.op.definition, context.assets_def.op]
        )
        return 3

    assert sg.materialize([sales], resources={"lake": sg.mem_io_manager}).success
    assert seen == [sales.op] * 3
    assert sales.op.output_defs[0].description == "Per day"

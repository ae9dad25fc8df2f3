"""Parameters of the compatible API that are not built are refused, with the alternative."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import segue as sg


def out(**arguments: object) -> object:
    return sg.AssetOut(**arguments)  # type: ignore[arg-type]


def check(**arguments: object) -> object:
    return sg.asset_check(asset="a", **arguments)  # type: ignore[arg-type]


def check_spec(**arguments: object) -> object:
    return sg.AssetCheckSpec("c", asset="a", **arguments)  # type: ignore[arg-type]


def spec(**arguments: object) -> object:
    return sg.AssetSpec("a", **arguments)  # type: ignore[arg-type]


def job(**arguments: object) -> object:
    return sg.define_asset_job("j", **arguments)  # type: ignore[arg-type]


NOT_BUILT: list[tuple[str, Callable[..., object], str]] = [
    (
        "asset",
        sg.asset,
        "resource_defs hooks io_manager_def dagster_type is_virtual pool",
    ),
    ("multi_asset", sg.multi_asset, "resource_defs hooks pool"),
    ("asset_check", check, "resource_defs pool"),
    ("AssetSpec", spec, "is_virtual"),
    ("AssetIn", sg.AssetIn, "dagster_type"),
    ("AssetOut", out, "dagster_type is_virtual"),
    ("AssetCheckSpec", check_spec, "partitions_def"),
    ("define_asset_job", job, "executor_def hooks op_retry_policy"),
    ("Definitions", sg.Definitions, "executor loggers component_tree"),
]
ROWS = [(where, call, parameter) for where, call, parameters in NOT_BUILT for parameter in parameters.split()]


@pytest.mark.parametrize(("where", "call", "parameter"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_what_is_not_built_names_the_alternative(where: str, call: Callable[..., object], parameter: str) -> None:
    given = True if parameter == "is_virtual" else {"x": object()}
    with pytest.raises(sg.NotSupportedError, match=rf"^{where}\({parameter}=\.\.\.\) is not built yet[.:] \w+ .*\.$"):
        call(**{parameter: given})


@pytest.mark.parametrize(("where", "call", "parameter"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_nothing_given_is_nothing_asked(where: str, call: Callable[..., object], parameter: str) -> None:
    call(**{parameter: False if parameter == "is_virtual" else None})
    if parameter in {"hooks", "resource_defs", "schedules", "sensors", "loggers"}:
        call(**{parameter: {} if parameter in {"resource_defs", "loggers"} else []})


def test_asset_checks_are_not_partitioned() -> None:
    with pytest.raises(sg.NotSupportedError, match="partitions_def"):

        @sg.asset_check(asset="a", partitions_def=sg.StaticPartitionsDefinition(["x"]))
        def function() -> bool:
            return True


@pytest.mark.parametrize("parameter", ["additional_ins", "additional_deps"])
def test_a_check_maps_no_partitions(parameter: str) -> None:
    mapping = sg.LastPartitionMapping()
    given: object = [sg.AssetDep("b", partition_mapping=mapping)]
    if parameter == "additional_ins":
        given = {"b": sg.AssetIn(partition_mapping=mapping)}
    with pytest.raises(sg.NotSupportedError, match=r"'a:function'.*partition mapping"):

        @sg.asset_check(asset="a", **{parameter: given})  # type: ignore[arg-type]
        def function(b: int) -> bool:
            return b > 0

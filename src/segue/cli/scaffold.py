"""The files of a new project."""

from __future__ import annotations

PYPROJECT = """\
[project]
name = "{project}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["segue"]

[tool.segue]
module = "{package}.definitions"

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["{package}"]
"""

README = """\
# {title}

A Segue project.

    segue check                                    # load the definitions and report every error
    segue list                                     # the assets
    segue materialize --partition 2024-01-01       # materialize all assets, the daily one for this day
    segue materialize --select "+order_report"     # one asset and everything upstream of it
    segue materialize --select daily_orders --partition-range 2024-01-01...2024-01-07
    segue runs                                     # list the runs
    segue asset order_report                       # show the state of an asset

- `{package}/definitions.py` declares the assets.
- `.segue/` contains Segue's records and the stored values of the assets. It is not part of the project's source.
"""

GITIGNORE = """\
.segue/
__pycache__/
*.egg-info/
"""

DEFINITIONS = '''\
"""The assets of this project. Change them, then run `segue check`."""

import segue as sg

DAYS = sg.DailyPartitionsDefinition(start_date="2024-01-01")


@sg.asset(group_name="shop", description="Incoming orders: customer and amount.")
def orders() -> list[tuple[str, int]]:
    return [("Ada", 20), ("Grace", 35), ("Ada", 15)]


@sg.asset(group_name="shop", description="What each customer spent.")
def order_report(context: sg.AssetExecutionContext, orders: list[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for customer, amount in orders:
        totals[customer] = totals.get(customer, 0) + amount
    context.log.info(f"{len(totals)} customers")
    context.add_output_metadata({"customers": len(totals), "revenue": sum(totals.values())})
    return totals


@sg.asset_check(asset=orders, description="No order is free.")
def amounts_are_positive(orders: list[tuple[str, int]]) -> sg.AssetCheckResult:
    free = [customer for customer, amount in orders if amount <= 0]
    return sg.AssetCheckResult(passed=not free, metadata={"free_orders": len(free)})


@sg.asset(group_name="shop", partitions_def=DAYS, description="The orders of one day.")
def daily_orders(context: sg.AssetExecutionContext) -> list[str]:
    return [f"{context.partition_key}-{number}" for number in range(3)]


defs = sg.Definitions(
    assets=[orders, order_report, daily_orders],
    asset_checks=[amounts_are_positive],
)
'''


def project_files(folder_name: str, package: str) -> dict[str, str]:
    """The files by their path in the project's folder."""
    names = {"title": folder_name, "package": package, "project": package.replace("_", "-")}
    return {
        "pyproject.toml": PYPROJECT.format(**names),
        "README.md": README.format(**names),
        ".gitignore": GITIGNORE,
        f"{package}/__init__.py": "",
        f"{package}/definitions.py": DEFINITIONS,
    }

"""Import the library and touch the names that projects use most, none of which needs pydantic."""

from __future__ import annotations

from library import load, report

NAMES = """
    Definitions asset AssetExecutionContext define_asset_job MetadataValue AssetSelection AssetKey Output
    load_assets_from_modules MaterializeResult AssetIn DailyPartitionsDefinition AssetCheckResult InputContext
    asset_check OutputContext RetryPolicy multi_asset StaticPartitionsDefinition materialize AssetCheckSeverity
    AssetOut IOManager
""".split()


def work() -> None:
    library = load()
    for name in NAMES:
        getattr(library, name)


report(1, work)

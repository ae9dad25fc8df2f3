"""Checks that need no function: of age, of columns, of numbers in metadata, of row counts.

Each `build_..._checks(assets=...)` returns definitions for `Definitions(asset_checks=...)`: one step for all the assets,
which runs as many of its checks as a run asks for.
"""

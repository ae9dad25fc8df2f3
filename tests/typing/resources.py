"""Resources, IO managers and config."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, assert_type

import segue as dg


class Database(dg.ConfigurableResource):
    url: str
    retries: int = 3

    def rows(self, table: str) -> list[str]:
        return [f"{self.url}/{table}"] * self.retries

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Database]:
        yield self


class Files(dg.ConfigurableIOManager):
    folder: str

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        assert_type(context.asset_key, dg.AssetKey)
        context.add_output_metadata({"folder": self.folder})

    def load_input(self, context: dg.InputContext) -> object:
        return context.asset_key.path


class Settings(dg.Config):
    names: tuple[str, ...] = ()
    depth: int | None = None


@dg.asset
def table(database: Database, config: Settings, plain: dg.ResourceParam[dict[str, int]]) -> list[str]:
    assert_type(database.rows("x"), list[str])
    assert_type(config.names, tuple[str, ...])
    assert_type(plain, dict[str, int])
    return database.rows("orders")


defs = dg.Definitions(
    assets=[table],
    resources={"database": Database(url=dg.EnvVar("URL")), "io_manager": Files(folder="/tmp"), "plain": {"a": 1}},
)
assert_type(Database(url="x").retries, int)
config: dict[str, Any] = dg.RunConfig(ops={"table": Settings(depth=3)}).to_config_dict()

Database(url=3)  # refused: reportArgumentType
Database()  # refused: reportCallIssue
Settings(names=3)  # refused: reportArgumentType

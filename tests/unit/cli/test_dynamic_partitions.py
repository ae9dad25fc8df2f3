"""Dynamic partitions on the command line: their keys are those of the home folder."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

import segue as sg
from segue.cli.main import command

CODE = """
import segue as sg

@sg.asset(partitions_def=sg.DynamicPartitionsDefinition(name="customers"))
def orders(context: sg.AssetExecutionContext) -> str:
    return context.partition_key
"""


def test_dynamic_partitions_are_listed_made_and_shown(tmp_path: Path) -> None:
    code, home = tmp_path / "code.py", tmp_path / "home"
    code.write_text(CODE)
    with sg.Instance.local_temp(str(home)) as instance:
        instance.add_dynamic_partitions("customers", ["zoe", "amy", "bob"])

    def run(*words: str) -> str:
        result = CliRunner().invoke(command, [*words, "-f", str(code), "--home", str(home)])
        assert result.exit_code == 0, result.output
        return result.output

    assert "3: zoe...bob" in run("list", "assets")
    run("materialize", "--partition-range", "amy...bob")
    document = json.loads(run("asset", "orders", "--json"))
    assert "amy" in json.dumps(document["partitions"])
    with sg.Instance.local_temp(str(home)) as instance:
        assert instance.get_materialized_partitions(sg.AssetKey("orders")) == {"amy", "bob"}
    result = CliRunner().invoke(command, ["materialize", "--partition", "eve", "-f", str(code), "--home", str(home)])
    assert result.exit_code != 0
    assert "eve" in result.output

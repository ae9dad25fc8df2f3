"""A backfill while the code is loaded anew: real files that change, real processes, and what the command line says of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Project
from control_plane import control_plane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

FIRST = """
import pathlib, time

@sg.asset(partitions_def=sg.StaticPartitionsDefinition(list("abc")))
def raw(context):
    pathlib.Path("began " + context.partition_key).touch()
    while not pathlib.Path("goes on").exists():
        time.sleep(0.01)

@sg.asset(partitions_def=sg.StaticPartitionsDefinition(list("abc")), deps=[raw])
def clean(): ...

defs = sg.Definitions(assets=[raw, clean])
"""
SECOND = """
@sg.asset(partitions_def=sg.StaticPartitionsDefinition(list("abcdef")), code_version="2")
def raw(): ...

defs = sg.Definitions(assets=[raw])
"""


def test_a_backfill_keeps_to_the_definitions_it_began_with_and_says_what_changed(tmp_path: Path) -> None:
    project = Project(tmp_path, FIRST)
    with control_plane(project.folder) as plane:
        made = project.run(
            "backfill", "create", "--select", "raw+", "--all", "--max-concurrent", "1", "--run-each", "--json"
        )
        name = made.document["backfill_id"]
        plane.wait_for((tmp_path / "began a").exists)

        def shown() -> dict[str, Any]:
            return project.run("backfill", "show", name, "--json").document

        project.define(SECOND)
        plane.wait_for(lambda: bool(shown()["changes"]))
        assert shown()["status"] == "REQUESTED"
        (tmp_path / "goes on").touch()
        plane.wait_for(lambda: str(shown()["status"]).startswith("COMPLETED"))
        ended = shown()
    assert (ended["status"], ended["manifest_hash"]) == ("COMPLETED_FAILED", made.document["manifest_hash"])
    assert ended["changes"] == [
        {"name": "raw", "what": ["code version", "partitions"]},
        {"name": "clean", "what": ["gone"]},
    ]
    parts = {each["asset"]: each["partitions"] for each in ended["done"]}
    assert parts == {"raw": [["a", "c"]], "clean": [["a", "a"]]}
    assert [each["asset"] for each in ended["failed"]] == ["clean"]
    assert "can no longer materialize clean" in str(ended["error"])
    text = project.run("backfill", "show", name).out
    assert "code version, partitions" in text
    assert "gone" in text

"""User code with types is checked strictly, without errors; what is wrong in it is refused where it stands.

The other files of this folder are such code. `assert_type` says what must be inferred; a line that must be refused ends
in `# refused:` and the rules that refuse it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
SNIPPETS = sorted(path for path in FOLDER.glob("*.py") if not path.name.startswith("test_"))
Refusals = set[tuple[str, int, str]]  # file, line, rule


def refusals(folder: Path, files: list[Path]) -> Refusals:
    """What pyright reports, in strict mode, for files that import Segue as an installed package."""
    project = folder / "project"
    project.mkdir()
    for path in files:
        shutil.copy(path, project)
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT / "src")]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(files), done.stdout
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each.get("rule", each["message"]))
        for each in report["generalDiagnostics"]
    }


def expected(files: list[Path]) -> Refusals:
    return {
        (path.name, number, rule)
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for found in re.findall(r"# refused: (.+)$", line)
        for rule in found.split()
    }


@pytest.mark.timeout(300)
def test_typed_user_code_is_understood(tmp_path: Path) -> None:
    assert len(expected(SNIPPETS)) > 10
    assert refusals(tmp_path, SNIPPETS) == expected(SNIPPETS)


@pytest.mark.timeout(300)
def test_a_wrong_type_in_a_snippet_is_seen(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from typing import assert_type\nimport segue as dg\nassert_type(dg.AssetKey('a'), int)\n")
    assert refusals(tmp_path, [planted]) == {("planted.py", 3, "reportAssertTypeFailure")}

"""What a fresh interpreter loads when it runs a line of code."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import sys
before = set(sys.modules)
{code}
loaded = sorted(set(sys.modules) - before)
import json
print(json.dumps(loaded))
"""


def modules_loaded_by(code: str) -> set[str]:
    """The modules that `code` loads, beyond those the interpreter itself brings."""
    command = [sys.executable, "-I", "-W", "error", "-c", _PROGRAM.format(code=code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def heavy(loaded: set[str], names: str) -> set[str]:
    """Those of the packages in `names` that were loaded."""
    return {module.partition(".")[0] for module in loaded} & set(names.split())

"""What the README shows works as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.md"


def test_the_quick_start_prints_what_the_readme_says(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (code,) = re.findall(r"<!-- quick start.*?-->\n```python\n(.*?)```", text, flags=re.DOTALL)
    (expected,) = re.findall(r"`python shop\.py` prints\n\n```text\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "shop.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", "shop.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if "://" not in link and not (README.parent / link).exists()] == []

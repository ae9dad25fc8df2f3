"""What the page on steps shows can be declared and run, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from segue.cli.main import command

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "steps.md"


def test_what_the_page_shows_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- example -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    file = tmp_path / "shown.py"
    file.write_text("\n\n".join(blocks), encoding="utf-8")
    where = ["-f", str(file), "--home", str(tmp_path / "home")]
    result = CliRunner().invoke(command, ["materialize", *where, "--select", "*"])
    assert result.exit_code == 0, result.output
    for name in ("features", "report", "rebuilt", "orders", "stock"):
        assert f"materialized {name}" in result.output


def test_links_of_the_page_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    for link in links:
        name, _, place = link.partition("#")
        text = (PAGE.parent / name).read_text(encoding="utf-8").lower()
        assert not place or f"# {place.replace('-', ' ')}" in text, link

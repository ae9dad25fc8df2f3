"""Settings as the text of a TOML file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast


def toml_text(settings: Mapping[str, object]) -> str:
    """The text of a TOML file that says the same.

    Args:
        settings: texts, numbers and booleans; tables as mappings and arrays of tables as sequences of mappings, of such values.
    """
    return "\n".join(_lines(settings, ())) + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    """Plain values first: what follows the head of a table belongs to it."""
    plain = {
        name: value
        for name, value in table.items()
        if not isinstance(value, (Mapping, Sequence)) or isinstance(value, str)
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items()]
    for name, value in table.items():
        head = ".".join((*path, name))
        if isinstance(value, Mapping):
            lines += ["", f"[{head}]", *_lines(cast("Mapping[str, object]", value), (*path, name))]
        elif name not in plain:
            for each in cast("Sequence[Mapping[str, object]]", value):
                lines += ["", f"[[{head}]]", *_lines(each, (*path, name))]
    return lines

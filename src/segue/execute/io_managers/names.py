"""Names of files for keys: what stands in a key stays readable, and never leads out of the folder; names of metadata."""

from __future__ import annotations

import hashlib
import os
from typing import Final

ALLOW_MISSING_PARTITIONS: Final = "allow_missing_partitions"  # of an input: partitions that are not stored are left out
_LONGEST = 255  # bytes of one name, the most that file systems take
_KEPT = 180  # bytes of a longer one; a hash takes the place of the rest
_WHOLE = {".": "%2E", "..": "%2E%2E"}  # these mean folders
_ESCAPES = str.maketrans({each: f"%{ord(each):02X}" for each in "\0" + ('<>:"|?*\\' if os.name == "nt" else "")})


def file_names(text: str) -> list[str]:
    """A key as names of folders and, at the end, a file: `a/b` is `b` in `a`; `/a` is `%2Fa`, and `..` is `%2E%2E`."""
    if len(text) * 4 <= _LONGEST and "/" not in text and "\0" not in text and os.name != "nt":
        return [_WHOLE.get(text, text) or "%2F"]
    if text.startswith("/"):
        text = f"%2F{text[1:]}"
    return [_name(part) for part in text.split("/") if part] or ["%2F"]


def _name(part: str) -> str:
    name = _WHOLE.get(part, part).translate(_ESCAPES)
    encoded = name.encode()
    if len(encoded) <= _LONGEST:
        return name
    return f"{encoded[:_KEPT].decode(errors='ignore')}%{hashlib.sha256(encoded).hexdigest()}"

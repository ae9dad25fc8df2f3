"""What a docstring says of single parameters and of what is returned: the forms of Google, NumPy and reStructuredText."""

from __future__ import annotations

import re

import msgspec

from segue.defs.signature import UserFunction, docstring_of

# Texts, compiled when the first docstring is read.
_SECTION = r"^(Args|Arguments|Parameters|Params|Returns|Return|Yields|Raises|Examples?|Notes?)\s*:?\s*$"
_GOOGLE_ITEM = r"^(\*{0,2}\w+)\s*(\([^)]*\))?\s*:\s*(.*)$"
_NUMPY_ITEM = r"^(\*{0,2}\w+)\s*(:.*)?$"
_FIELD = r"^:(param|parameter|arg|argument)\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)$"
_RETURNS_FIELD = r"^:returns?\s*:\s*(.*)$"
_PARAMETERS = frozenset({"Args", "Arguments", "Parameters", "Params"})
_RETURNS = frozenset({"Returns", "Return", "Yields"})


class Docstring(msgspec.Struct, frozen=True):
    """What a docstring says.

    Attributes:
        text: all of it, without its indentation; None without a docstring.
        parameters: what is said of each parameter.
        returns: what is said of the value that is returned.
    """

    text: str | None = None
    parameters: dict[str, str] = {}
    returns: str | None = None


def read_docstring(function: UserFunction) -> Docstring:
    """What the docstring of a function says."""
    text = docstring_of(function)
    if text is None:
        return Docstring()
    lines = text.splitlines()
    parameters: dict[str, str] = {}
    returns: str | None = None
    for index, line in enumerate(lines):
        field = re.match(_FIELD, line.strip())
        if field is not None:
            parameters[field[2]] = _joined([field[3], *_deeper(lines, index)])
            continue
        returned = re.match(_RETURNS_FIELD, line.strip())
        if returned is not None:
            returns = _joined([returned[1], *_deeper(lines, index)])
            continue
        section = re.match(_SECTION, line)
        if section is None:
            continue
        is_numpy = index + 1 < len(lines) and set(lines[index + 1].strip()) == {"-"}
        body = _numpy_body(lines, index + 2) if is_numpy else _deeper(lines, index)
        if section[1] in _PARAMETERS:
            parameters |= _items(body, _NUMPY_ITEM if is_numpy else _GOOGLE_ITEM)
        elif section[1] in _RETURNS and body:
            returns = _joined(body[1:] if is_numpy and len(body) > 1 else [_without_type(body[0]), *body[1:]])
    return Docstring(text, parameters, returns or None)


def _deeper(lines: list[str], index: int) -> list[str]:
    """The lines below one that stand further in."""
    depth = _depth(lines[index])
    found: list[str] = []
    for line in lines[index + 1 :]:
        if line.strip() and _depth(line) <= depth:
            break
        found.append(line)
    return found


def _numpy_body(lines: list[str], start: int) -> list[str]:
    found: list[str] = []
    for index in range(start, len(lines)):
        if index + 1 < len(lines) and lines[index].strip() and set(lines[index + 1].strip()) == {"-"}:
            break
        found.append(lines[index])
    return found


def _items(body: list[str], form: str) -> dict[str, str]:
    """What each item of a section says: it begins at the section's own depth and goes on further in."""
    depth = min((_depth(line) for line in body if line.strip()), default=0)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in body:
        match = re.match(form, line.strip()) if _depth(line) == depth else None
        if match is not None:
            current = found.setdefault(match[1].lstrip("*"), [])
            if form is _GOOGLE_ITEM:
                current.append(match[3])
        elif current is not None:
            current.append(line)
    return {name: _joined(text) for name, text in found.items()}


def _without_type(line: str) -> str:
    """`int: the number` without the type in front."""
    before, colon, after = line.strip().partition(":")
    return after.strip() if colon and re.fullmatch(r"[\w\[\], .|]+", before) and " " not in before.strip() else line


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())

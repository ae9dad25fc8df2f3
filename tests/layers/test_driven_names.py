"""A public name exists only when a test drives it: here it is held that each occurs in one, as far as the text shows that."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import segue
from checkout import ROOT

REFERENCE = ROOT / "docs" / "reference"
HEADING = re.compile(r"^### (\w+)\.(\w+)$", re.MULTILINE)
NOT_DRIVEN = Path(__file__).parent / "not_driven.txt"


@functools.cache
def words_of_tests() -> frozenset[str]:
    """Every name, attribute, argument and word of a text in the tests outside of this folder."""
    found: set[str] = set()
    here = Path(__file__).parent
    for path in (ROOT / "tests").rglob("*.py"):
        if here not in path.parents:
            found.update(words_of(path.read_text(encoding="utf-8")))
    return frozenset(found)


def words_of(source: str) -> Iterator[str]:
    """The words of code: comments do not count, texts do (code for other processes stands in them)."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str(text)):
                yield from re.findall(r"\w+", text)
            case _:
                pass


@functools.cache
def documented_members() -> Mapping[str, frozenset[str]]:
    """The members that docs/reference lists, by the name of their class."""
    found: dict[str, set[str]] = {}
    for page in REFERENCE.glob("*.md"):
        for owner, member in HEADING.findall(page.read_text(encoding="utf-8")):
            if owner in segue.__all__:
                found.setdefault(owner, set()).add(member)
    return {owner: frozenset(members) for owner, members in found.items()}


def not_driven() -> frozenset[str]:
    """The members of which no test speaks yet: a list that only gets shorter."""
    lines = NOT_DRIVEN.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@functools.cache
def found_undriven() -> frozenset[str]:
    words = words_of_tests()
    return frozenset(
        f"{owner}.{member}"
        for owner, members in documented_members().items()
        for member in members
        if member not in words
    )


@pytest.mark.parametrize("name", segue.__all__)
def test_a_test_speaks_of_each_public_name(name: str) -> None:
    assert name in words_of_tests(), f"no test uses {name}: write one that drives it, or take the name away"


def test_a_test_speaks_of_each_documented_member() -> None:
    assert len(documented_members()) > 100, "the pages are not read as they are written"
    new = sorted(found_undriven() - not_driven())
    assert not new, f"no test uses {', '.join(new)}: write one that drives it, or take the member away"


def test_the_list_of_members_without_test_only_gets_shorter() -> None:
    done = sorted(not_driven() - found_undriven())
    assert not done, f"a test uses these now, or they are gone; take them out of {NOT_DRIVEN.name}: {', '.join(done)}"


def test_words_are_those_of_code_and_texts_and_not_of_comments() -> None:
    source = "import a.b\n# comment\ndef first(x): return x.second(third=1), 'fourth, fifth'\n"
    assert set(words_of(source)) == {"a.b", "first", "x", "second", "third", "fourth", "fifth"}

"""Parameters of public functions and methods that are accepted and have no effect.

Read from the source. A parameter has an effect when the body reads it; when all that is done with it is to keep it in an
attribute, somebody must read that attribute. What a method of a base class leaves to subclasses is no offence.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

from checkout import SOURCE, python_files

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Of the methods with underscores, those that users call with arguments.
SPECIAL = frozenset({"__init__", "__new__", "__call__"})


class Unread(NamedTuple):
    """A parameter without effect: of what (`name` or `Class.method`), which, and what becomes of it."""

    owner: str
    parameter: str
    fate: str


def unread_of(name: str, value: object) -> Iterator[Unread]:
    """The parameters without effect of a public function, or of the methods of a public class."""
    if isinstance(value, FunctionType):
        yield from _of_function(name, value, may_be_hook=False)
    elif isinstance(value, type):
        for owner in value.__mro__:
            if owner.__module__.partition(".")[0] == "segue":
                for method, member in list(vars(owner).items()):  # looking at a member may add some
                    function = getattr(member, "__func__", member)
                    if isinstance(function, FunctionType) and (method in SPECIAL or not method.startswith("_")):
                        dictated = _dictated(owner, method)
                        for each in _of_function(f"{owner.__name__}.{method}", function, may_be_hook=True):
                            if each.parameter not in dictated and not _is_shown(owner, each):
                                yield each


def _dictated(owner: type, method: str) -> set[str]:
    """The parameters that a method has because the method that it overrides has them."""
    overridden = (vars(base).get(method) for base in owner.__mro__[1:] if method not in SPECIAL)
    functions = [getattr(each, "__func__", each) for each in overridden]
    return {name for each in functions if isinstance(each, FunctionType) for name in inspect.signature(each).parameters}


def _is_shown(owner: type, unread: Unread) -> bool:
    """Whether a parameter becomes an attribute of an exception: it is for who catches it."""
    return issubclass(owner, BaseException) and unread.fate.startswith(f"is kept in {unread.parameter},")


def _of_function(owner: str, function: FunctionType, may_be_hook: bool) -> Iterator[Unread]:
    function = inspect.unwrap(function)
    node = _node_of(function)
    if node is None or _is_overload(node) or _refuses(node) or (may_be_hook and _says_nothing(node)):
        return
    for parameter in _parameters(node, skip_first=may_be_hook):
        loads = _loads(node, parameter)
        if not loads:
            yield Unread(owner, parameter, "is never read")
            continue
        kept = [_kept_in(node, load) for load in loads]
        attributes = {attribute for attribute in kept if attribute is not None}
        if None not in kept and not attributes & attributes_read():
            yield Unread(owner, parameter, f"is kept in {', '.join(sorted(attributes))}, which nothing reads")


def _parameters(node: Function, skip_first: bool) -> Iterator[str]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
    every = [*positional[1 if skip_first and not is_static else 0 :], *arguments.kwonlyargs]
    yield from (each.arg for each in (*every, arguments.vararg, arguments.kwarg) if each and each.arg[:1] != "_")


def _loads(node: Function, parameter: str) -> list[ast.Name]:
    found = [each for statement in node.body for each in ast.walk(statement) if isinstance(each, ast.Name)]
    return [each for each in found if each.id == parameter and isinstance(each.ctx, ast.Load)]


def _kept_in(node: Function, load: ast.Name) -> str | None:
    """The attribute of `self` in whose assignment a parameter is read; None where it is read in another place."""
    for statement in ast.walk(node):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            target = targets[0]
            if isinstance(target, ast.Attribute) and any(each is load for each in ast.walk(statement.value)):
                return target.attr
    return None


def _says_nothing(node: Function) -> bool:
    """Whether a body holds nothing but words, `...`, an exception, or a constant: it is there to be overridden."""
    return all(
        isinstance(each, ast.Pass | ast.Raise)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        or (isinstance(each, ast.Return) and isinstance(each.value, ast.Constant | ast.Name | ast.Tuple | None))
        for each in node.body
    )


def _refuses(node: Function) -> bool:
    """Whether a function only ever raises: what it is given does not matter."""
    return isinstance(node.body[-1], ast.Raise) and not any(isinstance(each, ast.Return) for each in ast.walk(node))


def _is_overload(node: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def _node_of(function: FunctionType) -> Function | None:
    """Where a function stands in the source; None for one that is made by a library, or generated."""
    path = Path(function.__code__.co_filename)
    if not path.is_relative_to(SOURCE):
        return None
    return _functions(path).get((function.__name__, function.__code__.co_firstlineno))


@cache
def _functions(path: Path) -> dict[tuple[str, int], Function]:
    nodes = [each for each in ast.walk(_tree(path)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {(node.name, min(line for line in _first_lines(node))): node for node in nodes}


def _first_lines(node: Function) -> list[int]:
    return [node.lineno, *(each.lineno for each in node.decorator_list)]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


@cache
def attributes_read() -> frozenset[str]:
    """The name of every attribute that is read somewhere in the package, by a dot or by its name as a text."""
    names: set[str] = set()
    for path in python_files(SOURCE):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                names.add(node.value)
    return frozenset(names)

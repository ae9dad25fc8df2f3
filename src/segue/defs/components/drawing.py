"""A folder of definitions, drawn as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from segue.defs.components.paths import ComponentDecl, DefsFolderDecl, PythonFileDecl, YamlFileDecl


def draw(
    root: ComponentDecl, remark: Callable[[ComponentDecl], str], hide_plain_defs: bool, only: Path | None = None
) -> str:
    """The tree below a declaration, a line each.

    Args:
        root: what to draw; it has no line itself, except for its remark.
        remark: what is said of a declaration after its name.
        hide_plain_defs: whether Python files are left out.
        only: the path to which the tree is followed; everything where None.
    """
    said = remark(root).strip()
    return "\n".join([*([said] if said else []), *_lines(root, root.path, remark, hide_plain_defs, only)])


def _lines(
    decl: ComponentDecl, base: Path, remark: Callable[[ComponentDecl], str], hide: bool, only: Path | None
) -> Iterator[str]:
    children = [each for each in _children(decl) if not (hide and isinstance(each, PythonFileDecl))]
    shown = [each for each in children if _on_the_way(each, only)]
    for number, child in enumerate(shown, start=1):
        last = number == len(shown)
        name = child.path.relative_to(base).as_posix() if child.path != base else "."
        yield f"{'└──' if last else '├──'} {name}{remark(child)}"
        for line in _lines(child, child.path, remark, hide, only):
            yield f"{'    ' if last else '│   '}{line}"


def _on_the_way(decl: ComponentDecl, only: Path | None) -> bool:
    return only is None or decl.path == only or decl.path in only.parents


def _children(decl: ComponentDecl) -> tuple[ComponentDecl, ...]:
    if isinstance(decl, DefsFolderDecl):
        return decl.children
    return (PythonFileDecl(decl.file),) if isinstance(decl, YamlFileDecl) else ()

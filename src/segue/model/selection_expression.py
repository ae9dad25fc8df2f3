"""What an asset selection says, as a tree of values.

`selection_evaluation.py` finds what it selects in a graph, `selection_syntax.py` reads and writes it as text, and
`selection.py` is the class that users hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

from segue.model.keys import AssetCheckKey, AssetKey

Result = TypeVar("Result")


class CustomSelection(Protocol):
    """A user's own selection class: it finds assets and checks by itself. The graph is a `SelectableGraph`."""

    def resolve_inner(self, asset_graph: object, allow_missing: bool) -> Iterable[AssetKey]:
        """The selected assets."""
        ...

    def resolve_checks_inner(self, asset_graph: object, allow_missing: bool) -> Iterable[AssetCheckKey]:
        """The selected checks."""
        ...


class Expression(msgspec.Struct, frozen=True):
    """One node of the tree."""

    @property
    def inner(self) -> Sequence[Expression]:
        """The expressions it is made from."""
        return ()


class Filter(Expression, frozen=True):
    """What holds for single assets; assets that a run cannot make are left out unless `include_sources`."""

    include_sources: bool = False


class All(Filter, frozen=True):
    """Every asset."""


class KeyPrefixes(Filter, frozen=True, kw_only=True):
    """Assets whose key begins with the parts of any of the prefixes."""

    prefixes: tuple[tuple[str, ...], ...]


class KeySubstring(Filter, frozen=True, kw_only=True):
    """Assets whose key, written `a/b`, contains a text."""

    substring: str


class Groups(Filter, frozen=True, kw_only=True):
    """Assets in any of the groups."""

    names: tuple[str, ...]


class GroupPattern(Filter, frozen=True, kw_only=True):
    """Assets in a group whose name fits; `*` stands for any text."""

    pattern: str


class Tag(Filter, frozen=True, kw_only=True):
    """Assets that have a tag with exactly this value; a label has the value ""."""

    key: str
    value: str


class Kind(Filter, frozen=True, kw_only=True):
    """Assets of a kind; None: of no kind at all."""

    kind: str | None


class Owner(Filter, frozen=True, kw_only=True):
    """Assets of an owner; None: of nobody."""

    owner: str | None


class Attribute(Filter, frozen=True, kw_only=True):
    """Assets that a run can make, or those made elsewhere."""

    attribute: Literal["external", "materializable"]


class Keys(Expression, frozen=True):
    """These assets; each must exist."""

    keys: tuple[AssetKey, ...]


class KeyPattern(Expression, frozen=True):
    """Assets whose key, written `a/b`, fits, whether or not a run can make them; `*` stands for any text."""

    pattern: str


class AllChecks(Expression, frozen=True):
    """Every check and no asset."""


class ChecksOf(Expression, frozen=True):
    """The checks on these assets, without the assets."""

    keys: tuple[AssetKey, ...]


class Checks(Expression, frozen=True):
    """These checks; each must exist."""

    keys: tuple[AssetCheckKey, ...]


class Unary(Expression, frozen=True):
    """What is made from one other expression."""

    operand: Expression

    @property
    def inner(self) -> Sequence[Expression]:
        return (self.operand,)


class Downstream(Unary, frozen=True):
    """What is made from the operand, up to `depth` steps away (None: any)."""

    depth: int | None = None
    include_self: bool = True


class Upstream(Unary, frozen=True):
    """What the operand is made from and a run can make, up to `depth` steps away (None: any)."""

    depth: int | None = None
    include_self: bool = True


class Sinks(Unary, frozen=True):
    """Assets of the operand from which no other asset of it is made, directly or not."""


class Roots(Unary, frozen=True):
    """Assets of the operand that are not made from another asset of it, directly or not."""


class Materializable(Unary, frozen=True):
    """Assets of the operand that a run can make."""


class RequiredNeighbors(Unary, frozen=True):
    """The operand, and what can only be made together with it."""


class UpstreamSources(Unary, frozen=True):
    """Assets in or upstream of the operand that a run cannot make."""


class Or(Expression, frozen=True):
    """What any of the operands selects."""

    operands: tuple[Expression, ...]

    @property
    def inner(self) -> Sequence[Expression]:
        return self.operands


class And(Expression, frozen=True):
    """What all of the operands select."""

    operands: tuple[Expression, ...]

    @property
    def inner(self) -> Sequence[Expression]:
        return self.operands


class Subtract(Expression, frozen=True):
    """What the left selects and the right does not."""

    left: Expression
    right: Expression

    @property
    def inner(self) -> Sequence[Expression]:
        return (self.left, self.right)


class Custom(Expression, frozen=True):
    """A user's own selection class."""

    selection: CustomSelection


def union(operands: Iterable[Expression]) -> Expression:
    """What any of them selects; unions within are taken apart. Nothing for no operand."""
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Or) else (operand,))
    if not flat:
        return Keys(())
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def intersection(operands: Sequence[Expression]) -> Expression:
    """What all of them select, at least one; intersections within are taken apart."""
    flat: list[Expression] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, And) else (operand,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def fold(root: Expression, combine: Callable[[Expression, Sequence[Result]], Result]) -> Result:
    """One result for the whole tree, built from the leaves up, without recursion: long chains are fine.

    Args:
        root: the tree.
        combine: the result of a node, given the results of its `inner` expressions in their order.
    """
    uses: dict[int, int] = {id(root): 1}
    stack = [root]
    while stack:
        for inner in stack.pop().inner:
            if id(inner) not in uses:
                stack.append(inner)
            uses[id(inner)] = uses.get(id(inner), 0) + 1
    done: dict[int, Result] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [inner for inner in node.inner if id(inner) not in done]
        if waiting:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if id(node) in done:
            continue
        done[id(node)] = combine(node, [done[id(inner)] for inner in node.inner])
        for inner in node.inner:  # results are large sets: none is kept longer than it is needed
            uses[id(inner)] -= 1
            if uses[id(inner)] == 0:
                del done[id(inner)]
    return done[id(root)]

"""Asset selections as text, read and written.

    expression := conjunction { or conjunction }
    conjunction := negation { and negation }
    negation := not negation | [[N] +] operand [+ [N]]
    operand := * | ( expression ) | sinks( expression ) | roots( expression ) | filter:value | name
    filter := key | key_substring | group | tag | kind | owner | is | check

Values are bare or in double quotes (`\\"` for a quote inside). In values of `key` and `group`, `*` stands for any text.
`tag:k=v` is a tag with its value, `tag:k` a label. `check:a/b:name` is a check of an asset without the asset, `check:a/b:*`
all of its checks, `check:*` all that there are. `2+x+1` adds two layers upstream and one downstream of x; without numbers
all of them. A text that is a single name may have signs of the older form: `*x` (all upstream), `++x` (two layers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from segue.errors import InvalidInvocationError, NotSupportedError
from segue.model import selection_expression as ex
from segue.model.keys import AssetCheckKey, AssetKey

MAX_NESTING = 100
NULL = "<null>"
# Patterns are texts: they are compiled (and kept by `re`) when the first selection is read, not when this is imported.
_SINGLE_NAME = r"(?!\d+\+\*$|\*\+\d+$)(\*?)(\+*)([\w./@-]+)(\+*)(\*?)"  # 0+* and *+1 are depths around all
_SPACE = r"\s*"
_WORD = r"[\w.*/@:-]+"
_QUOTED = r'(?s)"((?:[^"\\]|\\.)*)"'
_ESCAPED = r'\\(["\\])'
_FILTER = r"([A-Za-z_]+)\s*:"
_FUNCTION = r"([A-Za-z_]+)\s*\("
_LAYERS_BEFORE = r"(\d*)\s*\+"
_LAYERS_AFTER = r"\+\s*(\d*)"
_FUNCTIONS = {"sinks": ex.Sinks, "roots": ex.Roots}
_KEYWORDS = {word: rf"(?:{word}|{word.upper()})(?=[\s()+*\"]|$)" for word in ("and", "or", "not")}
_FILTERS = ("key", "key_substring", "group", "tag", "kind", "owner", "is", "check")
_KNOWN_ELSEWHERE = frozenset(
    {"changed_in_branch", "code_location", "column", "column_tag", "partitions", "status", "table_name"}
)
_OPERAND = "an asset name, '*', a filter such as key:name or group:name, or '('"


def parse_selection(text: str, include_sources: bool = False) -> ex.Expression:
    """The expression that a text says.

    Args:
        text: the selection.
        include_sources: whether `*`, `not` and the filters other than `key` and `owner` also see assets that a run
            cannot make.

    Raises:
        InvalidInvocationError: the text is not a valid selection; the message points at the place.
        NotSupportedError: it asks for what only a deployment knows, such as `status:`.
    """
    single = re.fullmatch(_SINGLE_NAME, text.strip())
    return _single_name(single) if single else _Parser(text, include_sources).parse()


def _single_name(match: re.Match[str]) -> ex.Expression:
    star_before, plus_before, name, plus_after, star_after = match.groups()
    keys = ex.Keys((AssetKey.from_user_string(name),))
    parts: list[ex.Expression] = []
    if star_before or plus_before:
        parts.append(ex.Upstream(keys, None if star_before else len(plus_before)))
    if star_after or plus_after:
        parts.append(ex.Downstream(keys, None if star_after else len(plus_after)))
    return ex.union(parts or [keys])


class _Parser:
    """A recursive descent over the text; `at` is the place of the next character to read."""

    def __init__(self, text: str, include_sources: bool) -> None:
        self.text = text
        self.include_sources = include_sources
        self.at: int = 0
        self.nesting: int = 0

    def parse(self) -> ex.Expression:
        expression = self.expression()
        if self.at < len(self.text):
            raise self.error("'and', 'or' or the end")
        return expression

    def expression(self) -> ex.Expression:
        operands = [self.conjunction()]
        while self.take(_KEYWORDS["or"]):
            operands.append(self.conjunction())
        return ex.union(operands)

    def conjunction(self) -> ex.Expression:
        operands = [self.negation()]
        while self.take(_KEYWORDS["and"]):
            operands.append(self.negation())
        return ex.intersection(operands)

    def negation(self) -> ex.Expression:
        if self.take(_KEYWORDS["not"]):
            return ex.Subtract(ex.All(self.include_sources), self.nested(self.negation))
        before = self.take(_LAYERS_BEFORE)
        start = self.at
        operand = self.operand()
        after = self.take(_LAYERS_AFTER)
        self.skip_space()
        if not before and not after:
            return operand
        if isinstance(operand, ex.Keys):
            self.at = start
            raise self.error("a filter such as key:name; '+' beside a bare name would be ambiguous here")
        parts: list[ex.Expression] = []
        if before:
            parts.append(ex.Upstream(operand, int(before[1]) if before[1] else None))
        if after:
            parts.append(ex.Downstream(operand, int(after[1]) if after[1] else None))
        return ex.union(parts)

    def operand(self) -> ex.Expression:
        if self.take(r"\("):
            return self.rest_of_parentheses()
        start = self.at
        if function := self.take(_FUNCTION):
            if function[1] not in _FUNCTIONS:
                self.at = start
                raise self.error("sinks(...) or roots(...)")
            return _FUNCTIONS[function[1]](self.rest_of_parentheses())
        if filtered := self.take(_FILTER):
            return self.filter(filtered[1], start)
        if quoted := self.take(_QUOTED):
            return ex.Keys((AssetKey.from_user_string(_unescaped(quoted[1])),))
        word = self.take(_WORD)
        if word is None or self.is_keyword(word[0]):
            self.at = start
            raise self.error(_OPERAND)
        if word[0] == "*":
            return ex.All(self.include_sources)
        if "*" in word[0]:
            self.at = start
            raise self.error(f'key:"{word[0]}" for names with a wildcard')
        return ex.Keys((AssetKey.from_user_string(word[0]),))

    def rest_of_parentheses(self) -> ex.Expression:
        expression = self.nested(self.expression)
        if not self.take(r"\)"):
            raise self.error("')', 'and' or 'or'")
        return expression

    def nested(self, parse: Callable[[], ex.Expression]) -> ex.Expression:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(f"at most {MAX_NESTING} levels of parentheses and 'not'")
        expression = parse()
        self.nesting -= 1
        return expression

    def filter(self, name: str, start: int) -> ex.Expression:
        sources = self.include_sources
        match name:
            case "key":
                return ex.KeyPattern(self.value())
            case "key_substring":
                return ex.KeySubstring(substring=self.value(), include_sources=sources)
            case "group":
                return self.group()
            case "tag":
                return self.tag()
            case "kind":
                return ex.Kind(kind=None if self.take_null() else self.value(), include_sources=sources)
            case "owner":
                return ex.Owner(owner=None if self.take_null() else self.value(), include_sources=True)
            case "is":
                return self.attribute()
            case "check":
                return self.check()
            case _ if name in _KNOWN_ELSEWHERE:
                raise NotSupportedError(
                    f"The selection {self.text!r} filters by {name!r}, which is not part of the definitions. Filter by "
                    f"{', '.join(_FILTERS)} instead."
                )
            case _:
                self.at = start
                raise self.error(f"one of the filters {', '.join(_FILTERS)}")

    def group(self) -> ex.Expression:
        if self.take_null():
            return ex.Groups(names=(), include_sources=self.include_sources)
        name = self.value()
        if "*" in name:
            return ex.GroupPattern(pattern=name, include_sources=self.include_sources)
        return ex.Groups(names=(name,), include_sources=self.include_sources)

    def tag(self) -> ex.Expression:
        key = self.value()
        has_value = self.take("=") is not None
        value = self.text_value() if has_value else None
        return ex.Tag(key=key, value=value or "", include_sources=self.include_sources)

    def attribute(self) -> ex.Expression:
        self.skip_space()
        start = self.at
        value = self.value()
        if value != "external" and value != "materializable":
            self.at = start
            raise self.error("is:external or is:materializable")
        return ex.Attribute(attribute=value, include_sources=True)

    def check(self) -> ex.Expression:
        self.skip_space()
        start = self.at
        value = self.value()
        if value == "*":
            return ex.AllChecks()
        asset, _, name = value.rpartition(":")
        if not asset or not name:
            self.at = start
            raise self.error("check:asset:name, check:asset:* or check:*")
        key = AssetKey.from_user_string(asset)
        return ex.ChecksOf((key,)) if name == "*" else ex.Checks((AssetCheckKey(key, name),))

    def value(self) -> str:
        value = self.text_value()
        if value is None:
            raise self.error("a value, in double quotes if it holds other than letters, digits and . _ - / : @ *")
        return value

    def text_value(self) -> str | None:
        """A value, or None where none stands."""
        if quoted := self.take(_QUOTED):
            return _unescaped(quoted[1])
        start = self.at
        word = self.take(_WORD)
        if word is None or self.is_keyword(word[0]):
            self.at = start
            return None
        return word[0]

    def take_null(self) -> bool:
        return self.take(NULL) is not None

    def is_keyword(self, word: str) -> bool:
        return word in ("and", "or", "not", "AND", "OR", "NOT")

    def take(self, pattern: str) -> re.Match[str] | None:
        """What stands next, if it fits; then the place moves behind it and the space after it."""
        self.skip_space()
        match = re.compile(pattern).match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            self.skip_space()
        return match

    def skip_space(self) -> None:
        space = re.compile(_SPACE).match(self.text, self.at)
        self.at = space.end() if space else self.at

    def error(self, expected: str) -> InvalidInvocationError:
        shown = re.sub(r"\s", " ", self.text)
        rest = shown[self.at :].split(maxsplit=1)
        found = repr(rest[0]) if rest else "the end"
        hint = " To select several, separate them with `or`." if found.startswith("',") else ""
        return InvalidInvocationError(
            f"Not a valid asset selection: expected {expected}, found {found}.{hint}\n  {shown}\n  {' ' * self.at}^"
        )


def _unescaped(quoted: str) -> str:
    return re.sub(_ESCAPED, r"\1", quoted)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def format_selection(expression: ex.Expression) -> str:
    """The text that says the expression.

    Raises:
        NotSupportedError: it selects by custom code, which cannot be written as a string.
    """
    return ex.fold(expression, _format)


def _format(node: ex.Expression, inner: Sequence[str]) -> str:
    match node:
        case ex.Or():
            return " or ".join(map(_operand, node.operands, inner))
        case ex.And():
            return " and ".join(map(_operand, node.operands, inner))
        case ex.Subtract(left, right):
            is_double_not = _is_not(node) and _is_not(right)
            taken = f"not {inner[1] if is_double_not else _operand(right, inner[1])}"
            return taken if _is_not(node) else f"{_operand(left, inner[0])} and {taken}"
        case ex.Downstream(operand, depth, include_self):
            text = _operand(operand, inner[0], beside_plus=True)
            layers = f"{text}+{'' if depth is None else depth}" if depth != 0 else text
            return layers if include_self else f"{layers} and not {text}"
        case ex.Upstream(operand, depth, include_self):
            text = _operand(operand, inner[0], beside_plus=True)
            layers = f"{'' if depth is None else depth}+{text}"
            return layers if include_self else f"{layers} and not {text}"
        case ex.Sinks():
            return f"sinks({inner[0]})"
        case ex.Roots():
            return f"roots({inner[0]})"
        case ex.Materializable(operand):
            return f"{_operand(operand, inner[0])} and is:materializable"
        case _:
            return _format_leaf(node)


def _format_leaf(node: ex.Expression) -> str:
    match node:
        case ex.All():
            return "*"
        case ex.Keys(keys):
            return " or ".join(f"key:{_quoted(key.to_user_string())}" for key in keys) or "not *"
        case ex.KeyPattern(pattern):
            return f"key:{_quoted(pattern)}"
        case ex.KeyPrefixes(prefixes=prefixes):
            texts = ["/".join(prefix) for prefix in prefixes]
            patterns = [f"key:{_quoted(text)} or key:{_quoted(f'{text}/*')}" if text else 'key:"*"' for text in texts]
            return f"({' or '.join(patterns) or 'not *'})" + ("" if node.include_sources else " and is:materializable")
        case ex.KeySubstring(substring=substring):
            return f"key_substring:{_quoted(substring)}"
        case ex.Groups(names=names):
            return " or ".join(f"group:{_quoted(name)}" for name in names) or f"group:{NULL}"
        case ex.GroupPattern(pattern=pattern):
            return f"group:{_quoted(pattern)}"
        case ex.Tag(key=key, value=value):
            return f"tag:{_quoted(key)}" + (f"={_quoted(value)}" if value else "")
        case ex.Kind(kind=kind):
            return f"kind:{NULL if kind is None else _quoted(kind)}"
        case ex.Owner(owner=owner):
            return f"owner:{NULL if owner is None else _quoted(owner)}"
        case ex.Attribute(attribute=attribute):
            return f"is:{attribute}"
        case ex.AllChecks():
            return "check:*"
        case ex.ChecksOf(keys):
            return " or ".join(f"check:{_quoted(f'{key.to_user_string()}:*')}" for key in keys) or "not *"
        case ex.Checks(keys):
            return " or ".join(f"check:{_quoted(key.to_user_string())}" for key in keys) or "not *"
        case _:
            raise NotSupportedError(
                f"A selection of kind {type(node).__name__} cannot be written as a string: required neighbors, upstream "
                "sources and custom classes are only available in Python. Keep the object."
            )


def _is_not(node: ex.Expression) -> bool:
    return isinstance(node, ex.Subtract) and isinstance(node.left, ex.All)


def _operand(node: ex.Expression, text: str, beside_plus: bool = False) -> str:
    """The text of a node as part of a larger one, in parentheses where it would fall apart."""
    match node:
        case ex.Or() | ex.And() | ex.Subtract() | ex.Materializable() | ex.KeyPrefixes():
            loose = True
        case ex.Downstream() | ex.Upstream():
            loose = beside_plus or not node.include_self
        case ex.Keys(keys) | ex.ChecksOf(keys) | ex.Checks(keys):
            loose = len(keys) != 1
        case ex.Groups(names=names):
            loose = len(names) > 1
        case _:
            loose = False
    return f"({text})" if loose else text

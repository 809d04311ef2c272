"""The calls in a Groovy statement: `sh 'x'`, `sh(script: 'x')`, `dir('a') { … }`, `docker.image('i').inside { … }`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from mlops_scan.documents.groovy import Element, Statement

KEYWORDS = frozenset(
    {"def", "return", "new", "in", "if", "else", "for", "while", "switch", "case", "default", "try", "catch", "finally",
     "throw", "import", "package", "as", "instanceof", "assert", "break", "continue", "true", "false", "null", "final",
     "static", "private", "public", "protected", "void", "class", "this"}
)  # fmt: skip
_MAX_NESTED = 5_000


class Call(Struct, frozen=True):
    """One call. `name` is dotted as written, on a literal `_.name`; `receiver` is the call on whose result it is made.

    `arguments` are the positional ones, `named` those with a key, each as written; `blocks` are closures with the key
    that they were given under, or "".
    """

    name: str
    line: int
    end_line: int
    arguments: tuple[Statement, ...] = ()
    named: tuple[tuple[str, Statement], ...] = ()
    blocks: tuple[tuple[str, Element], ...] = ()
    receiver: Call | None = None

    def get(self, key: str) -> Statement | None:
        """The argument with a key, or None."""
        return next((value for name, value in self.named if name == key), None)

    @property
    def last(self) -> str:
        """The name behind the last dot."""
        return self.name.rpartition(".")[2]


def calls(statement: Sequence[Element]) -> Iterator[Call]:
    """The calls of a statement in order, without those in blocks; a call in an argument comes after the outer one."""
    waiting: list[Sequence[Element]] = [statement]
    for _ in range(_MAX_NESTED):
        if not waiting:
            return
        elements = waiting.pop()
        groups: list[Sequence[Element]] = []
        yield from _flat(elements, groups)
        waiting.extend(reversed(groups))


def _flat(elements: Sequence[Element], groups: list[Sequence[Element]]) -> Iterator[Call]:
    """The calls of one level; the groups that are passed go to `groups`."""
    position = 0
    previous: Call | None = None
    while position < len(elements):
        element = elements[position]
        if element.kind in ("(", "["):
            groups.append(element.items)
        chained = element.kind == "op" and element.text in (".", "?.") and previous is not None
        if not (element.kind == "name" or chained) or (element.kind == "name" and element.text in KEYWORDS):
            previous = previous if element.kind == "[" else None
            position += 1
            continue
        name, after = _dotted(elements, position + chained)
        if not name:
            position += 1
            continue
        if not chained and position and elements[position - 1].text in (".", "?."):
            name = f"_.{name}"  # on a list, a text or the like
        found, position = _call(name, elements, position, after, previous if chained else None)
        if found is not None:
            groups.extend(element.items for element in elements[after:position] if element.kind in ("(", "["))
            yield found
        previous = found


def _dotted(elements: Sequence[Element], position: int) -> tuple[str, int]:
    """A dotted name and the position behind it."""
    parts: list[str] = []
    while position < len(elements) and elements[position].kind == "name":
        parts.append(elements[position].text)
        position += 1
        following = elements[position : position + 2]
        if len(following) < 2 or following[0].text not in (".", "?.") or following[1].kind != "name":
            break
        position += 1
    return ".".join(parts), position


def _call(
    name: str, elements: Sequence[Element], start: int, after: int, receiver: Call | None
) -> tuple[Call | None, int]:
    """The call of a name, with the position behind it; None where the name is no call."""
    following = elements[after] if after < len(elements) else None
    line = elements[start].line
    if following is None or following.kind == "op" or (following.kind == "name" and following.text in KEYWORDS):
        return None, after
    if following.kind == "[":
        return None, after
    if following.kind in ("(", "{"):
        arguments = following.items if following.kind == "(" else ()
        position = after + (following.kind == "(")
        blocks = []
        while position < len(elements) and elements[position].kind == "{":
            blocks.append(("", elements[position]))
            position += 1
        positional, named, inner = _arguments(arguments)
        end = elements[position - 1].end_line
        return Call(name, line, end, positional, named, (*inner, *blocks), receiver), position
    declares = following.kind == "name" and after + 1 < len(elements) and elements[after + 1].text in ("=", "in", ":")
    if declares and elements[after + 1].text != ":":  # `String x = …` has a type in front
        return None, after
    rest = tuple(elements[after:])
    positional, named, inner = _arguments(rest)
    return Call(name, line, elements[-1].end_line, positional, named, inner, receiver), len(elements)


def _arguments(
    elements: Sequence[Element],
) -> tuple[tuple[Statement, ...], tuple[tuple[str, Statement], ...], tuple[tuple[str, Element], ...]]:
    """Arguments parted at their commas: positional, named, and closures; a map literal counts as named ones."""
    positional: list[Statement] = []
    named: list[tuple[str, Statement]] = []
    blocks: list[tuple[str, Element]] = []
    if len(elements) == 1 and elements[0].kind in ("[", "(") and any(_is(e, ":") for e in elements[0].items):
        elements = elements[0].items
    for part in parted(elements):
        key = part[0].text if len(part) > 2 and _is(part[1], ":") and part[0].kind in ("name", "string") else ""
        value = part[2:] if key else part
        closures = [element for element in value if element.kind == "{"]
        if closures and (value[0].kind == "{" or key):
            blocks.extend((key, element) for element in closures)
        elif key:
            named.append((key, value))
        else:
            positional.append(tuple(e for e in value if e.kind != "{"))
            blocks.extend(("", element) for element in closures)
    return tuple(positional), tuple(named), tuple(blocks)


def parted(elements: Sequence[Element]) -> list[Statement]:
    """The parts of a list between its commas."""
    found: list[Statement] = []
    current: list[Element] = []
    for element in elements:
        if _is(element, ","):
            found.append(tuple(current))
            current = []
        else:
            current.append(element)
    found.append(tuple(current))
    return [part for part in found if part]


def _is(element: Element, operator: str) -> bool:
    return element.kind == "op" and element.text == operator

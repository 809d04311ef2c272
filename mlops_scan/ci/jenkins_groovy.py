"""Groovy of a Jenkinsfile beyond its steps: functions, closures in variables, and blocks that pass a failure on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_scan.documents.groovy import Element, Statement
from mlops_scan.documents.groovy_calls import KEYWORDS, parted

_TYPE = frozenset({"def", "void", "private", "public", "protected", "static", "final"})
_FAILED = frozenset({"FAILURE", "FAILED", "ABORTED"})
_FAILS = frozenset({"error", "throw", "assert", "exit"})
_MAX_PIECES = 5_000


class Function(Struct, frozen=True):
    """A function, or a closure in a variable, with the file that it stands in."""

    path: str
    parameters: tuple[str, ...]
    body: Element


def definition(statement: Statement, path: str) -> tuple[str, Function] | None:
    """The function that a statement defines: `def name(a, b) { … }`, or `name = { … }`."""
    for position, element in enumerate(statement[:8]):
        if element.kind == "(" and position >= 2 and len(statement) > position + 1:
            name, body = statement[position - 1], statement[position + 1]
            types = statement[: position - 1]
            plain = all(t.kind in ("name", "[", "op") and (t.text not in KEYWORDS or t.text in _TYPE) for t in types)
            if body.kind == "{" and name.kind == "name" and plain and not any(t.text == "=" for t in types):
                names = tuple(_parameter(part) for part in parted(element.items))
                return name.text, Function(path, names, body)
        if element.text == "=" and element.kind == "op" and position >= 1 and len(statement) == position + 2:
            name, body = statement[position - 1], statement[position + 1]
            if body.kind == "{" and name.kind == "name" and statement[0].kind == "name" and position <= 2:
                return name.text, Function(path, _closure_parameters(body), body)
    return None


def _parameter(part: Statement) -> str:
    """The name of a parameter with or without a type and a default."""
    names = []
    for element in part:
        if element.text == "=":
            break
        names.append(element.text)
    return names[-1] if names else ""


def _closure_parameters(body: Element) -> tuple[str, ...]:
    first = body.statements[0] if body.statements else ()
    arrow = next((n for n, e in enumerate(first) if e.kind == "op" and e.text == "->"), -1)
    return tuple(_parameter(part) for part in parted(first[:arrow])) if arrow > 0 else ()


def body_of(block: Element) -> tuple[Statement, ...]:
    """The statements of a block, without the parameters of a closure in front."""
    statements = block.statements
    if statements:
        first = statements[0]
        arrow = next((n for n, e in enumerate(first) if e.kind == "op" and e.text == "->"), -1)
        if arrow >= 0:
            rest = first[arrow + 1 :]
            return (rest, *statements[1:]) if rest else statements[1:]
    return statements


def fails(pieces: Iterable[Element]) -> bool:
    """Whether a piece of Groovy ends the build with a failure: `error`, `throw`, `currentBuild.result = 'FAILURE'`."""
    for element in everything(pieces):
        if element.kind == "name" and (element.text in _FAILS or element.text in _FAILED):
            return True
        if element.kind == "string" and (element.text in _FAILED or element.text.strip().startswith("exit 1")):
            return True
    return False


def everything(pieces: Iterable[Element]) -> Iterator[Element]:
    """All pieces with those inside of them; bounded."""
    stack = list(pieces)[::-1]
    for _ in range(_MAX_PIECES):
        if not stack:
            return
        element = stack.pop()
        yield element
        stack.extend(element.items)
        stack.extend(inner for statement in element.statements for inner in statement)


def plain(statement: Statement) -> Statement:
    """A statement without annotations; empty for `@Library('x') _`."""
    position = 0
    library = False
    while position < len(statement) and statement[position].kind == "name" and statement[position].text[:1] == "@":
        library = library or statement[position].text == "@Library"
        position += 1
        if position < len(statement) and statement[position].kind == "(":
            position += 1
    rest = statement[position:]
    return () if library and (not rest or rest[0].text in ("_", "import")) else rest


def kept(statement: Statement) -> list[Element]:
    """Closures that a statement puts into a map, `b['x'] = { … }` or `[x: { … }]`, for a later `parallel`."""
    found = [block for group in statement if group.kind == "[" for block in group.items if block.kind == "{"]
    if statement[-1].kind == "{" and any(e.kind == "op" and e.text == "=" for e in statement[:-1]):
        found.append(statement[-1])
    return found


def target(statement: Statement) -> str:
    """The dotted variable that a statement assigns to, or empty."""
    position = next((n for n, e in enumerate(statement[:8]) if e.kind == "op" and e.text == "="), 0)
    if position < 1:
        return ""
    name = statement[position - 1].text if statement[position - 1].kind == "name" else ""
    if name and position >= 3 and statement[position - 2].text == "." and statement[position - 3].kind == "name":
        return f"{statement[position - 3].text}.{name}"
    return name


def body_at(statement: Statement, position: int) -> tuple[Statement, int]:
    """The body behind a condition, a block or the pieces up to `else`, and the position behind it."""
    if position < len(statement) and statement[position].kind == "{":
        return statement[position : position + 1], position + 1
    end = next((n for n in range(position, len(statement)) if statement[n].text == "else"), len(statement))
    return statement[position:end], end

"""Python text that does not parse, made to parse line by line: nothing that is whole is lost.

First whole-file rewrites (templates, Python 2, IPython magics, conflict markers), then the broken statements one after
the other: each top-level chunk that does not parse is mended by replacing the smallest statement around the error.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.documents.trees import parse_tree, walk
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_ROUNDS = 60
_WORK = 2_000_000  # characters given to a parser while mending
MAX_CHARACTERS = 1_000_000  # of a text worth mending: error recovery takes seconds for more
_MAX_BROKEN = 500  # top-level statements; a file with more of them is not Python

_MAX_PARTS = 1_000  # of a dotted name
_DOTTED = regex(r"\.[ \t\\\n]*[^\W\d]\w*(?:[ \t\\\n]*\.[ \t\\\n]*[^\W\d]\w*)+")
_ON_LINE = regex(r"on line (\d+)")
_NO_START = regex(r"[)\]}#]|(?:else|elif|except|finally)\b")
_HEADER = regex(r"(?:async\s+)?(\w+)\b.*:\s*(?:#.*)?\Z")
_DEFINITION = regex(r"(class|(?:async )?def) +([^\W\d]\w*)")
_HEADERS = {
    "else": "else:",
    "finally": "finally:",
    "try": "try:",
    "except": "except Exception:",
    "elif": "elif True:",
    "if": "if True:",
    "for": "if True:",
    "while": "if True:",
    "with": "if True:",
}
_COMPOUND = {"if_statement", "for_statement", "while_statement", "with_statement", "try_statement"}
_COMPOUND |= {
    "function_definition",
    "class_definition",
    "elif_clause",
    "else_clause",
    "except_clause",
    "match_statement",
}


class Failure(Struct, frozen=True):
    """Why a text does not parse: the 1-based line, the message, and whether it is a matter of nesting."""

    line: int
    reason: str
    deep: bool = False


def try_parse(text: str) -> ast.Module | Failure:
    """The tree of a text without NUL bytes and surrogates, or why there is none. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(_with_short_names(text))
    except SyntaxError as error:
        deep = "too many nested" in (error.msg or "") or "too many levels" in (error.msg or "")
        return Failure(max(error.lineno or 1, 1), error.msg or "invalid syntax", deep)
    except (RecursionError, MemoryError):
        return Failure(1, "nested too deeply", deep=True)
    except ValueError as error:
        return Failure(1, str(error))


def _with_short_names(text: str) -> str:
    """The text with dotted names of more than 1000 parts cut: the parser takes quadratic time in those of imports."""
    if text.count(".") <= _MAX_PARTS:
        return text

    def short(match: re.Match[str]) -> str:
        whole = match.group()
        return whole if whole.count(".") <= _MAX_PARTS else "._" + "\\\n" * whole.count("\n")

    return _DOTTED.sub(short, text)


def repaired(text: str) -> str | Failure:
    """A text of the same number of lines that parses, or the first failure when nothing can be saved."""
    first = try_parse(text)
    if not isinstance(first, Failure):
        return text
    if len(text) > MAX_CHARACTERS:
        return first
    best, best_line = text, first.line
    for candidate in _rewrites(text):
        outcome = try_parse(candidate)
        if not isinstance(outcome, Failure):
            return candidate
        if outcome.line >= best_line:
            best, best_line = candidate, outcome.line
    mended = _mended(best)
    if isinstance(try_parse(mended), Failure):
        return first
    kept = (old for old, new in zip(best.split("\n"), mended.split("\n"), strict=True) if old == new)
    return mended if any(line.strip() and not line.lstrip().startswith("#") for line in kept) else first


def _rewrites(text: str) -> Iterator[str]:
    """Whole-file rewrites, each on top of the ones before it."""
    from mlops_scan.documents import python2, templates

    source = text.encode()
    tree = parse_tree(source, "python")
    strings = string_rows(tree)
    lines = text.split("\n")
    plain = python2.without_magics(python2.without_conflicts(lines), strings)
    if plain != lines:
        yield "\n".join(plain)
        source = "\n".join(plain).encode()
        tree = parse_tree(source, "python")
    modern = python2.python3(source, tree)
    if modern != source:
        yield modern.decode("utf-8", "replace")
    base = modern.decode("utf-8", "replace")
    spaced = "\n".join(python2.with_spaces(base.split("\n"), strings))
    if spaced != base:
        yield spaced
        base = spaced
    if templates.has_tags(text):
        plain_template = _without_tags(text)
        yield plain_template
        source = plain_template.encode()
        modern = python2.python3(source, parse_tree(source, "python"))
        if modern != source:
            yield modern.decode("utf-8", "replace")


def _without_tags(text: str) -> str:
    """Template tags outside string literals replaced by an identifier or nothing."""
    source = text.encode()
    spans = [
        (node.start_byte, node.end_byte)
        for node in walk(parse_tree(source, "python").root_node)
        if node.type == "string"
    ]
    if not text.isascii():  # offsets in characters
        offsets = [0] * (len(source) + 1)
        position = 0
        for index, character in enumerate(text):
            offsets[position] = index
            position += len(character.encode())
        offsets[position] = len(text)
        spans = [(offsets[start], offsets[end]) for start, end in spans]
    remaining = iter(sorted(spans))
    current = next(remaining, None)

    from mlops_scan.documents import templates

    def in_string(tag: templates.Tag) -> bool:
        nonlocal current
        while current is not None and current[1] <= tag.start:
            current = next(remaining, None)
        return current is not None and current[0] < tag.start and tag.end < current[1]

    return templates.replaced(text, keep=in_string)


def string_rows(tree: Tree) -> set[int]:
    """The 0-based rows that begin inside a multi-line string."""
    rows: set[int] = set()
    for node in walk(tree.root_node):
        if node.type == "string" and node.start_point.row < node.end_point.row:
            rows.update(range(node.start_point.row + 1, node.end_point.row + 1))
    return rows


def _mended(text: str) -> str:
    """The text with each top-level chunk that does not parse mended, or blanked when that does not work."""
    lines = text.split("\n")
    strings = string_rows(parse_tree(text.encode(), "python"))
    starts = [
        row
        for row, line in enumerate(lines)
        if line and not line[0].isspace() and row not in strings and not _NO_START.match(line)
    ]
    starts = sorted({0, *starts})
    # a decorator belongs to what it decorates
    starts = [row for i, row in enumerate(starts) if i == 0 or not lines[starts[i - 1]].startswith("@")]
    chunks = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return "\n".join(line for chunk in _mended_chunks(chunks) for line in chunk)


def _mended_chunks(chunks: list[list[str]]) -> list[list[str]]:
    """The chunks with broken ones mended; whole runs of good ones are recognised by halving."""
    budget = _Budget(_ROUNDS, _WORK)
    result = list(chunks)
    ranges = [(i, min(i + 256, len(chunks))) for i in range(0, len(chunks), 256)][::-1]
    broken = 0
    while ranges:
        start, end = ranges.pop()
        if broken > _MAX_BROKEN:
            result[start:end] = [[""] * len(chunk) for chunk in chunks[start:end]]
        elif isinstance(try_parse("\n".join(line for chunk in chunks[start:end] for line in chunk)), Failure):
            if end - start > 1:
                middle = (start + end) // 2
                ranges += [(middle, end), (start, middle)]
                continue
            broken += 1
            result[start] = _mend(chunks[start], budget)
    return result


class _Budget(Struct):
    """What is left of the rounds and of the characters that mending may parse."""

    rounds: int
    work: int

    def spend(self, lines: list[str]) -> bool:
        """Take one parse of `lines` out of the budget; False when there is not enough left."""
        self.work -= sum(map(len, lines)) + len(lines)
        return self.work > 0


def _mend(lines: list[str], budget: _Budget) -> list[str]:
    """The lines with broken statements replaced until they parse; all blank when the budget ends first."""
    original = lines
    failure = try_parse("\n".join(lines))
    while isinstance(failure, Failure) and not failure.deep and budget.rounds > 0:
        budget.rounds -= 1
        best: tuple[int, int, list[str], Failure] | None = None
        for candidate in _candidates(lines, failure):
            if not budget.spend(candidate):
                return _without_errors(lines)
            outcome = try_parse("\n".join(candidate))
            changed = sum(a != b for a, b in zip(lines, candidate, strict=True))
            if not isinstance(outcome, Failure):
                return candidate
            if changed and (best is None or (outcome.line, -changed) > best[:2]):
                best = (outcome.line, -changed, candidate, outcome)
        if best is None:
            break
        lines, failure = best[2], best[3]
    return _without_errors(lines) if len(original) > 1 else [""] * len(original)


def _without_errors(lines: list[str]) -> list[str]:
    """The lines with every statement replaced that tree-sitter finds an error in; all blank if that is not enough."""
    mended = list(lines)
    for node in walk(parse_tree("\n".join(lines).encode(), "python").root_node):
        if node.type != "ERROR" and not node.is_missing:
            continue
        row, parent = node.start_point.row, node.parent
        while parent is not None and parent.type not in ("module", "block"):
            node, parent = parent, parent.parent
        start, end = span(node) if parent is not None else (row, row + 1)
        mended = passed(mended, start, end) if start <= row < end else passed(mended, row, row + 1)
    return mended if not isinstance(try_parse("\n".join(mended)), Failure) else [""] * len(lines)


def _candidates(lines: list[str], failure: Failure) -> Iterator[list[str]]:
    """Ways to get over a failure, the gentle ones first; every one keeps the number of lines."""
    row = min(failure.line, len(lines)) - 1
    while row > 0 and not lines[row].strip():
        row -= 1
    if "expected an indented block" in failure.reason:
        match = _ON_LINE.search(failure.reason)
        yield from _with_body(lines, int(match.group(1)) - 1 if match else row - 1, row)
    if "indent" in failure.reason:
        yield from _reindented(lines, row)
    span = _statement(lines, row)
    if span is not None:
        yield passed(lines, *span)
    yield passed(lines, row, row + 1)
    yield [*lines[:row], "", *lines[row + 1 :]]
    end = row + 1
    indent = _indent(lines[row])
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    if end > row + 1:
        yield passed(lines, row, end, keep_header=False)


def _with_body(lines: list[str], header: int, row: int) -> Iterator[list[str]]:
    """A `pass` for the header that has no body, on a blank line below it or behind it."""
    if not 0 <= header < len(lines):
        return
    last = row if row > header else len(lines)
    inside = [r for r in range(header + 1, last) if not lines[r].strip() or lines[r].lstrip().startswith("#")]
    body = " " * (_indent(lines[header]) + 1) + "pass"
    if inside:
        yield [*lines[: inside[-1]], body, *lines[inside[-1] + 1 :]]
    bare = lines[header].split("#")[0].rstrip()
    if bare.endswith(":"):
        yield [*lines[:header], bare + " pass", *lines[header + 1 :]]


def _reindented(lines: list[str], row: int) -> Iterator[list[str]]:
    """The block that starts at `row` moved left to an indentation that the lines above it have."""
    indent = _indent(lines[row])
    levels = {_indent(line) for line in lines[max(0, row - 500) : row] if line.strip()}
    end = row
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) >= indent):
        end += 1
    for level in sorted((level for level in levels if level < indent), reverse=True)[:3]:
        moved = [line[indent - level :] if line.strip() else line for line in lines[row:end]]
        yield [*lines[:row], *moved, *lines[end:]]


def _statement(lines: list[str], row: int) -> tuple[int, int] | None:
    """The rows of the smallest statement around a row, of a compound statement only its header."""
    node: Node | None = parse_tree("\n".join(lines).encode(), "python").root_node
    best: Node | None = None
    while node is not None:
        child = next((c for c in node.named_children if c.start_point.row <= row <= c.end_point.row), None)
        if child is not None and (
            child.type in _COMPOUND or (node.type in ("module", "block", "ERROR") and child.type != "ERROR")
        ):
            best = child
        node = child
    if best is None:
        return None
    start, end = span(best)
    return (start, end) if start <= row and end - start <= 200 else None


def span(node: Node) -> tuple[int, int]:
    """The rows of a statement, of a compound one those of its header."""
    start, end = node.start_point.row, node.end_point.row + 1
    if node.type in _COMPOUND:
        body = node.child_by_field_name("body") or node.child_by_field_name("consequence")
        end = max(body.start_point.row, start + 1) if body is not None else start + 1
    return start, end


def passed(lines: list[str], start: int, end: int, keep_header: bool = True) -> list[str]:
    """The rows replaced by `pass`, by a harmless header where they were one, and blank lines."""
    line = lines[start]
    indent = line[: len(line) - len(line.lstrip())]
    new = "pass"
    stripped = line.strip()
    if keep_header and (_HEADER.match(stripped) or (end > start + 1 and lines[end - 1].rstrip().endswith(":"))):
        new = _header(stripped)
        if new == stripped:
            new = "pass"
    return [*lines[:start], indent + new, *[""] * (end - start - 1), *lines[end:]]


def _header(line: str) -> str:
    """A header that parses and keeps the block below a broken one: names of functions and classes stay."""
    match = _DEFINITION.match(line)
    if match:
        return f"{match.group(1)} {match.group(2)}" + ("(*args, **kwargs):" if match.group(1) != "class" else ":")
    word = re.match(r"(?:async\s+)?(\w+)", line)
    return _HEADERS.get(word.group(1), "pass") if word else "pass"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

"""Jupyter notebooks: cells with the line of the raw file for every line of source, and their code as one text."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate

from msgspec import Struct

from mlops_scan.documents import json, python, python2, repair
from mlops_scan.documents.bounds import check_size, check_words, encodable, unix_lines
from mlops_scan.documents.cells import MAX_CELLS, Part, cells
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.text import decode
from mlops_scan.regex import regex

Line = tuple[int, str]  # the line in the raw file, and the source text of that line

_GUESSES = 4  # attempts to parse all cells at once
_KINDS = {"code": "code", "markdown": "markdown", "heading": "markdown"}
_UNWANTED = frozenset({"attachments", "outputs", "metadata"})  # pictures and tables: most of a notebook's text

_CELL_MAGIC = regex(r"%%(\w+)")
_TRANSPARENT = frozenset({"time", "timeit", "capture", "prun", "memit"})
_WHOLE = regex(r"%(?:(?:md|sh|scala|r|R|fs)\b|sql\s*\Z)")  # Databricks: a single % makes the whole cell foreign
_SHELL_CELL = regex(r"%%(?:bash|sh|script (?:bash|sh))\b|%sh\b")
_ESCAPE = regex(r"\s*(?:[\w.]+\s*=\s*)?(?:!{1,2}\s*|%(?:sx|system)\s+)([^=\s!].*)")
_INSTALL = regex(r"\s*%((?:pip|conda|mamba|uv)\s.*)")
_STRING = regex(r"\"[^\"\\]*\"|'[^'\\]*'")


class Cell(Struct, frozen=True):
    """One cell: kind "code", "markdown" or "raw", and its lines."""

    kind: str
    lines: tuple[Line, ...]


class Notebook(Struct, frozen=True):
    """The cells of a notebook in order."""

    cells: tuple[Cell, ...]


def parse(text: str) -> Notebook:
    """The cells of a notebook of format 3 or 4. Raises DocumentError for what is no notebook, or broken JSON."""
    check_size(text, json.MAX_BYTES)
    return _ordinary(text.encode("utf-8", "surrogatepass")) or _unusual(text)


def read_code(data: bytes) -> Notebook:
    """The code cells of a notebook as it lies on disk; raises what `parse` raises. What it printed is not decoded."""
    if len(data) <= json.MAX_BYTES:
        found = _ordinary(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data, ("code",))
        if found is not None:
            return found
    return parse(decode(data))


def _ordinary(data: bytes, kinds: Collection[str] = ()) -> Notebook | None:
    found = cells(data, kinds)
    if found is None:
        return None
    return Notebook(tuple(Cell(_KINDS.get(cell.kind, "raw"), _lines(cell.parts)) for cell in found))


def _unusual(text: str) -> Notebook:
    """The cells of a notebook of any layout, by way of a tree of the whole."""
    root = json.parse(text, _UNWANTED)
    if root.get("nbformat") is None:
        raise DocumentError("not a notebook: it has no nbformat", root.line)
    listed = root.get("cells")
    nodes = list(listed.items) if listed is not None else []
    worksheets = root.get("worksheets")
    for sheet in worksheets.items if worksheets is not None else ():
        inner = sheet.get("cells")
        nodes.extend(inner.items if inner is not None else ())
    if len(nodes) > MAX_CELLS:
        raise DocumentError(f"more than {MAX_CELLS} cells", nodes[MAX_CELLS].line)
    return Notebook(tuple(_cell(node) for node in nodes if node.kind == "mapping"))


class Code(Struct, frozen=True):
    """Code cells as one Python text, the raw line of each of its lines, and its tree where that is known already."""

    text: str
    lines: tuple[int, ...]
    tree: ast.Module | None = None


def code(notebook: Notebook) -> tuple[str, tuple[int, ...]]:
    """All code cells as one Python text, and the raw line of each of its lines; see `joined`."""
    found = joined(notebook)
    return found.text, found.lines


def joined(notebook: Notebook) -> Code:
    """All code cells as one Python text.

    IPython magics, shell escapes and cells in other languages become comments; a cell that does not parse is mended by
    itself, so that it cannot spoil the ones after it. Raises DocumentError for more than 2 MB or 400 000 words of code.
    """
    cells = [cell for cell in notebook.cells if cell.kind == "code" and cell.lines]
    bulk = "\n".join([text for cell in cells for _, text in cell.lines])
    check_size(bulk)
    check_words(bulk)
    lines = tuple([number for cell in cells for number, _ in cell.lines])
    blocks = [_likely(cell) for cell in cells]
    for _ in range(_GUESSES):
        text = "\n".join(map("\n".join, blocks))
        tree = repair.try_parse(text)
        if isinstance(tree, repair.Failure):
            row = bisect_right(list(accumulate(map(len, blocks))), tree.line - 1)
            if row < len(cells):  # the others may well be as they seem
                blocks[row] = _python(cells[row])
            continue
        if _apart(tree, blocks):
            return Code(text, lines, tree)
        break
    return Code("\n".join(["\n".join(_python(cell)) for cell in cells]), lines)


def shell_lines(notebook: Notebook) -> tuple[Line, ...]:
    """What the code cells give to a shell: `!cmd` with its continuation lines, `%pip ..`, `%%bash` and `%%sh` cells."""
    found: list[Line] = []
    for cell in notebook.cells:
        if cell.kind != "code":
            continue
        first = _first(cell)
        if first is not None and _SHELL_CELL.match(cell.lines[first][1]):
            opening = cell.lines[first][1].partition(" ")[2] if cell.lines[first][1].startswith("%sh ") else ""
            found.extend([(cell.lines[first][0], opening)] if opening.strip() else [])
            found.extend(line for line in cell.lines[first + 1 :] if line[1].strip())
        elif first is not None and not _foreign(cell.lines[first][1]):
            found.extend(_escapes(cell.lines))
    return tuple(found)


def commands(notebook: Notebook) -> tuple[Line, ...]:
    """The shell lines of a notebook with their continuation lines joined, each with its first line's number."""
    found: list[Line] = []
    continued = False
    for number, text in shell_lines(notebook):
        if continued:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{text}")
        else:
            found.append((number, text))
        continued = text.rstrip().endswith("\\")
    return tuple(found)


def _escapes(lines: tuple[Line, ...]) -> list[Line]:
    found: list[Line] = []
    continued = False
    for number, text in lines:
        match = None if continued else _ESCAPE.match(text) or _INSTALL.match(text)
        if match or continued:
            found.append((number, match.group(1) if match else text))
            continued = text.rstrip().endswith("\\")
    return found


def _cell(node: Node) -> Cell:
    kind = node.get("cell_type")
    source = node.get("source") or node.get("input")
    parts = (source.items if source.kind == "sequence" else (source,)) if source is not None else ()
    name = _KINDS.get(str(kind.value) if kind else "", "raw")
    return Cell(name, _lines((part.line, part.string() or "") for part in parts))


def _lines(parts: Iterable[Part]) -> tuple[Line, ...]:
    """The source lines; the parts of a list are one text, so a part without a line break goes on in the next."""
    lines: list[Line] = []
    open_end = False
    for line, written in parts:
        text = unix_lines(written)
        if not open_end and text.find("\n") == len(text) - 1 and text:  # a whole line
            lines.append((line, text[:-1]))
            continue
        pieces = text.split("\n")
        if open_end and lines:
            lines[-1] = (lines[-1][0], lines[-1][1] + pieces.pop(0))
        open_end = True
        lines.extend([(line, piece) for piece in pieces])
        if text.endswith("\n"):
            lines.pop()
            open_end = False
    return tuple(lines)


def _first(cell: Cell) -> int | None:
    """The index of the first line that is neither blank nor a comment."""
    for index, (_, text) in enumerate(cell.lines):
        if text.strip() and not text.lstrip().startswith("#"):
            return index
    return None


def _foreign(line: str) -> bool:
    """Whether a cell's first line says that the cell is not Python."""
    match = _CELL_MAGIC.match(line)
    return (match is not None and match.group(1) not in _TRANSPARENT) or _WHOLE.match(line) is not None


def _clean(cell: Cell) -> list[str]:
    return [encodable(text).replace("\0", " ") for _, text in cell.lines]


def _likely(cell: Cell) -> list[str]:
    """What `_python` gives for a cell, provided that this parses."""
    lines = _clean(cell)
    first = _first(cell)
    if first is None:
        return lines
    if _foreign(lines[first]):
        return ["#"] * len(lines)
    plain = list(lines)
    if _CELL_MAGIC.match(plain[first]):
        plain[first] = "#"
    plain = python2.without_magics(plain)
    if plain == lines or plain[first] != lines[first]:  # what opens a cell is in no string: a magic there is one
        return plain
    if _are_magics(lines, plain) or isinstance(repair.try_parse("\n".join(lines)), repair.Failure):
        return plain
    return lines


def _are_magics(lines: Sequence[str], plain: Sequence[str]) -> bool:
    """Whether what looks like magics is sure to be some: none can lie in a string, or go on with the `%` of a line."""
    opened = 0
    for line, other in zip(lines, plain, strict=True):
        if '"""' in line or "'''" in line:
            return False
        if line == other:
            if line.endswith("\\"):
                return False
            code = _STRING.sub("", line).partition("#")[0]
            if "'" in code or '"' in code:
                return False
            opened += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
        elif opened:
            return False
    return True


def _apart(tree: ast.Module, blocks: Sequence[Sequence[str]]) -> bool:
    """Whether each statement stands within one cell, so that each cell parses by itself as well."""
    if any(block[-1].endswith("\\") for block in blocks):
        return False
    ends = list(accumulate(map(len, blocks)))
    for statement in tree.body:
        start, end = statement.lineno, statement.end_lineno or statement.lineno
        decorators = getattr(statement, "decorator_list", ())
        if decorators:
            start = decorators[0].lineno
            cell = bisect_left(ends, start)
            if not blocks[cell][start - ends[cell] - 1].lstrip().startswith("@"):
                return False  # the line of the `@` is not known
        if bisect_left(ends, start) != bisect_left(ends, end):
            return False
    return True


def _python(cell: Cell) -> list[str]:
    """The cell's lines as Python that parses: as many lines as the cell has."""
    lines = _clean(cell)
    first = _first(cell)
    if first is not None and _foreign(lines[first]):
        return ["#"] * len(lines)
    if not isinstance(repair.try_parse("\n".join(lines)), repair.Failure):
        return lines
    if first is not None and _CELL_MAGIC.match(lines[first]):
        lines[first] = "#"
    lines = python2.without_magics(lines)
    text = "\n".join(lines)
    if not isinstance(repair.try_parse(text), repair.Failure):
        return lines
    try:
        return python.parse_repaired(text)[1].split("\n")
    except DocumentError:
        return ["#"] * len(lines)

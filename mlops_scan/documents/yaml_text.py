"""A YAML text as a parser takes it: nothing unprintable, `//` lines as comments, template tags as words."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.regex import regex

# NEL, LS and PS end a line for YAML 1.1 but in no editor: they would move every line number behind them.
_CONTROL = bytes({*range(9), 11, 12, *range(14, 32), 127})
_WIDE = "\x85\u2028\u2029\ufffe\uffff"
_UNPRINTABLE = regex("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufffe\uffff]")
_SLASH_FIRST = regex(r"(?:[^\S\n]*(?:#[^\n]*)?\n)*[^\S\n]*//")
_BLOCK_SCALAR = regex(r"[|>][-+0-9]{0,2}[ \t]*(?:#.*)?\Z")


def printable(text: str) -> str:
    """The text with blanks for what a YAML parser refuses."""
    data = text.encode()
    if len(data) == len(data.translate(None, _CONTROL)) and (text.isascii() or not any(c in text for c in _WIDE)):
        return text  # nearly always, and ten times faster than the expression
    return _UNPRINTABLE.sub(" ", text)


def candidates(text: str) -> Iterator[str]:
    """The text, then what it may become where it does not parse: without `//` lines, then without template tags."""
    text = _without_slash_header(text)
    yield text
    if text.startswith("//") or "\n//" in text:
        text = _without_slash_lines(text)
        yield text
    from mlops_scan.documents import templates  # only where the text did not parse

    if templates.has_tags(text):
        yield templates.replaced(text)


def _without_slash_header(text: str) -> str:
    """`//` lines before the first content become comments."""
    if "//" not in text or text.lstrip()[:1] not in ("/", "#") or _SLASH_FIRST.match(text) is None:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        stripped = line.lstrip()
        if stripped.startswith("//"):
            lines[number] = "#" + stripped
        elif stripped and not stripped.startswith("#"):
            break
    return "\n".join(lines)


def _without_slash_lines(text: str) -> str:
    """`//` lines outside block scalars become comments."""
    lines = text.split("\n")
    block = -1  # the indentation of the line that opened a block scalar
    for number, line in enumerate(lines):
        stripped = line.lstrip()
        indent = len(line) - len(stripped)
        if block >= 0 and (not stripped or indent > block):
            continue
        block = -1
        if stripped.startswith("//"):
            lines[number] = "#" + stripped
        elif _BLOCK_SCALAR.match(stripped.rpartition(" ")[2]) or _BLOCK_SCALAR.match(stripped.rpartition(": ")[2]):
            block = indent
    return "\n".join(lines)

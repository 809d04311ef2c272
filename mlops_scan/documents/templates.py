"""Template tags (`{{ .. }}`, `{% .. %}`, `{# .. #}`) in text that is to be parsed as something else.

Jinja, cookiecutter, Go and Helm templates, GitHub expressions. Nothing is rendered: a tag becomes a placeholder or
vanishes, and every line keeps its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from mlops_scan.regex import regex

PLACEHOLDER = "TEMPLATE"

_OPENER = regex(r"\{\{|\{%|\{#")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_CONTROL = regex(
    r"\{\{[-~#^/!>]?\s*(?:/\*|(?:if|else|end|range|with|define|block|break|continue|elif|endif|for|endfor|each|unless)\b"
    r"|\$\w+\s*:?=)"
)
_GONE, _VALUE = "\ue000", "\ue001"


class Tag(Struct, frozen=True):
    """One template tag: its offsets in the text, and whether it stands for a value or only steers the template."""

    start: int
    end: int
    control: bool


def has_tags(text: str) -> bool:
    """Whether the text has anything that opens a template tag."""
    return "{{" in text or "{%" in text


def tags(text: str) -> Iterator[Tag]:
    """Every closed template tag in order, without overlaps; linear in the length of the text."""
    position = 0
    dead: set[str] = set()
    for match in _OPENER.finditer(text):
        start, opener = match.start(), match.group()
        if start < position or opener in dead:
            continue
        if opener == "{#" and text[start - 1 : start] == "$":
            continue
        closer = _CLOSERS[opener]
        end = text.find(closer, start + 2)
        if end < 0:
            dead.add(opener)
            continue
        end += 2
        if opener == "{{" and text[start + 2 : start + 3] == "{" and text[end : end + 1] == "}":
            end += 1
        position = end
        yield Tag(start, end, opener != "{{" or _CONTROL.match(text, start, end) is not None)


def replaced(text: str, keep: Callable[[Tag], bool] | None = None, quote: bool = False) -> str:
    """The text with tags replaced: lines of nothing but tags become empty, inline values become PLACEHOLDER.

    Inline control tags vanish. Tags for which `keep` is true stay as they are. With `quote` a placeholder outside
    double quotes gets some. The number of lines does not change.
    """
    pieces: list[str] = []
    position = 0
    for tag in tags(text):
        if keep is not None and keep(tag):
            continue
        pieces.append(text[position : tag.start])
        pieces.append(_GONE if tag.control else _VALUE)
        pieces.append("\n" * text.count("\n", tag.start, tag.end))
        position = tag.end
    pieces.append(text[position:])
    lines = "".join(pieces).split("\n")
    return "\n".join(_line(line, quote) for line in lines)


def _line(line: str, quote: bool) -> str:
    if _GONE not in line and _VALUE not in line:
        return line
    bare = line.replace(_GONE, "")
    if not bare.replace(_VALUE, "").strip():
        return ""
    if not quote:
        return bare.replace(_VALUE, PLACEHOLDER)
    parts = bare.split(_VALUE)
    inside = False
    for index, part in enumerate(parts[:-1]):
        inside ^= part.count('"') % 2 == 1
        parts[index] = part + (PLACEHOLDER if inside else f'"{PLACEHOLDER}"')
    return "".join(parts)

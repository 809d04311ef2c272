"""Input that nobody should write, for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = [
    "",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    '"""',
    "\n",
    "\t",
    "\\",
    "#",
    "{{",
    "}}",
    "{%",
    "%}",
    "\0",
    "\ud800",
]
_PIECES += ["\r\n", "<<EOF\n", "$(", "`", "&&", "|", "=", ":", "  ", "\ufeff", "é", "😀", "-", "0" * 20]


def mutations(text: str) -> st.SearchStrategy[str]:
    """The text with a few pieces cut out and others put in."""
    edit = st.tuples(st.integers(0, len(text)), st.integers(0, 12), st.sampled_from(_PIECES))
    return st.lists(edit, min_size=1, max_size=4).map(lambda edits: _edited(text, edits))


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    return text


def chunked(text: str) -> st.SearchStrategy[str]:
    """The text with runs of its lines deleted, doubled, swapped, or cut open for a hostile piece."""
    lines = text.split("\n")
    place = st.integers(0, len(lines))
    edit = st.tuples(st.sampled_from(["delete", "double", "swap", "insert"]), place, place, st.sampled_from(_PIECES))
    return st.lists(edit, min_size=1, max_size=5).map(lambda edits: _rearranged(lines, edits))


def _rearranged(lines: list[str], edits: list[tuple[str, int, int, str]]) -> str:
    for kind, one, other, piece in edits:
        start, end = sorted((one, other))
        before, run, after = lines[:start], lines[start:end], lines[end:]
        middle = {"delete": [], "double": run + run, "swap": after[:3] + run, "insert": [piece, *run]}[kind]
        lines = (before + middle + (after[3:] if kind == "swap" else after))[:2000]
    return "\n".join(lines)

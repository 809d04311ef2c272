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

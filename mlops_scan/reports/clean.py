"""Scanned content is hostile: nothing of it may reach a terminal or a strict reader as it is."""

from __future__ import annotations

import re
from typing import Any

from mlops_scan.regex import regex

# C0 and C1 controls, soft hyphen, line and paragraph separators, zero-width, direction and tag marks, lone surrogates,
# the BOM, and what is no character at all (XML refuses U+FFFE and U+FFFF)
_UNSAFE = regex(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_SURROGATES = regex("[\ud800-\udfff]")
_TYPOGRAPHY = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "·": "-", "→": "->", "≥": ">="}  # noqa: RUF001
)


def visible(text: str) -> str:
    """`text` with every character that could move the cursor, hide or reorder text shown as an escape."""
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """`text` as one line of visible characters, runs of white space collapsed."""
    return visible(" ".join(text.split()))


def cut(text: str, limit: int) -> str:
    """`text` with at most `limit` characters, the cut marked."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def encodable(text: str) -> str:
    """`text` with lone surrogates (undecodable file names) shown as escapes, so that it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub(_escaped, text)
    return text


def indented(data: Any) -> str:
    """Data as JSON with two blanks a level, as UTF-8 can hold it.

    `json.dumps` with an indent writes it in Python, a value at a time; without one it is ten times as fast.

    Raises:
        ValueError: a number is not finite.
    """
    import json

    from msgspec.json import format as formatted

    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    if encodable(text) is not text:  # escapes of half a character, which the formatter takes for a mistake
        return encodable(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
    return formatted(text, indent=2)


def plain(text: str) -> str:
    """`text` with typographic quotes, dashes and arrows as ASCII, for consoles that have no others."""
    return text.translate(_TYPOGRAPHY)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\n":
        return "\\n"
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""Scanned content is hostile: nothing of it may reach a terminal or a strict reader as it is."""

from __future__ import annotations

import re

# C0 and C1 controls, soft hyphen, line and paragraph separators, zero-width, direction and tag marks, lone surrogates,
# the BOM, and what is no character at all (XML refuses U+FFFE and U+FFFF)
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
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
    return _SURROGATES.sub(_escaped, text)


def plain(text: str) -> str:
    """`text` with typographic quotes, dashes and arrows as ASCII, for consoles that have no others."""
    return text.translate(_TYPOGRAPHY)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\n":
        return "\\n"
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

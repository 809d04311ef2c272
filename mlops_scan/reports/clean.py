"""Scanned content is hostile: nothing of it may reach a terminal or a strict JSON reader as it is."""

from __future__ import annotations

import re

# C0 and C1 controls, line and paragraph separators, zero-width and direction marks, lone surrogates, the BOM
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """`text` with every character that could move the cursor, hide or reorder text shown as an escape."""
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """`text` as one line of visible characters, runs of white space collapsed."""
    return visible(" ".join(text.split()))


def encodable(text: str) -> str:
    """`text` with lone surrogates (undecodable file names) shown as escapes, so that it can be written as UTF-8."""
    return _SURROGATES.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\n":
        return "\\n"
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"

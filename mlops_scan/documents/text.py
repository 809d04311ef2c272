"""Bytes of a file as text, whatever wrote them."""

from __future__ import annotations

import codecs

from mlops_scan.documents.bounds import unix_lines

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SAMPLE = 8192  # bytes by which it is told whether a file is text
_CONTROL = bytes(set(range(32)) - {7, 8, 9, 10, 12, 13, 27}) + b"\x7f"


def decode(data: bytes) -> str:
    """UTF-8 (BOM stripped), UTF-16 by its BOM, else Latin-1; line ends become line feeds. Never raises."""
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith(_UTF16):
        return unix_lines(data.decode("utf-16", "replace"))
    try:
        return unix_lines(data.decode("utf-8"))
    except UnicodeDecodeError:
        return unix_lines(data.decode("latin-1"))


def looks_binary(data: bytes) -> bool:
    """True when the first 8 KB hold a NUL byte (unless a UTF-16 BOM explains it) or mostly control characters."""
    sample = data[:SAMPLE]
    if not sample or sample.startswith(_UTF16):
        return False
    if b"\0" in sample:
        return True
    return len(sample) - len(sample.translate(None, _CONTROL)) > len(sample) * 3 // 10


def contains(data: bytes, mark: str) -> bool:
    """Whether the text that some bytes are has `mark`, of ASCII characters, in it."""
    return mark.encode() in data or (data.startswith(_UTF16) and mark in decode(data))

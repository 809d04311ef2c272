"""The bounds that every parser keeps, because scanned text is hostile: size and depth."""

from __future__ import annotations

import sys

from mlops_scan.documents.node import DocumentError
from mlops_scan.regex import regex

MAX_BYTES = 2_000_000
MAX_DEPTH = 200
# Each becomes a node of about 1 KB, and Python 3.10 overflows the stack of the process on chains much longer than this.
MAX_WORDS = 400_000 if sys.version_info >= (3, 11) else 100_000
MAX_NODES = 1_000_000  # of a JSON or YAML text, each of some 200 bytes

_WORD = regex(r"\w+|[(\[{'\"]|\.\.\.")


def check_size(text: str, limit: int = MAX_BYTES) -> None:
    """Raise DocumentError when the text takes more than `limit` bytes as UTF-8."""
    size = len(text)
    if size <= limit < 4 * size and not text.isascii():  # a character takes at most four bytes
        size = len(text.encode("utf-8", "replace"))
    if size > limit:
        raise DocumentError(f"larger than {limit / 1_000_000:g} MB, not read")


def too_deep(line: int) -> DocumentError:
    """The error for a document nested deeper than MAX_DEPTH."""
    return DocumentError(f"nested deeper than {MAX_DEPTH} levels", line)


def check_words(text: str) -> None:
    """Raise DocumentError when a Python text has more than MAX_WORDS words, brackets and quotes."""
    if len(text) > MAX_WORDS and sum(1 for _ in _WORD.finditer(text)) > MAX_WORDS:
        raise DocumentError(f"more than {MAX_WORDS} words, brackets and quotes, not read")


def check_nodes(count: int, line: int) -> None:
    """Raise DocumentError when a document has more than MAX_NODES nodes."""
    if count > MAX_NODES:
        raise DocumentError(f"more than {MAX_NODES} values", line)


def encodable(text: str) -> str:
    """The text with lone surrogates replaced by `?`, so that it can be encoded as UTF-8; same line count."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text  # the same object, so that comparing the two costs nothing


def unix_lines(text: str) -> str:
    """The text with the line ends of Windows and old Macs as line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

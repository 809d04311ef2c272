"""Whether a script passes on a failure by itself: it looks at the status that a command left, `$?`, and exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_LINE = 1_000  # bytes of a statement looked at
_REST = 20_000  # bytes of the script behind it
_SIMPLE = frozenset({"command", "pipeline", "redirected_statement"})
_SHOWS = regex(rb"\s*(?:echo|printf|log\w*|logger)\b")
_KEPT = regex(rb"\s*(?:(?:local|declare|export|readonly)\s+)?(\w+)=[\"']?\$\?")
_LEAVES = regex(rb"\b(?:exit|return)\s+(?!0\b)[\"']?[\w${]")


def passed_on(source: bytes, node: Node, after: Node) -> bool:
    """Whether the statement behind a command asks for its status, and the script can leave with a failure for it.

    `rc=$?` counts where the script asks for `$rc` later; `echo $?` only shows it.
    """
    if node.type not in _SIMPLE:
        return False
    head = source[after.start_byte : min(after.end_byte, after.start_byte + _LINE)].partition(b"\n")[0]
    if b"$?" not in head or _SHOWS.match(head):
        return False
    kept = _KEPT.match(head)
    if kept is None:
        return _LEAVES.search(source, after.start_byte, after.start_byte + _REST) is not None
    later = source[after.end_byte : after.end_byte + _REST]
    return (b"$" + kept.group(1) in later or b"${" + kept.group(1) in later) and _LEAVES.search(later) is not None

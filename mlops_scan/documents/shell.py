"""Shell scripts as the commands they run, each with what happens when it fails."""

from __future__ import annotations

from mlops_scan.documents.bounds import check_size, encodable, unix_lines
from mlops_scan.documents.launchers import inner, unwrap
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.shell_model import Command, ShellScript
from mlops_scan.documents.shell_reader import Reader
from mlops_scan.regex import regex

__all__ = ["Command", "ShellScript", "inner", "parse", "unwrap"]

_MAX_PIPES = 5_000  # the grammar's error recovery takes quadratic time in them
_SHEBANG = regex(r"#![^\n]*\b(?:sh|bash|dash|zsh|ksh)\b([^\n]*)")


def parse(text: str, first_line: int = 1, errexit: bool = False, pipefail: bool = False) -> ShellScript:
    """The commands of a shell text whose first line is line `first_line` of its file.

    `errexit` and `pipefail` are what the caller's shell is started with (`bash -e {0}`). Template expressions stay in
    the words as written. Broken shell gives what can be read of it; only more than 2 MB or 5000
    pipes raise DocumentError.
    """
    check_size(text)
    text = encodable(unix_lines(text.removeprefix("\ufeff"))).replace("\0", " ")
    if text.count("|") - 2 * text.count("||") > _MAX_PIPES:
        raise DocumentError(f"more than {_MAX_PIPES} pipes")
    shebang = _SHEBANG.match(text) if text.startswith("#!") else None
    reader = Reader(text.encode(), first_line, errexit, pipefail)
    if shebang:
        reader.options(tuple(shebang.group(1).split()))
    return reader.script()

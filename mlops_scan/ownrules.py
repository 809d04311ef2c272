"""What a user's own rules must keep to besides the format: patterns that match in linear time, ids of their own.

Patterns are not regular expressions. A pattern with many wildcards would still be tried in very many ways against a
long name of a hostile repository, so their number is limited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_scan.errors import RuleError
from mlops_scan.regex import regex
from mlops_scan.rulereader import at, entries, mapping, texts

_NAME = regex(r"[\w.*?{},\- ]+")
_REGEX = regex(r"[()\[\]\\^$+]|^\.|\.\?|\{\d{1,9},?\d{0,9}\}")
_NAMES = ("calls", "all_calls", "decorators", "bases")
_MAX_LENGTH = 500
_MAX_ANY = 2  # of `**` in a pattern
_MAX_STARS = 4  # of `*` in a word, a segment or a glob
_BUILT_IN_ID = regex(r"MLS\d")
_OWN_ID = regex(r"[A-Z][A-Z0-9]{1,9}\d{3}")


def check_tool_patterns(entry: Mapping[str, Any], path: Path) -> None:
    """Check every pattern of a tool.

    Raises:
        RuleError: a pattern is a regular expression, or has more wildcards than can be matched fast.
    """
    for signal in entries(entry, "signals", path, False):
        where = at(path, signal)
        for key in _NAMES:
            for pattern in texts(signal.get(key)):
                _check_name(pattern, key, where)
        globs = [*texts(signal.get("commands")), *texts(signal.get("files")), *mapping(signal, "keys", where)]
        for value in mapping(signal, "keys", where).values():
            globs += texts(value) if isinstance(value, str) else ()
        for pattern in globs:
            _check_length(str(pattern), where)
            if (
                any(word.count("*") > _MAX_STARS for word in re.split(r"[ /.|]", str(pattern)))
                or str(pattern).count("**") > _MAX_ANY
            ):
                raise RuleError(f"{where}: {pattern!r} has too many wildcards")


def import_roots(entry: Mapping[str, Any]) -> list[str]:
    """What a file that uses a tool must import, told by the first word of its names; for tools that do not say it."""
    names = [
        name
        for signal in entry.get("signals") or ()
        if isinstance(signal, dict)
        for key in _NAMES
        for name in texts(signal.get(key))
    ]
    return sorted({root for name in names if (root := name.split(".", 1)[0]).isidentifier()})


def _check_name(pattern: str, key: str, where: Path) -> None:
    _check_length(pattern, where)
    if not _NAME.fullmatch(pattern) or _REGEX.search(pattern):
        raise RuleError(
            f"{where}: {pattern!r} under `{key}` is not a name pattern; regular expressions are not accepted: "
            "write names with `*` (one segment), `**` (any number) and `{a,b}` (alternatives)"
        )
    if re.sub(r"\{[^{}]*\}", "", pattern).strip("{}") != re.sub(r"\{[^{}]*\}", "", pattern) or pattern.count(
        "{"
    ) != pattern.count("}"):
        raise RuleError(f"{where}: the braces of {pattern!r} do not match")
    if pattern.count("**") > _MAX_ANY or "***" in pattern or "**.**" in pattern:
        raise RuleError(f"{where}: {pattern!r} has more than {_MAX_ANY} `**`, or two side by side")
    if any(segment.replace("**", "").count("*") > _MAX_STARS for segment in re.split(r"[.{},]", pattern)):
        raise RuleError(f"{where}: {pattern!r} has more than {_MAX_STARS} `*` in one segment")
    if not re.search(r"\w", pattern):
        raise RuleError(f"{where}: {pattern!r} matches every name")


def _check_length(pattern: str, where: Path) -> None:
    if not pattern or len(pattern) > _MAX_LENGTH:
        raise RuleError(f"{where}: a pattern must have 1 to {_MAX_LENGTH} characters")


def check_own_id(name: object, where: Path) -> None:
    """Check the id of a finding: `MLS` and a number are this program's own.

    Raises:
        RuleError: the id could be one of the built-in rules, or has another form than PREFIX and three digits.
    """
    if _BUILT_IN_ID.match(str(name)) or not _OWN_ID.fullmatch(str(name)):
        raise RuleError(f"{where}: {name!r} is no id for a finding of your own; use a prefix and digits, as in ACME101")

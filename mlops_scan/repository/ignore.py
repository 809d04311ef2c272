"""Patterns in .gitignore syntax from files that nobody has checked: none may raise, and none may take long."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_MAX_LENGTH = 1000  # characters of a pattern
_MAX_STARS = 3  # in one segment: matching a name takes up to its length to this power
_MAX_DEEP = 3  # `**` segments of a pattern, likewise for the depth of a path


class IgnorePatternError(ValueError):
    """A pattern that cannot be used, and why."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(f"{pattern!r}: {reason}")
        self.pattern = pattern
        self.reason = reason


def compiled(patterns: Iterable[str]) -> GitIgnoreSpec:
    """The patterns as one matcher.

    Raises:
        IgnorePatternError: one of them is not valid or would take too long to match.
    """
    from pathspec import GitIgnoreSpec

    kept = list(patterns)
    for pattern in kept:
        reason = _refusal(pattern)
        if reason:
            raise IgnorePatternError(pattern, reason)
    return GitIgnoreSpec.from_lines(kept)


def compiled_leniently(lines: Iterable[str]) -> GitIgnoreSpec:
    """The lines of a .gitignore as one matcher; like git, it passes over lines that are not valid."""
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GitIgnoreSpec.from_lines([line for line in lines if not _refusal(line)])


def _refusal(pattern: str) -> str:
    """Why a pattern is not used, or empty."""
    import re

    from pathspec import GitIgnoreSpec

    segments = pattern.strip().split("/")
    if len(pattern) > _MAX_LENGTH:
        return f"longer than {_MAX_LENGTH} characters"
    if segments.count("**") > _MAX_DEEP or any(s.count("*") > _MAX_STARS for s in segments):
        return f"more than {_MAX_STARS} wildcards in one part"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error) as error:
        return str(error)
    return ""

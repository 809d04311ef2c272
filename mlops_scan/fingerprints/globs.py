"""Path patterns in .gitignore syntax, compiled once."""

from __future__ import annotations

from functools import lru_cache

import pathspec


@lru_cache(maxsize=512)
def spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    """The compiled form of some patterns."""
    return pathspec.GitIgnoreSpec.from_lines(patterns)

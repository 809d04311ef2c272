"""Patterns of dotted call names, asked without a regular expression wherever they consist of whole segments.

A scan asks for hundreds of different patterns, most of them once or twice; to compile an expression for each was a good
part of a small one. `patterns.compile_name` says what a pattern means.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import product

from mlops_scan.fingerprints.globs import Glob, fits
from mlops_scan.fingerprints.patterns import compile_name
from mlops_scan.regex import regex

_SEGMENTS = regex(r"(?:[^.{}]|\{[^{}]*\})+")
_ALTERNATIVES = regex(r"\{([^{}]*)\}")
_MAX_SPELLINGS = 64  # of one segment

Segment = Callable[[str], bool] | None
"""Whether a segment of a name fits; None stands for `**.`, any number of segments that are not empty."""


def fits_name(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern as a whole, as `compile_name` would say it."""
    return _matcher(pattern)(name)


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> Callable[[str], bool]:
    if "*" not in pattern and "{" not in pattern:
        return pattern.__eq__
    texts = _SEGMENTS.findall(pattern)
    if ".".join(texts) == pattern:
        open_end = texts[-1] == "**"  # `.+`: at least a character, dots as well
        with suppress(_UnusualError):
            return _Segments(tuple(map(_segment, texts[:-1] if open_end else texts)), open_end, pattern).fit
    matched = compile_name(pattern).fullmatch
    return lambda name: matched(name) is not None


class _UnusualError(Exception):
    """A segment that only the expression can be asked for."""


def _segment(text: str) -> Segment:
    """What asks for one segment of a pattern.

    Raises:
        _UnusualError: it may span several segments, or fit an empty one.
    """
    if text == "**":
        return None
    if text == "*":
        return bool
    plain = _ALTERNATIVES.split(text)  # text, alternatives, text …
    choices = [[part.strip() for part in item.split(",")] if i % 2 else [item] for i, item in enumerate(plain)]
    spellings = ["".join(parts) for parts in product(*choices)] if _few(choices) else []
    if not all(item.strip("*") and "." not in item and "**" not in item for item in spellings) or not spellings:
        raise _UnusualError
    literal = frozenset(item for item in spellings if "*" not in item)
    globs = tuple(tuple(item.split("*")) for item in spellings if "*" in item)
    return _with_globs(literal, globs) if globs else literal.__contains__


def _few(choices: list[list[str]]) -> bool:
    count = 1
    for options in choices:
        count *= len(options)
    return count <= _MAX_SPELLINGS


def _with_globs(literal: frozenset[str], globs: tuple[Glob, ...]) -> Callable[[str], bool]:
    return lambda segment: segment in literal or any(fits(segment, glob) for glob in globs)


class _Segments:
    """A pattern as its segments; no segment of it fits an empty one of a name."""

    def __init__(self, segments: tuple[Segment, ...], open_end: bool, pattern: str) -> None:
        self._segments = segments
        self._open_end = open_end
        self._pattern = pattern
        self._last = segments[-1] if segments and not open_end else None

    def fit(self, name: str) -> bool:
        """Whether a name fits as a whole."""
        if self._open_end and "\n" in name:
            return compile_name(self._pattern).fullmatch(name) is not None
        if self._last is not None and not self._last(name[name.rfind(".") + 1 :]):
            return False  # most fail here
        return self._walk(name.split("."))

    def _walk(self, parts: list[str]) -> bool:
        """Each `**` swallows as few segments as it can, and one more whenever what follows it does not fit."""
        segments = self._segments
        count = len(segments)
        at = here = resume = 0
        swallowing = -1  # the last `**` that was passed
        while here < len(parts):
            if at < count and (segment := segments[at]) is None:
                swallowing, resume, at = at, here, at + 1
            elif at < count and segment is not None and segment(parts[here]):
                at, here = at + 1, here + 1
            elif at == count and self._open_end:
                return here < len(parts) - 1 or bool(parts[here])
            elif swallowing >= 0 and parts[resume]:
                resume += 1
                at, here = swallowing + 1, resume
            else:
                return False
        return at == count and not self._open_end

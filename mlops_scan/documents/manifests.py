"""Manifests of Kubernetes without the schemas of its own kinds: most of what they weigh, and no evidence."""

from __future__ import annotations

import re
from functools import lru_cache

from mlops_scan.regex import regex

_DEFINITION = "\nkind: CustomResourceDefinition"
_OUTLINE = regex(rf"\n---|{_DEFINITION}|\n([ ]{{1,8}})(?:versions|validation):[ \t]*(?=\n)")


def without_schemas(text: str) -> str:
    """The text without the schemas of resource definitions, with as many lines: where one was there is no value."""
    pieces: list[str] = []
    position, defines = 0, False
    for found in _OUTLINE.finditer(text):
        if found[1] is None:
            defines = found.group() == _DEFINITION  # else another document begins
        elif defines and found.start() >= position:
            after = _after(len(found[1])).search(text, found.end())
            end = after.start() if after is not None else len(text)
            pieces += [text[position : found.end()], "\n" * text.count("\n", found.end(), end)]
            position = end
    return "".join([*pieces, text[position:]])


@lru_cache(maxsize=16)
def _after(indent: int) -> re.Pattern[str]:
    """Where the value ends of a key that so many blanks stand before."""
    return re.compile(rf"\n(?![ ]{{{indent + 1}}}|[ ]{{{indent}}}-|[ \t]*(?:#|\{{\{{|\n|\Z))")

"""Which tests a command leaves out by their marks: `pytest -m "not integration"`.

Fact: https://docs.pytest.org/en/stable/how-to/mark.html
"""

from __future__ import annotations

from itertools import pairwise

from mlops_scan.code.facts import Function, Module
from mlops_scan.regex import regex

_TERM = regex(r"(not )?([A-Za-z_]\w{0,80})")
_MARK = ".mark."
_SKIPS = ("mark.skip", "unittest.skip")


def deselected(words: tuple[str, ...], marks: frozenset[str]) -> bool:
    """Whether a command of pytest leaves out a test with some marks; no where it asks for more than names and `and`."""
    given = next((word for flag, word in pairwise(words) if flag == "-m"), "") if words[:1] == ("pytest",) else ""
    terms = [_TERM.fullmatch(" ".join(term.strip("() ").split())) for term in given.split(" and ")] if given else []
    if not terms or None in terms:
        return False
    return any((term.group(2) in marks) is bool(term.group(1)) for term in terms if term is not None)


def marks_of(module: Module, function: Function) -> frozenset[str]:
    """The marks of a test and of the class that it is in."""
    holder = module.classes.get(function.qualname.rpartition(".")[0])
    found = (*function.decorators, *(holder.decorators if holder is not None else ()))
    return frozenset(name.partition(_MARK)[2].partition(".")[0] for name in found if _MARK in name)


def always_skipped(function: Function) -> bool:
    """Whether a test is skipped whatever happens."""
    return any(decorator.endswith(_SKIPS) for decorator in function.decorators)

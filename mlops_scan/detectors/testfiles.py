"""Test files and their tests, also those that were not parsed with the rest because they import nothing of a tool."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Function, Module
from mlops_scan.detectors.base import Context
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Role

_TEST = regex(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(?P<name>test)", re.M)
_MAX_FILES = 500  # that are looked at
_MAX_SIZE = 200_000  # bytes of one


class RemoteTest(NamedTuple):
    """A test whose subject is not in what it imports, and where the main code makes or loads that."""

    path: str
    module: Module
    function: Function
    use: Use


def test_functions(module: Module) -> list[Function]:
    """The functions that pytest or unittest would run; what R's `test_that` is handed is one of `test_that_1` …"""
    return [f for f in module.functions.values() if f.qualname.rpartition(".")[2].startswith("test")]


def modules_of(
    context: Context,
    named: Callable[[str], object],
    words: Collection[str],
    beside: Collection[str] = ("",),
    given: Collection[str] = (),
) -> Iterator[tuple[str, Module]]:
    """The path and facts of test files in Python whose text holds one of some words, in the order of the listing.

    Args:
        context: the facts of the repository.
        named: whether the runner takes files of a name.
        words: literal words, one of which the text holds.
        beside: further ones, of which it also holds one.
        given: paths that a command hands to the runner, whatever their names.
    """
    files = ((path, file) for path, file in context.documents.files.items() if file.role is Role.TEST)
    taken = (
        path for path, file in files if file.size <= _MAX_SIZE and (path in given or named(path.rpartition("/")[2]))
    )
    for number, path in enumerate(taken):
        if number >= _MAX_FILES:
            return
        if path.endswith(".py") and all(
            any(context.documents.holds(path, w) for w in some) for some in (words, beside)
        ):
            module = context.index.modules.get(path) or build(Source(path, context.documents.text(path))).module
            if module is not None:
                yield path, module


def first_test(context: Context, path: str) -> Evidence:
    """The first test of a file, or its first line."""
    module = context.index.modules.get(path)
    if module is not None:
        line = min((function.line for function in test_functions(module)), default=1)
    else:  # it has nothing to do with a tool, or there are too many of its like to parse them
        text = context.documents.text(path)
        first = _TEST.search(text)
        line = 1 if first is None else text.count("\n", 0, first.start("name")) + 1
    return context.evidence(path, line, Hop.EFFECT)

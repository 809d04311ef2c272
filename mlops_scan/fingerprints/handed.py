"""Pipelines that no decorator marks: functions that code hands to what runs or compiles them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.code.index import CodeIndex
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Location

TAKES = "take-pipeline"
"""The activity of a call that is handed a function which defines a pipeline."""
_DEFINES = "define-pipeline"


def handed_pipelines(uses: Iterable[Use], index: CodeIndex) -> Iterator[Use]:
    """The definitions that the functions are which some of the uses are handed, unless something marks them as such."""
    every = list(uses)
    takers = [use for use in every if TAKES in use.does and use.location.path in index.modules]
    if not takers:
        return
    known = {(use.location.path, use.scope) for use in every if _DEFINES in use.does}
    for use in takers:
        path = use.location.path
        for call in index.calls_in(path, use.scope):
            if call.line != use.location.line:
                continue
            for ref in call.refs:
                target = index.resolve(path, ref)
                module = index.modules.get(target.path)
                function = module.functions.get(target.qualname) if module is not None else None
                if function is None or (target.path, target.qualname) in known:
                    continue
                known.add((target.path, target.qualname))
                place = Location(target.path, function.line)
                yield replace(use, location=place, scope=target.qualname, serves=(), does=(_DEFINES,))

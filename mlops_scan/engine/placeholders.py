"""The marker that `mlops-scan plan` leaves in what it writes: nothing in a marked block counts before it is filled in.

A marker in an indented line marks the block that it stands in (a pipeline stage, a CI job, a function); one at the
beginning of a line marks the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.words import Evidence, Grade, Location, Problem, Signal

MARKER = "TODO(mlops-scan)"
_Block = tuple[int, int, int]  # first line, last line, line of the marker


def blocks(text: str) -> list[_Block]:
    """The marked blocks of a text, 1-based and inclusive."""
    if MARKER not in text:
        return []
    lines = text.split("\n")
    return [_block(lines, number) for number, line in enumerate(lines) if MARKER in line]


def _block(lines: list[str], index: int) -> _Block:
    own = _indent(lines[index])
    if own == 0:
        return 1, len(lines), index + 1
    first = next((i for i in range(index - 1, -1, -1) if lines[i].strip() and _indent(lines[i]) < own), 0)
    outer = _indent(lines[first])
    last = next(
        (i - 1 for i in range(index + 1, len(lines)) if lines[i].strip() and _indent(lines[i]) <= outer), len(lines) - 1
    )
    return first + 1, last + 1, index + 1


def _indent(line: str) -> int:
    """Columns before the first character; the dash of a YAML list item counts as one of them."""
    body = line.lstrip(" \t")
    return len(line) - len(body) + (2 if body.startswith("- ") else 0)


def filled_in(pipelines: Iterable[Pipeline], text: str) -> Iterator[Pipeline]:
    """Pipelines without the steps that are placeholders; one that has no other steps is none yet."""
    marks = blocks(text)
    for pipeline in pipelines:
        steps = tuple(
            step for step in pipeline.steps if not any(first <= step.line <= last for first, last, _ in marks)
        )
        if steps or not pipeline.steps:
            yield pipeline if len(steps) == len(pipeline.steps) else replace(pipeline, steps=steps)


def lower(context: Context, plain: Signal, wired: Signal) -> Signal:
    """A weighed signal as far as it does not rest on a placeholder.

    `plain` is the signal before anything that starts it was looked for, `wired` after. What is itself a placeholder
    earns `trace`; what only a placeholder starts is not started.
    """
    if not wired.grade.strength:
        return wired
    own = marked(context, wired.evidence[:1])
    if own is not None:
        return replace(wired, grade=Grade.TRACE, reason=f"the placeholder at {own} is not filled in", fixed=True)
    other = marked(context, wired.evidence[1:])
    if other is None:
        return wired
    reason = f"it rests on the placeholder at {other}, which is not filled in"
    if plain.grade is not wired.grade:
        return replace(plain, reason=reason, fixed=True)
    return replace(wired, grade=Grade.TRACE, reason=reason, fixed=True)


def marked(context: Context, evidence: Iterable[Evidence]) -> Location | None:
    """The marker of the block that one of the places lies in."""
    for item in evidence:
        where = item.location
        for first, last, marker in _blocks(context, where.path):
            if first <= where.line <= last:
                return Location(where.path, marker)
    return None


@kept
def _blocks(context: Context, path: str) -> Sequence[_Block]:
    marked = path in context.documents.files and context.documents.holds(path, MARKER)
    return blocks(context.documents.text(path)) if marked else []


def problems(context: Context) -> Iterable[Problem]:
    """One problem for each marker in a file that was read."""
    for path in sorted(context.documents.parsed):
        for _, _, marker in _blocks(context, path):
            said = context.line(path, marker).partition(MARKER)[2].strip(" :*/->")
            detail = f": {said[:120]}" if said else ""
            yield Problem("MLS005", f"This placeholder counts for nothing yet{detail}.", Location(path, marker))

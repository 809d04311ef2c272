"""Loops without an end in Python: `while True: check(); time.sleep(60)` in a thread or a container of its own.

What such a loop calls runs again and again, as on a clock; what stands before it runs once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep"})
"""What a program waits with."""

_ENDLESS = regex(
    r"while[ \t(]{0,5}(?:True|1|not +[\w.]{0,60}(?:stop|shut|exit|terminat|cancel|quit|kill|halt)[\w.()]{0,60})"
    r"[ \t)]{0,5}:.*"
)
_OPENS = regex(r"(?:async\s+)?(?:def|class)\b.*")
_MAX_LINES = 200  # of a loop
_HOPS = 3


class Loop(Struct, frozen=True):
    """The lines of an endless loop, its first one included, and the number of that."""

    line: int
    lines: tuple[str, ...]

    def holds(self, line: int) -> bool:
        """Whether a line of the file stands in the loop."""
        return self.line < line < self.line + len(self.lines)


def loop_around(lines: Sequence[str], line: int) -> Loop | None:
    """The innermost loop without an end that a line of a file stands in, within the same function; or None."""
    if line > len(lines):
        return None
    depth = depth_of(lines[line - 1])
    for number in range(line - 1, max(0, line - _MAX_LINES), -1):
        text = lines[number - 1]
        if not text.strip() or depth_of(text) >= depth:
            continue
        depth = depth_of(text)
        if _ENDLESS.fullmatch(text.strip()) is not None:
            return Loop(number, (text, *_body(lines, number, depth)))
        if _OPENS.fullmatch(text.strip()) is not None:
            return None
    return None


def _body(lines: Sequence[str], first: int, depth: int) -> Sequence[str]:
    """The lines below one, up to the first that does not stand deeper."""
    below = lines[first : first + _MAX_LINES]
    end = next((n for n, text in enumerate(below) if text.strip() and depth_of(text) <= depth), len(below))
    return below[:end]


def depth_of(line: str) -> int:
    """How far a line is indented."""
    return len(line) - len(line.lstrip())


def repeated(context: Context, node: Node) -> Evidence | None:
    """Where a loop without an end, in code that a service starts, leads to a node; None without one."""
    loops = _loops(context)
    sources = context.index.hops_to((node,), _HOPS) if loops else {}
    for source in (source for source in loops if source in sources):
        if source != node and not _leads(context, source, loops[source], sources):
            continue
        starts = (started.run for started in context.started(*source))
        if any(run.start.kind == "service" and not run.start.blocked and not run.tests for run in starts):
            return context.evidence(source[0], loops[source].line, Hop.TRIGGER)
    return None


def _leads(context: Context, source: Node, loop: Loop, sources: Mapping[Node, int]) -> bool:
    """Whether a line of the loop itself, and not one before it, leads to what all the sources lead to."""
    return any(loop.holds(line) and sources.get(target, _HOPS) < _HOPS for target, line in context.index.edges(source))


@kept
def _loops(context: Context) -> dict[Node, Loop]:
    """The pieces of code that wait in a loop without an end, each with its first one."""
    found: dict[Node, Loop] = {}
    for path, module in context.modules(notebooks=False):
        waits = [call for call in module.calls if call.name in SLEEPS]
        lines = context.documents.text(path).split("\n") if waits else []
        for call in waits:
            loop = loop_around(lines, call.line) if (path, call.scope) not in found else None
            if loop is not None:
                found[path, call.scope] = loop
    return found

"""Loops without an end in services: `while True: check(); time.sleep(60)` in a thread or a container of its own.

What such a loop calls runs again and again, as on a clock.
"""

from __future__ import annotations

from mlops_scan.code.facts import MAIN, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

_ENDLESS = regex(r"^\s*while +(True|1|not +[\w.()]{1,60}) *:", words=("while",))
_WAITS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep"})
_HOPS = 3


def looped(context: Context, node: Node) -> Evidence | None:
    """Where a loop without an end, in code that a service starts, leads to a node; None without one."""
    loops = _loops(context)
    if not loops:
        return None
    sources = context.index.hops_to((node,), _HOPS)
    for source in (source for source in loops if source in sources):
        starts = (started.run for started in context.started(*source))
        if any(run.start.kind == "service" and not run.start.blocked and not run.tests for run in starts):
            return context.evidence(source[0], loops[source], Hop.TRIGGER)
    return None


@kept
def _loops(context: Context) -> dict[Node, int]:
    """The pieces of code that wait in a loop without an end, each with the line of the loop."""
    found: dict[Node, int] = {}
    for path, module in context.modules(notebooks=False):
        waits = {call.scope: call.line for call in module.calls if call.name in _WAITS}
        for scope, last in waits.items():
            line = _loop(context, module, scope, last)
            if line:
                found[path, scope] = line
    return found


def _loop(context: Context, module: Module, scope: str, last: int) -> int:
    """The line of the nearest such loop above a line of a scope; 0 without one."""
    function = module.functions.get(scope)
    if function is None and scope not in ("", MAIN):
        return 0
    first = function.line if function is not None else 1
    lines = context.documents.text(module.path).split("\n")[first - 1 : last]
    return next((first + n for n in range(len(lines) - 1, -1, -1) if _ENDLESS.match(lines[n])), 0)

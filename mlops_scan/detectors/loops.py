"""Clocks without a library: a loop that trains, sleeps for hours and trains again, in Python or in a service's shell.

Only a loop without an end counts, whose pause is long or is no constant, and in which nothing is asked before it
trains: a worker that waits for jobs sleeps between them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.endless import SLEEPS, Loop, depth_of, loop_around
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Signal

_ASKS = regex(r"(?:if|elif|else|match|case)\b.*")
_ENDS = regex(r"(?:break|return|continue)\b.*")
_HEAD = regex(r"while[ \t]{1,4}(?:true|:|\[{1,2} ?1 ?\]{1,2})[\s;]{1,20}do\b", words=("while",))
_DONE = regex(r"\bdone\b", words=("done",))
_PAUSE = regex(r"\bsleep\s+[\"']?(?:(?P<number>\d+)(?P<unit>[smhd]?)|\$)", words=("sleep",))
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONG = 600  # seconds; what comes more often waits for something
_STARTS = frozenset({"service", "event", "schedule"})
_UNSTARTED = "nothing seen in the repository starts this loop"
_MAX_BODY = 2_000  # characters of one in a shell
_MAX_LOOPS = 20  # of a file


def looped(context: Context) -> Iterator[Signal]:
    """Signals for `retraining/scheduled` from such loops."""
    for path, module in context.modules(notebooks=False):
        for call in module.calls:
            if call.name in SLEEPS and _is_long(call):
                yield from _in_python(context, path, module, call)
    for run in context.leading():
        if run.start.kind == "service" and run.words and not run.tests:
            yield from _in_shell(context, run)


# -- Python ----------------------------------------------------------------------------------------------------------


def _is_long(call: Call) -> bool:
    """Whether a pause is long, or not known."""
    given = next(iter(call.args), None)
    try:
        return given is None or float(given) >= _LONG
    except ValueError:
        return False


def _in_python(context: Context, path: str, module: Module, sleep: Call) -> Iterator[Signal]:
    lines = context.documents.text(path).split("\n")
    loop = loop_around(lines, sleep.line)
    if loop is None or any(_ENDS.fullmatch(line.strip()) is not None for line in loop.lines):
        return
    work = _trained(context, path, module, loop, sleep.scope)
    if work is None:
        return
    line, use = work
    started = [s for s in context.started(path, sleep.scope) if s.run.start.kind in _STARTS and not s.run.tests]
    running = next((s for s in started if not s.run.start.blocked), None)
    evidence = (
        context.evidence(path, loop.line, Hop.TRIGGER),
        context.evidence(path, line, Hop.USE),
        context.evidence(use.location.path, use.location.line, Hop.EFFECT),
    )
    start = (context.shown(running.run.start.evidence),) if running is not None else ()
    grade, reason = (Grade.WIRED, "") if running is not None else (Grade.IMPLEMENTED, _UNSTARTED)
    yield Signal("retraining/scheduled", "loop", grade, (*evidence, *start), Confidence.MEDIUM, reason, fixed=True)


def _trained(context: Context, path: str, module: Module, loop: Loop, scope: str) -> tuple[int, Use] | None:
    """The line of a loop that trains whenever the loop comes to it, with the training; or None."""
    for call in context.index.calls_in(path, scope):
        if not loop.holds(call.line) or _asked(loop, call.line):
            continue
        use = context.reaches(tuple(_entries(context, path, module, call)), LEARNS)
        if use is not None:
            return call.line, use
    return None


def _entries(context: Context, path: str, module: Module, call: Call) -> Iterator[Node]:
    """The code that a call runs: its function, functions and scripts that it is handed."""
    for name in (call.name, *call.refs):
        target = context.index.resolve(path, name)
        if target.first_party and context.index.defines(target.path, target.qualname):
            yield target.path, target.qualname
    for line, text in module.strings if call.name.startswith(("subprocess.", "os.system")) else ():
        if call.line <= line <= call.end_line:
            names = (word for word in text.split()[:20] if word.endswith(".py"))
            for script in filter(None, map(context.index.script, names)):
                yield from context.index.script_entries(script)


def _asked(loop: Loop, line: int) -> bool:
    """Whether a line of a loop is only come to under a condition."""
    depth = depth_of(loop.lines[line - loop.line])
    for text in reversed(loop.lines[1 : line - loop.line]):
        if text.strip() and depth_of(text) < depth:
            depth = depth_of(text)
            if _ASKS.fullmatch(text.strip()) is not None:
                return True
    return False


# -- shell -----------------------------------------------------------------------------------------------------------


def _in_shell(context: Context, run: Run) -> Iterator[Signal]:
    text = context.documents.text(run.location.path)
    use = context.learns(run) if "while" in text and "sleep" in text else None
    for first, body in _shell_loops(text) if use is not None and not run.start.blocked else ():
        what = next((word for word in run.words if word.endswith(".py")), run.words[-1])
        pause = _PAUSE.search(body)
        long = pause is not None and (pause["number"] is None or int(pause["number"]) * _UNITS[pause["unit"]] >= _LONG)
        if use is not None and long and what in body and first <= run.location.line <= first + body.count("\n"):
            trained = context.evidence(use.location.path, use.location.line, Hop.EFFECT)
            place = context.evidence(run.location.path, run.location.line, Hop.TRIGGER)
            evidence = (place, context.shown(run.start.evidence), trained)
            yield Signal("retraining/scheduled", "loop", Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True)
            return


def _shell_loops(text: str) -> Iterator[tuple[int, str]]:
    """The endless loops of a shell text: the line of each and what stands in it."""
    for head in islice(_HEAD.finditer(text), _MAX_LOOPS):
        done = _DONE.search(text, head.end(), head.end() + _MAX_BODY)
        if done is not None:
            yield text.count("\n", 0, head.start()) + 1, text[head.start() : done.start()]

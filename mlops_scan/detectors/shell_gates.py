"""Quality gates in shell: a metric read by `jq` and the like, compared with a bound, and what that stops.

It ends the job with an error, or sets an output on which a later step or job releases the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Guard
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.gates import METRIC, NOT_MODEL
from mlops_scan.detectors.inline_code import code_of, module_of
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.outputs import releasing_outputs
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_ORDER = frozenset({"-lt", "-le", "-gt", "-ge", "<", ">", "<=", ">="})
_COMPARES = regex(r"[<>]=?\s*[\w.$\"({\[]")
_TESTS = frozenset({"[", "[[", "test", "((", "bc", "awk"})
_OF_FIGURES = regex(r"(metric|score|eval|result|report)\w{0,40}\.(json|ya?ml|csv|txt)$", re.I, words=(".",))
_READERS = frozenset({("python",), ("jq",), ("yq",), ("grep",), ("awk",)})
_KINDS = frozenset({"ci", "schedule", "event", "pipeline"})
_STOPPING = ("exit", "raise", "assert")  # without one of them code stops nothing
_NEAR = 15  # lines from the reading to the exit


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/quality-gate` from the commands that automation runs."""
    yield from (signal for signal, _ in _found(context))


@kept
def gated_jobs(context: Context) -> frozenset[tuple[str, str]]:
    """The workflow and the name of each CI job with such a gate that can fail."""
    return frozenset(job for signal, job in _found(context) if signal.grade is Grade.WIRED)


@kept
def _found(context: Context) -> tuple[tuple[Signal, tuple[str, str]], ...]:
    """The gates, each with the workflow and the job that it is in."""
    runs = context.automation.runs
    return tuple(
        (signal, (run.start.workflow, run.start.job))
        for position, run in enumerate(runs)
        if run.words[:1] in _READERS and run.start.kind in _KINDS
        for signal in _gates(context, runs, position)
    )


def _gates(context: Context, runs: Sequence[Run], position: int) -> Iterator[Signal]:
    """The gates that begin with the command at a position."""
    run = runs[position]
    if run.words[:1] == ("python",) and (shown := _by_code(context, run)) is not None:
        yield shown
    if not _reads(run.words):
        return
    if run.words[:1] == ("jq",) and _fails_by_itself(run):
        yield _signal(context, run, run)
        return
    near = [r for r in _behind(runs, position) if 0 <= r.location.line - run.location.line <= _NEAR]
    compared = next((n for n, r in enumerate(near) if _compares(r)), None)
    if compared is None:
        return
    after = near[compared:]
    stop = next((r for r in after if _stops(r)), None) or next((r for r in after if _exits_itself(r)), None)
    if stop is not None:
        yield _signal(context, near[compared], stop)
    elif (asked := _decides(context, after)) is not None:
        yield _signal(context, near[compared], *asked)


def _behind(runs: Sequence[Run], position: int) -> Iterator[Run]:
    """The commands that stand behind one in the same script."""
    start, path = runs[position].start, runs[position].location.path
    for number in range(position + 1, len(runs)):
        run = runs[number]
        if run.location.path != path or (run.start.workflow, run.start.label) != (start.workflow, start.label):
            return
        yield run


def _by_code(context: Context, run: Run) -> Signal | None:
    """The gate that code in the script is, or that a program is whose output a later step asks for."""
    code = code_of(context, run)
    if code:
        module = module_of(run, code) if METRIC.search(code) is not None and has_any(code, _STOPPING) else None
        guards = module.guards if module is not None else ()
        found = any(_is_bound(guard) and guard.stops in ("raise", "exit", "assert") for guard in guards)
        return _signal(context, run, run) if found else None
    wanted = releasing_outputs(context, run.start.workflow) if run.start.kind == "ci" else {}
    for path, _ in run.entries if wanted else ():
        written = context.index.modules.get(path)
        if written is None or not any("GITHUB_OUTPUT" in text for _, text in written.strings):
            continue
        guard = next((guard for guard in written.guards if guard.ordered and _is_bound(guard)), None)
        name = next((name for _, t in written.strings if (name := t.partition("=")[0].strip()) in wanted), None)
        if guard is not None and name is not None:
            return _signal(context, run, run, wanted[name], context.evidence(path, guard.line, Hop.DEFINITION))
    return None


def _is_bound(guard: Guard) -> bool:
    """Whether a comparison holds a metric to a bound that it may miss."""
    names = " ".join(guard.names)
    told = guard.ordered and METRIC.search(names) is not None and not has_any(names, NOT_MODEL)
    return told and not (guard.numbers and all(number <= 0 for number in guard.numbers))


def _decides(context: Context, after: Sequence[Run]) -> tuple[Run, Evidence] | None:
    """What a script writes after a comparison, `echo "ok=true"`, and the condition on which a later step releases."""
    start = after[0].start
    wanted = releasing_outputs(context, start.workflow) if start.kind == "ci" else {}
    for run in after if wanted else ():
        for word in run.words[1:] if run.words[:1] == ("echo",) else ():
            if (name := word.partition("=")[0]) in wanted:
                return run, wanted[name]
    return None


def _reads(words: tuple[str, ...]) -> bool:
    """Whether a command reads a metric from a file."""
    if words[:1] == ("python",):
        return words[1:2] == ("-c",) and _of_metric(words)
    if words[:1] in (("grep",), ("awk",)):  # which read anything
        return _of_metric(words) and any(_OF_FIGURES.search(word) for word in words[1:])
    return words[:1] in (("jq",), ("yq",)) and _of_metric(words)


def _of_metric(words: tuple[str, ...]) -> bool:
    text = " ".join(words[1:])
    return METRIC.search(text) is not None and not has_any(text, NOT_MODEL)


def _fails_by_itself(run: Run) -> bool:
    """Whether `jq -e '.accuracy >= 0.8'` ends with an error where the comparison does not hold."""
    flags = {word for word in run.words[1:] if word.startswith("-")}
    strict = "--exit-status" in flags or any("e" in flag for flag in flags if not flag.startswith("--"))
    return strict and any(METRIC.search(word) and _COMPARES.search(word) for word in run.words[1:])


def _compares(run: Run) -> bool:
    if not run.words or run.words[0] not in _TESTS:
        return False
    return run.words[0] in ("bc", "awk") or any(w in _ORDER or _COMPARES.search(w) for w in run.words[1:])


def _stops(run: Run) -> bool:
    """Whether a command ends the script with an error."""
    return run.words[:1] == ("false",) or (run.words[:1] == ("exit",) and run.words[1:2] not in ((), ("0",)))


def _exits_itself(run: Run) -> bool:
    """Whether an `awk` program that compares says by its own exit that the metric is too low."""
    return run.words[:1] == ("awk",) and any("exit" in w and "exit 0" not in w for w in run.words[1:])


def _signal(
    context: Context, compared: Run, stop: Run, asked: Evidence | None = None, where: Evidence | None = None
) -> Signal:
    """The signal of a comparison: where it is, what runs it, and the condition that asks for its outcome."""
    place = where or context.evidence(compared.location.path, compared.location.line, Hop.DEFINITION)
    evidence: list[Evidence] = [place, *(context.shown(hop) for hop in stop.chain)]
    evidence += [asked] if asked is not None else ()
    grade, reason = Grade.WIRED, ""
    if stop.toothless or stop.start.blocked:
        grade, reason = Grade.IMPLEMENTED, stop.toothless or stop.start.blocked
    return Signal("model/quality-gate", "shell", grade, tuple(evidence), Confidence.MEDIUM, reason=reason, fixed=True)

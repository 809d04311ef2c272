"""Quality gates in shell: a metric read by `jq`, compared with a bound, and an exit that stops the job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.gates import METRIC, NOT_MODEL
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_ORDER = frozenset({"-lt", "-le", "-gt", "-ge", "<", ">", "<=", ">="})
_COMPARES = regex(r"[<>]=?\s*[\w.$\"({\[]")
_TESTS = frozenset({"[", "[[", "test", "((", "bc", "awk"})
_NEAR = 15  # lines from the reading to the exit


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/quality-gate` from the commands that automation runs."""
    if not any(words[:1] == ("jq",) and _of_metric(words) for words in context.commands()):
        return
    started = [run for run in context.automation.runs if run.start.kind in ("ci", "schedule", "event", "pipeline")]
    for _, group in groupby(started, key=lambda run: (run.start.workflow, run.start.label, run.location.path)):
        yield from _gates(context, list(group))


def _gates(context: Context, runs: Sequence[Run]) -> Iterator[Signal]:
    for position, run in enumerate(runs):
        if run.words[:1] != ("jq",) or not _of_metric(run.words):
            continue
        if _fails_by_itself(run):
            yield _signal(context, run, run)
            continue
        near = [r for r in runs[position + 1 :] if 0 <= r.location.line - run.location.line <= _NEAR]
        compared = next((n for n, r in enumerate(near) if _compares(r)), None)
        if compared is None:
            continue
        after = near[compared:]
        stop = next((r for r in after if _stops(r)), None) or next((r for r in after if _exits_itself(r)), None)
        if stop is not None:
            yield _signal(context, near[compared], stop)


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


def _signal(context: Context, compared: Run, stop: Run) -> Signal:
    evidence: list[Evidence] = [context.evidence(compared.location.path, compared.location.line, Hop.DEFINITION)]
    evidence += [context.shown(hop) for hop in stop.chain]
    grade, reason = Grade.WIRED, ""
    if stop.toothless or stop.start.blocked:
        grade, reason = Grade.IMPLEMENTED, stop.toothless or stop.start.blocked
    return Signal("model/quality-gate", "shell", grade, tuple(evidence), Confidence.MEDIUM, reason=reason, fixed=True)

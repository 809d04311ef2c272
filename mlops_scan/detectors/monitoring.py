"""Monitoring of models in operation: drift and performance compared with a bound, and someone told about it.

The parts (what computes, the bound, the schedule, the receiver) may lie in different files; each missing one is the
reason for a lower grade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlops_scan.code.facts import Guard
from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.detectors.drift_sites import drift_sites
from mlops_scan.detectors.endless import repeated
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.notifiers import alerts
from mlops_scan.detectors.polled import polled
from mlops_scan.detectors.quality import quality_guards
from mlops_scan.detectors.references import same_data
from mlops_scan.detectors.watched import bound_in_ci
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Problem, Role, Signal

# What a detector calls the answer that it gives: no report on drift, and no share of it.
_FLAG = regex(
    r"(^|_)(drift|drifted|drift_detected|drift_found|breach|breached|(data|dataset|concept|model|feature)_drift)$", re.I
)
_BOUND = regex(r"(drift|psi|p_?val|threshold|share|wasserstein|jensen|stat(istic)?|distance|alert|breach|ks_)", re.I)
_DETECTED = frozenset({"monitoring/drift", "monitoring/performance-threshold"})


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of the family monitoring that follow from code."""
    sites = drift_sites(context)
    yield from unique(_drift(context, sites))
    for path in dict.fromkeys(site.location.path for site in sites):
        if line := same_data(context, path):
            message = "The reference and the current data of this drift check are the same."
            yield Problem("MLS506", message, context.evidence(path, line).location)
    yield from unique(_declared(context))
    performance = list(_performance(context))
    yield from unique(performance)
    nodes = {(site.location.path, site.scope) for site in sites} | {
        (s.evidence[0].location.path, s.scope) for s in performance
    }
    yield from unique(alerts(context, nodes))


# -- drift -----------------------------------------------------------------------------------------------------------


def _drift(context: Context, sites: Iterable[Use]) -> Iterator[Signal]:
    for site in sites:
        path = site.location.path
        evidence: tuple[Evidence, ...] = (context.evidence(path, site.location.line, end_line=site.location.end_line),)
        idle = ""
        if context.role(path) is Role.NOTEBOOK:
            idle = "drift is computed in a notebook only"
        elif dead(context, path, site.scope):
            idle = "nothing calls this drift code"
        elif same := same_data(context, path):
            idle = f"line {same} compares data with itself"
        if idle:
            yield Signal("monitoring/drift", site.tool, Grade.TRACE, evidence, site.confidence, idle, fixed=True)
            continue
        bound = _bound(context, path) or bound_in_ci(context, path, site.scope)
        if bound is None:
            reason = "drift is computed, but no bound on it is compared"
            yield Signal(
                "monitoring/drift",
                site.tool,
                site.grade,
                evidence,
                site.confidence,
                reason,
                scope=site.scope,
                fixed=True,
            )
            continue
        asked = polled(context, (path, site.scope)) or repeated(context, (path, site.scope))
        if asked is not None:
            yield Signal(
                "monitoring/drift", site.tool, Grade.WIRED, (*evidence, bound, asked), Confidence.MEDIUM, fixed=True
            )
        yield Signal("monitoring/drift", site.tool, site.grade, (*evidence, bound), site.confidence, scope=site.scope)


def _bound(context: Context, path: str) -> Evidence | None:
    """A comparison on a drift measure in the module or in one that imports it."""
    for place in (path, *_importers(context).get(path, ())):
        for guard in context.index.modules[place].guards:
            if guard.compares and guard.stops != "assert" and _is_bound(guard):
                return context.evidence(place, guard.line)
        for call in context.index.modules[place].calls:
            if any(
                name in ("threshold", "drift_share", "stattest_threshold", "p_val", "drift_threshold", "include_tests")
                for name, _ in call.keywords
            ):
                return context.evidence(place, call.line)
    return None


def _is_bound(guard: Guard) -> bool:
    """Whether a comparison is one of a measure by its size, or of the answer that a detector gives."""
    if guard.ordered:
        return _BOUND.search(" ".join(guard.names)) is not None
    return any(_FLAG.search(name) for name in guard.names)


@kept
def _importers(context: Context) -> Mapping[str, list[str]]:
    """For each file the modules of main code whose own statements use something of it."""
    found: dict[str, list[str]] = {}
    for path in context.index.modules:
        if context.role(path) not in ASIDE:
            for place in dict.fromkeys(node[0] for node, _ in context.index.edges((path, ""))):
                found.setdefault(place, []).append(path)
    return found


def _declared(context: Context) -> Iterator[Signal]:
    """Monitors declared in files of a platform (Azure ML, Databricks, SageMaker …), from the rules."""
    for use in context.uses:
        if use.location.path in context.index.modules or use.tool in context.self_tools:
            continue
        for practice in _DETECTED.intersection(use.serves):
            yield Signal(
                practice,
                use.tool,
                use.grade,
                (context.evidence(use.location.path, use.location.line),),
                use.confidence,
                use.note,
            )


# -- performance -----------------------------------------------------------------------------------------------------


def _performance(context: Context) -> Iterator[Signal]:
    """Live or recently labelled quality compared with a bound."""
    yield from _performance_tools(context)
    for path, guard in quality_guards(context):
        yield _performance_check(context, path, guard)


def _performance_tools(context: Context) -> Iterator[Signal]:
    """Libraries that compare quality with a bound."""
    practice = "monitoring/performance-threshold"
    for use in context.uses:
        path = use.location.path
        if practice not in use.serves or path not in context.index.modules or use.tool in context.self_tools:
            continue
        evidence = (context.evidence(path, use.location.line),)
        if dead(context, path, use.scope):
            reason = "nothing calls this code"
            yield Signal(practice, use.tool, Grade.TRACE, evidence, use.confidence, reason, fixed=True)
        else:
            yield Signal(practice, use.tool, use.grade, evidence, use.confidence, use.note, scope=use.scope)


def _performance_check(context: Context, path: str, guard: Guard) -> Signal:
    practice, evidence = "monitoring/performance-threshold", (context.evidence(path, guard.line),)
    if dead(context, path, guard.scope):
        reason = "nothing calls this check"
        return Signal(practice, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
    loop = repeated(context, (path, guard.scope))
    if loop is not None:
        return Signal(practice, "python", Grade.WIRED, (*evidence, loop), Confidence.MEDIUM, fixed=True)
    return Signal(practice, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=guard.scope)

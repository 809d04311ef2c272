"""Uses of known tools: each use that serves a practice is a signal; a tool only declared or imported is a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.detectors.dependencies import declared
from mlops_scan.detectors.environment import LOCKS
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

# Practices for which a use is only a part; another detector looks for the rest and claims them.
_COMPLETED_ELSEWHERE = frozenset({"monitoring/drift", "monitoring/performance-threshold"})


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for every practice that the rules' fingerprints show."""
    yield from unique(_uses(context))
    yield from unique(_commands(context))
    yield from _hints(context)


def _uses(context: Context) -> Iterator[Signal]:
    for use in context.uses:
        if use.tool in context.self_tools:
            continue
        for practice in use.serves:
            if practice in _COMPLETED_ELSEWHERE or (
                practice == "env/pinned" and use.location.path.rpartition("/")[2].lower() in LOCKS
            ):
                continue
            location = use.location
            yield Signal(
                practice=practice,
                tool=use.tool,
                grade=use.grade,
                evidence=(context.evidence(location.path, location.line, Hop.DEFINITION, location.end_line),),
                confidence=use.confidence,
                reason=use.note,
                scope=use.scope,
            )


def _commands(context: Context) -> Iterator[Signal]:
    """Commands that serve a practice, where something runs them."""
    for run in context.automation.runs:
        for use in run.uses:
            for practice in use.serves:
                if use.tool in context.self_tools or practice in _COMPLETED_ELSEWHERE:
                    continue
                live = run.start.kind in ("ci", "schedule", "event") and not run.start.blocked
                grade = Grade.WIRED if live and not run.toothless and use.grade is Grade.IMPLEMENTED else use.grade
                reason = use.note or run.start.blocked or run.toothless
                evidence = (
                    context.evidence(run.location.path, run.location.line, Hop.USE),
                    *(context.shown(e) for e in run.chain),
                )
                yield Signal(
                    practice,
                    use.tool,
                    grade,
                    evidence,
                    use.confidence,
                    "" if grade is Grade.WIRED else reason,
                    fixed=True,
                )


def _hints(context: Context) -> Iterator[Signal | Problem]:
    """A tool in a dependency list or an import, with no proving use anywhere: a trace, said as such."""
    used = {use.tool for use in context.uses if context.role(use.location.path) not in ASIDE}
    by_distribution = {
        name.lower().replace("_", "-"): tool for tool in context.rules.tools.values() for name in tool.distributions
    }
    by_root = {root: tool for tool in context.rules.tools.values() for root in tool.imports}
    imported: dict[str, tuple[str, int]] = {}
    for path, module in context.index.modules.items():
        for item in module.imports:
            imported.setdefault(item.name.split(".", 1)[0], (path, item.line))
    seen: set[str] = set()
    for requirement in declared(context):
        tool = by_distribution.get(requirement.name)
        if tool is None or tool.id in used or tool.id in seen or tool.id in context.self_tools:
            continue
        seen.add(tool.id)
        root = next((root for root in tool.imports if root in imported), None)
        reason = (
            f"{tool.name} is imported but nothing of it is called"
            if root
            else f"{tool.name} is only declared as a dependency"
        )
        where = imported[root] if root else (requirement.path, requirement.line)
        for practice in tool.hints:
            yield Signal(
                practice, tool.id, Grade.TRACE, (context.evidence(*where),), Confidence.MEDIUM, reason, fixed=True
            )
        if root is None and tool.hints and context.role(requirement.path) not in ASIDE:
            place = context.evidence(requirement.path, requirement.line).location
            yield Problem("MLS107", f"{tool.name} is declared here, but no file imports it.", place)
    for root, (path, line) in imported.items():
        tool = by_root.get(root)
        if tool is None or tool.id in used or tool.id in seen or tool.id in context.self_tools:
            continue
        if context.index.find_module(root, path) is not None:
            continue
        seen.add(tool.id)
        for practice in tool.hints:
            reason = f"{tool.name} is imported but nothing of it is called"
            yield Signal(
                practice, tool.id, Grade.TRACE, (context.evidence(path, line),), Confidence.MEDIUM, reason, fixed=True
            )

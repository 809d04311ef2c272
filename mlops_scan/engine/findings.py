"""Findings: defects that detectors report and gaps towards the next level. None can be built without a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.digests import sha256
from mlops_scan.engine import suppress
from mlops_scan.engine.grades import primary
from mlops_scan.engine.report import ComponentResult, Finding, FindingRule, PracticeResult, Suppressed
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import FINDS, FindingDefinition, RuleBook
from mlops_scan.words import FOREIGN, Grade, Location, Problem

_FAR = {
    Grade.WIRED: "it is wired, but not in the way that this level asks for",
    Grade.IMPLEMENTED: "it is implemented, but not enough for this level",
    Grade.TRACE: "only a trace of it was found",
    Grade.ABSENT: "nothing of it was found",
    Grade.UNKNOWN: "files cannot say whether it is there",
}
_ANCHORS = (
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "MLproject",
    "dvc.yaml",
    "README.md",
    "README.rst",
    "README",
)


def rules(book: RuleBook) -> tuple[FindingRule, ...]:
    """Every finding's documentation, by id."""
    return tuple(
        FindingRule(d.id, d.title, d.severity, d.why, d.fix, d.help_url, d.tags, d.example)
        for d in book.findings.values()
    )


def build(
    context: Context,
    problems: Iterable[Problem],
    components: Iterable[ComponentResult],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    per_path: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    """All findings, ordered by place and id, with content-based fingerprints; and those that are suppressed."""
    known = context.rules.findings
    for name in (*select, *ignore, *(name for _, names in per_path for name in names)):
        if not any(id_.startswith(name) for id_ in known):
            raise ScanError(f"{name}: no finding has this id; `mlops-scan rules list` shows them")
    components = tuple(components)
    every = _described(context, [*_distinct(context, problems), *_gaps(context, components)])
    paths = {finding.location.path for finding in every} | context.documents.parsed
    marks = suppress.comments(context, paths) if components else []
    kept, left, used = suppress.split(every, marks, per_path)
    more = _described(context, list(suppress.unused(marks, used, known)))
    shown, quiet, _ = suppress.split(more, marks, per_path)
    chosen = sorted((*kept, *shown), key=lambda f: (f.location, f.id, f.message))
    return tuple(f for f in chosen if _chosen(f, select, ignore)), tuple(
        item for item in (*left, *quiet) if _chosen(item.finding, select, ignore)
    )


def _chosen(finding: Finding, select: tuple[str, ...], ignore: tuple[str, ...]) -> bool:
    return (not select or finding.id.startswith(select)) and not (ignore and finding.id.startswith(ignore))


def _described(context: Context, problems: list[Problem]) -> list[Finding]:
    """Problems as findings, with what the rules say about them."""
    known = context.rules.findings
    seen: Counter[str] = Counter()
    findings = []
    for problem in sorted(problems, key=lambda p: (p.location, p.finding, p.message)):
        definition = known[problem.finding]
        identity = _identity(context, problem, definition)
        seen[identity] += 1
        fingerprint = sha256(f"{identity}\0{seen[identity]}".encode()).hexdigest()[:32]
        findings.append(
            Finding(
                definition.id,
                definition.title,
                definition.severity,
                problem.message,
                problem.location,
                fingerprint,
                definition.help_url,
                problem.related,
            )
        )
    return findings


def own(context: Context) -> Iterable[Problem]:
    """Problems that the uses of a tool report by themselves (`finds:` in its rule)."""
    for use in context.uses:
        for activity in use.does:
            if activity.startswith(FINDS) and context.role(use.location.path) not in ASIDE:
                definition = context.rules.findings[activity.removeprefix(FINDS)]
                message = f"{use.name}: {use.note or definition.title}."
                yield Problem(definition.id, message, use.location)


def _distinct(context: Context, problems: Iterable[Problem]) -> Iterable[Problem]:
    seen = set()
    for problem in problems:
        key = (problem.finding, problem.location)
        if key not in seen and context.role(problem.location.path) not in FOREIGN:
            seen.add(key)
            yield problem


def _gaps(context: Context, components: Iterable[ComponentResult]) -> Iterable[Problem]:
    for component in components:
        results = {result.id: result for result in component.practices}
        for gap in component.gaps:
            practice = context.rules.practices[gap.practice]
            shown = primary(results[gap.practice])
            where = shown.location if shown is not None else anchor(context, component.path)
            prefix = "" if component.path == "." else f"{component.path}: "
            result = results[gap.practice]
            message = f"{prefix}Level {gap.level} asks for “{practice.title}”{_state(result)}"
            yield Problem(practice.gap, message, where)


def _state(result: PracticeResult) -> str:
    """How far a practice is that a level asks for, as the second half of a sentence."""
    words = _FAR.get(result.grade, result.grade.value)
    if result.grade is Grade.ABSENT and not result.evidence:
        return f", and {words}."
    return f"; {words}: {result.reason}." if result.reason else f"; {words}."


def anchor(context: Context, component: str) -> Location:
    """Where a finding about the whole component stands: a manifest's first line, else the README's, else any file's."""
    prefix = "" if component == "." else component + "/"
    for name in _ANCHORS:
        if prefix + name in context.documents.files:
            return Location(prefix + name, 1)
    files = context.repository.files
    return Location(next((file.path for file in files if file.path.startswith(prefix)), files[0].path), 1)


def _identity(context: Context, problem: Problem, definition: FindingDefinition) -> str:
    """What stays the same when lines move: rule, file, and the text of the line without its white space."""
    line = "".join(context.line(problem.location.path, problem.location.line).split())
    return f"{definition.id}\0{problem.location.path}\0{line}"

"""The way to a level: the cheapest practices that meet its missing rows, in an order that works, with what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from msgspec import Struct

from mlops_scan.engine.grades import primary
from mlops_scan.engine.levels import credit, meets, standing_in
from mlops_scan.engine.report import PracticeResult, Report
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import RuleBook, Scaffold
from mlops_scan.rulemodels import MaturityModel, Row, needed
from mlops_scan.words import Evidence, Grade

_EFFORT = {"low": 1.0, "medium": 2.0, "high": 4.0}
_UNPREPARED = 0.25  # added to the cost of a practice for which there is nothing to begin with
_DEFAULT_STACK = ("github-actions",)
_TRAINS = ("pipeline/orchestration", "code/modular-training", "experiment/tracking", "experiment/config")


class Step(Struct, frozen=True):
    """One practice to take up: why, what is there already, and what to write. `after` are steps that come first."""

    practice: str
    title: str
    level: int
    effort: str
    grade: Grade
    minimum: Grade
    reason: str
    evidence: Evidence | None
    remedy: str
    after: tuple[str, ...]
    snippet: tuple[str, str] | None  # (stack, text)
    files: tuple[Scaffold, ...]


class Plan(Struct, frozen=True):
    """The steps from the present level to the wanted one, in order."""

    model: str
    component: str
    level: int
    target: int
    steps: tuple[Step, ...]


def plan(report: Report, rules: RuleBook, target: int | None = None) -> Plan:
    """The plan for the headline component, by default to the next level.

    Raises:
        ScanError: there is no level to start from, no level of that number, or it is a score.
    """
    headline, model = report.headline, rules.models[report.model]
    if headline.level is None:
        raise ScanError(f"there is no level to plan from: {report.kind_reason or 'no ML workload found'}")
    if model.scored:
        raise ScanError(f"{model.id} is a score of tests; plan by a model of levels")
    top = model.levels[-1].number
    wanted = target if target is not None else headline.next_level or top
    if wanted > top:
        raise ScanError(f"--to {wanted}: the model {model.id!r} has no level above {top}")
    # the headline of a course shows what the whole course has, at the level of one lesson
    results = {item.id: item for item in report.levelled.practices}
    done: dict[str, int] = {}
    for level in model.levels:
        if headline.level < level.number <= wanted:
            for name in _cheapest(list(level.rows), results, rules, frozenset(done)):
                done[name] = level.number
    steps = tuple(_step(name, done, results[name], rules, model, report.stack) for name in _ordered(done, rules))
    return Plan(model.id, headline.path, headline.level, wanted, steps)


# -- which practices ---------------------------------------------------------------------------------------------------


def _cheapest(
    rows: list[Row], results: Mapping[str, PracticeResult], rules: RuleBook, chosen: frozenset[str]
) -> list[str]:
    """The practices of least cost that meet all rows; one practice may serve several rows."""
    options = [_options(row, results, chosen) for row in rows]
    options = sorted((found for found in options if found), key=len)
    cost = {name: _cost(name, results[name], rules) for found in options for names in found for name in names}
    best: tuple[float, tuple[str, ...]] = (float("inf"), ())

    def search(index: int, picked: frozenset[str], total: float) -> None:
        nonlocal best
        if (total, len(picked)) >= (best[0], len(best[1]) or 99):
            return
        if index == len(options):
            best = (total, tuple(sorted(picked)))
            return
        ranked = sorted(options[index], key=lambda names: (sum(cost[n] for n in names if n not in picked), names))
        for names in ranked[:12]:
            more = [name for name in names if name not in picked]
            search(index + 1, picked.union(more), total + sum(cost[name] for name in more))

    search(0, frozenset(), 0.0)
    return list(best[1])


def _options(row: Row, results: Mapping[str, PracticeResult], chosen: frozenset[str]) -> list[tuple[str, ...]]:
    """The sets of practices, each as small as can be, that would meet a row; none when it is met."""
    members = [name for name in row.practices if results[name].grade is not Grade.NOT_APPLICABLE]
    need = needed(row.share, len(members)) if row.share else min(row.need, len(members))
    missing = [name for name in members if not meets(results[name], row.minimum) and name not in chosen]
    lacking = need - len(standing_in(row, results)) - (len(members) - len(missing))
    return list(combinations(missing, lacking)) if lacking > 0 else []


def _cost(name: str, result: PracticeResult, rules: RuleBook) -> float:
    base = _EFFORT.get(rules.practices[name].effort, 2.0) * (1 - credit(result) / 2)
    if result.grade is Grade.TRACE:
        base *= 0.9
    prepared = any(name in scaffold.practices for scaffold in rules.scaffolds)
    return base if prepared else base + _UNPREPARED


def _ordered(done: Mapping[str, int], rules: RuleBook) -> Iterator[str]:
    """Lower levels first, then what others wait for, then the cheap ones."""
    left = sorted(done, key=lambda n: (done[n], _EFFORT.get(rules.practices[n].effort, 2.0), n))
    placed: set[str] = set()
    while left:
        ready = [n for n in left if all(e in placed or e not in left for e in rules.after.get(n, ()))]
        name = (ready or left)[0]
        left.remove(name)
        placed.add(name)
        yield name


# -- what to write -----------------------------------------------------------------------------------------------------


def _step(
    name: str,
    done: Mapping[str, int],
    result: PracticeResult,
    rules: RuleBook,
    model: MaturityModel,
    stack: tuple[str, ...],
) -> Step:
    practice = rules.practices[name]
    rows = (row for level in model.levels for row in level.rows if name in row.practices)
    minimum = max((row.minimum or practice.minimum for row in rows), key=lambda grade: grade.strength)
    return Step(
        practice=name,
        title=practice.title,
        level=done[name],
        effort=practice.effort,
        grade=result.grade,
        minimum=minimum,
        reason=result.reason,
        evidence=primary(result),
        remedy=practice.remedy,
        after=tuple(earlier for earlier in rules.after.get(name, ()) if earlier in done),
        snippet=_snippet(practice.snippets, stack),
        files=_files(name, rules, stack),
    )


def _snippet(snippets: Mapping[str, str], stack: tuple[str, ...]) -> tuple[str, str] | None:
    """The snippet for what the repository uses already, else the first."""
    fitting = [name for name in snippets if name in stack]
    chosen = next(iter([*fitting, *snippets]), None)
    return (chosen, snippets[chosen]) if chosen is not None else None


def _files(name: str, rules: RuleBook, stack: tuple[str, ...]) -> tuple[Scaffold, ...]:
    own = [scaffold for scaffold in rules.scaffolds if name in scaffold.practices]
    bound = [scaffold for scaffold in own if scaffold.stack]
    fitting = [scaffold for scaffold in bound if set(scaffold.stack) & set(stack)]
    if not fitting and bound:
        usual = [scaffold for scaffold in bound if set(scaffold.stack) & set(_DEFAULT_STACK)]
        fitting = usual or bound[:1]
    return (*(scaffold for scaffold in own if not scaffold.stack), *fitting[:1])


def variables(report: Report) -> dict[str, str]:
    """What the placeholders of scaffolds stand for in this repository."""
    results = {item.id: item for item in report.headline.practices}
    paths = [
        evidence.location.path
        for name in _TRAINS
        if name in results
        for evidence in results[name].evidence
        if evidence.location.path.endswith(".py")
    ]
    train = next(iter(paths), "train.py")
    return {"train": train, "retrain": "dvc repro" if "dvc" in report.stack else f"python {train}"}

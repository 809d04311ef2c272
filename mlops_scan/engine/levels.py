"""From practice grades to a level: rows, the cumulative rule, progress, gaps and what is ahead, all from data."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlops_scan.engine.report import Gap, LevelResult, PracticeResult, RowResult
from mlops_scan.rulebook import Practice
from mlops_scan.rulemodels import Level, MaturityModel, Row, needed
from mlops_scan.words import Confidence, Grade

_EFFORT = {"low": 0, "medium": 1, "high": 2}


def meets(result: PracticeResult, minimum: Grade | None = None) -> bool:
    """Whether a practice is met, by its own minimum or by that of a row."""
    if minimum is None:
        return result.met
    return 0 < minimum.strength <= result.grade.strength and result.confidence is not Confidence.LOW


def credit(result: PracticeResult, minimum: Grade | None = None) -> float:
    """What a grade earns towards a row: 1 when met, half where `wired` is asked and missed, half again when unsure."""
    if meets(result, minimum):
        return 1.0
    if result.grade.strength == 0 or result.grade is Grade.TRACE:
        return 0.0
    share = 1.0 if result.grade.strength >= (minimum or result.minimum).strength else 0.5
    return share * (0.5 if result.confidence is Confidence.LOW else 1.0)


def judge_row(row: Row, results: Mapping[str, PracticeResult]) -> RowResult:
    """One requirement against the grades. Practices ruled out (`n/a`) leave the group, and the need shrinks with it."""
    members = [results[p] for p in row.practices if results[p].grade is not Grade.NOT_APPLICABLE]
    need = needed(row.share, len(members)) if row.share else min(row.need, len(members))
    besides = [results[name] for name in standing_in(row, results)]
    members += besides
    best = sorted((credit(result, row.minimum) for result in members), reverse=True)[: max(need, 1)]
    earned = row.weight * (sum(best) / need) if need else row.weight
    return RowResult(
        title=row.title,
        practices=(*row.practices, *(result.id for result in besides)),
        met_by=tuple(result.id for result in members if meets(result, row.minimum)),
        need=need,
        weight=row.weight,
        credit=min(earned, row.weight),
        minimum=row.minimum,
    )


def standing_in(row: Row, results: Mapping[str, PracticeResult]) -> tuple[str, ...]:
    """The practices that are met in the place of those that a row names; a group where nothing else meets it."""
    met = [group for group in row.also if all(meets(results[name], row.minimum) for name in group)]
    alone = [group for group in met if len(group) == 1]
    if alone or any(meets(results[name], row.minimum) for name in row.practices):
        return tuple(name for group in alone for name in group)
    return met[0] if met else ()


def ladder(model: MaturityModel, results: Mapping[str, PracticeResult]) -> tuple[LevelResult, ...]:
    """Every level with its rows; a level is reached only when all lower ones are."""
    rungs: list[LevelResult] = []
    reached = True
    for level in model.levels:
        rows = tuple(judge_row(row, results) for row in level.rows)
        reached = reached and all(row.met for row in rows)
        rungs.append(LevelResult(level.number, level.name, reached, rows))
    return tuple(rungs)


def progress(rung: LevelResult) -> float:
    """Share of a level's weight that is earned, floored to whole percent; at most 0.99 while a row is missing."""
    weight = sum(row.weight for row in rung.rows)
    share = math.floor(100 * sum(row.credit for row in rung.rows) / weight + 1e-9) / 100 if weight else 1.0
    return min(share, 0.99) if not all(row.met for row in rung.rows) else share


def gaps(
    rung: LevelResult, results: Mapping[str, PracticeResult], practices: Mapping[str, Practice]
) -> tuple[Gap, ...]:
    """For every unmet row as many practices as it still needs, the nearest and cheapest first."""
    found: list[tuple[tuple[float, int, int], Gap]] = []
    for order, row in enumerate(rung.rows):
        if row.met:
            continue
        missing = [
            results[p] for p in row.practices if p not in row.met_by and results[p].grade is not Grade.NOT_APPLICABLE
        ]
        missing.sort(key=lambda r: (-credit(r, row.minimum), -r.grade.strength, _EFFORT.get(practices[r.id].effort, 1)))
        for result in missing[: row.need - len(row.met_by)]:
            gap = gap_of(practices[result.id], result, rung.number)
            found.append(((_EFFORT.get(gap.effort, 1) - credit(result, row.minimum) * 2, order, 0), gap))
    unique: dict[str, Gap] = {}
    for _, gap in sorted(found, key=lambda item: item[0]):
        unique.setdefault(gap.practice, gap)
    return tuple(unique.values())


def gap_of(practice: Practice, result: PracticeResult, level: int) -> Gap:
    """What is missing of a practice that a level asks for."""
    remedy = practice.remedy
    if result.grade in (Grade.IMPLEMENTED, Grade.TRACE) and result.reason:
        remedy = f"So far: {result.reason}. {remedy}"
    elif result.grade is Grade.UNKNOWN and result.reason:
        done = "attest it" if practice.attestable else "declare it in the repository"
        remedy = f"Files cannot say whether this is done ({result.reason}). If it is, {done}. Otherwise: {remedy}"
    return Gap(practice.id, practice.title, level, practice.effort, remedy)


def ahead(model: MaturityModel, level: int, results: Mapping[str, PracticeResult]) -> tuple[tuple[str, int], ...]:
    """Practices that are met, as the level asks for them that first does, although this is above the next one."""
    first: dict[str, tuple[int, Grade | None]] = {}
    for rung in model.levels:
        for row in rung.rows:
            for practice in row.practices:
                first.setdefault(practice, (rung.number, row.minimum))
    return tuple(
        (name, number)
        for name, (number, minimum) in first.items()
        if number > level + 1 and meets(results[name], minimum)
    )


def level_named(model: MaturityModel, number: int | None) -> Level | None:
    """The level of that number, or None."""
    return next((level for level in model.levels if level.number == number), None)

"""The verdict by each maturity model: a level from rows, or a score from a rubric of tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mlops_scan.engine import levels
from mlops_scan.engine.report import Gap, LevelResult, ModelResult, PracticeResult, SectionScore, TestScore
from mlops_scan.rulebook import Practice
from mlops_scan.rulemodels import MaturityModel, Section
from mlops_scan.words import Grade

_EFFORT = {"low": 0, "medium": 1, "high": 2}
_BY_HAND, _AUTOMATED = 0.5, 1.0


def in_order(models: Mapping[str, MaturityModel]) -> list[MaturityModel]:
    """All models, the default one first."""
    return sorted(models.values(), key=lambda model: model.id != "default")


def judge(
    model: MaturityModel,
    results: Mapping[str, PracticeResult],
    practices: Mapping[str, Practice],
    judged: bool,
    families: frozenset[str] = frozenset(),
) -> ModelResult:
    """The verdict on a component. `judged`: its kind gets a level; `families`: of the tools that it uses."""
    applies = judged and (not model.families or not families.isdisjoint(model.families))
    if model.scored:
        return _scored(model, results, practices, applies)
    rungs = levels.ladder(model, results)
    if not applies:
        return _without(model, rungs)
    level = max((rung.number for rung in rungs if rung.reached), default=model.levels[0].number)
    following = next((rung for rung in rungs if rung.number > level), None)
    return replace(
        _without(model, rungs),
        level=level,
        level_name=_name(model, level),
        next_level=following.number if following is not None else None,
        progress=levels.progress(following) if following is not None else None,
        ladder=rungs,
        gaps=levels.gaps(following, results, practices) if following is not None else (),
        ahead=levels.ahead(model, level, results),
    )


def _without(
    model: MaturityModel, rungs: tuple[LevelResult, ...], sections: tuple[SectionScore, ...] = ()
) -> ModelResult:
    """The verdict of a model that gives no level here."""
    rungs = rungs if not model.families else tuple(LevelResult(r.number, r.name, False, r.rows) for r in rungs)
    return ModelResult(
        model.id, model.name, model.mapping, None, "", model.levels[-1].number, None, None, rungs, (), sections=sections
    )


def _name(model: MaturityModel, number: int) -> str:
    named = levels.level_named(model, number)
    return named.name if named is not None else ""


# -- rubrics -----------------------------------------------------------------------------------------------------------


def _scored(
    model: MaturityModel, results: Mapping[str, PracticeResult], practices: Mapping[str, Practice], applies: bool
) -> ModelResult:
    recorded = not model.recorded_by or any(results[name].met for name in model.recorded_by)
    sections = tuple(_section(section, results, practices, recorded) for section in model.sections)
    if not applies:
        bands = tuple(LevelResult(level.number, level.name, False, ()) for level in model.levels)
        return _without(model, bands, sections)
    score = min(section.points for section in sections)
    rungs = tuple(
        LevelResult(level.number, level.name, level.above is None or score > level.above, ()) for level in model.levels
    )
    level = max(rung.number for rung in rungs if rung.reached)
    following = next((item for item in model.levels if item.number > level), None)
    progress = None
    if following is not None:
        share = score / following.above if following.above else 0.0
        progress = min(math.floor(share * 100 + 1e-9) / 100, 0.99)
    return replace(
        _without(model, rungs, sections),
        level=level,
        level_name=_name(model, level),
        next_level=following.number if following is not None else None,
        progress=progress,
        ladder=rungs,
        gaps=_weakest(sections, score, following.number, results, practices) if following is not None else (),
        score=score,
        bound=min(section.bound for section in sections),
    )


def _section(
    section: Section, results: Mapping[str, PracticeResult], practices: Mapping[str, Practice], recorded: bool
) -> SectionScore:
    tests = []
    for test in section.tests:
        limit = _BY_HAND if test.partial else _AUTOMATED
        points = max((min(_points(results[name], recorded), limit) for name in test.practices), default=0.0)
        unseen = not test.practices or test.partial or any(practices[name].attestable for name in test.practices)
        by_hand = any(results[name].grade.strength >= Grade.IMPLEMENTED.strength for name in test.practices)
        bound = _AUTOMATED if unseen else max(points, _BY_HAND if by_hand else 0.0)
        tests.append(TestScore(test.id, test.title, test.practices, points, bound))
    return SectionScore(section.name, sum(t.points for t in tests), sum(t.bound for t in tests), tuple(tests))


def _points(result: PracticeResult, recorded: bool) -> float:
    if result.grade is Grade.WIRED and levels.meets(result, Grade.WIRED):
        return _AUTOMATED
    return _BY_HAND if recorded and levels.meets(result, Grade.IMPLEMENTED) else 0.0


def _weakest(
    sections: Iterable[SectionScore],
    score: float,
    level: int,
    results: Mapping[str, PracticeResult],
    practices: Mapping[str, Practice],
) -> tuple[Gap, ...]:
    """The tests that would raise the weakest sections, each by its cheapest practice, the cheapest first."""
    found: dict[str, Gap] = {}
    for section in sections:
        if section.points > score:
            continue
        for test in section.tests:
            open_ = [name for name in test.practices if results[name].grade is not Grade.WIRED]
            if test.points < _AUTOMATED and open_:
                name = min(open_, key=lambda n: (-results[n].grade.strength, _EFFORT.get(practices[n].effort, 1)))
                found.setdefault(name, levels.gap_of(practices[name], results[name], level))
    return tuple(sorted(found.values(), key=lambda gap: _EFFORT.get(gap.effort, 1)))

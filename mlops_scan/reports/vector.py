"""The verdict by all maturity models, in words that every format can use; their numbers do not mean the same."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.engine.report import ModelResult, Report


def others(report: Report) -> str:
    """The other models that apply, in one line, each with its range: `aws 2 (1 to 4), google 0 (0 to 2)`."""
    return ", ".join(
        f"{item.id} {value(item)} ({' to '.join(map(str, ends(item)))})"
        for item in report.headline.models
        if item.id != report.model and item.value is not None
    )


def of_main(report: Report) -> str:
    """What is to be said of the model that the level is by: its score, or how to read it where it does not apply."""
    main = next((item for item in report.headline.models if item.id == report.model), None)
    if main is None:
        return ""
    if main.value is None:
        return f". {main.mapping.rstrip('.')}" if main.mapping else ""
    return f", score {value(main)} ({' to '.join(map(str, ends(main)))})" if main.sections else ""


def value(item: ModelResult) -> str:
    """The level or score of one model, `none` where it does not apply."""
    return "none" if item.value is None else f"{item.value:g}"


def ends(item: ModelResult) -> tuple[int, int]:
    """The least and the most that a model can give: it tells whether it counts from 0 or from 1."""
    if item.sections:
        return 0, min(len(section.tests) for section in item.sections)
    return item.ladder[0].number if item.ladder else 0, item.top


def span(item: ModelResult) -> str:
    """Which numbers a model can give, in words."""
    first, most = ends(item)
    if item.sections:
        bound = f", at most {item.bound:g} if all that files cannot show were done" if item.bound is not None else ""
        return f"a score of {first} to {most}{bound}"
    return f"of {first} to {most}"


def details(report: Report) -> Iterator[tuple[int, str]]:
    """Every model with its rows as (indent, line)."""
    for item in report.headline.models:
        yield 0, f"{item.id}: {item.name}"
        if item.mapping:
            yield 2, item.mapping
        if item.value is None:
            yield 2, "It does not apply here."
            continue
        yield 2, f"{'Score' if item.sections else 'Level'} {value(item)} ({span(item)}): {item.level_name}"
        yield from _sections(item)
        for rung in item.ladder:
            if rung.rows and (item.next_level is None or rung.number <= item.next_level):
                yield 2, f"Level {rung.number}: {rung.name}"
                for row in rung.rows:
                    mark = "met" if row.met else f"open ({len(row.met_by)} of {row.need})"
                    yield 4, f"{row.title}: {mark}"


def _sections(item: ModelResult) -> Iterator[tuple[int, str]]:
    for section in item.sections:
        earned = ", ".join(f"{test.id} {test.points:g}" for test in section.tests if test.points)
        yield 2, f"{section.name}: {section.points:g} of {len(section.tests)}{f' ({earned})' if earned else ''}"

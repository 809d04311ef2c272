"""Maturity models as data: levels of rows, or a score of tests; read and checked for contradictions."""

# Annotations are evaluated here: see `ruletypes`.

import math
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlops_scan.errors import RuleError
from mlops_scan.rulereader import at, check_keys, checked_number, choice, entries, mapping, required, texts
from mlops_scan.words import Grade

_MODEL_KEYS = {"id", "name", "source", "mapping", "applies", "levels", "sections", "recorded_by"}
_LEVEL_KEYS = {"number", "name", "rows", "optional", "above"}
_ROW_KEYS = {"title", "need", "share", "weight", "practices", "minimum", "also"}
_SECTION_KEYS = {"name", "tests"}
_TEST_KEYS = {"id", "title", "practices", "partial"}


class Row(Struct, frozen=True, array_like=True):
    """`need` of `practices` must be met for the level to hold.

    With a `share` the need is that part of the practices that apply, rounded up. `minimum`, where given, takes the
    place of the practices' own. Each group of `also` counts as one where all its practices are met, but nobody is told
    to begin there.
    """

    title: str
    need: int
    weight: float
    practices: tuple[str, ...]
    share: float = 0.0
    minimum: Grade | None = None
    also: tuple[tuple[str, ...], ...] = ()


class Level(Struct, frozen=True, array_like=True):
    """One level of a maturity model. In a model that is a score, the level holds above the score `above`."""

    number: int
    name: str
    rows: tuple[Row, ...]
    optional: tuple[str, ...] = ()  # practices that the source recommends here without asking for them
    above: float | None = None


class ScoreTest(Struct, frozen=True, array_like=True):
    """One test of a rubric: automated 1 point, done by hand and recorded half a point; without practices, unseen."""

    id: str
    title: str
    practices: tuple[str, ...]
    partial: bool = False  # the practices cover a part of what the test asks: half a point at most


class Section(Struct, frozen=True, array_like=True):
    """One section of a rubric; the score is the least of the sections' sums."""

    name: str
    tests: tuple[ScoreTest, ...]


class MaturityModel(Struct, frozen=True, array_like=True):
    """A maturity model as data, lowest level first; with `sections` it is a score and its levels are bands."""

    id: str
    name: str
    levels: tuple[Level, ...]
    source: str = ""
    mapping: str = ""  # one sentence on how its numbers are to be read beside those of other models
    families: tuple[str, ...] = ()  # it applies only where a tool of one of these families is used
    sections: tuple[Section, ...] = ()
    recorded_by: tuple[str, ...] = ()  # practices of which one must be met for work by hand to count as recorded

    @property
    def scored(self) -> bool:
        """Whether it is a score of tests."""
        return bool(self.sections)

    def practices(self) -> frozenset[str]:
        """Every practice that the model names."""
        rows = [row for level in self.levels for row in level.rows]
        named = {name for row in rows for name in (*row.practices, *chain.from_iterable(row.also))}
        named.update(name for level in self.levels for name in level.optional)
        named.update(name for section in self.sections for test in section.tests for name in test.practices)
        return frozenset(named.union(self.recorded_by))


def read_model(data: Mapping[str, Any], path: Path) -> MaturityModel:
    """A maturity model of a rule file.

    Raises:
        RuleError: it does not follow the format, or contradicts itself.
    """
    path = at(path, data)
    name = str(required(data, "id", path))
    check_keys(data, _MODEL_KEYS, f"model `{name}`", path)
    applies = mapping(data, "applies", path)
    check_keys(applies, {"families"}, f"`applies` of model `{name}`", path)
    model = MaturityModel(
        id=name,
        name=str(required(data, "name", path)),
        levels=tuple(_level(level, path) for level in entries(data, "levels", path)),
        source=" ".join(str(data.get("source", "")).split()),
        mapping=" ".join(str(data.get("mapping", "")).split()),
        families=texts(applies.get("families")),
        sections=tuple(_section(entry, path) for entry in entries(data, "sections", path, False)),
        recorded_by=texts(data.get("recorded_by")),
    )
    _check(model, entries(data, "levels", path), path)
    return model


def _level(entry: Mapping[str, Any], path: Path) -> Level:
    path = at(path, entry)
    number = int(checked_number(required(entry, "number", path), "the number of a level", path))
    check_keys(entry, _LEVEL_KEYS, f"level {number}", path)
    above = entry.get("above")
    return Level(
        number=number,
        name=str(required(entry, "name", path)),
        rows=tuple(_row(row, path) for row in entries(entry, "rows", path, False)),
        optional=texts(entry.get("optional")),
        above=None if above is None else float(checked_number(above, f"`above` of level {number}", path)),
    )


def _row(entry: Mapping[str, Any], path: Path) -> Row:
    path = at(path, entry)
    title = str(required(entry, "title", path))
    check_keys(entry, _ROW_KEYS, f"row `{title}`", path)
    practices = texts(required(entry, "practices", path))
    share = float(checked_number(entry.get("share", 0), f"`share` of `{title}`", path))
    if share and "need" in entry:
        raise RuleError(f"{path}: row `{title}` has both `need` and `share`; keep one")
    if not 0 <= share <= 1:
        raise RuleError(f"{path}: `share` of `{title}` is {share:g}, expected a number above 0 and at most 1")
    need = int(checked_number(entry.get("need", 1), f"`need` of `{title}`", path))
    if share:
        need = needed(share, len(practices))
    if not 0 < need <= len(practices):
        raise RuleError(f"{path}: row `{title}` needs {need} of {len(practices)} practices")
    also = _groups(entry.get("also"))
    alone = [*((name,) for name in practices), *(group for group in also if len(group) == 1)]
    if len(set(alone)) < len(alone) or any((name,) in alone for group in also if len(group) > 1 for name in group):
        raise RuleError(f"{path}: row `{title}` names a practice twice")
    if need > 1 and any(len(group) > 1 for group in also):
        raise RuleError(f"{path}: row `{title}` needs {need}; practices count together only where one is enough")
    weight = float(checked_number(entry.get("weight", 1), f"`weight` of `{title}`", path))
    if weight <= 0:
        raise RuleError(f"{path}: `weight` of `{title}` is {weight:g}, expected a number above 0")
    return Row(title, need, weight, practices, share, _minimum(entry, title, path), also)


def _groups(value: Any) -> tuple[tuple[str, ...], ...]:
    """What also counts: practices, or lists of those that count together."""
    return tuple(texts(item) for item in (value if isinstance(value, list) else texts(value)))


def _minimum(entry: Mapping[str, Any], title: str, path: Path) -> Grade | None:
    if "minimum" not in entry:
        return None
    grade = choice(Grade, entry["minimum"], f"the minimum of row `{title}`", path)
    if grade.strength == 0:
        raise RuleError(f"{path}: the minimum of row `{title}` is {grade.value}; use wired, implemented or trace")
    return grade


def needed(share: float, members: int) -> int:
    """How many of so many members a share asks for."""
    return math.ceil(share * members - 1e-9)


def _section(entry: Mapping[str, Any], path: Path) -> Section:
    path = at(path, entry)
    name = str(required(entry, "name", path))
    check_keys(entry, _SECTION_KEYS, f"section `{name}`", path)
    tests = []
    for test in entries(entry, "tests", path):
        check_keys(test, _TEST_KEYS, f"a test of section `{name}`", path)
        tests.append(
            ScoreTest(
                id=str(required(test, "id", path)),
                title=str(required(test, "title", path)),
                practices=texts(test.get("practices")),
                partial=bool(test.get("partial", False)),
            )
        )
    return Section(name, tuple(tests))


def _check(model: MaturityModel, given: list[dict[str, Any]], path: Path) -> None:
    """Refuse a model that contradicts itself: levels out of order, or two that nothing tells apart."""
    if not model.levels:
        raise RuleError(f"{path}: model `{model.id}` has no level")
    for lower, upper, entry in zip(model.levels, model.levels[1:], given[1:], strict=False):
        where = at(path, entry)
        if upper.number <= lower.number:
            raise RuleError(f"{where}: level {upper.number} stands after level {lower.number}; write the lowest first")
        if model.scored:
            if upper.above is None or (lower.above is not None and upper.above <= lower.above):
                raise RuleError(f"{where}: level {upper.number} of a score needs an `above` larger than the one below")
        elif not upper.rows:
            raise RuleError(f"{where}: level {upper.number} has no rows, so nothing tells it from level {lower.number}")
    if model.levels[0].rows or model.levels[0].above is not None:
        first = model.levels[0].number
        raise RuleError(
            f"{at(path, given[0])}: level {first} is the lowest and must not ask for anything; put a level below it"
        )
    bad = [level.number for level in model.levels if level.rows and model.scored]
    if bad:
        raise RuleError(f"{path}: model `{model.id}` is a score (it has `sections`); level {bad[0]} must not have rows")
    ids = [test.id for section in model.sections for test in section.tests]
    if len(set(ids)) < len(ids):
        raise RuleError(f"{path}: model `{model.id}` has two tests of the same id")

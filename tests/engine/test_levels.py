"""Levels from grades: pure data in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.engine import levels
from mlops_scan.engine.report import LevelResult, PracticeResult
from mlops_scan.rulebook import Practice, load
from mlops_scan.rulemodels import Level, MaturityModel, Row
from mlops_scan.words import Confidence, Grade

BOOK = load()
DEFAULT = BOOK.models["default"]
W, I, T, A, U, N = Grade.WIRED, Grade.IMPLEMENTED, Grade.TRACE, Grade.ABSENT, Grade.UNKNOWN, Grade.NOT_APPLICABLE  # noqa: E741
WIRED_ROWS = (
    "ci/code-tests",
    "ci/model-tests",
    "cd/model-deploy",
    "cd/pipeline-deploy",
    "data/validation",
    "model/quality-gate",
)


def result(name: str, grade: Grade, minimum: Grade = I, confidence: Confidence = Confidence.HIGH) -> PracticeResult:
    """A graded practice; met as the report's contract says: the minimum grade from evidence of medium confidence."""
    met = 0 < minimum.strength <= grade.strength and confidence is not Confidence.LOW
    return PracticeResult(name, name, grade, met, minimum, confidence, "")


def results(grades: Mapping[str, Grade], minimum: Mapping[str, Grade] | None = None) -> dict[str, PracticeResult]:
    """Every practice of the rules, absent unless given."""
    wanted = minimum or {}
    return {
        name: result(name, grades.get(name, A), wanted.get(name, BOOK.practices[name].minimum))
        for name in BOOK.practices
    }


def row(need: int, *practices: str, weight: float = 1.0) -> Row:
    """A row."""
    return Row("row", need, weight, practices)


def rung(number: int, grades: Mapping[str, Grade], minimum: Mapping[str, Grade] | None = None) -> LevelResult:
    """One level of the default model, judged."""
    return next(r for r in levels.ladder(DEFAULT, results(grades, minimum)) if r.number == number)


# -- credit and rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "minimum", "confidence", "expected"),
    [
        (W, W, Confidence.HIGH, 1.0),
        (W, I, Confidence.HIGH, 1.0),
        (I, I, Confidence.HIGH, 1.0),
        (I, I, Confidence.MEDIUM, 1.0),
        (I, W, Confidence.HIGH, 0.5),
        (I, I, Confidence.LOW, 0.5),
        (W, W, Confidence.LOW, 0.5),
        (I, W, Confidence.LOW, 0.25),
        (T, I, Confidence.HIGH, 0.0),
        (T, W, Confidence.HIGH, 0.0),
        (A, I, Confidence.HIGH, 0.0),
        (U, W, Confidence.HIGH, 0.0),
    ],
)
def test_credit(grade: Grade, minimum: Grade, confidence: Confidence, expected: float) -> None:
    assert levels.credit(result("a", grade, minimum, confidence)) == expected


def test_one_of_several_meets_a_row() -> None:
    found = levels.judge_row(row(1, "a", "b"), {"a": result("a", A), "b": result("b", I)})
    assert (found.met, found.met_by, found.credit) == (True, ("b",), 1.0)


def test_two_of_several_need_two() -> None:
    one = levels.judge_row(
        row(2, "a", "b", "c", weight=2), {"a": result("a", I), "b": result("b", T), "c": result("c", A)}
    )
    two = levels.judge_row(
        row(2, "a", "b", "c", weight=2), {"a": result("a", I), "b": result("b", T), "c": result("c", W)}
    )
    assert (one.met, one.credit) == (False, 1.0)
    assert (two.met, two.credit) == (True, 2.0)


def test_half_credits_do_not_add_up_to_a_met_row() -> None:
    """Ten weak hits do not make a strong one: the k best count, not the sum."""
    names = [f"p{n}" for n in range(10)]
    found = levels.judge_row(row(1, *names), {name: result(name, I, W) for name in names})
    assert (found.met, found.credit) == (False, 0.5)


def test_practices_ruled_out_shrink_the_need() -> None:
    graded = {"a": result("a", N), "b": result("b", N), "c": result("c", I)}
    found = levels.judge_row(row(2, "a", "b", "c", weight=2), graded)
    assert (found.need, found.met, found.credit) == (1, True, 2.0)
    assert found.met_by == ("c",)


def test_ruled_out_practice_does_not_help_when_enough_are_left() -> None:
    graded = {"a": result("a", N), "b": result("b", A), "c": result("c", A)}
    found = levels.judge_row(row(2, "a", "b", "c"), graded)
    assert (found.need, found.met, found.credit) == (2, False, 0.0)


def test_row_of_practices_that_are_all_ruled_out_is_met() -> None:
    found = levels.judge_row(row(1, "a", weight=2), {"a": result("a", N)})
    assert (found.need, found.met, found.credit) == (0, True, 2.0)


def test_unknown_does_not_shrink_the_need() -> None:
    found = levels.judge_row(row(1, "a"), {"a": result("a", U)})
    assert (found.need, found.met, found.credit) == (1, False, 0.0)


# -- the ladder --------------------------------------------------------------------------------------------------------


def model(*rows: tuple[Row, ...]) -> MaturityModel:
    """A model with these rows, from level 1 on."""
    return MaturityModel("m", "m", tuple(Level(n, f"level {n}", r) for n, r in enumerate(rows, 1)))


def test_practices_that_count_together_are_one_and_all_of_them_are_named() -> None:
    asked = Row("row", 1, 1.0, ("a",), also=(("b", "c"), ("b", "d")))
    grades = {"a": A, "b": I, "c": T, "d": I}
    found = levels.judge_row(asked, {name: result(name, grade) for name, grade in grades.items()})
    assert (found.met, found.credit) == (True, 1.0)
    assert found.met_by == ("b", "d")
    assert found.practices == ("a", "b", "d")
    assert not levels.judge_row(asked, {name: result(name, A) for name in "acd"} | {"b": result("b", I)}).met


def test_levels_are_cumulative() -> None:
    graded = {name: result(name, I) for name in ("one", "three")} | {"two": result("two", A)}
    rungs = levels.ladder(model((), (row(1, "one"),), (row(1, "two"),), (row(1, "three"),)), graded)
    assert [r.reached for r in rungs] == [True, True, False, False]
    assert rungs[3].rows[0].met, "its own row is met, the level is not"


def test_nothing_at_all_is_level_one() -> None:
    assert [r.reached for r in levels.ladder(DEFAULT, results({}))] == [True, False, False, False]


LEVEL_2 = {"pipeline/orchestration": I, "experiment/tracking": I, "env/pinned": I, "code/modular-training": I}
LEVEL_3 = {
    **LEVEL_2,
    "model/registry": I,
    "ci/model-tests": W,
    "cd/model-deploy": W,
    "data/validation": W,
    "code/unit-tests": I,
}
LEVEL_4 = {  # the registry is a record of its own, and the data's version makes training repeatable
    **{name: grade for name, grade in LEVEL_3.items() if name not in ("experiment/tracking", "code/modular-training")},
    "monitoring/performance-threshold": W,
    "monitoring/drift": W,
    "monitoring/alerts": I,
    "data/versioning": I,
    "retraining/scheduled": W,
    "monitoring/service-metrics": I,
    "governance/model-card": I,
    "governance/ownership": I,
}


@pytest.mark.parametrize(("grades", "expected"), [(LEVEL_2, 2), (LEVEL_3, 3), (LEVEL_4, 4)])
def test_least_grades_for_each_level_of_the_default_model(grades: dict[str, Grade], expected: int) -> None:
    assert max(r.number for r in levels.ladder(DEFAULT, results(grades)) if r.reached) == expected


# the schedule that level 4 asks for also stands in the place of the pipeline
@pytest.mark.parametrize("missing", sorted(LEVEL_4.keys() - {"pipeline/orchestration"}))
def test_each_of_the_least_grades_is_needed(missing: str) -> None:
    grades = {name: grade for name, grade in LEVEL_4.items() if name != missing}
    assert not levels.ladder(DEFAULT, results(grades))[-1].reached


def test_drift_that_nothing_starts_is_met_and_not_enough_for_level_4() -> None:
    graded = results({**LEVEL_4, "monitoring/drift": I})
    assert graded["monitoring/drift"].met
    assert not levels.ladder(DEFAULT, graded)[-1].reached


def test_monitoring_without_the_lower_levels_lifts_nothing_and_is_ahead() -> None:
    graded = results({"monitoring/drift": W, "monitoring/alerts": I, "experiment/tracking": I})
    assert [r.number for r in levels.ladder(DEFAULT, graded) if r.reached] == [1]
    assert dict(levels.ahead(DEFAULT, 1, graded)) == {"monitoring/drift": 4, "monitoring/alerts": 4}


def test_what_the_next_level_asks_for_is_not_ahead() -> None:
    graded = results({"ci/code-tests": W, "monitoring/drift": W, "env/pinned": I})
    assert dict(levels.ahead(DEFAULT, 2, graded)) == {"monitoring/drift": 4}
    assert dict(levels.ahead(DEFAULT, 1, graded)) == {"ci/code-tests": 3, "monitoring/drift": 4}
    assert levels.ahead(DEFAULT, 4, graded) == ()


def test_what_is_not_met_is_not_ahead() -> None:
    assert levels.ahead(DEFAULT, 1, results({"monitoring/drift": I, "monitoring/alerts": T})) == ()


# -- progress ----------------------------------------------------------------------------------------------------------


def test_worked_example_is_70_percent() -> None:
    """Toothless code and model tests, a deployment on push, no model store, open data checks, unit tests and pins."""
    grades = {
        **LEVEL_2,
        "model/registry": T,
        "deploy/serving": I,
        "ci/code-tests": I,
        "ci/model-tests": I,
        "cd/model-deploy": W,
        "data/validation": I,
        "code/unit-tests": I,
        "env/pinned": I,
    }
    third = rung(3, grades, dict.fromkeys(WIRED_ROWS, W))
    assert sum(r.weight for r in third.rows) == 10
    assert sum(r.credit for r in third.rows) == 7.0
    assert levels.progress(third) == 0.7


def level_of(*rows: tuple[float, float, bool]) -> LevelResult:
    """A level of rows given as (credit, weight, met)."""
    from mlops_scan.engine.report import RowResult

    return LevelResult(
        2, "two", False, tuple(RowResult("r", ("a",), ("a",) if met else (), 1, w, c) for c, w, met in rows)
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1.0, 3.0, False)], 0.33),  # floored, not rounded
        ([(2.0, 3.0, False)], 0.66),
        ([(0.0, 3.0, False)], 0.0),
        ([(999.0, 1000.0, False)], 0.99),
        ([(1.0, 1.0, False)], 0.99),  # full credit with a row that is not met
        ([(1.0, 1.0, True)], 1.0),
        ([(0.29, 1.0, False)], 0.29),  # no floating-point loss below a whole percent
        ([(0.57, 1.0, False)], 0.57),
        ([], 1.0),
    ],
)
def test_progress_is_floored_and_capped(rows: list[tuple[float, float, bool]], expected: float) -> None:
    assert levels.progress(level_of(*rows)) == expected


GRADES = st.sampled_from([W, I, T, A, U, N])


@given(st.lists(GRADES, min_size=len(BOOK.practices), max_size=len(BOOK.practices)))
def test_progress_is_whole_percent_below_one_while_something_is_missing(grades: list[Grade]) -> None:
    for reached in levels.ladder(DEFAULT, results(dict(zip(BOOK.practices, grades, strict=True)))):
        share = levels.progress(reached)
        assert 0.0 <= share <= 1.0
        assert share * 100 == pytest.approx(round(share * 100))
        assert (share == 1.0) == all(r.met for r in reached.rows)


@given(st.lists(GRADES, min_size=len(BOOK.practices), max_size=len(BOOK.practices)), st.data())
def test_a_better_grade_never_lowers_a_level(grades: list[Grade], data: st.DataObject) -> None:
    before = dict(zip(BOOK.practices, grades, strict=True))
    name = data.draw(st.sampled_from(sorted(name for name in before if before[name] is not N) or [next(iter(before))]))
    after = {**before, name: W}
    if before[name] is N:
        return
    low = max(r.number for r in levels.ladder(DEFAULT, results(before)) if r.reached)
    high = max(r.number for r in levels.ladder(DEFAULT, results(after)) if r.reached)
    assert high >= low


# -- gaps --------------------------------------------------------------------------------------------------------------


def practice(name: str, effort: str) -> Practice:
    """A practice of which only the effort matters."""
    from msgspec.structs import replace

    return replace(BOOK.practices["env/pinned"], id=name, title=name, effort=effort, remedy=f"do {name}")


def test_gaps_are_the_cheapest_way_and_come_in_that_order() -> None:
    definition = model((), (row(1, "hard", "easy"), row(2, "a", "b", "c"), row(1, "done")))
    practices = {
        "hard": practice("hard", "high"),
        "easy": practice("easy", "low"),
        "a": practice("a", "medium"),
        "b": practice("b", "high"),
        "c": practice("c", "low"),
        "done": practice("done", "low"),
    }
    graded = {name: result(name, I if name == "done" else A) for name in practices}
    found = levels.gaps(levels.ladder(definition, graded)[1], graded, practices)
    assert [gap.practice for gap in found] == ["easy", "c", "a"]
    assert all(gap.level == 2 for gap in found)


def test_what_is_half_done_comes_before_what_is_cheap() -> None:
    definition = model((), (row(1, "cheap", "half"),))
    practices = {"cheap": practice("cheap", "low"), "half": practice("half", "high")}
    graded = {
        "cheap": result("cheap", A),
        "half": PracticeResult("half", "half", I, False, W, Confidence.HIGH, "nothing starts it"),
    }
    (gap,) = levels.gaps(levels.ladder(definition, graded)[1], graded, practices)
    assert gap.practice == "half"
    assert gap.remedy == "So far: nothing starts it. do half"


def test_a_row_asks_only_for_what_it_still_needs() -> None:
    definition = model((), (row(2, "a", "b", "c"),))
    practices = {name: practice(name, "low") for name in "abc"}
    graded = {"a": result("a", I), "b": result("b", A), "c": result("c", N)}
    assert [gap.practice for gap in levels.gaps(levels.ladder(definition, graded)[1], graded, practices)] == ["b"]


def test_a_practice_asked_for_twice_is_one_gap() -> None:
    definition = model((), (row(1, "a"), row(1, "a", "b")))
    practices = {name: practice(name, "low") for name in "ab"}
    graded = {name: result(name, A) for name in "ab"}
    found = [gap.practice for gap in levels.gaps(levels.ladder(definition, graded)[1], graded, practices)]
    assert found == ["a"]


def test_level_named() -> None:
    named = levels.level_named(DEFAULT, 3)
    assert named is not None
    assert named.name == "Continuous Integration/Delivery"
    assert levels.level_named(DEFAULT, 7) is None
    assert levels.level_named(DEFAULT, None) is None


@pytest.mark.parametrize(
    ("grades", "met"),
    [
        ({"cd/model-deploy": W}, True),
        ({"retraining/scheduled": W}, True),  # counts in the place of a deployment
        ({"retraining/scheduled": I}, False),
        ({}, False),
    ],
)
def test_a_practice_that_also_counts_is_not_recommended(grades: dict[str, Grade], met: bool) -> None:
    graded = results(LEVEL_2 | grades, {"retraining/scheduled": W, "cd/model-deploy": W, "cd/pipeline-deploy": W})
    third = next(rung for rung in levels.ladder(DEFAULT, graded) if rung.number == 3)
    row = next(row for row in third.rows if "cd/model-deploy" in row.practices)
    assert row.met is met
    gaps = {gap.practice for gap in levels.gaps(third, graded, BOOK.practices)}
    assert "retraining/scheduled" not in gaps
    assert ("cd/model-deploy" in gaps) is not met


@pytest.mark.parametrize(
    ("grades", "level"),
    [
        ({"retraining/scheduled": W}, 2),  # a training that starts by itself is automated, in however many steps
        ({"retraining/triggered": W}, 2),
        ({"retraining/scheduled": I}, 1),
        # so is the way from tests to users that CI takes; an image that is pushed is not there yet
        ({"ci/model-tests": W, "cd/model-deploy": W, "deploy/as-code": I}, 2),
        ({"ci/model-tests": W, "cd/model-deploy": W}, 1),
        ({"ci/model-tests": W, "cd/pipeline-deploy": W}, 2),
        ({"ci/model-tests": W}, 1),
        ({"cd/model-deploy": W, "cd/pipeline-deploy": W}, 1),
        ({"ci/model-tests": W, "cd/model-deploy": I, "deploy/as-code": I}, 1),
        ({"pipeline/orchestration": I}, 2),
    ],
)
def test_what_trains_by_itself_counts_in_the_place_of_a_pipeline(grades: dict[str, Grade], level: int) -> None:
    minima = dict.fromkeys(("retraining/scheduled", "retraining/triggered", "cd/model-deploy", "cd/pipeline-deploy"), W)
    graded = results({**LEVEL_2, "pipeline/orchestration": A, **grades}, minima)
    assert max(rung.number for rung in levels.ladder(DEFAULT, graded) if rung.reached) == level


@pytest.mark.parametrize(
    ("grades", "level"),
    [({"model/quality-gate": W}, 3), ({"model/quality-gate": I}, 2), ({"ci/model-tests": I}, 3), ({}, 2)],
)
def test_a_gate_that_keeps_a_bad_model_back_counts_in_the_place_of_a_test(grades: dict[str, Grade], level: int) -> None:
    graded = results({**LEVEL_3, "ci/model-tests": A, "ci/code-tests": W, **grades}, dict.fromkeys(WIRED_ROWS[2:], W))
    assert max(rung.number for rung in levels.ladder(DEFAULT, graded) if rung.reached) == level


def test_the_step_to_what_files_cannot_say_is_not_to_build_it_again() -> None:
    found = PracticeResult("ci/code-tests", "tests", U, False, I, Confidence.LOW, "the server knows")
    practice = BOOK.practices["ci/code-tests"]
    assert not practice.attestable
    assert levels.gap_of(practice, found, 3).remedy == (
        "Files cannot say whether this is done (the server knows). If it is, declare it in the repository. "
        f"Otherwise: {practice.remedy}"
    )
    attestable = next(practice for practice in BOOK.practices.values() if practice.attestable)
    assert "If it is, attest it." in levels.gap_of(attestable, found, 3).remedy

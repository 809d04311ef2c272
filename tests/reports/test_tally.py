"""What several formats say in the same words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mlops_scan.engine.report import PracticeResult, RowResult
from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.tally import badge_words, explained, lacks, scope, summary, title, with_step, without_level
from mlops_scan.words import Confidence, Grade
from tests.reports import samples

IMPLEMENTED = PracticeResult(
    "data/validation", "Bad data stops the run", Grade.IMPLEMENTED, True, Grade.IMPLEMENTED, Confidence.HIGH, "by hand"
)


def _row(met_by: tuple[str, ...] = (), minimum: Grade | None = None) -> RowResult:
    return RowResult("stopped", ("data/validation",), met_by, 1, 1.0, 0.0, minimum)


def test_a_row_may_ask_for_more_than_its_practice_does() -> None:
    assert lacks(_row(minimum=Grade.WIRED), IMPLEMENTED) == "needs wired: by hand"
    assert lacks(_row(met_by=("data/validation",)), IMPLEMENTED) == ""


def test_what_is_good_enough_but_uncertain_says_so() -> None:
    unsure = replace(IMPLEMENTED, met=False, confidence=Confidence.LOW, reason="")
    assert lacks(_row(), unsure) == "too uncertain to count"


def test_what_files_cannot_say_is_not_said_to_be_lacking() -> None:
    assert lacks(_row(), replace(IMPLEMENTED, grade=Grade.UNKNOWN, reason="the server knows")) == "the server knows"


def test_what_is_ruled_out_needs_nothing() -> None:
    assert lacks(_row(), replace(IMPLEMENTED, grade=Grade.NOT_APPLICABLE, reason="no data")) == "no data"


@pytest.mark.parametrize("name", ["text", "markdown", "junit", "html"])
def test_the_formats_for_people_say_what_a_row_asks_for_beyond_the_practice(name: str) -> None:
    row = replace(_row(minimum=Grade.WIRED), title="bad data is stopped")
    asked = replace(IMPLEMENTED, evidence=samples.CHAIN)
    ladder = (samples.LADDER[0], replace(samples.LADDER[1], reached=False, rows=(row,)))
    headline = replace(samples.HEADLINE, level=1, next_level=2, practices=(asked,), ladder=ladder)
    text = render(replace(samples.report(), headline=headline), name, RenderOptions())
    assert "needs wired: by hand" in " ".join(text.split())


def test_the_verdict_of_several_components_names_the_one_it_speaks_of() -> None:
    report = samples.report()
    assert scope(report, "") == "The level is that of `services/scoring`, one of 2 components."
    assert scope(replace(report, components=report.components[:1]), "") == ""
    lessons = replace(report, kind="course")
    assert "the best one, `services/scoring`" in scope(lessons, "")
    assert "best" not in scope(lessons, "services/scoring"), "a lesson that the user chose is not the best one"


@pytest.mark.parametrize("name", ["text", "markdown", "junit", "html"])
def test_rows_that_lessons_meet_only_together_do_not_contradict_the_level(name: str) -> None:
    met = _row(met_by=("data/validation",))
    rungs = [(samples.LADDER[0], replace(samples.LADDER[1], reached=False, rows=(row,))) for row in (met, _row())]
    absent = replace(IMPLEMENTED, grade=Grade.ABSENT, met=False, reason="nothing in this lesson")
    headline = replace(samples.HEADLINE, level=1, next_level=2, practices=(IMPLEMENTED,), ladder=rungs[0])
    own = replace(headline, practices=(absent,), ladder=rungs[1])
    other = replace(own, path="other")
    course = replace(samples.report(), kind="course", headline=headline, components=(own, other))
    assert explained(course) is own
    assert explained(replace(course, kind="application")) is headline
    assert explained(replace(course, headline=own)) is own
    assert "but nowhere together" in scope(course, "")
    words = {"text": "[ ] stopped", "junit": 'failures="1"'}
    text = render(course, name, RenderOptions())
    assert words.get(name, "stopped") in text
    assert text != render(replace(course, components=(headline, other)), name, RenderOptions())


def test_without_a_level_the_reader_learns_how_to_get_one() -> None:
    report = samples.without_ml()
    assert title(report) == "No ML workload found"
    assert "--kind application" in without_level(report)
    assert without_level(replace(report, kind="application")) == "", "the user has said so already"
    assert without_level(samples.report()) == ""


def test_a_tool_of_others_is_not_said_to_be_without_machine_learning() -> None:
    tool = replace(samples.without_ml(), kind="platform-tool")
    assert title(tool) == "No level: platform-tool"
    assert summary(tool).startswith("no level (platform-tool: ")
    assert badge_words(tool)[0] == "no level"
    assert badge_words(samples.without_ml())[0] == "no ML"


def test_a_gap_comes_with_its_step_where_no_page_about_the_rule_is_shown() -> None:
    report = samples.report()
    gap, defect = samples.FINDINGS
    assert with_step(gap, report) == "level 3 asks for cd/model-deploy Add a deploy job."
    assert with_step(defect, report) == defect.message
    assert with_step(replace(gap, id="MLS000"), report) == gap.message


def test_gaps_are_steps_and_not_counted_as_notes() -> None:
    line = summary(samples.report())
    assert "(4 steps left); 1 error, 0 warnings, 0 notes, 2 not read" in line


@pytest.mark.parametrize("name", ["text", "markdown", "html", "github", "junit"])
def test_a_model_that_does_not_apply_is_why_there_is_no_level(name: str) -> None:
    report = samples.report()
    none = replace(report.headline, level=None, next_level=None, progress=None, ladder=(), gaps=())
    asked = replace(report, model="genai", headline=none, components=())
    text = " ".join(render(asked, name, RenderOptions()).split())
    assert "the model genai does not apply here" in text
    assert "--kind application" not in text
    if name in ("text", "markdown"):
        assert "Language models only" in text, "how to read the model"
        assert "default 2 (1 to 4)" in text, "the models that do apply"


def test_a_score_stands_beside_the_model_it_is_of() -> None:
    text = render(replace(samples.report(), model="ml-test-score"), "text", RenderOptions())
    assert "Maturity model: ml-test-score, score 0.5 (0 to 1)." in text

"""The published models' own statements about themselves, held against our data, and the format's checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops_scan.engine import models
from mlops_scan.engine.report import ModelResult
from mlops_scan.errors import RuleError
from mlops_scan.rulebook import load
from mlops_scan.words import Grade
from tests.engine.test_levels import BOOK, A, I, N, W, result

BASE = ("code/modular-training", "env/pinned", "env/containerized", "experiment/config", "experiment/reproducible")
TRAINING = dict.fromkeys(
    (*BASE, "pipeline/orchestration", "experiment/tracking", "model/registry", "model/evaluation", "data/pipeline"), I
)
CI_CD = dict.fromkeys(
    (
        "ci/code-tests",
        "ci/model-tests",
        "cd/model-deploy",
        "cd/pipeline-deploy",
        "ci/pipeline-tests",
        "cd/environments",
    ),
    W,
)
TESTS = dict.fromkeys(("code/unit-tests", "model/testing"), W)
GOOD_CI_CD = {**TRAINING, **CI_CD, **TESTS}
CONTINUOUS_TRAINING = {
    **TRAINING,
    "pipeline/metadata": I,
    "retraining/scheduled": W,
    "data/validation": W,
    "model/quality-gate": W,
    "cd/model-deploy": W,
}


def judged(
    name: str, grades: Mapping[str, Grade], families: frozenset[str] = frozenset(), kind: bool = True
) -> ModelResult:
    results = {key: result(key, grades.get(key, A), item.minimum) for key, item in BOOK.practices.items()}
    return models.judge(BOOK.models[name], results, BOOK.practices, kind, families)


def levels_of(grades: Mapping[str, Grade]) -> dict[str, int | None]:
    return {name: judged(name, grades).level for name in ("default", "google", "microsoft", "aws")}


def test_nothing_but_a_workload_is_every_models_lowest_level() -> None:
    assert levels_of({}) == {"default": 1, "google": 0, "microsoft": 0, "aws": 1}


def test_good_ci_cd_without_continuous_training_is_default_3_and_google_0() -> None:
    found = levels_of(GOOD_CI_CD)
    assert (found["default"], found["google"]) == (3, 0)
    assert "Google counts from 0" in judged("google", {}).mapping


def test_continuous_training_without_ci_is_google_1_and_default_2() -> None:
    found = levels_of(CONTINUOUS_TRAINING)
    assert (found["default"], found["google"]) == (2, 1)


@pytest.mark.parametrize(
    "lost", ["pipeline/metadata", "retraining/scheduled", "data/validation", "model/quality-gate", "cd/model-deploy"]
)
def test_google_1_needs_each_of_its_core_practices(lost: str) -> None:
    assert judged("google", {**CONTINUOUS_TRAINING, lost: A}).level == 0


def test_either_trigger_starts_continuous_training() -> None:
    other = {**CONTINUOUS_TRAINING, "retraining/scheduled": A, "retraining/triggered": W}
    assert judged("google", other).level == 1


def test_google_2_has_ci_cd_and_monitoring_together() -> None:
    both = {**CONTINUOUS_TRAINING, **GOOD_CI_CD}
    assert judged("google", both).level == 1, "live monitoring is missing"
    watched = dict.fromkeys(
        ("monitoring/drift", "monitoring/performance-threshold", "monitoring/prediction-logging"), W
    )
    assert judged("google", {**both, **watched}).level == 2


def test_microsoft_asks_for_ci_before_automated_training() -> None:
    assert judged("microsoft", TRAINING).level == 0
    devops = {"code/unit-tests": W, "ci/code-tests": W, "data/pipeline": I}
    assert judged("microsoft", devops).level == 1
    assert judged("microsoft", {**TRAINING, **devops}).level == 2


def test_microsoft_1_needs_ci_that_can_fail_although_the_default_model_does_not() -> None:
    grades = {**GOOD_CI_CD, "ci/code-tests": I}
    assert judged("default", grades).level == 3
    assert judged("microsoft", grades).level == 0


def test_microsoft_retrains_by_schedule_at_2_and_by_signals_at_4() -> None:
    three = {**GOOD_CI_CD, "env/infra-as-code": I}
    assert judged("microsoft", {**three, "retraining/scheduled": W}).level == 3
    watched = dict.fromkeys(("monitoring/drift", "model/quality-gate", "monitoring/alerts"), W)
    live = {**three, **watched, "monitoring/service-metrics": I}
    assert judged("microsoft", {**live, "retraining/scheduled": W}).level == 3
    assert judged("microsoft", {**live, "retraining/triggered": W}).level == 4


def test_aws_3_wants_a_person_to_approve() -> None:
    assert judged("aws", {**GOOD_CI_CD, "model/quality-gate": W}).level == 2
    assert judged("aws", {**GOOD_CI_CD, "model/quality-gate": W, "governance/approval": I}).level == 3


def test_a_share_counts_the_practices_that_apply() -> None:
    grades = {**CONTINUOUS_TRAINING, **dict.fromkeys(("model/testing", "model/slice-evaluation", "data/pipeline"), N)}
    assert judged("google", {**grades, "experiment/config": A, "experiment/reproducible": A}).level == 1
    assert judged("google", {**CONTINUOUS_TRAINING, "data/pipeline": A, "experiment/config": A}).level == 0


# -- the ML Test Score -----------------------------------------------------------------------------------------------


def test_the_weakest_section_is_the_score() -> None:
    found = judged("ml-test-score", {**GOOD_CI_CD, "experiment/tracking": W})
    points = {section.name: section.points for section in found.sections}
    assert found.score == min(points.values()) == 0
    assert points["Infrastructure"] == 3.5, "I2, I3 and I4 are automated, I1 cannot be more than half"


def test_a_test_counts_half_by_hand_with_a_record_and_one_when_automated() -> None:
    def schema(grades: Mapping[str, Grade]) -> float:
        return next(t for t in judged("ml-test-score", grades).sections[0].tests if t.id == "D1").points

    assert schema({"data/validation": I}) == 0, "by hand and nothing written down"
    assert schema({"data/validation": I, "experiment/tracking": I}) == 0.5
    assert schema({"data/validation": W}) == 1.0


def test_bands_and_the_upper_bound() -> None:
    every = dict.fromkeys(BOOK.practices, W)
    found = judged("ml-test-score", every)
    assert (found.score, found.level, found.level_name) == (3.5, 4, "strongly tested and monitored")
    assert found.bound is not None and found.bound > (found.score or 0)
    nothing = judged("ml-test-score", {})
    assert (nothing.score, nothing.level) == (0.0, 0)
    assert [section.name for section in found.sections if section.points == found.score] == ["Data"]


# -- the GenAI ladder --------------------------------------------------------------------------------------------------


def test_the_genai_ladder_needs_a_language_model() -> None:
    assert judged("genai", {}).level is None
    assert judged("genai", {}, frozenset({"llm"})).level == 1
    evaluated = {"genai/prompt-versioning": I, "genai/eval-suite": I, "genai/eval-dataset": I}
    assert judged("genai", evaluated, frozenset({"llm"})).level == 2
    gated = {"genai/eval-in-ci": W, "ci/code-tests": W, "genai/prompt-release": W, "env/pinned": I}
    assert judged("genai", {**evaluated, **gated}, frozenset({"llm"})).level == 3


@pytest.mark.parametrize("name", list(BOOK.models))
def test_a_kind_that_is_not_judged_has_no_value_in_any_model(name: str) -> None:
    assert judged(name, GOOD_CI_CD, frozenset({"llm"}), kind=False).value is None


# -- a model of one's own ----------------------------------------------------------------------------------------------

OWN = """\
id: acme
name: Acme
levels:
  - {number: 0, name: Start}
  - number: 1
    name: Tested
    rows:
      - title: tests
        practices: [ci/code-tests]
"""


def test_a_model_of_ones_own_is_loaded_beside_the_others(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(OWN, encoding="utf-8")
    book = load(extra=[file])
    assert list(book.models)[-1] == "acme"
    assert book.version.startswith(BOOK.version + "+")
    results = {key: result(key, GOOD_CI_CD.get(key, A), item.minimum) for key, item in book.practices.items()}
    assert models.judge(book.models["acme"], results, book.practices, True).level == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("number: 1", "number: 0", 5, "level 0 stands after level 0"),
        (
            "    rows:\n      - title: tests\n        practices: [ci/code-tests]\n",
            "",
            5,
            "nothing tells it from level 0",
        ),
        ("name: Start}", "name: Start, rows: [{title: x, practices: [ci/code-tests]}]}", 4, "is the lowest"),
        ("[ci/code-tests]", "[ci/code-test]", 1, "did you mean `ci/code-tests`?"),
        ("[ci/code-tests]", "[ci/code-tests]\n        share: 0.5\n        need: 1", 8, "both `need` and `share`"),
        ("[ci/code-tests]", "[ci/code-tests]\n        need: 2", 8, "needs 2 of 1"),
        ("[ci/code-tests]", "[ci/code-tests]\n        weight: 0", 8, "expected a number above 0"),
        ("[ci/code-tests]", "[ci/code-tests]\n        minimum: absent", 8, "use wired, implemented or trace"),
        ("title: tests", "title: tests\n        wieght: 2", 8, "did you mean `weight`?"),
        ("name: Acme", "name: Acme\nname: Twice", 3, "given twice"),
        ("id: acme", "id: google", 1, "defined twice"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    file = tmp_path / "acme.yaml"
    assert old in OWN
    file.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load(extra=[file])
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{file}:{line}:")

"""Grades from signals: a file's role caps them, a start raises them, and the best one decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.base import Context
from mlops_scan.engine.grades import grade, primary, weigh
from mlops_scan.engine.report import PracticeResult
from mlops_scan.rulebook import load
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Signal
from tests.trees import ML, Tree, context_of

BOOK = load()
TRACKING, GATE, CARD, CODE = "experiment/tracking", "model/quality-gate", "governance/model-card", "ci/code-tests"
NOTEBOOK = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
W, I, T, U = Grade.WIRED, Grade.IMPLEMENTED, Grade.TRACE, Grade.UNKNOWN  # noqa: E741


def signal(practice: str, grade_: Grade, path: str = "train.py", line: int = 12, **more: object) -> Signal:
    """A claim at one place."""
    keywords: dict[str, object] = {"scope": "train", **more}
    return Signal(practice, "tool", grade_, (Evidence(Location(path, line)),), **keywords)  # type: ignore[arg-type]


def weighed(context: Context, item: Signal) -> Signal:
    """One signal after weighing."""
    (found,) = weigh(context, [item])
    return found


def graded(practice: str, *signals: Signal) -> PracticeResult:
    """The grade that some signals give a practice."""
    return next(result for result in grade(BOOK.practices, signals) if result.id == practice)


def workflow(run: str, on: str = "push", job: str = "") -> Tree:
    """The application with one workflow."""
    text = f"on: {on}\njobs:\n  a:\n    runs-on: x\n{job}    steps:\n      - run: {run}\n"
    return {**ML, ".github/workflows/a.yml": text}


# -- roles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["tests", "examples", "docs", "vendor/kit", "dist"])
def test_claims_of_files_aside_are_traces(tmp_path: Path, folder: str) -> None:
    path = f"{folder}/train.py"
    context = context_of(tmp_path, {**ML, path: ML["train.py"]})
    found = weighed(context, signal(TRACKING, I, path))
    assert found.grade is T
    assert found.reason


def test_claims_of_main_code_are_kept(tmp_path: Path) -> None:
    assert weighed(context_of(tmp_path, ML), signal(TRACKING, I)).grade is I


@pytest.mark.parametrize(
    ("practice", "path"),
    [("code/unit-tests", "tests/test_a.py"), ("model/testing", "tests/test_a.py"), (CARD, "docs/MODEL_CARD.md")],
)
def test_practices_are_at_home_where_they_belong(tmp_path: Path, practice: str, path: str) -> None:
    context = context_of(tmp_path, {**ML, path: "def test_a():\n    assert 1\n"})
    assert weighed(context, signal(practice, I, path, 1, scope="")).grade is I


def test_a_wired_claim_of_an_example_is_capped_too(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "examples/a.py": ML["train.py"]})
    assert weighed(context, signal(TRACKING, W, "examples/a.py", fixed=True)).grade is T


# -- wiring ------------------------------------------------------------------------------------------------------------


def test_a_ci_job_wires_what_it_reaches(tmp_path: Path) -> None:
    found = weighed(context_of(tmp_path, workflow("python train.py")), signal(TRACKING, I))
    assert found.grade is W
    hops = {evidence.hop for evidence in found.evidence}
    assert {Hop.DEFINITION, Hop.TRIGGER, Hop.USE} <= hops
    assert any(e.location.path == ".github/workflows/a.yml" for e in found.evidence)


def test_a_clock_wires_what_only_a_clock_may_start(tmp_path: Path) -> None:
    drift = signal("monitoring/drift", I)
    clock = context_of(tmp_path / "clock", workflow("python train.py", "{schedule: [{cron: '0 3 * * *'}]}"))
    push = context_of(tmp_path / "push", workflow("python train.py"))
    assert weighed(clock, drift).grade is W
    assert weighed(push, drift).grade is I


@pytest.mark.parametrize(("folder", "expected"), [("flows", W), ("examples", I), ("docs", I)])
def test_a_flow_of_an_example_does_not_operate_what_it_shows(tmp_path: Path, folder: str, expected: Grade) -> None:
    flow = "from prefect import flow\n\nfrom train import train\n\n\n@flow\ndef shown():\n    train('d.csv', 'm')\n\n\n"
    tree = {**ML, f"{folder}/flow.py": flow + "shown.serve(cron='0 3 * * *')\n"}
    assert weighed(context_of(tmp_path, tree), signal("monitoring/drift", I)).grade is expected


def test_dispatch_from_outside_is_an_event(tmp_path: Path) -> None:
    context = context_of(tmp_path, workflow("python train.py", "{repository_dispatch: {types: [x]}}"))
    assert weighed(context, signal("retraining/triggered", I)).grade is W


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (ML, "nothing seen"),
        (workflow("python train.py", "workflow_dispatch"), "only a person"),
        (workflow("python train.py", job="    if: false\n"), "if: false"),
        (workflow("python data.py"), "nothing seen"),
        (workflow("python train.py || true"), "no effect"),
    ],
    ids=["nothing", "a person", "never", "another script", "swallowed"],
)
def test_what_nothing_starts_says_why(tmp_path: Path, tree: Tree, reason: str) -> None:
    found = weighed(context_of(tmp_path, tree), signal(GATE, I))
    assert found.grade is I
    assert reason in found.reason


def test_toothless_runs_wire_what_blocks_nothing(tmp_path: Path) -> None:
    """Tracking has its effect whether or not the job's failure is seen; a gate has not."""
    context = context_of(tmp_path, workflow("python train.py || true"))
    assert not BOOK.practices[TRACKING].blocking
    assert BOOK.practices[GATE].blocking
    assert weighed(context, signal(TRACKING, I)).grade is W
    assert weighed(context, signal(GATE, I)).grade is I


def test_a_second_start_with_an_effect_is_found_behind_a_toothless_one(tmp_path: Path) -> None:
    tree = {
        **workflow("python train.py || true"),
        ".github/workflows/b.yml": "on: push\njobs: {b: {runs-on: x, steps: [{run: python train.py}]}}\n",
    }
    assert weighed(context_of(tmp_path, tree), signal(GATE, I)).grade is W


def test_fixed_claims_are_never_raised(tmp_path: Path) -> None:
    assert weighed(context_of(tmp_path, workflow("python train.py")), signal(GATE, I, fixed=True)).grade is I


def test_traces_are_never_raised(tmp_path: Path) -> None:
    assert weighed(context_of(tmp_path, workflow("python train.py")), signal(GATE, T)).grade is T


def test_a_claim_is_started_where_its_anchor_is(tmp_path: Path) -> None:
    """A configuration file is never started itself; the code that reads it is."""
    context = context_of(tmp_path, {**workflow("python train.py"), "conf.yaml": "a: 1\n"})
    assert weighed(context, signal(GATE, I, "conf.yaml", 1, scope="")).grade is I
    assert weighed(context, signal(GATE, I, "conf.yaml", 1, scope="", anchor=("train.py", "train"))).grade is W


def test_weighing_has_one_order(tmp_path: Path) -> None:
    context = context_of(tmp_path, ML)
    signals = [signal(GATE, I, line=n) for n in (12, 3, 7)] + [signal(TRACKING, T), signal(TRACKING, I, line=9)]
    assert weigh(context, signals) == weigh(context, signals[::-1])


# -- the best one decides ----------------------------------------------------------------------------------------------


def test_no_claim_is_absent() -> None:
    found = graded(TRACKING)
    assert (found.grade, found.met, found.evidence) == (Grade.ABSENT, False, ())


def test_the_best_claim_decides_and_its_evidence_is_first() -> None:
    found = graded(
        TRACKING, signal(TRACKING, T, "a.py", 1), signal(TRACKING, I, "b.py", 2), signal(TRACKING, T, "c.py", 3)
    )
    assert (found.grade, found.met) == (I, True)
    assert str(found.evidence[0].location) == "b.py:2"


def test_many_traces_are_a_trace() -> None:
    found = graded(TRACKING, *(signal(TRACKING, T, f"{n}.py", 1) for n in range(20)))
    assert (found.grade, found.met) == (T, False)


@pytest.mark.parametrize("grade_", [I, W])
def test_low_confidence_never_meets(grade_: Grade) -> None:
    assert not graded(TRACKING, signal(TRACKING, grade_, confidence=Confidence.LOW)).met
    assert graded(TRACKING, signal(TRACKING, grade_, confidence=Confidence.MEDIUM)).met


def test_confidence_decides_between_equal_grades() -> None:
    found = graded(
        TRACKING,
        signal(TRACKING, I, "a.py", confidence=Confidence.LOW),
        signal(TRACKING, I, "b.py", confidence=Confidence.HIGH),
    )
    assert found.met
    assert found.confidence is Confidence.HIGH


def test_a_stronger_guess_does_not_hide_a_weaker_certainty() -> None:
    """Implemented for sure meets a minimum of implemented, whatever a text match suggests beside it."""
    found = graded(
        TRACKING,
        signal(TRACKING, W, "a.py", confidence=Confidence.LOW),
        signal(TRACKING, I, "b.py", confidence=Confidence.HIGH),
    )
    assert found.met


def unknown(practice: str) -> Signal:
    """A claim that files cannot say."""
    return Signal(practice, "ci", U, (Evidence(Location("Jenkinsfile", 1)),), Confidence.LOW, "not read", fixed=True)


def test_unknown_alone_is_unknown_and_met_by_nothing() -> None:
    found = graded(CODE, unknown(CODE))
    assert (found.grade, found.met, found.reason) == (U, False, "not read")


def test_unknown_does_not_override_a_grade_that_meets() -> None:
    found = graded(GATE, unknown(GATE), signal(GATE, W))
    assert (found.grade, found.met) == (W, True)


def test_unknown_is_said_where_what_is_seen_does_not_meet() -> None:
    found = graded(GATE, unknown(GATE), signal(GATE, T))
    assert (found.grade, found.met) == (U, False)


def test_ruled_out() -> None:
    item = Signal(GATE, "x", Grade.NOT_APPLICABLE, (), reason="nothing is trained")
    assert graded(GATE, item).grade is Grade.NOT_APPLICABLE
    assert graded(GATE, item, signal(GATE, I)).grade is I


@pytest.mark.parametrize("name", sorted(BOOK.practices))
def test_a_practice_is_met_from_its_minimum_on(name: str) -> None:
    minimum = BOOK.practices[name].minimum
    for grade_ in (T, I, W):
        assert graded(name, signal(name, grade_)).met == (grade_.strength >= minimum.strength)


def test_results_come_in_the_order_of_the_rules() -> None:
    assert [result.id for result in grade(BOOK.practices, [signal(GATE, I)])] == list(BOOK.practices)


def test_primary_evidence_is_the_definition() -> None:
    item = Signal(
        GATE, "x", I, (Evidence(Location("a.yml", 1), Hop.TRIGGER), Evidence(Location("a.py", 5), Hop.DEFINITION))
    )
    shown = primary(graded(GATE, item))
    assert shown is not None
    assert str(shown.location) == "a.py:5"
    assert primary(graded(GATE)) is None


def test_evidence_is_bounded_and_distinct() -> None:
    found = graded(TRACKING, *(signal(TRACKING, I, f"{n % 20}.py", 1) for n in range(60)))
    assert len(found.evidence) <= 12
    assert len({e.location for e in found.evidence}) == len(found.evidence)


# -- which of equal claims is shown ------------------------------------------------------------------------------------


def first_shown(context: Context, *signals: Signal) -> str:
    """The file that stands for a practice which several signals claim alike."""
    shown = primary(graded(signals[0].practice, *weigh(context, signals)))
    assert shown is not None
    return shown.location.path


def test_main_code_is_shown_before_notebooks_and_tests(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "a.ipynb": NOTEBOOK, "b.py": "", "tests/a.py": ""})
    claims = (signal(TRACKING, T, path, 1, scope="") for path in ("a.ipynb", "b.py", "tests/a.py"))
    assert first_shown(context, *claims) == "b.py"


def test_a_stronger_claim_of_a_notebook_is_shown_first(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "a.ipynb": NOTEBOOK, "b.py": ""})
    strong, weak = signal(TRACKING, I, "a.ipynb", 1, scope=""), signal(TRACKING, T, "b.py", 1, scope="")
    assert first_shown(context, strong, weak) == "a.ipynb"


@pytest.mark.parametrize("practice", ["experiment/config", "experiment/reproducible", "model/evaluation"])
def test_code_that_trains_is_shown_first(tmp_path: Path, practice: str) -> None:
    tree = {
        **ML,
        "convert.py": "import numpy\n",
        "boot.py": "from train import train\n\n\ndef main():\n    train('a', 'b')\n",
    }
    context = context_of(tmp_path, tree)
    claims = [signal(practice, I, path, 1, scope="") for path in ("boot.py", "convert.py", "data.py", "train.py")]
    assert first_shown(context, *claims) == "train.py"
    assert first_shown(context, *claims[:3]) == "boot.py"
    assert first_shown(context, *claims[1:3]) == "data.py"
    assert (
        first_shown(context, signal("deploy/serving", I, "convert.py", 1), signal("deploy/serving", I)) == "convert.py"
    )


def test_environments_of_folders_that_train_are_shown_first(tmp_path: Path) -> None:
    tree = {**{f"model/{path}": text for path, text in ML.items()}, "load/Dockerfile": "", "model/Dockerfile": ""}
    context = context_of(tmp_path, tree)
    claims = [signal("env/containerized", I, path, 1, scope="") for path in ("load/Dockerfile", "model/Dockerfile")]
    assert first_shown(context, *claims) == "model/Dockerfile"


def test_a_filled_in_exercise_is_shown_before_the_one_with_blanks(tmp_path: Path) -> None:
    paths = ("a/labs/train.py", "a/solutions/train.py")
    context = context_of(tmp_path / "a", dict.fromkeys(paths, ML["train.py"]))
    assert first_shown(context, *(signal(TRACKING, I, path) for path in paths)) == "a/solutions/train.py"
    paths = ("a/labs/train.py", "b/solutions/train.py")
    context = context_of(tmp_path / "b", dict.fromkeys(paths, ML["train.py"]))
    assert first_shown(context, *(signal(TRACKING, I, path) for path in paths)) == "a/labs/train.py"

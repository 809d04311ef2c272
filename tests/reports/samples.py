"""A hand-built report with everything in it, hostile names included."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_scan.engine.report import (
    Asset,
    ComponentResult,
    Finding,
    FindingRule,
    Gap,
    LevelResult,
    ModelResult,
    PracticeResult,
    Report,
    RowResult,
    SectionScore,
    Statistics,
    TestScore,
)
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Incomplete, Location, Role, Severity

HOSTILE = (
    "new\nline.py",
    "esc\x1b[31mred\x1b[0m.py",
    "c1\x9b31m.py",
    "[bold red]markup[/].py",
    "with space.py",
    "großes Modell/été.py",
    "{{cookiecutter.name}}/train.py",
    "bidi\u202egnp.py",
    "undecodable\udcff.py",
    "100%.py",
)

RULES = (
    FindingRule(
        id="MLS301",
        title="A test or gate cannot fail",
        severity=Severity.ERROR,
        why="The check runs, but its failure has no effect.",
        fix="Remove the switch that hides the failure.",
        help_url="https://example.org/rules/MLS301",
        tags=("ci", "gates"),
        example="- run: pytest tests/model || true\n",
    ),
    FindingRule(
        id="MLS401",
        title="Next level: model deployment",
        severity=Severity.NOTE,
        why="A model is deployed by automation. " * 60,
        fix="Add a deploy job.",
        help_url="https://example.org/rules/MLS401",
        tags=("maturity-gap", *(f"tag{number}" for number in range(12))),
    ),
    FindingRule("MLS999", "Never used", Severity.WARNING, "", "", ""),
)

CHAIN = (
    Evidence(Location("tests/model/test_model.py", 8, 20), Hop.DEFINITION, "def test_auc(model):", Role.TEST),
    Evidence(Location("Makefile", 12), Hop.USE, "pytest tests/model || true"),
    Evidence(Location(".github/workflows/ci.yml", 3), Hop.TRIGGER, "on: [push]"),
)

MODEL_TESTS = PracticeResult(
    id="ci/model-tests",
    title="Model tests in CI",
    grade=Grade.IMPLEMENTED,
    met=False,
    minimum=Grade.WIRED,
    confidence=Confidence.HIGH,
    reason="the script has no `set -e`: a failing test cannot fail the job",
    tools=("pytest",),
    evidence=CHAIN,
)
ORCHESTRATION = PracticeResult(
    id="pipeline/orchestration",
    title="Training pipeline",
    grade=Grade.WIRED,
    met=True,
    minimum=Grade.IMPLEMENTED,
    confidence=Confidence.HIGH,
    reason="",
    tools=("dvc",),
    evidence=(Evidence(Location("dvc.yaml", 14), text="train:"),),
)
TRACKING = PracticeResult(
    id="experiment/tracking",
    title="Experiment tracking",
    grade=Grade.IMPLEMENTED,
    met=True,
    minimum=Grade.IMPLEMENTED,
    confidence=Confidence.MEDIUM,
    reason="",
    tools=("mlflow",),
    evidence=(Evidence(Location("services/scoring/src/a_rather_long_package_name/training/train_model.py", 140)),),
)


def _empty(practice: str, minimum: Grade = Grade.WIRED) -> PracticeResult:
    return PracticeResult(practice, practice, Grade.ABSENT, False, minimum, Confidence.LOW, "")


LADDER = (
    LevelResult(1, "Manual Process", True, ()),
    LevelResult(
        2,
        "ML Pipeline Automation",
        True,
        (
            RowResult(
                "a pipeline or a schedule that trains",
                ("pipeline/orchestration",),
                ("pipeline/orchestration",),
                1,
                2.0,
                2.0,
            ),
            RowResult("tracked", ("experiment/tracking", "pipeline/metadata"), ("experiment/tracking",), 1, 1.0, 1.0),
        ),
    ),
    LevelResult(
        3,
        "Continuous Integration/Delivery",
        False,
        (
            RowResult("model tests in CI", ("ci/model-tests",), (), 1, 2.0, 1.0),
            RowResult("automated deployment", ("cd/model-deploy", "cd/pipeline-deploy"), (), 1, 2.0, 0.0),
        ),
    ),
    LevelResult(4, "Full Automation", False, (RowResult("drift", ("monitoring/drift",), (), 1, 2.0, 0.0),)),
)

MODELS = (
    ModelResult("default", "Four levels", "", 2, "ML Pipeline Automation", 4, 3, 0.25, LADDER, ()),
    ModelResult(
        id="google",
        name="Google Cloud",
        mapping="Google counts from 0.",
        level=0,
        level_name="Manual process",
        top=2,
        next_level=1,
        progress=0.5,
        ladder=(
            LevelResult(0, "Manual process", True, ()),
            LevelResult(1, "Automation", False, (RowResult("a gate", ("model/quality-gate",), (), 1, 2.0, 1.0),)),
        ),
        gaps=(Gap("model/quality-gate", "A gate", 1, "medium", "Add a gate."),),
    ),
    ModelResult(
        id="ml-test-score",
        name="ML Test Score",
        mapping="A score.",
        level=1,
        level_name="serious holes possible",
        top=5,
        next_level=2,
        progress=0.5,
        ladder=(LevelResult(0, "research", True, ()), LevelResult(1, "serious holes possible", True, ())),
        gaps=(),
        score=0.5,
        bound=3.0,
        sections=(
            SectionScore("Data", 0.5, 3.0, (TestScore("D1", "a schema", ("data/validation",), 0.5, 1.0),)),
            SectionScore("Model", 1.0, 4.0, (TestScore("M1", "specifications", ("governance/ownership",), 1.0, 1.0),)),
        ),
    ),
    ModelResult("genai", "GenAI ladder", "Language models only.", None, "", 4, None, None, (), ()),
)

HEADLINE = ComponentResult(
    path="services/scoring",
    kind="application",
    level=2,
    level_name="ML Pipeline Automation",
    next_level=3,
    progress=0.25,
    ladder=LADDER,
    practices=(
        ORCHESTRATION,
        TRACKING,
        _empty("pipeline/metadata", Grade.IMPLEMENTED),
        MODEL_TESTS,
        _empty("cd/model-deploy"),
        _empty("cd/pipeline-deploy"),
        _empty("monitoring/drift"),
    ),
    ahead=(("governance/model-card", 4),),
    gaps=(
        Gap("ci/model-tests", "Model tests in CI", 3, "low", "Add `set -e` to the script:\n    set -euo pipefail"),
        Gap("cd/model-deploy", "Model deployment", 3, "medium", "Add a deploy job that `needs` the tests."),
        Gap("cd/pipeline-deploy", "Pipeline deployment", 3, "medium", "Deploy the pipeline from CI."),
        Gap("monitoring/drift", "Drift monitoring", 3, "high", "Schedule a drift check."),
    ),
    models=MODELS,
)

FINDINGS = (
    Finding(
        id="MLS401",
        title="Next level: model deployment",
        severity=Severity.NOTE,
        message="level 3 asks for cd/model-deploy",
        location=Location("pyproject.toml", 1),
        fingerprint="f1",
        help_url="https://example.org/rules/MLS401",
    ),
    Finding(
        id="MLS301",
        title="A test or gate cannot fail",
        severity=Severity.ERROR,
        message="`pytest tests/model || true` in [this](http://evil.example) job cannot fail",
        location=Location("Makefile", 12),
        fingerprint="f2",
        help_url="https://example.org/rules/MLS301",
        related=CHAIN,
    ),
)

INVENTORY = (
    Asset("dataset", "data/raw.csv.dvc", "pointer", "dvc-data", digest=("md5", "a304afb96060aad90176268345e10355"),
          evidence=(Evidence(Location("data/raw.csv.dvc", 3), text="path: raw.csv"),)),
    Asset("dataset", "data/images", "file", evidence=(Evidence(Location("data/images/1.npy", 1)),), files=900),
    Asset("framework", "torch", "pypi", "pytorch", "2.4.0",
          evidence=(Evidence(Location("requirements.txt", 4), text="torch==2.4.0"),
                    Evidence(Location("src/train.py", 2), Hop.USE, "import torch"))),
    Asset("model", "gpt-4o", "hosted", "openai", evidence=(Evidence(Location("src/answer.py", 9)),)),
    Asset("model", "models/m.onnx", "pointer", "git-lfs", digest=("sha256", "0" * 64),
          evidence=(Evidence(Location("models/m.onnx", 1)),)),
    Asset("model", "org/base-7b", "hub", "transformers", "8d3c1f", evidence=(Evidence(Location("src/train.py", 20)),)),
    Asset("pipeline", "dvc.yaml", "declared", "dvc", evidence=(Evidence(Location("dvc.yaml", 2), text="stages:"),)),
    Asset("service", "src/serve.py", "serving", "fastapi", evidence=(Evidence(Location("src/serve.py", 7)),)),
)  # fmt: skip


def report() -> Report:
    """A level 2 application on the way to level 3."""
    return Report(
        version="1.2.3",
        rules_version="abc123def456",
        path=".",
        revision="0123456789abcdef0123456789abcdef01234567",
        kind="application",
        kind_reason="it trains a model and serves it",
        kind_place=Location("src/train.py", 30),
        has_ml=True,
        model="default",
        levels=(("default", 2), ("google", 0), ("ml-test-score", 0.5), ("genai", None)),
        attested_level=2,
        headline=HEADLINE,
        components=(HEADLINE, replace(HEADLINE, path="services/ranking", level=1, level_name="Manual Process")),
        findings=FINDINGS,
        incomplete=(Incomplete("charts/values.yaml", "line 3: found a tab"), Incomplete(".", "too many files")),
        statistics=Statistics(files=120, files_read=40, files_parsed=38, bytes_read=99_000),
        rules=RULES,
        notices=("2 files were left out by --exclude",),
        inventory=INVENTORY,
    )


def without_ml() -> Report:
    """A web framework."""
    nothing = ComponentResult(".", "non-ml", None, "", None, None, (), (), (), ())
    return replace(
        report(),
        kind="non-ml",
        kind_reason="no file trains, loads or calls a model",
        kind_place=None,
        has_ml=False,
        levels=(("default", None),),
        attested_level=None,
        headline=nothing,
        components=(),
        findings=(),
        incomplete=(),
        notices=(),
        inventory=(),
    )


def inventory(words: tuple[str, ...]) -> tuple[Asset, ...]:
    """The sample's assets with each of the words for their names, tools, versions and places."""
    return tuple(
        replace(
            asset,
            name=word,
            tool=word,
            version=word,
            evidence=(Evidence(Location(word.strip("/") or "x", 1), text=word),),
        )
        for word in words
        for asset in INVENTORY
    )


def hostile() -> Report:
    """The same report with hostile names wherever scanned content can appear."""
    findings = tuple(
        replace(
            FINDINGS[1],
            location=Location(name, 1),
            message=f"{name} is bad",
            fingerprint=str(number),
            related=(Evidence(Location(name, 2), text=name),),
        )
        for number, name in enumerate(HOSTILE)
    )
    practices = tuple(
        replace(MODEL_TESTS, reason=name, tools=(name,), evidence=(Evidence(Location(name, 3), text=name),))
        for name in HOSTILE
    )
    headline = replace(HEADLINE, path=HOSTILE[1], practices=(practices[1], *HEADLINE.practices, *practices))
    return replace(
        report(),
        path=HOSTILE[1],
        kind_reason=HOSTILE[1],
        headline=headline,
        components=tuple(replace(HEADLINE, path=name) for name in HOSTILE),
        findings=findings,
        incomplete=tuple(Incomplete(name, name) for name in HOSTILE),
        notices=HOSTILE,
        inventory=inventory(HOSTILE),
    )

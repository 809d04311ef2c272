"""Governance: model cards that say something, owners that a forge would ask, a person before production."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.scan import ScanOptions
from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, places, practice, scan_tree, where

CARD, OWNERS, APPROVAL = "governance/model-card", "governance/ownership", "governance/approval"
SUBSTANCE = """\
# Model card: churn

## Intended use
Ranks customers of the fixed-line product by the chance that they cancel within a month, so that the service team calls
the first two hundred of them. It must not be used to set prices.

## Training data
Contracts of 2023 to 2025 without business customers; a row is one contract at the end of one month.

## Metrics
AUC 0.83 on contracts of the last quarter, 0.79 for contracts younger than half a year.

## Limitations
Contracts that moved from another operator are too few to judge. Ratings of regions with fewer than fifty contracts are
not reliable, and the list of those regions is kept beside the training data.

## Contact
Team retention, owner Jo Doe.
"""
HEADINGS = (
    "# Model card\n\n## Intended use\n\n## Training data\n\n## Metrics\n\n## Limitations\n\n## Ethical considerations\n"
)
PLACEHOLDERS = (
    HEADINGS.replace("\n\n## ", "\n\nTODO: describe the model, its data and its metrics\n\n## ")
    + "\n[More Information Needed]\n"
)


@pytest.mark.parametrize("path", ["MODEL_CARD.md", "docs/model-card.md", "model_card.md", "docs/datasheet.md"])
def test_card_with_substance(tmp_path: Path, path: str) -> None:
    report = scan_tree(tmp_path, {**ML, path: SUBSTANCE})
    assert grade(report, CARD) is Grade.IMPLEMENTED
    assert practice(report, CARD).met
    assert findings(report, "MLS601") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADINGS, "words below its headings"),
        (PLACEHOLDERS, "placeholders"),
        ("", "words below its headings"),
        (
            "# Model card\n\n" + "This folder was made by the generator of the team and holds what it makes. " * 12,
            "covers fewer",
        ),
    ],
    ids=["headings", "placeholders", "empty", "about something else"],
)
def test_card_without_substance(tmp_path: Path, text: str, reason: str) -> None:
    report = scan_tree(tmp_path, {**ML, "MODEL_CARD.md": text})
    result = practice(report, CARD)
    assert result.grade is Grade.TRACE
    assert reason in result.reason
    assert where(report, "MLS601") == ["MODEL_CARD.md:1"]


@pytest.mark.parametrize(
    "path",
    ["README.md", "docs/card_game.md", "vendor/a/MODEL_CARD.md", "examples/MODEL_CARD.md", "business_card.md"],
)
def test_no_card(tmp_path: Path, path: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: SUBSTANCE}), CARD) is Grade.ABSENT


# -- owners ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"])
@pytest.mark.parametrize("rule", ["* @acme/ml", "*.py ml@example.org", "/src/ @acme/ml", "src/train.py @jo"])
def test_owners_of_the_training_code(tmp_path: Path, path: str, rule: str) -> None:
    tree = {"src/train.py": ML["train.py"], "src/data.py": ML["data.py"], path: f"# owners\n{rule}\n"}
    result = practice(scan_tree(tmp_path, tree), OWNERS)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence) == [f"{path}:2"]


def test_owners_of_something_else(tmp_path: Path) -> None:
    tree = {**ML, "CODEOWNERS": "docs/ @writers\n*.tf @acme/infra\n"}
    result = practice(scan_tree(tmp_path, tree), OWNERS)
    assert result.grade is Grade.TRACE
    assert "none of its rules" in result.reason


@pytest.mark.parametrize(
    "text", ["", "# * @acme/ml\n", "*\n", "train.py somebody\n"], ids=["empty", "comment", "pattern only", "no handle"]
)
def test_owners_without_a_name(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, ".github/CODEOWNERS": text})
    assert grade(report, OWNERS) is Grade.TRACE
    assert where(report, "MLS602") == [".github/CODEOWNERS:1"]


@pytest.mark.parametrize(("rules", "expected"), [("* @acme/ml\n", True), ("docs/ @writers\n", False)])
def test_an_owner_of_everything_where_no_code_uses_a_model(tmp_path: Path, rules: str, expected: bool) -> None:
    tree = {"prompts/answer.md": "Answer the question.\n", "run.sh": "echo hello\n", ".github/CODEOWNERS": rules}
    report = scan_tree(tmp_path, tree, ScanOptions(kind="application"))
    assert practice(report, "governance/ownership").met is expected


@pytest.mark.parametrize("path", ["src/CODEOWNERS", "OWNERS", "vendor/a/CODEOWNERS"])
def test_owners_where_no_forge_looks(tmp_path: Path, path: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: "* @acme/ml\n"}), OWNERS) is Grade.ABSENT


def test_the_last_rule_that_matches_decides(tmp_path: Path) -> None:
    """A later rule without an owner takes the training code away from the first rule's owner."""
    tree = {**ML, "CODEOWNERS": "* @acme/ml\n*.py\n"}
    assert not practice(scan_tree(tmp_path, tree), OWNERS).met


# -- approval ----------------------------------------------------------------------------------------------------------


def test_manual_job_that_deploys(tmp_path: Path) -> None:
    text = "deploy:\n  script: [kubectl apply -f k8s/]\n  when: manual\n"
    assert practice(scan_tree(tmp_path, {**ML, ".gitlab-ci.yml": text}), APPROVAL).met


@pytest.mark.parametrize(
    "text",
    ["lint:\n  script: [ruff check .]\n  when: manual\n", "deploy:\n  script: [kubectl apply -f k8s/]\n"],
    ids=["manual lint", "automatic deployment"],
)
def test_no_approval(tmp_path: Path, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, ".gitlab-ci.yml": text}), APPROVAL).met


HUB = "---\nlibrary_name: sklearn\npipeline_tag: tabular-classification\nlicense: mit\n---\n"


def test_readme_with_the_header_of_a_model(tmp_path: Path) -> None:
    assert practice(scan_tree(tmp_path / "card", {**ML, "README.md": HUB + SUBSTANCE}), CARD).met
    assert grade(scan_tree(tmp_path / "plain", {**ML, "README.md": SUBSTANCE}), CARD) is Grade.ABSENT
    space = HUB.replace("license: mit", "sdk: gradio")
    assert grade(scan_tree(tmp_path / "space", {**ML, "README.md": space + SUBSTANCE}), CARD) is Grade.ABSENT
    empty = scan_tree(tmp_path / "empty", {**ML, "README.md": HUB + "# Model\n\n[More Information Needed]\n"})
    assert grade(empty, CARD) is Grade.TRACE


def test_forge_reads_the_first_file_of_owners_only(tmp_path: Path) -> None:
    tree = {**ML, ".github/CODEOWNERS": "docs/ @writers\n", "CODEOWNERS": "* @acme/ml\n"}
    assert not practice(scan_tree(tmp_path / "shadowed", tree), OWNERS).met
    swapped = {**ML, ".github/CODEOWNERS": "* @acme/ml\n", "CODEOWNERS": "docs/ @writers\n"}
    assert practice(scan_tree(tmp_path / "first", swapped), OWNERS).met


@pytest.mark.parametrize(
    "text",
    ["approvers:\n- ann\nreviewers:\n- joe\n", "# see docs\napprovers: [ann]\n", "approvers:\n  # lead\n  - ann\n"],
)
def test_owners_that_prow_asks(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "OWNERS": text}), OWNERS) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("OWNERS", "approvers:\nreviewers:\n- joe\n"),
        ("OWNERS", "# approvers:\n# - ann\n"),
        ("OWNERS", "Ann and Joe wrote this\n"),
        ("manifests/OWNERS", "approvers:\n- ann\n"),
    ],
)
def test_owners_that_approve_nothing(tmp_path: Path, path: str, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: text}), OWNERS) is Grade.ABSENT


def test_card_told_by_its_title(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path / "a", {**ML, "docs/churn_model.md": SUBSTANCE}), CARD) is Grade.IMPLEMENTED
    other = SUBSTANCE.replace("# Model card: churn", "# Serving the model\n\n## Model card")
    assert grade(scan_tree(tmp_path / "b", {**ML, "docs/churn_model.md": other}), CARD) is Grade.ABSENT
    assert grade(scan_tree(tmp_path / "c", {**ML, "README.md": SUBSTANCE}), CARD) is Grade.ABSENT


MAKER = """\
from pathlib import Path


def generate_model_card(scores):
    lines = ["# Model card", "## Intended use", "Ranks customers.", "## Training data", "## Metrics"]
    lines += [f"- {name}: {value}" for name, value in scores.items()]
    Path("MODEL_CARD.md").write_text("\\n".join([*lines, "## Limitations"]))
"""
RELEASE = """\
from cards import generate_model_card
from train import train

if __name__ == "__main__":
    generate_model_card({"auc": 0.8})
"""


def test_card_that_code_writes(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "cards.py": MAKER, "release.py": RELEASE})
    assert grade(report, CARD) is Grade.IMPLEMENTED
    assert places(practice(report, CARD).evidence) == ["cards.py:4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MAKER.replace(".write_text(", ".joinpath("), Grade.ABSENT),
        (MAKER.replace("Intended use", "x").replace("Training data", "x").replace("Limitations", "x"), Grade.ABSENT),
        (MAKER.replace("generate_model_card", "generate_cards"), Grade.ABSENT),
    ],
    ids=["writes nothing", "says nothing", "other cards"],
)
def test_card_that_code_does_not_write(tmp_path: Path, text: str, expected: Grade) -> None:
    release = RELEASE.replace("generate_model_card", "generate_cards") if "cards(" in text else RELEASE
    assert grade(scan_tree(tmp_path, {**ML, "cards.py": text, "release.py": release}), CARD) is expected


def test_card_that_nothing_writes(tmp_path: Path) -> None:
    release = RELEASE.replace('generate_model_card({"auc": 0.8})', 'train("rows.csv")')
    result = practice(scan_tree(tmp_path, {**ML, "cards.py": MAKER, "release.py": release}), CARD)
    assert result.grade is Grade.TRACE
    assert "nothing calls" in result.reason

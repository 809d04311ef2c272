"""Plans: cheapest, in an order that works; what they write counts only once somebody has filled it in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from mlops_scan.cli.main import run
from mlops_scan.engine import placeholders, roadmap, scaffold
from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import scan
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import Scaffold, load
from tests.scanned import FIXTURES, report_of
from tests.trees import where, write_tree

BOOK = load()
CARD = """\
# Model card

## Intended use
It ranks parcels so that a dispatcher can call customers early. It must not decide on a refund or on a driver's pay.

## Training data
Parcels of the last two years, versioned as data/parcels.csv.dvc, without names or addresses: about two hundred thousand
rows of five features. Parcels that were returned to the sender are left out.

## Metrics
Held-out accuracy 0.84 and AUC 0.88. A candidate below 0.80 accuracy is not released, whatever its other metrics say.

## Limitations
Rural routes and the week before Christmas are under-represented, and new depots have no history for the first month.

## Owner
The lateness team answers for it.
"""

FILLED: dict[str, tuple[int, dict[str, tuple[tuple[str, str], ...]], dict[str, str]]] = {
    # fixture: (level after filling in, replacements by file, files that a person adds)
    "level1-manual": (2, {"dvc.yaml": (("python evaluate.py", "python train_model.py --epochs 0"),)},
                      {"requirements.txt": "numpy==2.1.3\npandas==2.2.3\ntorch==2.5.1\nscikit-learn==1.5.2\n"}),
    "level2-dvc": (
        3,
        {
            "tests/test_features.py": (
                ("from features import prepare", "from src.prepare import main as prepare"),
            ),
            ".github/workflows/deploy-model.yml": (("your-organisation/scoring", "shop-ml/sentiment"),),
        },
        {"Dockerfile": "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python serve.py\n",
         "serve.py": "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
         "model = joblib.load('models/sentiment.joblib')\n\n\n@app.post('/predict')\ndef predict(text: str):\n"
         "    return {'positive': float(model.predict([text])[0])}\n"},
    ),
    "level3-github": (
        4,
        {"CODEOWNERS": (("[*] @your-team", "* @parcel-ml/lateness"),), "MODEL_CARD.md": (("(?s).*", CARD),)},
        {},
    ),
}  # fmt: skip


def applied(tmp_path: Path, fixture: str) -> Path:
    repo = tmp_path / "repo"
    shutil.copytree(FIXTURES / fixture / "repo", repo)
    assert run(["plan", str(repo), "--isolated", "--apply"]) == 0
    return repo


def grades(report: Report) -> dict[str, bool]:
    return {item.id: item.met for item in report.headline.practices}


def fill_in(repo: Path, replacements: Mapping[str, tuple[tuple[str, str], ...]], added: Mapping[str, str]) -> None:
    """What a person does: put in values, remove the markers."""
    for path in sorted(repo.rglob("*")):
        if (
            path.is_file()
            and path.suffix in (".yml", ".yaml", ".py", ".md", "")
            and b"TODO(mlops-scan)" in path.read_bytes()
        ):
            text = path.read_text(encoding="utf-8")
            text = re.sub(r"(?m)^[ \t]*(# )?TODO\(mlops-scan\).*\n", "", text)
            text = re.sub(r"  # TODO\(mlops-scan\).*", "", text)
            path.write_text(text, encoding="utf-8")
    for name, pairs in replacements.items():
        text = (repo / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert re.search(old, text), (name, old)
            text = re.sub(old, lambda _, new=new: new, text, count=1)  # type: ignore[misc]
        (repo / name).write_text(text, encoding="utf-8")
    write_tree(repo, added)


@pytest.mark.parametrize("fixture", [*FILLED, "level3-gitlab", "level2-airflow"])
def test_a_placeholder_never_counts(tmp_path: Path, fixture: str) -> None:
    before, after = report_of(fixture), scan(applied(tmp_path, fixture))
    assert after.headline.level == before.headline.level
    assert grades(after) == grades(before)
    assert after.headline.progress == before.headline.progress
    assert where(after, "MLS005"), "each placeholder is a finding"


@pytest.mark.parametrize("fixture", list(FILLED))
def test_filled_in_the_plan_raises_the_level_by_one(tmp_path: Path, fixture: str) -> None:
    level, replacements, added = FILLED[fixture]
    repo = applied(tmp_path, fixture)
    fill_in(repo, replacements, added)
    after = scan(repo)
    missing = [row.title for rung in after.headline.ladder if rung.number <= level for row in rung.rows if not row.met]
    assert (after.headline.level, missing) == (level, [])
    assert where(after, "MLS005") == []


def test_the_order_keeps_what_others_wait_for(tmp_path: Path) -> None:
    plan = roadmap.plan(report_of("level1-manual"), BOOK, 4)
    names = [step.practice for step in plan.steps]
    assert len(set(names)) == len(names)
    for step in plan.steps:
        assert all(names.index(earlier) < names.index(step.practice) for earlier in step.after)
    assert [step.level for step in plan.steps] == sorted(step.level for step in plan.steps)
    assert {step.level for step in plan.steps} == {2, 3, 4}


def test_every_row_is_met_by_the_plan_and_no_step_is_superfluous() -> None:
    for name in FILLED:
        report = report_of(name)
        plan = roadmap.plan(report, BOOK)
        chosen = {step.practice for step in plan.steps}
        rows = next(rung.rows for rung in report.headline.ladder if rung.number == report.headline.next_level)
        assert all(len(chosen.intersection(row.practices)) + len(row.met_by) >= row.need for row in rows)
        for practice in chosen:
            rest = chosen - {practice}
            assert any(len(rest.intersection(row.practices)) + len(row.met_by) < row.need for row in rows), practice


def test_snippets_and_files_fit_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    gitlab = {step.practice: step for step in roadmap.plan(report_of("level3-gitlab"), BOOK).steps}
    assert [item.path for item in gitlab["retraining/scheduled"].files] == [".gitlab-ci.yml"]
    github = {step.practice: step for step in roadmap.plan(report_of("level3-github"), BOOK).steps}
    assert [item.path for item in github["retraining/scheduled"].files] == [".github/workflows/retrain.yml"]
    assert "dvc repro" in roadmap.variables(report_of("level3-github"))["retrain"]


def test_what_is_half_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(FIXTURES / "level2-airflow" / "repo"), "--isolated", "-f", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["level"], plan["target"]) == (2, 3)
    half = [step for step in plan["steps"] if step["evidence"]]
    assert all(step["evidence"]["line"] >= 1 and step["grade"] != "absent" for step in half)


def test_nothing_that_exists_is_replaced_and_comments_survive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = tmp_path / "repo"
    shutil.copytree(FIXTURES / "level3-gitlab" / "repo", repo)
    before = {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}
    ci = repo / ".gitlab-ci.yml"
    ci.write_text("# our pipeline\n" + ci.read_text() + "\n# the end\n")
    assert run(["plan", str(repo), "--isolated", "--diff"]) == 0
    assert "+retrain:" in capsys.readouterr().out
    assert "retrain:" not in ci.read_text(), "--diff writes nothing"
    assert run(["plan", str(repo), "--isolated", "--apply"]) == 0
    for path, content in before.items():
        if path != ci:
            assert path.read_bytes() == content
    text = ci.read_text()
    old = yaml.safe_load(before[ci])
    new = yaml.safe_load(text)
    assert {key: new[key] for key in old} == old
    assert list(new)[: len(old)] == list(old)
    assert text.startswith("# our pipeline\n")
    assert "# the end" in text
    assert run(["plan", str(repo), "--isolated", "--apply"]) == 0
    assert ci.read_text() == text, "a second time adds nothing"


def test_written_elsewhere(tmp_path: Path) -> None:
    source = FIXTURES / "level1-manual" / "repo"
    assert run(["plan", str(source), "--isolated", "--write", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "dvc.yaml").is_file()
    assert not (source / "dvc.yaml").exists()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "mlops").symlink_to(outside)
    item = Scaffold("x", (), (), "mlops/x.py", False, "x")
    with pytest.raises(ScanError, match="leads out of"):
        scaffold.changes(tmp_path / "repo", [item], {})
    assert list(outside.iterdir()) == []


def test_a_broken_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    repo = write_tree(tmp_path, {".gitlab-ci.yml": "a: [\n"})
    items = [
        Scaffold("x", (), (), "new.py", False, "x = 1\n"),
        Scaffold("y", (), (), ".gitlab-ci.yml", True, "job:\n  script: [x]\n"),
    ]
    with pytest.raises(ScanError, match="not valid YAML"):
        scaffold.changes(repo, items, {})
    assert not (repo / "new.py").exists()


@pytest.mark.parametrize(
    ("fixture", "options", "said"),
    [
        ("non-ml", [], "there is no level to plan from"),
        ("level1-manual", ["--to", "9"], "has no level above 4"),
        ("level1-manual", ["--model", "ml-test-score"], "is a score"),
        ("level1-manual", ["--apply", "--diff"], "exclude each other"),
    ],
)
def test_wrong_use(fixture: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(FIXTURES / fixture / "repo"), "--isolated", *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fixture", "said"),
    [
        ("template", "from level 1 to level 2 (default) in 1 step\n"),
        ("level1-manual", "from level 1 to level 2 (default) in 3 steps\n"),
        ("course", "03-orchestration: from level 1 to level 2 (default) in 1 step\n"),  # which another lesson has taken
    ],
)
def test_the_way_begins_with_its_length(fixture: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(FIXTURES / fixture / "repo"), "--isolated"]) == 0
    assert capsys.readouterr().out.startswith(said)


def test_nothing_is_missing_at_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", str(FIXTURES / "level4-full" / "repo"), "--isolated"]) == 0
    assert "nothing is missing" in capsys.readouterr().out


@pytest.mark.parametrize("item", BOOK.scaffolds, ids=lambda item: item.id)
def test_every_scaffold_is_marked_and_valid(item: Scaffold) -> None:
    assert placeholders.blocks(item.text), "a scaffold without a marker would count"
    if item.path.endswith((".yml", ".yaml")):
        values = {"%train%": "train.py", "%retrain%": "dvc repro"}
        text = item.text
        for name, value in values.items():
            text = text.replace(name, value)
        assert isinstance(yaml.safe_load(text), dict)
        if item.merge:
            marked = {line for first, last, _ in placeholders.blocks(text) for line in range(first, last + 1)}
            loose = [number for number, line in enumerate(text.split("\n"), 1) if line.strip() and number not in marked]
            assert all(text.split("\n")[number - 1] == "stages:" for number in loose)
    elif item.path.endswith(".py"):
        compile(item.text.replace("%train%", "train.py"), item.path, "exec")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\n", []),
        ("a: 1\n# TODO(mlops-scan) x\nb: 2\n", [(1, 4, 2)]),
        ("s:\n  a:\n    cmd: x  # TODO(mlops-scan)\n    n: 1\n  b:\n    cmd: y\n", [(2, 4, 3)]),
        ("a:\n  - x\n  - y  # TODO(mlops-scan)\nb: 1\n", [(1, 3, 3)]),
        ("def f():\n    # TODO(mlops-scan)\n    return 1\n\n\ndef g():\n    return 2\n", [(1, 5, 2)]),
        ("# TODO: not ours\n", []),
    ],
)
def test_blocks(text: str, expected: list[tuple[int, int, int]]) -> None:
    assert placeholders.blocks(text) == expected


def test_a_marked_step_in_a_pipeline_that_is_there_is_no_step(tmp_path: Path) -> None:
    from tests.trees import ML, grade, scan_tree

    stage = "  train:\n    cmd: python train.py{mark}\n    outs: [model.joblib]\n"
    real = "stages:\n  prepare:\n    cmd: python data.py\n    outs: [clean.csv]\n" + stage
    marked = scan_tree(tmp_path / "a", {**ML, "dvc.yaml": real.replace("{mark}", "  # TODO(mlops-scan): check")})
    filled = scan_tree(tmp_path / "b", {**ML, "dvc.yaml": real.replace("{mark}", "")})
    assert not grade(marked, "pipeline/orchestration").strength >= 2
    assert grade(filled, "pipeline/orchestration").strength >= 2


def test_what_only_a_marked_job_starts_is_not_started(tmp_path: Path) -> None:
    from tests.trees import ML, grade, scan_tree

    test = "from train import train\n\n\ndef test_train():\n    assert train('a.csv', 'm')\n"
    job = "{mark}on: push\njobs:\n  t:\n    runs-on: x\n    steps:\n      - run: pytest\n"
    tree = {**ML, "tests/test_train.py": test}
    ci = ".github/workflows/ci.yml"
    filled = scan_tree(tmp_path / "a", {**tree, ci: job.replace("{mark}", "")})
    marked = scan_tree(tmp_path / "b", {**tree, ci: job.replace("{mark}", "# TODO(mlops-scan): check\n")})
    assert (grade(filled, "ci/code-tests").value, grade(filled, "code/unit-tests").value) == ("wired", "wired")
    assert (grade(marked, "ci/code-tests").value, grade(marked, "code/unit-tests").value) == ("trace", "implemented")

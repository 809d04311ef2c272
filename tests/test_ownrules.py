"""Rules of one's own: ten lines teach a tool, patterns stay linear, ids stay apart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlops_scan.cli.main import run
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.errors import RuleError
from mlops_scan.fingerprints.patterns import compile_name
from mlops_scan.rulebook import load
from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, scan_tree, where, write_tree

ACME = """\
tools:
  - id: acme-train
    signals:
      - {serves: pipeline/orchestration, does: [train], calls: [acme.train.submit]}
      - {serves: experiment/tracking, calls: ["acme.runs.*.log"]}
    samples:
      - {path: a.py, text: "import acme.train\\nacme.train.submit('m')", expect: [pipeline/orchestration, "does:train"]}
      - {path: a.py, text: "import acme.train  # acme.train.submit('m')", expect: []}
      - {path: a.py, text: "import acme.runs\\nacme.runs.new().log(1)", expect: [experiment/tracking]}
"""
TREE = {
    **ML,
    "requirements.txt": "scikit-learn==1.4.0\njoblib==1.3.2\npandas==2.1.0\n",
    "submit.py": "import acme.train\nfrom acme.runs import new\n\nacme.train.submit('train.py')\nnew().log(auc=0.9)\n",
}


def own(folder: Path, text: str) -> Path:
    file = folder / "acme.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_ten_lines_teach_an_unknown_tool_and_the_level_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(ACME.splitlines()) <= 10
    rules = own(tmp_path / "rules", ACME)
    assert run(["rules", "test", str(rules.parent)]) == 0
    assert "1 tool, 3 samples: every sample holds" in capsys.readouterr().out
    before = scan_tree(tmp_path / "repo", TREE)
    after = scan_tree(tmp_path / "repo", TREE, ScanOptions(rules=(rules,)))
    assert (before.headline.level, after.headline.level) == (1, 2)
    assert grade(before, "pipeline/orchestration") is Grade.ABSENT
    assert "submit.py:4" in [str(e.location) for p in after.headline.practices for e in p.evidence]
    assert after.rules_version.startswith(before.rules_version + "+")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("submit.py", "import acme.train\n\n# acme.train.submit('train.py')\n"),
        ("submit.py", 'TEXT = """\nimport acme.train\nacme.train.submit(\'train.py\')\n"""\n'),
        ("tests/test_submit.py", TREE["submit.py"]),
        ("acme/train.py", "def submit(x):\n    return x\n"),
    ],
)
def test_what_is_no_use_of_it_changes_nothing(tmp_path: Path, name: str, content: str) -> None:
    tree = {**{k: v for k, v in TREE.items() if k != "submit.py" or name.startswith("acme/")}, name: content}
    report = scan_tree(tmp_path / "repo", tree, ScanOptions(rules=(own(tmp_path, ACME),)))
    assert grade(report, "pipeline/orchestration").strength < Grade.IMPLEMENTED.strength


def test_a_failing_sample_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = own(tmp_path, ACME.replace("acme.train.submit]", "acme.train.start]"))
    assert run(["rules", "test", str(rules)]) == 1
    assert "own/acme-train: sample 1 (a.py) lacks" in capsys.readouterr().err


def test_practices_and_findings_of_ones_own(tmp_path: Path) -> None:
    rules = own(
        tmp_path,
        "practices:\n  - {id: acme/review, title: Reviewed, minimum: implemented, what: A board reviews it.,"
        " gap: ACME210, remedy: Ask the board.}\n"
        "findings:\n  - {id: ACME101, title: The old client, severity: warning, why: It is gone., fix: Use v2.}\n"
        "tools:\n  - id: acme-old\n    signals:\n      - {finds: ACME101, calls: [acme_old.Client]}\n"
        "      - {serves: acme/review, calls: [acme_old.review]}\n",
    )
    tree = {**ML, "old.py": "import acme_old\n\nacme_old.Client()\nacme_old.review()\n"}
    report = scan_tree(tmp_path / "repo", tree, ScanOptions(rules=(rules,)))
    assert where(report, "ACME101") == ["old.py:3"]
    assert "The old client" in findings(report, "ACME101")[0].message
    assert grade(report, "acme/review") is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a+)+", "regular expressions are not accepted"),
        ("acme.(train|run)", "regular expressions are not accepted"),
        ("acme.[a-z]+.run", "regular expressions are not accepted"),
        (".*submit", "regular expressions are not accepted"),
        ("a{2,3}b", "regular expressions are not accepted"),
        ("acme.{a,b.run", "the braces"),
        ("**.a.**.b.**.c", "more than 2 `**`"),
        ("acme.**.**.run", "more than 2 `**`"),
        ("acme.*a*b*c*d*e.run", "`*` in one segment"),
        ("**", "matches every name"),
        ("a" * 600, "1 to 500 characters"),
    ],
)
def test_patterns_that_could_be_slow_or_are_no_patterns_are_refused(tmp_path: Path, pattern: str, said: str) -> None:
    rules = own(tmp_path, f"tools:\n  - id: x\n    signals:\n      - {{does: [train], calls: ['{pattern}']}}\n")
    with pytest.raises(RuleError) as caught:
        load(extra=[rules])
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{rules}:4:")


def test_the_worst_accepted_pattern_is_fast_on_a_hostile_name() -> None:
    name = ".".join(["aaaaaaaa"] * 400) + ".x"
    begin = time.perf_counter()
    assert compile_name("**.*a*a*a*a.**.end").fullmatch(name) is None
    assert time.perf_counter() - begin < 20


def test_every_built_in_pattern_would_be_accepted(tmp_path: Path) -> None:
    from mlops_scan.ownrules import check_tool_patterns

    for tool in load().tools.values():
        for signature in tool.signatures:
            entry = {"signals": [{"calls": list(signature.calls), "commands": list(signature.commands)}]}
            check_tool_patterns(entry, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("findings:\n  - {id: MLS950, title: T, severity: note, why: W, fix: F}\n", "no id for a finding of your own"),
        ("tools:\n  - {id: mlflow}\n", "`mlflow` is defined twice"),
        ("tols: []\n", "expected `tools:`"),
        ("tools:\n  - id: x\n    signals:\n      - {serves: a/b, calls: [x.y]}\n", "unknown practice `a/b`"),
        ("tools:\n  - id: x\n    signals:\n      - {finds: ACME1, calls: [x.y]}\n", "unknown finding `ACME1`"),
        ("tools:\n  - id: x\n    signals:\n      - {serves: a/b}\n", "has no condition"),
        ("tools: [\n", "not valid YAML"),
        ("- a\n", "expected a mapping"),
    ],
)
def test_errors_are_one_sentence_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    rules = own(tmp_path, text)
    with pytest.raises(RuleError) as caught:
        load(extra=[rules])
    assert said in str(caught.value)
    assert str(rules) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_scanned_repository_cannot_bring_its_own_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = write_tree(tmp_path / "repo", {**TREE, "rules/acme.yaml": ACME, "mlops-scan.toml": 'rules = ["rules"]\n'})
    assert run([str(repo), "-q"]) == 0
    assert capsys.readouterr().out.startswith("level 1")
    assert run([str(repo)]) == 0
    assert "are not applied" in capsys.readouterr().out
    assert run([str(repo), "-q", "--trust-repository-rules"]) == 0
    assert capsys.readouterr().out.startswith("level 2")
    assert run([str(repo), "--isolated", "--rules", str(repo / "rules")]) == 2
    assert "--trust-repository-rules" in capsys.readouterr().err
    outside = own(tmp_path / "elsewhere", ACME)
    assert run([str(repo), "-q", "--isolated", "--rules", str(outside)]) == 0
    assert capsys.readouterr().out.startswith("level 2")


def test_list_and_explain_know_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = own(tmp_path, ACME)
    assert run(["rules", "list", "tools", "--rules", str(rules)]) == 0
    assert "acme-train" in capsys.readouterr().out
    assert run(["explain", "acme-train", "--rules", str(rules)]) == 0
    assert run(["explain", "google:1"]) == 0
    assert "google level 1" in capsys.readouterr().out
    assert run(["explain", "level", "3"]) == 2

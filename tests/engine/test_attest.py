"""Attestations: checked, limited in time, outdone by files, never more than half of a level."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from mlops_scan.cli.main import run
from mlops_scan.engine import attest
from mlops_scan.engine.report import AttestationResult, Report
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.errors import ScanError
from mlops_scan.words import Grade, Location
from tests.engine.test_levels import BOOK, DEFAULT, A, W, results
from tests.scanned import FIXTURES
from tests.trees import where

DAY = date(2026, 2, 1)
ENTRY = """\
attestations:
  - practice: cd/model-deploy
    claim: the platform team's pipeline releases every tagged model
    evidence: https://tickets.example.org/ML-12
    by: jane@example.org
    reviewed_by: sam@example.org
    date: 2026-01-10
    expires: 2026-06-30
"""


def scanned(tmp_path: Path, text: str = ENTRY, as_of: date | None = DAY, fixture: str = "level2-dvc") -> Report:
    shutil.copytree(FIXTURES / fixture / "repo", tmp_path / "repo", dirs_exist_ok=True)
    (tmp_path / "repo" / "mlops-attestations.yaml").write_text(text, encoding="utf-8")
    return scan(tmp_path / "repo", ScanOptions(as_of=as_of))


def status(report: Report) -> str:
    return report.attestations[0].status


def test_a_valid_one_counts_beside_the_observed_level(tmp_path: Path) -> None:
    report = scanned(tmp_path)
    assert status(report) == "applied"
    assert report.headline.level == 2
    assert report.attested_level == 2, "one row does not make a level"
    assert any("jane@example.org attests cd/model-deploy" in notice for notice in report.notices)


def test_the_day_decides(tmp_path: Path) -> None:
    assert status(scanned(tmp_path, as_of=None)) == "undated"
    late = scanned(tmp_path, as_of=date(2026, 7, 1))
    assert status(late) == "expired"
    assert where(late, "MLS002") == ["mlops-attestations.yaml:2"]
    assert status(scanned(tmp_path, as_of=date(2026, 1, 9))) == "future"
    soon = scanned(tmp_path, as_of=date(2026, 6, 10))
    assert (status(soon), where(soon, "MLS003")) == ("applied", ["mlops-attestations.yaml:2"])


def test_a_covered_file_that_changed_makes_it_stale(tmp_path: Path) -> None:
    now = hashlib.sha256((FIXTURES / "level2-dvc/repo/dvc.yaml").read_bytes()).hexdigest()
    good = ENTRY + f"    covers:\n      dvc.yaml: {now}\n"
    assert status(scanned(tmp_path, good)) == "applied"
    stale = scanned(tmp_path, good.replace(now, "0" * 64))
    assert (status(stale), len(where(stale, "MLS002"))) == ("stale", 1)
    with pytest.raises(ScanError, match=f"write `dvc.yaml: {now}`"):
        scanned(tmp_path, ENTRY + "    covers: [dvc.yaml]\n")


def test_the_files_are_believed_when_they_say_the_contrary(tmp_path: Path) -> None:
    text = ENTRY.replace("cd/model-deploy", "monitoring/drift")
    shutil.copytree(FIXTURES / "level2-dvc" / "repo", tmp_path / "repo")
    (tmp_path / "repo" / "monitoring.yaml").write_text(
        "monitoring:\n  drift:\n    enabled: false\n    threshold: 0.2\n    model: churn\n", encoding="utf-8"
    )
    report = scanned(tmp_path, text)
    assert where(report, "MLS501")
    assert status(report) == "contradicted"
    assert where(report, "MLS004") == ["mlops-attestations.yaml:2"]


def test_what_is_observed_needs_no_attestation(tmp_path: Path) -> None:
    assert status(scanned(tmp_path, fixture="level3-github")) == "observed"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    by: jane@example.org\n", "", ":2: the attestation lacks `by`"),
        ("sam@example.org", "Jane@example.org", "somebody else"),
        ("2026-06-30", "2026-12-31", "1 to 180 days"),
        ("2026-06-30", "2026-01-10", "1 to 180 days"),
        ("2026-06-30", "soon", ":8: `expires` is 'soon'"),
        ("cd/model-deploy", "ci/code-tests", "cannot be attested"),
        ("cd/model-deploy", "cd/model-deply", "did you mean `cd/model-deploy`?"),
        ("    claim:", "    clame: x\n    claim:", ":3: an attestation has no key 'clame'; did you mean `claim`?"),
        ("    claim:", "    component: services/x\n    claim:", "no component 'services/x'"),
        ("attestations:", "attestation:", "expected a list under `attestations:`"),
        ("    claim: the", "    claim: 'the", "not valid YAML"),
    ],
)
def test_an_invalid_one_ends_the_scan_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ENTRY
    with pytest.raises(ScanError) as caught:
        scanned(tmp_path, ENTRY.replace(old, new))
    assert said in str(caught.value)
    assert "mlops-attestations.yaml:" in str(caught.value)
    assert run([str(tmp_path / "repo"), "--as-of", "2026-02-01"]) == 2


# -- levels ------------------------------------------------------------------------------------------------------------

TWO = dict.fromkeys(("pipeline/orchestration", "experiment/tracking", "env/pinned", "code/modular-training"), W)
THREE = {
    **TWO,
    **dict.fromkeys(("ci/code-tests", "ci/model-tests", "model/quality-gate", "code/unit-tests", "data/versioning"), W),
}


def claimed(*practices: str) -> list[AttestationResult]:
    return [AttestationResult(name, ".", "c", "b", "applied", "", Location("a.yaml", 1)) for name in practices]


def test_one_missing_row_can_be_attested() -> None:
    assert attest.level(DEFAULT, results(THREE), claimed("cd/model-deploy")) == (3, "")
    assert attest.level(DEFAULT, results(THREE), claimed("model/registry")) == (2, "")
    expired = [AttestationResult("cd/model-deploy", ".", "c", "b", "expired", "", Location("a.yaml", 1))]
    assert attest.level(DEFAULT, results(THREE), expired) == (2, "")


def test_at_most_half_of_a_level_may_be_attested() -> None:
    watched = (
        "monitoring/performance-threshold",
        "monitoring/drift",
        "monitoring/alerts",
        "retraining/scheduled",
        "monitoring/service-metrics",
    )
    grades = {**THREE, "cd/model-deploy": W, "model/registry": W, "governance/model-card": W, "governance/ownership": W}
    level, why = attest.level(DEFAULT, results(grades), claimed(*watched))
    assert level == 3
    assert "more than half of level 4" in why
    assert attest.level(DEFAULT, results({**grades, "monitoring/drift": W}), claimed(*watched)) == (4, "")


def test_the_gate_uses_the_observed_level_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FIXTURES / "level3-github" / "repo"
    repo = tmp_path / "repo"
    shutil.copytree(source, repo)
    (repo / ".github" / "workflows" / "deploy.yml").unlink()
    (repo / "mlops-attestations.yaml").write_text(ENTRY, encoding="utf-8")
    common = [str(repo), "--isolated", "--as-of", "2026-02-01", "--fail-below", "3"]
    assert run([*common, "-f", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["level"], report["attested_level"]) == (2, 3)
    assert run([*common, "--count-attestations"]) == 0
    assert "Observed level: 2. With attestations: level 3." in capsys.readouterr().out


def test_every_part_or_ext_practice_and_no_full_one_can_be_attested() -> None:
    for practice in BOOK.practices.values():
        assert practice.attestable is (practice.observability != "full"), practice.id
    assert A is Grade.ABSENT

"""Findings: stable identities, a place for every one, and a choice by id that cannot be mistyped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops_scan.engine.findings import anchor, build, rules
from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import load
from mlops_scan.words import Location, Problem
from tests.trees import ML, TRAIN, Tree, context_of, findings, scan_tree

PATHS: Tree = {
    **ML,
    "train.py": TRAIN.replace('"data.csv"', '"/home/anna/data.csv"'),
    "model.pkl": b"\x80\x04" + bytes(99),
}


def fingerprints(report: Report) -> dict[str, str]:
    """Fingerprints by rule of the defects (gaps have places of their own)."""
    return {finding.id: finding.fingerprint for finding in report.findings if not finding.message.startswith("Level")}


# -- identity ----------------------------------------------------------------------------------------------------------


def test_fingerprints_survive_moved_lines(tmp_path: Path) -> None:
    before = scan_tree(tmp_path / "a", PATHS)
    moved = {**PATHS, "train.py": "# a licence\n\n\n" + str(PATHS["train.py"])}
    after = scan_tree(tmp_path / "b", moved)
    assert fingerprints(before) == fingerprints(after)
    assert findings(before, "MLS102")[0].location.line + 3 == findings(after, "MLS102")[0].location.line


def test_fingerprints_survive_other_white_space(tmp_path: Path) -> None:
    spaced = {**PATHS, "train.py": str(PATHS["train.py"]).replace('("--data", default=', '( "--data",  default = ')}
    assert fingerprints(scan_tree(tmp_path / "a", PATHS)) == fingerprints(scan_tree(tmp_path / "b", spaced))


def test_fingerprints_tell_other_content_and_other_files_apart(tmp_path: Path) -> None:
    first = findings(scan_tree(tmp_path / "a", PATHS), "MLS102")[0]
    content = {**PATHS, "train.py": str(PATHS["train.py"]).replace("anna", "berta")}
    other = findings(scan_tree(tmp_path / "b", content), "MLS102")[0]
    renamed = {**{k: v for k, v in PATHS.items() if k != "train.py"}, "fit.py": PATHS["train.py"]}
    elsewhere = findings(scan_tree(tmp_path / "c", renamed), "MLS102")[0]
    assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3


def test_fingerprints_of_equal_lines_are_numbered(tmp_path: Path) -> None:
    steps = "      - run: pytest || true\n" * 2
    tree = {
        "tests/test_a.py": "def test_a():\n    assert 1 + 1 == 2\n",
        ".github/workflows/a.yml": f"on: push\njobs:\n  test:\n    runs-on: x\n    steps:\n{steps}",
    }
    found = findings(scan_tree(tmp_path, {**ML, **tree}), "MLS301")
    assert len(found) == 2
    assert len({finding.fingerprint for finding in found}) == 2


def test_fingerprints_do_not_depend_on_where_the_tree_lies(tmp_path: Path) -> None:
    one, two = scan_tree(tmp_path / "a", PATHS), scan_tree(tmp_path / "deep" / "b", PATHS)
    assert [f.fingerprint for f in one.findings] == [f.fingerprint for f in two.findings]


# -- places ------------------------------------------------------------------------------------------------------------


def test_every_finding_has_a_place_in_the_tree(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PATHS, "requirements.txt": "scikit-learn\n"})
    assert len(report.findings) > 5
    for finding in report.findings:
        file = tmp_path / finding.location.path
        assert file.is_file()
        lines = max(1, len(file.read_bytes().splitlines()))
        assert 1 <= finding.location.line <= lines


def test_findings_are_ordered_by_place(tmp_path: Path) -> None:
    found = [(f.location, f.id) for f in scan_tree(tmp_path, PATHS).findings]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("names", "component", "expected"),
    [
        (("README.md", "pyproject.toml", "a.py"), ".", "pyproject.toml"),
        (("README.md", "requirements.txt"), ".", "requirements.txt"),
        (("README.md", "a.py"), ".", "README.md"),
        (("b.py", "c.py"), ".", "b.py"),
        (("sub/README.md", "z.py"), ".", "sub/README.md"),
        (("README.md", "a/b.py", "a/setup.py"), "a", "a/setup.py"),
        (("ab/setup.py", "a/b.py"), "a", "a/b.py"),
    ],
)
def test_anchor(tmp_path: Path, names: tuple[str, ...], component: str, expected: str) -> None:
    context = context_of(tmp_path, dict.fromkeys(names, "x = 1\n"))
    assert anchor(context, component) == Location(expected, 1)


def test_problem_named_twice_is_one_finding(tmp_path: Path) -> None:
    context = context_of(tmp_path, ML)
    place = Location("train.py", 3)
    found, _ = build(
        context,
        [Problem("MLS101", "a", place), Problem("MLS101", "b", place), Problem("MLS102", "a", place)],
        (),
        (),
        (),
    )
    assert [(f.id, f.message) for f in found] == [("MLS101", "a"), ("MLS102", "a")]


@pytest.mark.parametrize("folder", ["vendor/kit", "dist"])
def test_problems_of_foreign_files_are_not_said(tmp_path: Path, folder: str) -> None:
    context = context_of(tmp_path, {**ML, f"{folder}/a.py": "x = 1\n"})
    assert build(context, [Problem("MLS101", "a", Location(f"{folder}/a.py", 1))], (), (), ()) == ((), ())


# -- choice ------------------------------------------------------------------------------------------------------------


def ids(report: Report) -> set[str]:
    """Rule ids of a report's findings."""
    return {finding.id for finding in report.findings}


def test_select_and_ignore(tmp_path: Path) -> None:
    everything = ids(scan_tree(tmp_path, PATHS))
    assert {"MLS101", "MLS102", "MLS103"} <= everything
    assert ids(scan_tree(tmp_path, PATHS, ScanOptions(select=("MLS102",)))) == {"MLS102"}
    assert ids(scan_tree(tmp_path, PATHS, ScanOptions(ignore=("MLS102",)))) == everything - {"MLS102"}
    assert ids(scan_tree(tmp_path, PATHS, ScanOptions(select=("MLS10",), ignore=("MLS103",)))) == {"MLS101", "MLS102"}


@pytest.mark.parametrize("name", ["MLS999", "mls101", "NOPE", "MLS101x"])
def test_unknown_id_is_an_error(tmp_path: Path, name: str) -> None:
    for options in (ScanOptions(select=(name,)), ScanOptions(ignore=(name,)), ScanOptions(select=("MLS101", name))):
        with pytest.raises(ScanError, match=re.escape(name)):
            scan_tree(tmp_path, ML, options)


def test_unknown_id_is_an_error_where_nothing_is_found_too(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="MLS999"):
        scan_tree(tmp_path, {"README.md": "# no model\n"}, ScanOptions(select=("MLS999",)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScanError, match="MLS999"):
        scan_tree(tmp_path / "empty", {}, ScanOptions(select=("MLS999",)))


# -- documentation -----------------------------------------------------------------------------------------------------


def test_every_rule_is_documented() -> None:
    documented = rules(load())
    assert len({rule.id for rule in documented}) == len(documented) == len(load().findings)
    for rule in documented:
        assert re.fullmatch(r"MLS\d{3}", rule.id)
        assert rule.title
        assert rule.why
        assert rule.fix
        assert rule.id.lower() in rule.help_url.lower()


def test_gaps_name_the_level_and_the_state(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, ML)
    gap = next(f for f in report.findings if f.id == "MLS230")
    assert gap.message == "Level 2 asks for “A declared pipeline trains the model”, and nothing of it was found."
    assert {g.level for g in report.headline.gaps} == {2}

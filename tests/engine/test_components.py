"""Components: a monorepo's parts are judged apart, and what stands above them counts for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.components import belongs
from mlops_scan.engine.report import ComponentResult, PracticeResult, Report
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.errors import ScanError
from mlops_scan.words import Evidence, Grade, Location, Signal
from tests.trees import ML, TRAIN, Tree, scan_tree

REQUIREMENTS = "scikit-learn==1.5.2\npandas==2.2.3\njoblib==1.4.2\n"
DVC = "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n"


def service(name: str, **more: str) -> dict[str, str | bytes]:
    """A folder with training code and dependencies of its own."""
    tree: dict[str, str | bytes] = {f"{name}/{path}": text for path, text in ML.items()}
    tree[f"{name}/requirements.txt"] = REQUIREMENTS
    tree.update({f"{name}/{path.replace('__', '.')}": text for path, text in more.items()})
    return tree


def component(report: Report, path: str) -> ComponentResult:
    """One component."""
    return next(item for item in report.components if item.path == path)


def of(report: Report, path: str, practice: str) -> PracticeResult:
    """A practice of one component."""
    return next(result for result in component(report, path).practices if result.id == practice)


TWO: Tree = {**service("services/churn", dvc__yaml=DVC), **service("services/ranking")}


def test_two_services_are_two_components(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, TWO)
    assert [item.path for item in report.components] == ["services/churn", "services/ranking"]
    assert of(report, "services/churn", "pipeline/orchestration").met
    assert of(report, "services/ranking", "pipeline/orchestration").grade is Grade.ABSENT


def test_evidence_of_one_component_never_helps_the_other(tmp_path: Path) -> None:
    tracked = TRAIN.replace("import joblib\n", "import joblib\nimport mlflow\n").replace(
        "    model.fit(x, y)\n", "    model.fit(x, y)\n    mlflow.log_metric('a', 1)\n"
    )
    report = scan_tree(tmp_path, {**TWO, "services/ranking/train.py": tracked})
    assert of(report, "services/ranking", "experiment/tracking").met
    assert of(report, "services/churn", "experiment/tracking").grade is Grade.ABSENT
    assert component(report, "services/churn").level == component(report, "services/ranking").level == 1


def test_what_stands_above_counts_for_both(tmp_path: Path) -> None:
    report = scan_tree(
        tmp_path, {**TWO, "CODEOWNERS": "* @acme/ml\n", ".gitattributes": "*.csv filter=lfs diff=lfs merge=lfs -text\n"}
    )
    for path in ("services/churn", "services/ranking"):
        assert of(report, path, "governance/ownership").met
        assert of(report, path, "data/versioning").met


def workflow(run: str) -> str:
    """A workflow at the root."""
    return f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {run}\n"


TEST = "from data import read\n\n\ndef test_read():\n    x, y = read('s.csv')\n    assert len(x) == len(y)\n"


def test_root_level_ci_that_tests_both_counts_for_both(tmp_path: Path) -> None:
    tree = {
        **TWO,
        "services/churn/tests/test_data.py": TEST,
        "services/ranking/tests/test_ranks.py": TEST,
        ".github/workflows/ci.yml": workflow("pytest services"),
    }
    report = scan_tree(tmp_path, tree)
    assert of(report, "services/churn", "ci/code-tests").grade is Grade.WIRED
    assert of(report, "services/ranking", "ci/code-tests").grade is Grade.WIRED


def test_ci_of_one_component_does_not_count_for_the_other(tmp_path: Path) -> None:
    tree = {
        **TWO,
        "services/churn/tests/test_data.py": TEST,
        ".github/workflows/ci.yml": workflow("pytest services/churn"),
    }
    report = scan_tree(tmp_path, tree)
    assert of(report, "services/churn", "ci/code-tests").grade is Grade.WIRED
    assert of(report, "services/ranking", "ci/code-tests").grade is Grade.ABSENT


@pytest.mark.parametrize(
    "tree",
    [
        ML,
        service("services/churn"),
        {
            **service("services/churn"),
            "services/web/requirements.txt": "flask==3.0.0\n",
            "services/web/app.py": "import flask\n",
        },
        {**{path: text for path, text in TWO.items() if not path.endswith("requirements.txt")}},
        {**TWO, "train.py": ML["train.py"], "data.py": ML["data.py"]},
    ],
    ids=["root", "one service", "one of two trains", "no manifests", "training at the root"],
)
def test_one_project_is_one_component(tmp_path: Path, tree: Tree) -> None:
    report = scan_tree(tmp_path, tree)
    assert [item.path for item in report.components] == ["."]


def test_a_folder_inside_a_component_is_none_of_its_own(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**TWO, **service("services/churn/batch")})
    assert [item.path for item in report.components] == ["services/churn", "services/ranking"]


def test_prefix_of_a_name_is_no_folder(tmp_path: Path) -> None:
    """`churn` does not hold what `churn_v2` holds."""
    report = scan_tree(tmp_path, {**service("churn", dvc__yaml=DVC), **service("churn_v2")})
    assert [item.path for item in report.components] == ["churn", "churn_v2"]
    assert not of(report, "churn_v2", "pipeline/orchestration").met


def test_headline_is_the_largest_or_the_wanted_one(tmp_path: Path) -> None:
    big = TRAIN + "".join(f"\n\ndef helper_{n}(x):\n    y = x + {n}\n    return y\n" for n in range(30))
    tree = {**TWO, "services/ranking/train.py": big}
    assert scan_tree(tmp_path, tree).headline.path == "services/ranking"
    assert scan_tree(tmp_path, tree, ScanOptions(component="services/churn/")).headline.path == "services/churn"
    with pytest.raises(ScanError, match="no such component; known: services/churn, services/ranking"):
        scan_tree(tmp_path, tree, ScanOptions(component="services/none"))


def test_lessons_of_a_course(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"0{n}-part/{path}": text for n in (1, 2, 3) for path, text in ML.items()}
    tree["02-part/dvc.yaml"] = DVC
    report = scan_tree(tmp_path, tree)
    assert report.kind == "course"
    assert [item.path for item in report.components] == ["01-part", "02-part", "03-part"]
    assert report.headline.path == "02-part"
    assert not of(report, "01-part", "pipeline/orchestration").met


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("a/x.py",), True),
        (("b/x.py",), False),
        (("x.py",), True),
        ((".github/workflows/ci.yml",), True),
        ((".github/workflows/ci.yml", "b/x.py"), False),
        ((".github/workflows/ci.yml", "b/x.py", "a/x.py"), True),
        (("ab/x.py",), True),  # in no component at all
    ],
)
def test_belongs(paths: tuple[str, ...], expected: bool) -> None:
    signal = Signal("ci/code-tests", "pytest", Grade.WIRED, tuple(Evidence(Location(path, 1)) for path in paths))
    assert belongs(signal, "a", ("a", "b")) is expected
    assert belongs(signal, ".", (".",)) is True

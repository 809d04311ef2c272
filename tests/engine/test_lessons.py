"""Repositories of many independent pieces, packages that are tools, and what only looks like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.components import find
from mlops_scan.engine.kind import decide
from mlops_scan.engine.lessons import lesson_folders, project_folders
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.repository.files import File, Texts
from mlops_scan.words import Role
from tests.scanned import FIXTURES, report_of
from tests.trees import ML, TRAIN, Tree, context_of

CLASSIFIED = (
    '[project]\nname = "NAME"\nversion = "1.0"\nclassifiers = ["Programming Language :: Python :: 3"]\n'
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
)


def kind_of(folder: Path, tree: Tree) -> str:
    """The kind of a tree."""
    return decide(context_of(folder, tree)).name


def projects(count: int, readme: str = "# Things\n", manifest: str = "requirements.txt") -> Tree:
    """Folders with a training script and dependencies each."""
    tree: dict[str, str | bytes] = {"README.md": readme}
    for number in range(count):
        tree[f"{'abcdefgh'[number]}/train.py"] = TRAIN
        tree[f"{'abcdefgh'[number]}/{manifest}"] = "scikit-learn==1.5.2\n"
    return tree


def files(*paths: str) -> tuple[File, ...]:
    """Files by path alone."""
    return tuple(File(path, 1, Role.SOURCE, Texts()) for path in paths)


@pytest.mark.parametrize(
    ("paths", "count"),
    [
        (("labs/01-a/x.py", "labs/02-b/x.py", "labs/03-c/x.py"), 3),
        (("labs/01-a/x.py", "labs/02-b/x.py"), 0),
        (("infra/01-a/x.py", "infra/02-b/x.py", "infra/03-c/x.py"), 0),
        ((*(f"0{n}-a/x.py" for n in range(3)), *(f"1{n}-moved/README.md" for n in range(9))), 3),
        ((*(f"0{n}-a/sub/x.py" for n in range(3)), "labs/04-b/x.md"), 3),
        (("01-a/x.py", "02-a/x.R", "03-a/x.md", "04-a/x.md"), 4),
        (tuple(f"work/dvc/lab_{n}/x.py" for n in range(5)), 5),
        (tuple(f"work/dvc/lab_{n}/x.py" for n in range(4)), 0),
        (tuple(f"work/dvc/lab_{n}/x.tf" for n in range(5)), 0),
        (tuple(f"work/dvc/{n}/x.py" for n in range(5)), 0),
        (tuple(f"data/part_{n}/x.py" for n in range(5)), 0),
        (tuple(f"book/listings/chap{n}/x.py" for n in range(5)), 5),
        (tuple(f"app/chap{name}/x.py" for name in ("lain", "s", "ter", "el", "e")), 0),
    ],
    ids=[
        "shelf",
        "two",
        "no shelf",
        "moved",
        "code below",
        "hardly any code",
        "deep",
        "too few",
        "no code",
        "bare numbers",
        "parts of data",
        "chapters of listings",
        "no chapters",
    ],
)
def test_lessons_below_the_top(paths: tuple[str, ...], count: int) -> None:
    assert len(lesson_folders(files(*paths))) == count


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        (projects(6), "course"),
        (projects(5), "application"),
        (projects(3, "# Shop\n\nA collection of examples and tutorials\n"), "course"),
        (projects(2, "# Shop\n\nA collection of examples and tutorials\n"), "application"),
        (projects(6, manifest="notes.txt"), "application"),
        ({**projects(3, "# Final project of the course\n"), **{f"src/{n}.py": TRAIN for n in range(4)}}, "application"),
    ],
    ids=["six", "five", "three and told", "two and told", "no manifest", "most work elsewhere"],
)
def test_collection_of_projects(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


def test_a_project_is_what_its_readme_describes(tmp_path: Path) -> None:
    folders = ("a", "b/seed/build", "c/seed/build", "labs/d", "e/seed/build", "f/build", "g/build")
    tree: dict[str, str | bytes] = {f"{folder}/train.py": TRAIN for folder in folders}
    tree |= {f"{folder}/requirements.txt": "scikit-learn==1.5.2\n" for folder in folders}
    readmes = ("", "b/", "b/seed/build/", "labs/", "e/", "f/", "f/other/", "g/", "g/build/inner/")
    tree |= {f"{folder}README.md": "# Things\n" for folder in readmes}
    tree |= {"e/other/train.py": TRAIN, "c/notes.md": ""}  # work of another one, no README
    expected = ("a", "b", "c/seed/build", "e/seed/build", "f/build", "g", "labs/d")
    assert project_folders(context_of(tmp_path, tree)) == expected


def demos(count: int, title: str = "# Tool Demos\n", more: Tree | None = None) -> Tree:
    """Folders with a README and a training script each, without dependencies of their own."""
    tree = projects(count, title, "README.md")
    return {**tree, **(more or {})}


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        (demos(4), "course"),
        (demos(3), "application"),
        (demos(4, "# Shop\n\nSee the demos.\n"), "application"),
        (demos(4, more={f"src/{n}.py": TRAIN for n in range(5)}), "application"),
        (demos(4, more={"a/use.py": "from b.train import train\n\ntrain(1, 2)\n"}), "application"),
        ({k: v for k, v in demos(4).items() if k != "a/README.md"}, "application"),
    ],
    ids=["four", "three", "not the title", "most work elsewhere", "one imports another", "no README"],
)
def test_collection_of_demos(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


def test_projects_of_a_collection_are_its_components(tmp_path: Path) -> None:
    context = context_of(tmp_path, projects(6))
    assert find(context, decide(context)).folders == ("a", "b", "c", "d", "e", "f") == project_folders(context)


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        ({"README.md": "# A guide to MLOps\n", "docs/a.md": "text\n"}, "course"),
        ({"README.md": "# Awesome machine learning\n", "docs/a.md": "text\n"}, "non-ml"),
        ({"README.md": "# An awesome course on machine learning\n", "docs/a.md": "text\n"}, "course"),
        ({"README.md": "# A guide to gardening\n", "docs/a.md": "text\n"}, "non-ml"),
        ({"README.md": "# Shop\n\nSee our guide. No machine learning.\n", "docs/a.md": "text\n"}, "non-ml"),
        ({"README.md": "# A guide to MLOps\n", **{f"{n}.py": "print(1)\n" for n in range(4)}}, "non-ml"),
    ],
    ids=["guide", "list", "course", "other subject", "no guide", "a program"],
)
def test_written_material(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


@pytest.mark.parametrize(
    ("readme", "count", "kind"),
    [
        ("# Mesh\n\nA controller for model serving on Kubernetes.\n", 10, "platform-tool"),
        ("# Mesh\n\nA controller for model serving on Kubernetes.\n", 3, "non-ml"),
        ("# Shop\n\nServes pages.\n", 10, "non-ml"),
        ("# Shop\n" + "text\n" * 20 + "model serving\n", 10, "non-ml"),
    ],
    ids=["tool", "too small", "web shop", "in passing"],
)
def test_tool_in_a_compiled_language(tmp_path: Path, readme: str, count: int, kind: str) -> None:
    tree = {"README.md": readme, **{f"pkg/f{n}.go": "package pkg\n" for n in range(count)}}
    assert kind_of(tmp_path, tree) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("evidently", "platform-tool"),
        ("xgboost", "library"),
        ("flask", "application"),
        ("my-evidently-demo", "application"),
    ],
)
def test_package_that_is_a_known_tool(tmp_path: Path, name: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "pyproject.toml": CLASSIFIED.replace("NAME", name)}) == kind


@pytest.mark.parametrize(
    ("readme", "kind"),
    [
        ("# Nets\n\n    pip install nets-zoo\n", "library"),
        ("# Nets\n\n    pip install -r requirements.txt\n", "application"),
        ("# Nets\n\n    pip install torch\n", "application"),
    ],
)
def test_package_that_others_install(tmp_path: Path, readme: str, kind: str) -> None:
    tree = {**ML, "pyproject.toml": CLASSIFIED.replace("NAME", "nets_zoo"), "README.md": readme}
    assert kind_of(tmp_path, tree) == kind


def test_web_service_with_an_error_tracker_is_no_library(tmp_path: Path) -> None:
    tree = {
        "pyproject.toml": CLASSIFIED.replace("NAME", "shop"),
        "shop/main.py": "import sentry_sdk\n\nsentry_sdk.init(dsn='x')\n",
    }
    assert kind_of(tmp_path, tree) == "non-ml"


def test_training_in_an_example_of_a_package_does_not_make_it_an_application(tmp_path: Path) -> None:
    tree = {
        "pyproject.toml": CLASSIFIED.replace("NAME", "nets"),
        "nets/a.py": "from sklearn.base import BaseEstimator\n\n\nclass A(BaseEstimator):\n"
        "    def fit(self, x, y):\n        return self\n\n    def predict(self, x):\n        return x\n",
        "examples/dags/d.py": "from airflow.decorators import dag, task\nfrom sklearn.svm import SVC\n\n\n"
        "@task\ndef fit(x, y):\n    SVC().fit(x, y)\n\n\n"
        "@dag(schedule='@daily')\ndef flow():\n    fit(1, 2)\n\n\nflow()\n",
    }
    assert kind_of(tmp_path, tree) == "library"


def test_a_lesson_that_the_user_chose_stands_for_itself() -> None:
    root = FIXTURES / "course" / "repo"
    assert any(notice.startswith("a course: ") for notice in report_of("course").notices)
    chosen = scan(root, ScanOptions(component="02-tracking"))
    assert chosen.headline.path == "02-tracking"
    assert not any(notice.startswith("a course: ") for notice in chosen.notices)


COURSE: Tree = {f"0{n}-part/train.py": TRAIN for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"roadshow/steps/train.py": TRAIN}, ["roadshow"]),
        ({"roadshow/a/train.py": TRAIN, "roadshow/b/train.py": TRAIN}, ["roadshow/a", "roadshow/b"]),
        ({"roadshow/a/train.py": TRAIN, "roadshow/b/train.py": TRAIN, "roadshow/main.py": ""}, ["roadshow"]),
        ({"roadshow/a/train.py": TRAIN, "roadshow/src/train.py": TRAIN}, ["roadshow"]),
        ({"batch/labs/train.py": TRAIN, "batch/solutions/train.py": TRAIN}, ["batch"]),
        (
            {"roadshow/dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n"},
            [],
        ),  # of which nothing is seen to train
        ({"roadshow/serve.py": "import flask\n"}, []),
        ({"docs/train.py": TRAIN}, []),
        ({"utils/train.py": TRAIN}, []),
        ({"src/train.py": TRAIN}, []),
        ({"train.py": TRAIN}, []),
        (
            {
                "kit/train.py": TRAIN,
                "kit/__init__.py": "",
                "01-part/run.py": "from kit.train import train\n\ntrain()\n",
            },
            [],
        ),
        ({"kit/train.py": TRAIN, "01-part/run.py": "import sklearn.kit\n"}, ["kit"]),
    ],
)
def test_other_folders_of_a_course(tmp_path: Path, more: Tree, expected: list[str]) -> None:
    context = context_of(tmp_path, {**COURSE, **more})
    assert [folder for folder in find(context, decide(context)).folders if not folder.startswith("0")] == expected


def test_folders_beside_the_lessons_of_a_shelf(tmp_path: Path) -> None:
    """A folder that holds lessons is none itself; what lies beside them in it is one."""
    tree: Tree = {f"labs/{path}": text for path, text in COURSE.items()}
    context = context_of(tmp_path, {**tree, "labs/final/train.py": TRAIN, "labs/train.py": TRAIN})
    found = find(context, decide(context)).folders
    assert [folder.removeprefix("labs/") for folder in found] == ["01-part", "02-part", "03-part", "final"]


def test_folders_beside_lessons_without_work(tmp_path: Path) -> None:
    """Where the lessons do not train, nothing says that the work is divided by folders."""
    lessons: Tree = {f"0{n}-part/notes.py": "" for n in (1, 2, 3)}
    context = context_of(tmp_path, {**lessons, "a/train.py": TRAIN, "b/train.py": TRAIN})
    assert find(context, decide(context)).folders == (".",)

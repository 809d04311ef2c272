"""Training by hand, component by component, and what the findings say of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.detectors.test_training import FIT_LINE, NOTEBOOK
from tests.trees import ML, TRAIN, Tree, findings, scan_tree, where

PINS = "scikit-learn==1.5.2\npandas==2.2.3\njoblib==1.4.2\n"
LOOSE = "scikit-learn\npandas\n"
JOB = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {}\n"


def services(*names: str, pins: str = PINS) -> dict[str, str | bytes]:
    """Folders with training code and dependencies of their own."""
    tree: dict[str, str | bytes] = {f"{name}/{path}": text for name in names for path, text in ML.items()}
    tree.update({f"{name}/train.py": f"{TRAIN}# {name}\n" for name in names})
    return {**tree, **{f"{name}/requirements.txt": pins for name in names}}


def lessons(count: int) -> dict[str, str | bytes]:
    """A course whose lessons train."""
    return {f"0{n}-part/{path}": text for n in range(1, count + 1) for path, text in ML.items()}


# -- by component ------------------------------------------------------------------------------------------------------


def test_each_component_is_told_of(tmp_path: Path) -> None:
    assert where(scan_tree(tmp_path, services("a", "b")), "MLS101") == [f"{n}/train.py:{FIT_LINE}" for n in "ab"]


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({".github/workflows/a.yml": JOB.format("cd a && python train.py")}, ["b"]),
        ({"a/dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n"}, ["b"]),
        (
            {
                ".github/workflows/a.yml": JOB.format(
                    "cd a && gcloud ai custom-jobs create --region europe-west1 --config job.yaml"
                )
            },
            ["b"],
        ),
        (
            {
                ".github/workflows/a.yml": JOB.format(
                    "gcloud ai custom-jobs create --region europe-west1 --config job.yaml"
                )
            },
            [],
        ),  # of any of them
        ({".github/workflows/a.yml": JOB.format("python a/train.py && python b/train.py")}, []),
        ({".github/workflows/a.yml": JOB.format("cd a && pytest")}, ["a", "b"]),
    ],
)
def test_what_starts_one_component_starts_no_other(tmp_path: Path, more: Tree, left: list[str]) -> None:
    report = scan_tree(tmp_path, {**services("a", "b"), **more})
    assert where(report, "MLS101") == [f"{name}/train.py:{FIT_LINE}" for name in left]


@pytest.mark.parametrize(
    ("readme", "text", "documented"),
    [
        ("a/README.md", "    python train.py\n", ["a"]),
        ("README.md", "    python a/train.py\n", ["a"]),
        ("README.md", "    python ./b/train.py\n", ["b"]),
        ("a/docs/use.md", "    python train.py\n", ["a"]),
        ("README.md", "    python -m b.train\n", ["b"]),
        ("README.md", "    python train.py\n", []),  # of either, after a `cd`
        ("a/README.md", "    python data.py\n", []),
    ],
)
def test_documents_are_about_the_script_they_name(
    tmp_path: Path, readme: str, text: str, documented: list[str]
) -> None:
    found = findings(scan_tree(tmp_path, {**services("a", "b"), readme: text}), "MLS101")
    assert [f.location.path[0] for f in found if [str(e.location) for e in f.related] == [f"{readme}:1"]] == documented
    assert [f.location.path[0] for f in found if "documented as" in f.message] == documented


def test_another_file_of_that_name_is_no_training(tmp_path: Path) -> None:
    tree = {**ML, "tools/train.py": "print('a railway')\n", "README.md": "    python tools/train.py\n"}
    assert findings(scan_tree(tmp_path, tree), "MLS101")[0].related == ()
    starter = {**tree, "tools/train.py": "from train import train\n\ntrain('a', 'b')\n"}
    assert len(findings(scan_tree(tmp_path / "b", starter), "MLS101")[0].related) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python train.py \\\n  --epochs 5\n", "documented as `python train.py …`."),
        (f"python train.py {'--name value ' * 9}\n", f"documented as `python train.py {'--name value ' * 6}…`."),
        ("python train.py --eval-only -c a\npython train.py -g 8\n", "documented as `python train.py -g 8`."),
        ("python train.py --inference\n", "reaches it."),  # trains nothing
        ("python train.py --train a.csv --test b.csv\n", "documented as `python train.py --train a.csv --test b.csv`."),
        ("python other.py\n", "reaches it."),
    ],
)  # fmt: skip
def test_command_is_shown_as_a_person_would_type_it(tmp_path: Path, text: str, said: str) -> None:
    other = {"other.py": "from train import train\n", "README.md": text}
    (found,) = findings(scan_tree(tmp_path, {**ML, **other}), "MLS101")
    assert found.message.endswith(said)


def test_command_of_one_script_is_not_said_of_another(tmp_path: Path) -> None:
    tree = {"train.py": TRAIN, "tune.py": f"{TRAIN}# other\n", "README.md": "python tune.py\npython train.py\n"}
    (found,) = findings(scan_tree(tmp_path, tree), "MLS101")
    assert found.location.path == "train.py"
    assert found.message.endswith("documented as `python train.py`.")


def test_training_in_tests_is_not_called_unreached(tmp_path: Path) -> None:
    test = "from train import train\n\n\ndef test_train():\n    assert train('a', 'b') is None\n"
    tree = {**ML, "tests/test_train.py": test, ".github/workflows/a.yml": JOB.format("pytest")}
    (found,) = findings(scan_tree(tmp_path, tree), "MLS101")
    assert found.message.endswith("; outside tests no CI job, schedule or pipeline reaches it.")


def test_many_lessons_are_one_finding(tmp_path: Path) -> None:
    (found,) = findings(scan_tree(tmp_path / "a", lessons(6)), "MLS101")
    assert found.location.path == "01-part/train.py"
    assert found.message.endswith(" The same holds for 5 other components.")
    assert [item.location.path for item in found.related] == [f"0{n}-part/train.py" for n in range(2, 7)]
    assert len(findings(scan_tree(tmp_path / "b", lessons(3)), "MLS101")) == 3


# -- notebooks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "Training was seen only in this notebook, which"),
        (["a", "b"], "Training was seen only in notebooks, this one and one other, which"),
        (["a", "b", "c"], "Training was seen only in notebooks, this one and 2 others, which"),
    ],
)
def test_other_notebooks_are_counted(tmp_path: Path, names: list[str], said: str) -> None:
    (found,) = findings(scan_tree(tmp_path, {f"{name}.ipynb": NOTEBOOK for name in names}), "MLS106")
    assert found.message.startswith(said)
    assert [item.location.path for item in found.related] == [f"{name}.ipynb" for name in names[1:]]


def test_notebooks_of_lessons_name_the_lesson(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {f"0{n}-part/a.ipynb": NOTEBOOK for n in (1, 2, 3)})
    assert [f.message.partition(" was seen")[0] for f in findings(report, "MLS106")] == [
        f"`0{n}-part`: training" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("files", "command", "found"),
    [
        (["pipeline/train.sh"], "bash pipeline/train.sh", False),
        (["pipeline/train_teacher.py"], "cd pipeline && python train_teacher.py --gpus 4", False),
        (["pipeline/constrain.py"], "python pipeline/constrain.py", True),
        (["pipeline/trainer_notes.md"], "cat pipeline/trainer_notes.md", True),
        ([], "python train.py", True),  # a file of elsewhere
        (["pipeline/train.sh"], "echo done # bash pipeline/train.sh", True),
    ],
)
def test_a_started_training_script_is_another_entry(
    tmp_path: Path, files: list[str], command: str, found: bool
) -> None:
    tree = {"a.ipynb": NOTEBOOK, ".github/workflows/a.yml": JOB.format(command), **dict.fromkeys(files, "true\n")}
    assert bool(findings(scan_tree(tmp_path, tree), "MLS106")) is found


# -- pins --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["b"]),
        ({"a/requirements.txt": LOOSE}, ["a", "b"]),
        ({"b/requirements.txt": PINS}, []),
        ({"requirements.txt": PINS}, []),  # what all install
        ({"requirements.txt": LOOSE}, ["b"]),
        ({"b/uv.lock": "\n".join(f'name = "{name}"' for name in ("scikit-learn", "pandas", "joblib"))}, []),
    ],
)
def test_pins_of_one_component_do_not_count_for_another(tmp_path: Path, more: Tree, expected: list[str]) -> None:
    report = scan_tree(tmp_path, {**services("a"), **services("b", pins=LOOSE), **more})
    assert [finding.location.path.partition("/")[0] for finding in findings(report, "MLS105")] == expected

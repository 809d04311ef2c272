"""The verdict: components that the user names, and what is said where there is nothing to judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.scan import ScanOptions
from mlops_scan.errors import ScanError
from tests.trees import ML, Tree, scan_tree

TREE = {f"{folder}/{name}": text for folder in ("a", "b/c") for name, text in ML.items()}


def test_declared_components_take_the_place_of_a_guess(tmp_path: Path) -> None:
    guessed = scan_tree(tmp_path, TREE)
    assert [item.path for item in guessed.components] == ["."]
    named = scan_tree(tmp_path, TREE, ScanOptions(components=("b/c/", "a")))
    assert [item.path for item in named.components] == ["a", "b/c"]
    assert all(item.models for item in named.components)


def test_a_component_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="services/x: the configuration calls it a component"):
        scan_tree(tmp_path, TREE, ScanOptions(components=("services/x",)))


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "is it the right place?"),
        ({"README.md": "# Cats\n"}, ""),
        ({"train.ipynb": '{"cells": [{"source": "SVC().fit(x'}, "may hold a model"),
        ({".github/workflows/a.yml": "on: [\n"}, ""),  # no code
        ({**ML, "cut.ipynb": '{"cells": [{"source": "SVC().fit(x'}, ""),  # there is a workload
    ],
)
def test_why_no_workload_says_little(tmp_path: Path, tree: Tree, said: str) -> None:
    notices = scan_tree(tmp_path, tree).notices
    assert [notice.endswith(said) for notice in notices] == ([True] if said else [])


@pytest.mark.parametrize(
    ("path", "text", "notices", "unread"),
    [
        ("{{ cookiecutter.name }}/pyproject.toml", "{% if a %}\n[a]\n{% else %}\n[a]\n{% endif %}\n", 1, 0),
        ("{{ cookiecutter.name }}/pyproject.toml", "[a]\n[a]\n", 0, 1),  # broken, whatever is put in
        ("pyproject.toml", "{% if a %}\n[a]\n{% else %}\n[a]\n{% endif %}\n", 0, 1),
    ],
)
def test_a_template_that_has_to_be_rendered_is_not_broken(
    tmp_path: Path, path: str, text: str, notices: int, unread: int
) -> None:
    report = scan_tree(tmp_path, {**ML, path: text})
    assert report.notices == ("1 template cannot be read without rendering",) * notices
    assert len(report.incomplete) == unread


SERVES = (
    "import joblib\n\nmodel = joblib.load('model.joblib')\n\n\ndef predict(rows):\n    return model.predict(rows)\n"
)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"app.py": SERVES}, True),
        ({"app.py": SERVES, "README.md": "`model.fit(x, y)` trains.\n"}, True),
        ({"app.py": SERVES, **ML}, False),
        ({"app.py": SERVES, **{f"examples/{path}": text for path, text in ML.items()}}, False),
        ({"app.py": SERVES, "dvc.yaml": "stages:\n  train:\n    cmd: spacy train config.cfg\n"}, False),
        ({"util.py": "A = 1\n"}, False),  # no workload
    ],
)
def test_that_nothing_trains_is_said(tmp_path: Path, tree: Tree, said: bool) -> None:
    report = scan_tree(tmp_path, tree)
    assert ("no code was seen here that trains a model" in report.notices) is said

"""`mlops-scan trace` shows the way from a start to a place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from mlops_scan.cli.main import run
from tests.trees import write_tree

_TREE = {
    ".github/workflows/ci.yml": """\
        on: [push]
        jobs:
          train:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - run: make train
              - run: python gone.py || true
        """,
    "Makefile": "train:\n\tbash scripts/train.sh\n",
    "scripts/train.sh": "#!/bin/bash\npython train.py\n",
    "train.py": """\
        from sklearn.svm import SVC


        def main():
            SVC().fit([[0], [1]], [0, 1])


        def unused():
            print("never")


        if __name__ == "__main__":
            main()
        """,
    "aside.py": "print(1)\n",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose CI trains by way of make and a shell script."""
    monkeypatch.setenv("COLUMNS", "200")
    return write_tree(tmp_path, {path: dedent(text) for path, text in _TREE.items()})


def _shown(repository: Path, target: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run(["trace", target, str(repository)]) == 0
    return [line.strip("│├└─ ") for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("target", ["train.py", "train.py:5", "scripts/train.sh", "./scripts/train.sh:2", "Makefile:2"])
def test_every_hop_is_shown_with_its_place(repository: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(repository, target, capsys)
    assert shown[0].startswith("ci ci.yml / train on push")
    assert shown[1:4] == [
        "make train  .github/workflows/ci.yml:7",
        "bash scripts/train.sh  Makefile:2",
        "python train.py  scripts/train.sh:2",
    ]
    assert any("SVC.fit`: train" in line and line.endswith("train.py:5") for line in shown)


def test_what_is_wrong_with_a_step_is_said(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(repository, ".github/workflows/ci.yml:8", capsys)
    assert any(line.startswith("not there: ") and "gone.py" in line for line in shown)
    assert any(line.startswith("a failure here has no effect") for line in shown)
    assert not any("make train" in line for line in shown)


@pytest.mark.parametrize("target", ["aside.py", "train.py:9"])
def test_what_nothing_starts(repository: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _shown(repository, target, capsys) == [f"nothing in this repository was seen to start {target}"]


def test_a_practice_with_its_evidence(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(repository, "ci/model-tests", capsys)
    assert shown[0].startswith("ci/model-tests: ")
    assert any("train.py:" in line for line in shown[1:])


@pytest.mark.parametrize("target", ["nothing.py", "ci/no-such", "train.py:x"])
def test_an_unknown_target_is_one_sentence(repository: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trace", target, str(repository)]) == 2
    assert capsys.readouterr().err.count("\n") == 1

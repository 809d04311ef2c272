"""What a script led to serves again only where everything that matters is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.automation import followed
from mlops_scan.automation.model import Run
from mlops_scan.automation.resolve import Resolver
from mlops_scan.detectors.base import Context
from tests.trees import TRAIN, context_of

TREE = {
    "train.py": TRAIN,
    "eval.py": TRAIN,
    "run.sh": "set -e\nMODE=fast\npython $SCRIPT --mode $MODE\nbash inner.sh\n",
    "inner.sh": "set -e\npython ${OTHER}\n",
}


def _workflow(*envs: str) -> str:
    steps = "".join(f"      - run: bash run.sh\n        env: {{{env}}}\n" for env in envs)
    return f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"


def _words(context: Context) -> list[tuple[str, ...]]:
    return [run.words for run in context.automation.runs if run.words[:1] == ("python",)]


def test_variables_that_are_asked_for_decide(tmp_path: Path) -> None:
    envs = (
        "SCRIPT: train.py, OTHER: eval.py",
        "SCRIPT: train.py, OTHER: eval.py, MODE: slow, UNUSED: x",
        "SCRIPT: eval.py, OTHER: eval.py",
        "SCRIPT: eval.py, OTHER: train.py",
        "SCRIPT: eval.py",
    )
    found = _words(context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)}))
    outer = [("python", script, "--mode", "fast") for script in ("train.py", "train.py", *["eval.py"] * 3)]
    inner = [("python", name) for name in ("eval.py", "eval.py", "eval.py", "train.py", "${OTHER}")]
    assert found == [words for pair in zip(outer, inner, strict=True) for words in pair]


def _followed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts that are followed rather than remembered."""
    paths: list[str] = []
    follow = Resolver._followed_commands

    def counted(self: Resolver, script: object, path: str, *rest: object) -> object:
        paths.append(path)
        return follow(self, script, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Resolver, "_followed_commands", counted)
    return paths


def test_variables_that_nobody_asks_for_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = _followed(monkeypatch)
    envs = [f"SCRIPT: train.py, OTHER: eval.py, NUMBER: n{number}" for number in range(30)]
    context = context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)})
    assert len(_words(context)) == 60
    assert paths.count("run.sh") == paths.count("inner.sh") == 1


def test_of_very_many_values_only_some_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "_MAX_ALIKE", 3)
    paths = _followed(monkeypatch)
    envs = [f"SCRIPT: s{number}.py, OTHER: eval.py" for number in (*range(6), 0, 5)]
    context = context_of(tmp_path, {**TREE, ".github/workflows/a.yml": _workflow(*envs)})
    assert [words[1] for words in _words(context)[::2]] == [f"s{number}.py" for number in (*range(6), 0, 5)]
    assert paths.count("run.sh") == 7
    assert all(isinstance(run, Run) for run in context.automation.runs)

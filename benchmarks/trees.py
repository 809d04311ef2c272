"""Trees of files to measure on: the same shape, size and seed give the same bytes.

`mixed` is what repositories look like: most files have nothing to do with machine learning. `small` has many files of a
few lines, `huge` few files of some hundred kilobytes, `yaml` and `notebooks` mostly files of that kind.
"""

from __future__ import annotations

import base64
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

SHAPES = ("mixed", "small", "huge", "yaml", "notebooks")
SEED = 9
_FILES_A_PACKAGE = 25
_MAX_WORKFLOWS = 60  # of a tree: even large repositories have no more
_HUGE = 50  # `huge` has one file where the other shapes have so many

TRAINING = '''"""Train model {n}."""

import joblib
import mlflow
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from {package}.helpers import clean

BOUND = 0.{k}


def fit(frame, depth={k}):
    rows = clean(frame)
    model = RandomForestClassifier(max_depth=depth, random_state={n})
    with mlflow.start_run():
        model.fit(rows.drop(columns="label"), rows["label"])
        score = f1_score(rows["label"], model.predict(rows.drop(columns="label")))
        mlflow.log_metric("f1", score)
    if score < BOUND:
        raise SystemExit("too weak")
    joblib.dump(model, "models/{n}.joblib")
    return score


if __name__ == "__main__":
    fit(None)
'''
HELPER = '''"""Helpers {n}."""

import pandas as pd


def clean(frame):
    """Drop what is empty."""
    kept = frame.dropna()
    kept["ratio_{n}"] = kept["a"] / (kept["b"] + {k})
    return kept[kept["ratio_{n}"] < {k}]
'''
PLAIN = '''"""Web code {n}: nothing of machine learning."""

import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass
class Order{n}:
    number: int
    price: float = {k}.0

    def total(self, count):
        log.info("order %s", self.number)
        return self.price * count
'''
STEP = '''

def step_{i}(values, limit={k}):
    """Keep what is above a limit."""
    kept = [value for value in values if value > limit]
    if not kept:
        raise ValueError(f"nothing above {{limit}}")
    return sum(kept) / len(kept)
'''
TEST = """from {package}.helpers import clean


def test_clean_{n}():
    assert clean is not None
    assert {k} + 1 == {k} + 1
"""
WORKFLOW = """name: job {n}
on:
  push:
    branches: [main]
  schedule:
    - cron: "{k} 3 * * *"
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pip install -r requirements.txt
      - run: python {package}/train_0.py && pytest tests
"""
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n}
  labels: {{app: service-{n}, tier: "{k}"}}
spec:
  replicas: {k}
  selector:
    matchLabels: {{app: service-{n}}}
  template:
    spec:
      containers:
        - name: main
          image: registry.example.org/service-{n}:1.{k}
          env:
            - name: MODE
              value: "{k}"
          resources:
            limits: {{cpu: "1", memory: {k}Gi}}
"""
PAGE = (
    "# Page {n}\n\nHow part {n} works, with {k} remarks.\n\n" + "Some sentences of ordinary length stand here.\n" * 20
)
SCRIPT = '#!/usr/bin/env bash\nset -euo pipefail\nfor part in 1 2 {k}; do\n  echo "part $part of {n}"\ndone\n'
IMAGE = "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python -m app{n}\n"
SETTINGS = '{{"name": "service-{n}", "port": 80{k}, "flags": ["a", "b"], "limits": {{"cpu": {k}}}}}\n'

Maker = Callable[[int, random.Random], tuple[str, str]]


def tree(folder: Path, files: int, shape: str = "mixed", seed: int = SEED) -> Path:
    """Write a tree of `files` files below `folder`; a folder that already has exactly this tree is kept."""
    mark = folder.with_name(folder.name + ".made")
    wanted = f"{shape} {files} {seed}"
    if mark.exists() and mark.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    made: set[Path] = set()
    for path, text in contents(files, shape, seed):
        target = folder / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_text(text, encoding="utf-8")
    mark.write_text(wanted)
    return folder


def contents(files: int, shape: str = "mixed", seed: int = SEED) -> Iterator[tuple[str, str]]:
    """Path and text of every file."""
    make = _MAKERS[shape]
    yield "requirements.txt", "joblib==1.4.2\nmlflow==2.17.0\npandas==2.2.3\nscikit-learn==1.5.2\n"
    count = max(3, files // _HUGE) if shape == "huge" else files
    for n in range(1, count):
        yield make(n, random.Random(f"{seed} {shape} {n}"))


def _package(n: int) -> str:
    return f"area_{n // _FILES_A_PACKAGE // 20}/pkg_{n // _FILES_A_PACKAGE}"


def _fill(template: str, n: int, chance: random.Random) -> str:
    return template.format(n=n, k=chance.randrange(2, 60), package=_package(n).replace("/", "."))


def _steps(chance: random.Random, least: int, most: int) -> str:
    return "".join(STEP.format(i=i, k=chance.randrange(60)) for i in range(chance.randrange(least, most)))


def _mixed(n: int, chance: random.Random) -> tuple[str, str]:
    """Of 100 files 52 are Python (4 of them train, 6 prepare data, 8 test), 18 YAML, 12 pages, 3 notebooks."""
    kind, package = n % 100, _package(n)
    if kind < 4:
        return f"{package}/train_{n}.py", _fill(TRAINING, n, chance) + _steps(chance, 1, 8)
    if kind < 10:
        return f"{package}/helpers_{n}.py", _fill(HELPER, n, chance) + _steps(chance, 1, 12)
    if kind < 18:
        return f"{package}/tests/test_{n}.py", _fill(TEST, n, chance)
    if kind < 52:
        return f"{package}/orders_{n}.py", _fill(PLAIN, n, chance) + _steps(chance, 2, 25)
    if kind < 54 and n // 100 * 2 < _MAX_WORKFLOWS:
        return f".github/workflows/job_{n}.yml", _fill(WORKFLOW, n, chance)
    if kind < 70:
        return f"deploy/{package}/service_{n}.yaml", _fill(MANIFEST, n, chance)
    if kind < 82:
        return f"docs/{package}/page_{n}.md", _fill(PAGE, n, chance)
    if kind < 88:
        return f"{package}/settings_{n}.json", _fill(SETTINGS, n, chance)
    if kind < 91:
        return f"notebooks/{package}/look_{n}.ipynb", _notebook(n, chance, pictures=1)
    if kind < 94:
        return f"scripts/{package}/run_{n}.sh", _fill(SCRIPT, n, chance)
    if kind < 95:
        return f"{package}/service_{n}/Dockerfile", _fill(IMAGE, n, chance)
    return f"data/{package}/rows_{n}.csv", "a,b,label\n" + "".join(f"{i},{n},{i % 2}\n" for i in range(300))


def _small(n: int, chance: random.Random) -> tuple[str, str]:
    text = f"import pandas as pd\n\nROWS = pd.DataFrame([{n}])\n" if n % 20 == 0 else f"LIMIT_{n} = {chance.random()}\n"
    return f"{_package(n)}/value_{n}.py", text


def _huge(n: int, chance: random.Random) -> tuple[str, str]:
    kind = n % 4
    if kind == 0:
        return f"deploy/all_{n}.yaml", "---\n".join(_fill(MANIFEST, n * 1000 + i, chance) for i in range(800))
    if kind == 1:
        return f"notebooks/look_{n}.ipynb", _notebook(n, chance, pictures=20)
    template = TRAINING if kind == 2 else PLAIN
    return f"src/module_{n}.py", _fill(template, n, chance) + _steps(chance, 1200, 1600)


def _yaml(n: int, chance: random.Random) -> tuple[str, str]:
    if n % 20 == 0:
        return _mixed(n, chance)
    return f"deploy/{_package(n)}/service_{n}.yaml", "---\n".join(_fill(MANIFEST, n, chance) for _ in range(n % 4 + 1))


def _notebooks(n: int, chance: random.Random) -> tuple[str, str]:
    if n % 5 == 0:
        return _mixed(n, chance)
    return f"notebooks/{_package(n)}/look_{n}.ipynb", _notebook(n, chance, pictures=n % 3)


def _notebook(n: int, chance: random.Random, pictures: int) -> str:
    """Cells of ordinary code; some outputs hold a picture of 20 kB."""
    code = (_fill(HELPER, n, chance) + _steps(chance, 2, 6)).splitlines(keepends=True)
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": ""}}
    cells = []
    for i in range(6 + pictures):
        outputs = []
        if i < pictures:
            data = base64.b64encode(chance.randbytes(15_000)).decode()
            outputs = [{**picture, "data": {"image/png": data}}]
        source = _steps(chance, 1, 2).splitlines(keepends=True) if i % 2 else code
        cells.append({"cell_type": "code", "metadata": {}, "execution_count": i, "outputs": outputs, "source": source})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


_MAKERS: dict[str, Maker] = {
    "mixed": _mixed, "small": _small, "huge": _huge, "yaml": _yaml, "notebooks": _notebooks
}  # fmt: skip


def split(files: list[str], root: Path, target: Path, parts: int) -> list[Path]:
    """Copy the files of `root`, in path order, into `parts` folders of as many files each; links where possible."""
    folders = []
    for number in range(parts):
        folder = target / f"part_{number}"
        for name in files[number * len(files) // parts : (number + 1) * len(files) // parts]:
            link(root / name, folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        folders.append(folder)
    return folders


def link(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy on another device."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)

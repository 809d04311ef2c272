"""How long a whole-process scan takes and how much memory it needs at its peak; POSIX only.

    python benchmarks/scan.py                      # generated trees of 100, 400 and 1000 files
    python benchmarks/scan.py PATH [PATH ...]      # these folders
    python benchmarks/scan.py --files 5000 --jobs 0

Wall time is the best and the median of some runs, start of the interpreter included. Peak memory is the resident size
of the largest process, which with `--jobs` may be a worker. The rules cache is filled by a first run that is not
counted, unless `--cold` gives every run an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIZES = (100, 400, 1000)
MEBIBYTE = 1024 * (1024 if sys.platform == "darwin" else 1)  # ru_maxrss is in bytes there, in KiB elsewhere

TRAINING = '''"""Train model {n}."""

import joblib
import mlflow
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from pkg_{m}.module_{m} import clean

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


class Reader{n}:
    """Reads table {n}."""

    def __init__(self, path):
        self.path = path

    def rows(self):
        return clean(pd.read_csv(self.path))
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
      - run: python pkg_{m}/module_{n}.py && pytest tests
"""
MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: service-{n}}}
spec:
  replicas: {k}
  template:
    spec:
      containers:
        - name: main
          image: registry.example.org/service-{n}:1.{k}
          env: [{{name: MODE, value: "{m}"}}]
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One scan: seconds, peak resident memory in MiB of its largest process, and its exit code."""

    seconds: float
    memory: float
    code: int


def tree(folder: Path, files: int, seed: int = 7) -> Path:
    """A tree of about `files` files: six in ten Python, three YAML, one notebook; the same for the same arguments."""
    chance = random.Random(seed)
    for n in range(files):
        values = {"n": n, "m": chance.randrange(max(1, files // 20)), "k": chance.randrange(2, 60)}
        path, text = _file(n, values, chance)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def _file(n: int, values: dict[str, int], chance: random.Random) -> tuple[str, str]:
    package, kind = f"pkg_{n % max(1, values['m'] + 1)}", n % 10
    if kind < 6:
        text = (TRAINING, HELPER, HELPER, PLAIN, PLAIN, PLAIN)[kind].format(**values)
        return f"{package}/module_{n}.py", "\n\n".join([text, *_functions(chance)])
    if kind == 6 and n < 400:
        return f".github/workflows/job_{n}.yml", WORKFLOW.format(**values)
    if kind < 9:
        return f"deploy/service_{n}.yaml", MANIFEST.format(**values)
    code = TRAINING.format(**values).splitlines(keepends=True)
    cells = [
        {"cell_type": "code", "metadata": {}, "execution_count": i, "outputs": [], "source": code} for i in range(6)
    ]
    return f"notebooks/{n}.ipynb", json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def _functions(chance: random.Random) -> Iterator[str]:
    """Ordinary code, so that files have ordinary lengths."""
    for i in range(chance.randrange(2, 14)):
        yield f"def step_{i}(values):\n    kept = [value for value in values if value > {i}]\n    return sum(kept)\n"


def measure(path: Path, jobs: int, cache: str) -> Figures:
    """Run one scan in a process of its own."""
    words = [sys.executable, "-m", "mlops_scan", str(path), "--isolated", "-q", "-j", str(jobs)]
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    start = time.perf_counter()
    null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, words, environment, file_actions=null)
    _, status, usage = os.wait4(process, 0)
    return Figures(time.perf_counter() - start, usage.ru_maxrss / MEBIBYTE, os.waitstatus_to_exitcode(status))


def report(name: str, path: Path, runs: int, jobs: int, cold: bool) -> None:
    """Measure some runs and print one line."""
    with tempfile.TemporaryDirectory() as cache:
        if not cold:
            measure(path, jobs, cache)
        found = [measure(path, jobs, f"{cache}/{n}" if cold else cache) for n in range(runs)]
    failed = next((figures.code for figures in found if figures.code), 0)
    times = [figures.seconds for figures in found]
    memory = max(figures.memory for figures in found)
    note = f"  exit code {failed}" if failed else ""
    print(f"{name:<40} {min(times):7.2f} s {statistics.median(times):7.2f} s {memory:7.0f} MiB{note}", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--files", nargs="+", type=int, default=SIZES, metavar="N", help="sizes of the generated trees")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cold", action="store_true", help="an empty rules cache for every run")
    options = parser.parse_args()
    print(f"{'tree':<40} {'best':>9} {'median':>9} {'peak memory':>11}")
    for path in options.paths:
        report(path.resolve().name, path, options.runs, options.jobs, options.cold)
    for size in () if options.paths else options.files:
        with tempfile.TemporaryDirectory() as folder:
            report(f"{size} generated files", tree(Path(folder), size), options.runs, options.jobs, options.cold)


if __name__ == "__main__":
    main()

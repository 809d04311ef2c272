"""Feature stores that a project writes itself, and classes that have no more than the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, grade, scan_tree

STORE = """\
import json

import redis


class CustomerFeatureStore:
    def __init__(self):
        self.client = redis.Redis()

    def store_features(self, key, row):
        self.client.set(key, json.dumps(row))

    def get_features(self, key):
        return json.loads(self.client.get(key))
"""
FILL = """\
import pandas as pd

from store import CustomerFeatureStore


def fill(store):
    for key, row in pd.read_csv("data.csv").iterrows():
        store.store_features(key, row.to_dict())


if __name__ == "__main__":
    fill(CustomerFeatureStore())
"""
LEARN = """\
import pandas as pd
from sklearn.linear_model import LogisticRegression

from store import CustomerFeatureStore


class Training:
    def __init__(self, store):
        self.store = store

    def run(self):
        rows = pd.DataFrame([self.store.get_features(key) for key in range(10)])
        return LogisticRegression().fit(rows[["age"]], rows["y"])


if __name__ == "__main__":
    Training(CustomerFeatureStore()).run()
"""


@pytest.mark.parametrize(
    ("store", "fill", "learn", "expected"),
    [
        (STORE, FILL, LEARN, Grade.IMPLEMENTED),
        (STORE, "", LEARN, Grade.ABSENT),
        (STORE, FILL, LEARN.replace("self.store.get_features(key)", "{}"), Grade.ABSENT),
        (STORE.replace("import redis\n", "").replace("redis.Redis()", "{}"), FILL, LEARN, Grade.ABSENT),
        (
            STORE.replace("Store:", "Cache:"),
            FILL.replace("Store", "Cache"),
            LEARN.replace("Store", "Cache"),
            Grade.ABSENT,
        ),
        (STORE, FILL.replace("        store.store", "        # store.store") + "        pass\n", LEARN, Grade.ABSENT),
    ],
    ids=["filled and read", "never filled", "never read", "no database", "a cache", "commented out"],
)
def test_store_of_features(tmp_path: Path, store: str, fill: str, learn: str, expected: Grade) -> None:
    tree = {"data.py": DATA, "store.py": store, "fill.py": fill, "learn.py": learn}
    assert grade(scan_tree(tmp_path, tree), "data/feature-store") is expected

"""Predictions that a service stores, in many ways, and writes of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

LOGGED = "monitoring/prediction-logging"
APP = """\
import joblib
from fastapi import BackgroundTasks, FastAPI
IMPORTS

app = FastAPI()
model = joblib.load("model.joblib")
SETUP


@app.post("/predict")
def answer(x: float, tasks: BackgroundTasks):
    y = int(model.predict([[x]])[0])
    BODY
    return {"prediction": y}
"""


def app(body: str, imports: str = "", setup: str = "") -> str:
    """A service whose handler does something besides its answer."""
    return APP.replace("IMPORTS", imports).replace("SETUP", setup).replace("BODY", body)


def found(tmp_path: Path, text: str, more: Tree | None = None) -> bool:
    """Whether the service stores predictions."""
    report = scan_tree(tmp_path, {**ML, "app.py": text, **(more or {})})
    return grade(report, LOGGED) in (Grade.IMPLEMENTED, Grade.WIRED)


MONGO = "from pymongo import MongoClient"


@pytest.mark.parametrize(
    ("body", "imports", "setup", "expected"),
    [
        ("rows.insert_one({'x': x, 'prediction': y})", MONGO, "rows = MongoClient().ml.rows", True),
        ("rows.insert_one({'user': 'a', 'visits': 1})", MONGO, "rows = MongoClient().web.users", False),
        (
            "table.put_item(Item={'x': str(x), 'prediction': y})",
            "import boto3",
            "table = boto3.resource('d').Table('t')",
            True,
        ),
        (
            "s3.put_object(Bucket='b', Key='predictions/1.json', Body=str(y))",
            "import boto3",
            "s3 = boto3.client('s3')",
            True,
        ),
        ("s3.put_object(Bucket='b', Key='uploads/1.png', Body=b'')", "import boto3", "s3 = boto3.client('s3')", False),
        (
            "producer.send('predictions', {'y': y})",
            "from kafka import KafkaProducer",
            "producer = KafkaProducer()",
            True,
        ),
        ("channel.send('predictions')", "import asyncio", "channel = object()", False),
        ("cache.set('prediction', y)", "import redis", "cache = redis.Redis()", False),
        ("print('prediction', y)", "", "", False),
        ("open('predictions.csv', 'a').write(f'{x},{y}')", "", "", True),
        ("open('predictions.csv').read()", "", "", False),
        ("open('access.log', 'a').write('/predict')", "", "", False),
        ("# rows.insert_one({'prediction': y})", MONGO, "rows = MongoClient().ml.rows", False),
        ("seen.add(('prediction', y))", "", "seen = set()", False),
    ],
)
def test_what_a_handler_writes(tmp_path: Path, body: str, imports: str, setup: str, expected: bool) -> None:
    assert found(tmp_path, app(body, imports, setup)) is expected


APPENDS = (
    "def NAME(now, value, PARAMETER):\n    with open('database.csv', 'a') as file:\n        file.write(f'{now}')\n"
)


@pytest.mark.parametrize(
    ("name", "parameter", "handed", "expected"),
    [
        ("add_to_database", "prediction", "y", True),
        ("save_prediction_to_bucket", "label", "y", True),
        ("add_to_database", "amount", "y", False),
    ],
)
def test_task_in_the_background(tmp_path: Path, name: str, parameter: str, handed: str, expected: bool) -> None:
    helper = APPENDS.replace("NAME", name).replace("PARAMETER", parameter)
    body = f"tasks.add_task({name}, 'now', x, {handed})"
    assert found(tmp_path, app(body, setup="\n\n" + helper)) is expected


STORE = """\
from pymongo import MongoClient


class Store:
    def __init__(self):
        self.rows = MongoClient().web.rows

    def keep(self, record):
        self.rows.insert_one(record)
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [("store.keep({'x': x, 'prediction': y})", True), ("store.keep({'visit': 1})", False), ("pass", False)],
)
def test_store_in_a_module_of_its_own(tmp_path: Path, body: str, expected: bool) -> None:
    text = app(body, "from store import Store", "store = Store()")
    assert found(tmp_path, text, {"store.py": STORE}) is expected


SESSION = """\
from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

Session = sessionmaker(bind=create_engine("sqlite:///a.db"))
Base = declarative_base()


class NAME(Base):
    __tablename__ = "rows"
    id = Column(Integer, primary_key=True)


def keep(x, y):
    session = Session()
    row = NAME(x=x, y=y)
    session.add(row)
    session.COMMIT()
"""


@pytest.mark.parametrize(
    ("name", "commit", "expected"),
    [("Prediction", "commit", True), ("Prediction", "rollback", False), ("Visit", "commit", False)],
)
def test_row_of_a_session(tmp_path: Path, name: str, commit: str, expected: bool) -> None:
    text = SESSION.replace("COMMIT", commit)
    text = text.replace("NAME", "Prediction_Row" if name == "Prediction" else name)
    assert found(tmp_path, app("keep(x, y)", "from rows import keep"), {"rows.py": text}) is expected


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO requests (x, prediction) VALUES (?, ?)", True),
        ("INSERT OR IGNORE INTO predictions VALUES (?, ?)", True),
        ("INSERT INTO metrics (prediction_drift) VALUES (?)", False),
        ("INSERT INTO users (name) VALUES (?)", False),
        ("SELECT prediction FROM requests", False),
    ],
)
def test_statement_of_a_helper(tmp_path: Path, statement: str, expected: bool) -> None:
    helper = f"import sqlite3\n\n\ndef keep(x, y):\n    sqlite3.connect('a').execute('{statement}', (x, y))\n"
    assert found(tmp_path, app("keep(x, y)", "from rows import keep"), {"rows.py": helper}) is expected


JOB = """\
import joblib
import pandas as pd

model = joblib.load("model.joblib")


def score(frame):
    frame["prediction"] = model.predict(frame)
    WRITE


if __name__ == "__main__":
    score(pd.read_parquet("today"))
"""


@pytest.mark.parametrize(
    ("path", "write", "expected"),
    [
        ("score.py", "frame.to_sql('predictions', 'sqlite:///a.db')", True),
        ("score.py", "frame.to_csv('predictions.csv')", False),
        ("score.py", "frame.to_sql('features', 'sqlite:///a.db')", False),
        ("evaluate.py", "frame.to_sql('predictions', 'sqlite:///a.db')", False),
        ("tests/score.py", "frame.to_sql('predictions', 'sqlite:///a.db')", False),
    ],
)
def test_job_that_scores(tmp_path: Path, path: str, write: str, expected: bool) -> None:
    report = scan_tree(tmp_path, {**ML, path: JOB.replace("WRITE", write)})
    assert (grade(report, LOGGED) in (Grade.IMPLEMENTED, Grade.WIRED)) is expected


def test_route_that_trains_stores_no_prediction(tmp_path: Path) -> None:
    text = app(
        "rows.insert_one({'prediction': y})\n    train('d', 'm')",
        f"{MONGO}\nfrom train import train",
        "rows = MongoClient().a.b",
    )
    assert not found(tmp_path, text)


VIEW = """\
import joblib
from django.http import JsonResponse

from .models import Prediction, Visit

model = joblib.load("model.joblib")


def answer(request):
    y = float(model.predict([[float(request.GET["x"])]])[0])
    NAME.objects.create(y=y)
    return JsonResponse({"y": y})
"""
PAGE = """\
import joblib
import streamlit as st

model = joblib.load("model.joblib")
x = st.number_input("x")
if st.button("Ask"):
    y = int(model.predict([[x]])[0])
    st.write(y)
    with open("FILE", "a") as file:
        file.write(f"{x},{y}")
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("shop/views.py", VIEW.replace("NAME", "Prediction"), True),
        ("shop/views.py", VIEW.replace("NAME", "Visit"), False),
        ("page.py", PAGE.replace("FILE", "predictions.csv"), True),
        ("page.py", PAGE.replace("FILE", "visits.log"), False),
    ],
)
def test_answers_without_a_route(tmp_path: Path, path: str, text: str, expected: bool) -> None:
    assert (grade(scan_tree(tmp_path, {**ML, path: text}), LOGGED) in (Grade.IMPLEMENTED, Grade.WIRED)) is expected

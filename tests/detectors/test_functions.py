"""Functions of the Serverless Framework: those that answer with a model, and those that only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree

SERVING, AS_CODE = "deploy/serving", "deploy/as-code"
HANDLER = (
    "import joblib\n\nmodel = joblib.load('model.joblib')\n\n\n"
    "def answer(event, context):\n    return {'body': str(model.predict([event['row']]))}\n"
)
DECLARED = (
    "service: churn\nprovider:\n  name: aws\n  runtime: python3.12\nfunctions:\n  score:\n"
    "    handler: src/handler.answer\n    events:\n      - http: {path: score, method: post}\n"
)


def tree(declared: str = DECLARED, handler: str = HANDLER) -> Tree:
    return {**ML, "api/serverless.yml": declared, "api/src/handler.py": handler}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("src/handler.answer", "src.handler.answer"),
        ("events:\n      - http: {path: score, method: post}", "events:\n      - httpApi: '*'"),
        ("events:\n      - http: {path: score, method: post}", "url: true"),
        ("- http: {path: score, method: post}", "- schedule: rate(1 hour)"),
    ],
)
def test_function_that_answers_with_a_model(tmp_path: Path, old: str, new: str) -> None:
    report = scan_tree(tmp_path, tree(DECLARED.replace(old, new) if old else DECLARED))
    for name in (SERVING, AS_CODE):
        result = practice(report, name)
        assert result.grade is Grade.IMPLEMENTED
        assert "api/serverless.yml:6" in places(result.evidence)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    handler", "    # handler"),
        ("src/handler.answer", "src/handler.other"),
        ("src/handler.answer", "other/handler.answer"),
        ("events:\n      - http: {path: score, method: post}", "memorySize: 512"),  # nothing calls it
        ("events:\n      - http: {path: score, method: post}", "url: false"),
        ("- http: {path: score, method: post}", "- schedule: {rate: rate(1 hour), enabled: false}"),
        ("service: churn", "name: churn"),  # another format
        ("functions:", "# functions:"),
    ],
)
def test_declarations_that_bring_no_model(tmp_path: Path, old: str, new: str) -> None:
    report = scan_tree(tmp_path, tree(DECLARED.replace(old, new)))
    assert grade(report, AS_CODE) is Grade.ABSENT


@pytest.mark.parametrize(
    "handler",
    [
        "import boto3\n\n\ndef answer(event, context):\n    return boto3.client('s3').list_buckets()\n",
        "# import joblib\n# model = joblib.load('m')\n\n\ndef answer(event, context):\n    return {}\n",
        "import pickle\n\nnames = pickle.load(open('n', 'rb'))\n\n\ndef answer(event, context):\n    return names\n",
        "def answer(event, context):\n    return event['model'].predict(event['row'])\n",
        "from sklearn.svm import SVC\n\n\ndef answer(event, context):\n    SVC().fit([[1]], [1]).predict([[1]])\n",
    ],
    ids=["no model", "commented out", "session", "unknown object", "trains"],
)
def test_code_that_does_not_answer_with_a_model(tmp_path: Path, handler: str) -> None:
    report = scan_tree(tmp_path, tree(handler=handler))
    assert grade(report, AS_CODE) is Grade.ABSENT
    assert not practice(report, SERVING).met


def test_declaration_among_tests_and_docs(tmp_path: Path) -> None:
    files = {f"{folder}/{path}": text for path, text in tree().items() for folder in ("docs", "tests")}
    assert grade(scan_tree(tmp_path, {**ML, **files}), AS_CODE) in (Grade.ABSENT, Grade.TRACE)

"""Serving by classes and views of web frameworks, by functions of clouds, by consumers of streams, by jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

NAME = "deploy/serving"
MODEL = (
    "import joblib\n\n\nclass Scorer:\n    def __init__(self):\n        self.model = None\n\n    def get(self):\n"
    "        if self.model is None:\n            self.model = joblib.load('m.joblib')\n        return self.model\n\n"
    "    def predict(self, row):\n        return self.get().predict([row])[0]\n\n\nscorer = Scorer()\n"
)
HANDLERS = {
    "django view": "from django.http import JsonResponse\n\nfrom model import scorer\n\n\ndef answer(request):\n"
    "    return JsonResponse({'y': scorer.predict(request.GET['a'])})\n",
    "django page": "from django.shortcuts import render\n\nfrom model import Scorer\n\n\ndef answer(request):\n"
    "    y = Scorer().predict(request.POST['a'])\n    return render(request, 'a.html', {'y': y})\n",
    "rest framework": "from rest_framework.response import Response\nfrom rest_framework.views import APIView\n\n"
    "from model import scorer\n\n\nclass Answer(APIView):\n    def post(self, request):\n"
    "        return Response({'y': scorer.predict(request.data['a'])})\n",
    "http.server": "from http.server import BaseHTTPRequestHandler\n\nfrom model import scorer\n\n\n"
    "class Answer(BaseHTTPRequestHandler):\n    def do_POST(self):\n"
    "        self.wfile.write(str(scorer.predict(self.rfile.read())).encode())\n",
    "flask class": "from flask.views import MethodView\n\nfrom model import scorer\n\n\n"
    "class Answer(MethodView):\n    def post(self):\n        return {'y': scorer.predict(1)}\n",
    "google function": "import functions_framework\n\nfrom model import scorer\n\n\n@functions_framework.http\n"
    "def answer(request):\n    return {'y': scorer.predict(request.get_json()['a'])}\n",
    "azure function": "import azure.functions as func\n\nfrom model import scorer\n\napp = func.FunctionApp()\n\n\n"
    "@app.route(route='answer')\ndef answer(req):\n    return func.HttpResponse(str(scorer.predict(1)))\n",
}


@pytest.mark.parametrize("kind", HANDLERS)
def test_handlers_in_front_of_a_model(tmp_path: Path, kind: str) -> None:
    assert practice(scan_tree(tmp_path, {**ML, "model.py": MODEL, "web.py": HANDLERS[kind]}), NAME).met


@pytest.mark.parametrize("kind", HANDLERS)
def test_handlers_in_front_of_something_else(tmp_path: Path, kind: str) -> None:
    other = "class Scorer:\n    def predict(self, row):\n        return len(row)\n\n\nscorer = Scorer()\n"
    assert not practice(scan_tree(tmp_path, {**ML, "model.py": other, "web.py": HANDLERS[kind]}), NAME).met


READS = "import json\n\nfrom confluent_kafka import Consumer\n\nfrom model import load\n\n\ndef main():\n"
LOOP = (
    "    source = Consumer({'group.id': 'g'})\n    source.subscribe(['rows'])\n    model = load()\n    while True:\n"
    "        row = json.loads(source.poll(1.0).value())\n        print(model.predict([row]))\n\n\n"
    "if __name__ == '__main__':\n    main()\n"
)
LOAD = "import joblib\n\n\ndef load():\n    return joblib.load('m.joblib')\n"
WORKER = 'FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD ["python", "worker.py"]\n'


@pytest.mark.parametrize(
    ("more", "met"),
    [
        ({"worker.py": READS + LOOP, "Dockerfile": WORKER}, True),
        ({"worker.py": READS + LOOP.replace("model.predict([row])", "row"), "Dockerfile": WORKER}, False),
        (
            {"worker.py": READS + LOOP.replace("Consumer({'group.id': 'g'})", "open('rows')"), "Dockerfile": WORKER},
            False,
        ),
        ({"worker.py": READS + LOOP}, False),  # nothing starts it
    ],
)
def test_what_reads_a_stream(tmp_path: Path, more: Tree, met: bool) -> None:
    assert practice(scan_tree(tmp_path, {**ML, "model.py": LOAD, **more}), NAME).met is met


STAGES = "stages:\n  train:\n    cmd: python train.py data.csv m.joblib\n  score:\n    cmd: python score.py\n"
SCORES = (
    "import joblib\nimport pandas as pd\n\n\ndef main():\n    model = joblib.load('m.joblib')\n"
    "    rows = pd.read_csv('rows.csv')\n    rows['score'] = model.predict(rows)\n    {}\n\n\n"
    "if __name__ == '__main__':\n    main()\n"
)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("rows.to_sql('scores', 'sqlite:///s.db')", Grade.IMPLEMENTED),
        ("rows.to_gbq('lake.scores')", Grade.IMPLEMENTED),
        ("rows.to_csv('scores.csv')", Grade.TRACE),  # perhaps for a metric
        ("rows.mean().to_sql('m', 'sqlite:///s.db')\n    f1_score(rows.y, rows.score)", Grade.TRACE),
        ("# rows.to_sql('scores', 'sqlite:///s.db')", Grade.TRACE),
    ],
)
def test_a_pipeline_that_trains_and_hands_its_predictions_over(tmp_path: Path, last: str, expected: Grade) -> None:
    score = "from sklearn.metrics import f1_score\n" + SCORES.format(last)
    assert grade(scan_tree(tmp_path, {**ML, "dvc.yaml": STAGES, "score.py": score}), NAME) is expected

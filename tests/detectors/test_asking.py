"""Programs, of which no test runner knows, that ask the running service of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.detectors.test_asked import CI, IN_CI, SERVES, TESTING
from tests.trees import Tree, grade, scan_tree

ASKS = (
    "import json\n\nimport requests\nfrom deepdiff import DeepDiff\n\nwith open('event.json') as file:\n"
    "    event = json.load(file)\n\nurl = 'http://localhost:8080/2015-03-31/functions/function/invocations'\n"
    "answer = requests.post(url, json=event).json()\nexpected = {'predictions': [21.3]}\n"
    "diff = DeepDiff(answer, expected)\nassert 'values_changed' not in diff\n"
)
SCRIPT = "#!/bin/sh\nset -e\ndocker compose up -d\npython {}\ndocker compose down\n"
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: sh {}\n"
COMPOSE = "services:\n  app:\n    build: .\n"


def tree(text: str, script: str = SCRIPT, folder: str = "integration") -> Tree:
    return {
        **SERVES,
        "docker-compose.yml": COMPOSE,
        f"{folder}/test_service.py": text,
        f"{folder}/run.sh": script.format(f"{folder}/test_service.py"),
        CI: WORKFLOW.format(f"{folder}/run.sh"),
    }


@pytest.mark.parametrize("folder", ["integration", "integration-tests"])
def test_answer_that_is_compared(tmp_path: Path, folder: str) -> None:
    report = scan_tree(tmp_path, tree(ASKS, folder=folder))
    assert grade(report, TESTING) is not Grade.TRACE
    assert grade(report, IN_CI) is Grade.WIRED


def test_program_that_a_person_starts(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {path: text for path, text in tree(ASKS).items() if path != CI})
    assert grade(report, TESTING) is Grade.IMPLEMENTED
    assert grade(report, IN_CI) is Grade.ABSENT


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (ASKS.replace("assert 'values_changed' not in diff", "print(diff)"), SCRIPT),
        (ASKS.replace("assert 'values_changed' not in diff", "assert answer.status_code == 200"), SCRIPT),
        (ASKS.replace("assert 'values_changed' not in diff", "assert True"), SCRIPT),
        (ASKS.replace("localhost", "example.org"), SCRIPT),
        (ASKS.replace("2015-03-31/functions/function/invocations", "health"), SCRIPT),
        (ASKS, SCRIPT.replace("docker compose up -d\n", "")),
        (ASKS, SCRIPT.replace("python {}", "# python {}")),
    ],
    ids=["prints", "status", "nothing", "elsewhere", "health", "no service", "commented out"],
)
def test_program_that_tests_no_model(tmp_path: Path, text: str, script: str) -> None:
    assert grade(scan_tree(tmp_path, tree(text, script)), IN_CI) is Grade.ABSENT

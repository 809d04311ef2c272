"""Language models in operation: evaluations that gate, stored cases, pinned models, indexing jobs, feedback."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import Tree, grade, places, practice, scan_tree

GATE, SUITE, DATA = "genai/eval-in-ci", "genai/eval-suite", "genai/eval-dataset"
PINNED, RAG, FEEDBACK = "genai/model-pinning", "genai/rag-pipeline", "genai/user-feedback"
APP = """\
from openai import OpenAI

client = OpenAI()


def answer(question):
    return client.chat.completions.create(model="gpt-4o-2024-08-06", messages=[{"role": "user", "content": question}])
"""


def workflow(command: str, on: str = "pull_request") -> str:
    return (
        f"on: {on}\njobs:\n  evals:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: actions/checkout@v4\n      - run: {command}\n"
    )


def ci(command: str, on: str = "pull_request", **files: str) -> Tree:
    return {"app.py": APP, ".github/workflows/evals.yml": workflow(command, on), **files}


PROMPTFOO = """\
prompts: [prompts/a.txt]
providers: ['openai:gpt-4o']
tests: [{vars: {q: a}, assert: [{type: equals, value: b}]}]
"""
DEEPEVAL = """\
from deepeval import assert_test
from deepeval.metrics import AnswerRelevancyMetric
from deepeval.test_case import LLMTestCase

from app import answer


def test_answer():
    assert_test(LLMTestCase(input="q", actual_output=answer("q")), [AnswerRelevancyMetric(threshold=0.7)])
"""
MOCKED = DEEPEVAL.replace("from app", "from unittest import mock\n\nfrom app").replace(
    "def test", "@mock.patch('app.answer')\ndef test"
)
RAGAS = """\
import sys

from ragas import evaluate

from app import answer


def main():
    scores = evaluate(rows("evals/cases.jsonl"), metrics=[])
{rest}

if __name__ == "__main__":
    main()
"""


def ragas(rest: str) -> str:
    return RAGAS.format(rest="".join(f"    {line}\n" for line in rest.split("\n")))


# -- an evaluation gates a change --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tree",
    [
        ci("npx promptfoo@latest eval -c promptfooconfig.yaml", **{"promptfooconfig.yaml": PROMPTFOO}),
        ci("deepeval test run tests/", **{"tests/test_answer.py": DEEPEVAL}),
        ci("pytest tests/", **{"tests/test_answer.py": DEEPEVAL}),
        ci("python evals/run.py", **{"evals/run.py": ragas("if scores['faithfulness'] < 0.8:\n    sys.exit(1)")}),
        ci("python evals/run.py", **{"evals/run.py": ragas("assert scores['faithfulness'] > 0.8")}),
    ],
    ids=["promptfoo", "deepeval", "pytest", "exit", "assert"],
)
def test_a_bad_score_fails_the_job(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, tree), GATE) is Grade.WIRED


@pytest.mark.parametrize(
    ("tree", "expected", "reason"),
    [
        (ci("python evals/run.py", **{"evals/run.py": ragas("print(scores)")}), Grade.TRACE, "no score fails the job"),
        (ci("python evals/run.py", **{"evals/run.py": ragas("assert scores['score'] >= 0")}), Grade.TRACE, "no score"),
        (ci("promptfoo eval || true"), Grade.IMPLEMENTED, "true"),
        (ci("promptfoo eval", "workflow_dispatch"), Grade.IMPLEMENTED, ""),
        (ci("pytest", **{"tests/test_a.py": MOCKED}), Grade.TRACE, "mock"),
    ],
    ids=["collects", "vacuous bound", "swallowed", "by hand", "mocked"],
)
def test_a_bad_score_has_no_effect(tmp_path: Path, tree: Tree, expected: Grade, reason: str) -> None:
    found = practice(scan_tree(tmp_path, tree), GATE)
    assert found.grade is expected
    assert reason in found.reason


@pytest.mark.parametrize(
    "tree",
    [
        {"app.py": APP, "promptfooconfig.yaml": PROMPTFOO},  # nothing runs it
        ci("echo promptfoo eval"),
        ci("pip install promptfoo deepeval"),
        ci("pytest tests/", **{"tests/test_app.py": "from app import answer\n\ndef test():\n    assert answer('q')\n"}),
        {"app.py": APP, "docs/ci.md": "```\npromptfoo eval\n```\n"},
        {
            "app.py": APP,
            ".github/workflows/e.yml": "on: push\njobs:\n  a:\n    steps:\n      # - run: promptfoo eval\n",
        },
    ],
    ids=["never run", "echo", "install", "unit test", "docs", "commented out"],
)
def test_no_evaluation_in_ci(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, tree), GATE) is Grade.ABSENT


# -- cases -------------------------------------------------------------------------------------------------------------

ROWS = '{"q": "a"}\n' * 6


def test_cases_that_the_evaluation_reads(tmp_path: Path) -> None:
    tree: Tree = {"app.py": APP, "evals/run.py": ragas("print(scores)"), "evals/cases.jsonl": ROWS}
    found = practice(scan_tree(tmp_path, tree), DATA)
    assert found.grade is Grade.IMPLEMENTED
    assert places(found.evidence)[1] == "evals/cases.jsonl:1"


def test_two_cases_are_a_smoke_test(tmp_path: Path) -> None:
    tree: Tree = {"app.py": APP, "evals/run.py": ragas("print(scores)"), "evals/cases.jsonl": '{"q": 1}\n' * 2}
    found = practice(scan_tree(tmp_path, tree), DATA)
    assert (found.grade, found.reason) == (Grade.TRACE, "only 2 cases")


@pytest.mark.parametrize(
    "tree",
    [
        {"app.py": APP, "evals/run.py": ragas("print(scores)")},  # the file is not there
        {"app.py": APP, "evals/cases.jsonl": ROWS},  # nothing reads it
        {"load.py": APP + "rows = open('data/rows.jsonl')\n", "data/rows.jsonl": ROWS},  # no evaluation
        {  # of another kind of model
            "app.py": APP,
            "eval_fit.py": "import joblib\n\nprint(joblib.load('m').predict(open('data/rows.jsonl')))\n",
            "data/rows.jsonl": ROWS,
        },
    ],
)
def test_no_cases(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, tree), DATA) is Grade.ABSENT


def test_the_cases_of_promptfoo(tmp_path: Path) -> None:
    config = "prompts: [a.txt]\nproviders: ['openai:gpt-4o']\ndefaultTest: {assert: [{type: contains, value: a}]}\n"
    stored: Tree = {"app.py": APP, "promptfooconfig.yaml": config + "tests: file://cases.csv\n", "cases.csv": "q\na\n"}
    assert grade(scan_tree(tmp_path / "a", stored), DATA) is Grade.IMPLEMENTED
    few = {"app.py": APP, "promptfooconfig.yaml": config + "tests: [{vars: {q: a}}]\n"}
    assert grade(scan_tree(tmp_path / "b", few), DATA) is Grade.TRACE


def test_an_evaluation_of_ones_own(tmp_path: Path) -> None:
    code = (
        "import json\n\nfrom app import answer\n\n\ndef main():\n"
        "    for row in open('evals/cases.jsonl'):\n        print(judge(answer(json.loads(row)['q'])))\n\n\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    tree: Tree = {"app.py": APP, "evals/run.py": code, "evals/cases.jsonl": ROWS}
    assert grade(scan_tree(tmp_path / "a", tree), SUITE) is Grade.IMPLEMENTED
    without = {**tree, "evals/run.py": code.replace("evals/cases.jsonl", "missing.jsonl")}
    assert grade(scan_tree(tmp_path / "b", without), SUITE) is Grade.ABSENT


# -- models, indexing, feedback ----------------------------------------------------------------------------------------


def test_a_dated_model_is_pinned_and_an_alias_is_not(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path / "a", {"app.py": APP}), PINNED) is Grade.IMPLEMENTED
    alias = practice(scan_tree(tmp_path / "b", {"app.py": APP.replace("-2024-08-06", "")}), PINNED)
    assert alias.grade is Grade.TRACE
    assert "`gpt-4o` is an alias" in alias.reason


def test_a_name_all_over_the_code_is_no_setting(tmp_path: Path) -> None:
    found = practice(scan_tree(tmp_path, {f"app{number}.py": APP for number in range(4)}), PINNED)
    assert (found.grade, found.reason) == (Grade.TRACE, "`gpt-4o-2024-08-06` stands in 4 files")


INDEX = """\
from langchain_chroma import Chroma


def build(chunks, embedding):
    Chroma.from_documents(chunks, embedding)
"""


def test_indexing_by_a_script_of_its_own(tmp_path: Path) -> None:
    main = "\n\nif __name__ == '__main__':\n    build(read(), embed)\n"
    assert grade(scan_tree(tmp_path / "a", {"app.py": APP, "ingest.py": INDEX + main}), RAG) is Grade.IMPLEMENTED
    tree = ci("python ingest.py", "{schedule: [{cron: '0 3 * * *'}]}", **{"ingest.py": INDEX + main})
    assert grade(scan_tree(tmp_path / "b", tree), RAG) is Grade.WIRED


def test_indexing_when_the_application_starts(tmp_path: Path) -> None:
    service = (
        "from fastapi import FastAPI\nfrom ingest import build\nfrom app import answer\n\napp = FastAPI()\n"
        "build(read(), embed)\n\n\n@app.post('/ask')\ndef ask(q):\n    return answer(q)\n"
    )
    found = practice(scan_tree(tmp_path, {"app.py": APP, "ingest.py": INDEX, "main.py": service}), RAG)
    assert (found.grade, found.reason) == (Grade.TRACE, "no job of its own is seen to do it")


ROUTE = """\
from fastapi import FastAPI

from app import answer
from store import save_feedback

app = FastAPI()


@app.post("/feedback")
def feedback(answer_id: str, good: bool):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "expected"), [("save_feedback(answer_id, good)", Grade.IMPLEMENTED), ("return {}", Grade.ABSENT)]
)
def test_feedback_that_is_kept(tmp_path: Path, body: str, expected: Grade) -> None:
    store = "import sqlite3\n\n\ndef save_feedback(answer_id, good):\n    sqlite3.connect('f.db').execute('x')\n"
    tree: Tree = {"app.py": APP, "store.py": store, "main.py": ROUTE.format(body=body)}
    assert grade(scan_tree(tmp_path, tree), FEEDBACK) is expected


# -- guards, traces, feedback without a route -------------------------------------------------------------------------

GUARDED = APP.replace(
    "def answer(question):\n",
    "def check_prompt_injection(text):\n    if 'ignore all previous' in text:\n        raise ValueError(text)\n\n\n"
    "def answer(question):\n    check_prompt_injection(question)\n",
)
CALLED = "from app import answer\n\nif __name__ == '__main__':\n    print(answer('x'))\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GUARDED, Grade.IMPLEMENTED),
        (GUARDED.replace("    check_prompt_injection(question)\n", ""), Grade.TRACE),
        (GUARDED.replace("check_prompt_injection", "check_sql_injection"), Grade.ABSENT),
        (GUARDED.replace("check_prompt_injection", "has_command_injection"), Grade.ABSENT),
        (GUARDED.replace("check_prompt_injection", "check_length"), Grade.ABSENT),
        (APP.replace("def answer", "# def check_prompt_injection(text):\ndef answer"), Grade.ABSENT),
    ],
)
def test_guard_of_its_own(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {"app.py": text, "run.py": CALLED}), "genai/guardrails") is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('os.environ["LANGCHAIN_TRACING_V2"] = "true"', Grade.IMPLEMENTED),
        ('os.environ.setdefault("LANGSMITH_TRACING", "true")', Grade.IMPLEMENTED),
        ('os.environ["LANGCHAIN_TRACING_V2"] = "false"', Grade.ABSENT),
        ('os.environ["LANGCHAIN_TRACING_V2"]', Grade.ABSENT),
        ('# os.environ["LANGCHAIN_TRACING_V2"] = "true"', Grade.ABSENT),
        ('os.environ["LANGCHAIN_PROJECT"] = "true"', Grade.ABSENT),
    ],
)
def test_switch_of_a_tracer(tmp_path: Path, line: str, expected: Grade) -> None:
    head = "import os\n\nfrom langchain_openai import ChatOpenAI\n\n"
    text = f"{head}{line}\nprint(ChatOpenAI(model='gpt-4o').invoke('x'))\n"
    assert grade(scan_tree(tmp_path / "a", {"app.py": text}), "genai/tracing") is expected
    other = text.replace("from langchain_openai", "from chats")
    assert grade(scan_tree(tmp_path / "b", {"app.py": other + APP}), "genai/tracing") is Grade.ABSENT


@pytest.mark.parametrize(
    ("name", "call", "expected"),
    [
        ("save_feedback", "save_feedback('1', True)", Grade.IMPLEMENTED),
        ("save_feedback", "print('thanks')", Grade.ABSENT),
        ("show_feedback", "show_feedback('1', True)", Grade.ABSENT),
    ],
)
def test_feedback_without_a_route(tmp_path: Path, name: str, call: str, expected: Grade) -> None:
    store = f"import sqlite3\n\n\ndef {name}(answer, good):\n    sqlite3.connect('f.db').execute('x')\n"
    page = (
        f"from app import answer\nfrom store import {name}\n\nif __name__ == '__main__':\n    answer('x')\n    {call}\n"
    )
    assert grade(scan_tree(tmp_path, {"app.py": APP, "store.py": store, "page.py": page}), FEEDBACK) is expected

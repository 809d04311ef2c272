"""Prompt files that code loads, and files that only look like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Confidence, Grade
from tests.trees import Tree, grade, places, practice, scan_tree

PRACTICE = "genai/prompt-versioning"
CALL = "from openai import OpenAI\n\nOpenAI().chat.completions.create(model='gpt-4o', messages=[{'content': TEXT}])\n"


@pytest.mark.parametrize(
    ("code", "file"),
    [
        ("TEXT = open('prompts/answer.md').read()\n", "prompts/answer.md"),
        ("from pathlib import Path\n\nTEXT = (Path('x') / 'answer.txt').read_text()\n", "prompts/answer.txt"),
        ("import yaml\n\nTEXT = yaml.safe_load(open('config/prompts.yaml'))\n", "config/prompts.yaml"),
        (
            "from jinja2 import Environment, FileSystemLoader\n\n"
            "TEXT = Environment(loader=FileSystemLoader('prompts')).get_template('answer.j2').render()\n",
            "prompts/answer.j2",
        ),
    ],
)
def test_a_file_that_code_loads(tmp_path: Path, code: str, file: str) -> None:
    found = practice(scan_tree(tmp_path, {"app.py": code + CALL, file: "Answer briefly.\n"}), PRACTICE)
    assert found.grade is Grade.IMPLEMENTED
    assert found.confidence is Confidence.HIGH
    assert f"{file}:1" in places(found.evidence)


def test_a_prompty_file(tmp_path: Path) -> None:
    code = "import prompty\n\nTEXT = prompty.load('answer.prompty')\n"
    found = practice(scan_tree(tmp_path, {"app.py": code + CALL, "answer.prompty": "---\n---\nAnswer.\n"}), PRACTICE)
    assert found.grade is Grade.IMPLEMENTED
    assert found.tools == ("azure-ai-evaluation", "prompt-files")


def test_a_folder_that_code_loads(tmp_path: Path) -> None:
    code = "from pathlib import Path\n\nTEXT = {p.stem: p.read_text() for p in Path('prompts').glob('*.md')}\n"
    found = practice(scan_tree(tmp_path, {"app.py": code + CALL, "prompts/answer.md": "Answer.\n"}), PRACTICE)
    assert (found.grade, found.confidence) == (Grade.IMPLEMENTED, Confidence.MEDIUM)


@pytest.mark.parametrize(
    ("path", "prompt", "expected"),
    [
        ("one/app.py", "one/prompts/answer.md", Grade.IMPLEMENTED),
        ("one/src/app.py", "one/prompts/answer.md", Grade.IMPLEMENTED),
        ("one/app.py", "prompts/answer.md", Grade.IMPLEMENTED),
        ("one/app.py", "one/data/prompts/answer.md", Grade.IMPLEMENTED),  # `data` is named, too
        ("one/app.py", "two/prompts/answer.md", Grade.TRACE),
        ("one/app.py", "two/prompts.yaml", Grade.TRACE),
    ],
)
def test_a_name_alone_means_a_folder_of_the_own_project(
    tmp_path: Path, path: str, prompt: str, expected: Grade
) -> None:
    code = "TEXT = {'prompts': open('data/rows.csv').read()}\n"
    found = practice(scan_tree(tmp_path, {path: code + CALL, prompt: "Answer.\n"}), PRACTICE)
    assert found.grade is expected


def test_a_folder_that_nothing_loads_is_a_trace(tmp_path: Path) -> None:
    tree: Tree = {"app.py": "TEXT = 'Answer.'\n" + CALL, "prompts/answer.md": "Answer.\n"}
    found = practice(scan_tree(tmp_path, tree), PRACTICE)
    assert (found.grade, found.reason) == (Grade.TRACE, "no code is seen that loads it")


@pytest.mark.parametrize(
    "tree",
    [
        {"app.py": "TEXT = f'Answer {question}'\n" + CALL},
        {"app.py": "TEXT = open('CLAUDE.md').read()\n" + CALL, "CLAUDE.md": "Use tabs.\n"},
        {"app.py": "TEXT = 'prompts'\n" + CALL, ".github/prompts/review.prompt.md": "Review.\n"},
        {"app.py": "TEXT = 'prompts'\n" + CALL, ".cursor/prompts/a.md": "Review.\n", "skills/prompts/a.md": "x\n"},
        {"app.py": "TEXT = 'a'\n" + CALL, "docs/prompts/answer.md": "Answer.\n"},
        {"app.py": "TEXT = 'a'\n" + CALL, "tests/prompts/answer.md": "Answer.\n"},
        {"cli.py": "print(open('prompts/name.txt').read())\n", "prompts/name.txt": "Name?\n"},
    ],
    ids=["inline", "assistant", "copilot", "cursor and skills", "docs", "tests", "no model is called"],
)
def test_what_is_no_prompt_of_an_application(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, tree), PRACTICE) is Grade.ABSENT

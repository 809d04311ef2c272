"""A folder whose names and contents are hostile: markup, escapes, line breaks, formulas, odd bytes, endless lines."""

from __future__ import annotations

from pathlib import Path

from tests.trees import TRAIN

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) x="',
    "' autofocus onfocus=alert(1) '",
    "]]><!DOCTYPE x [<!ENTITY y SYSTEM 'file:y'>]>",
    "::set-output name=a::b",
    "a\n::error file=b::c",
    "a\r\n##vso[task.setvariable variable=a]b",
    "%0A::add-mask::x",
    '=HYPERLINK("http://evil.example")',
    "@SUM(1+1)*cmd|' -C calc'!A0",
    "\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "[click](http://evil.example) ![x](http://evil.example/y.png)",
    "`` ` ``` </details> @someone #1 !2 ~label owner/repo#3 GH-4",
    "http://evil.example www.evil.example mailto:a@b.example",
    "| a | b |\n|---|---|\n",
    "{{ 7 * 7 }} {% raw %} ${{ github.token }} {0} %s",
    "x" * 200,
    "\udcff\udcfe",
    "\ufffe\uffff\x00\x0b",
    "javascript:alert(1)//",
    "--><svg/onload=alert(1)>",
)

WORKFLOW = """\
name: "<b>::error::</b>"
on: [push]
jobs:
  "]]><script>alert(1)</script>":
    name: "[x](http://evil.example)\\u202e"
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: "::set-output name=a::b"
        run: python '<script>alert(1)</script>.py' && pytest "tests/=cmd()" || true
      - run: python missing/@someone`#1`.py
      - run: echo "deploy model to production @all <img src=x>"
"""


def write_hostile(root: Path) -> Path:
    """Write the folder; OSError where the file system has no such names."""
    long = "x = '" + "A" * 10_000 + "'\n"
    for number, word in enumerate(PAYLOADS):
        path = root / (word.replace("\x00", "").strip("/")[:100] + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = f"  # {word!r}" + "B" * (10_000 * (number % 3 == 0))  # on the line that is evidence
        body = TRAIN.replace('"data.csv"', repr(word)).replace("model.fit(x, y)", f"model.fit(x, y){beside}")
        path.write_bytes(long.encode() * (number % 2) + body.encode("utf-8", "replace"))
    files = {
        ".github/workflows/ci.yml": WORKFLOW.encode(),
        "requirements.txt": b"mlflow\n=cmd|' /C calc'!A0\n<script>alert(1)</script>\nscikit-learn==1.0 # \x1b[31m\n",
        "broken\n::error::.yml": b"a: [\xff\xfe<script>\n",
        "tests/=cmd()/test_a.py": b"def test_a():\n    assert True\n",
        "dvc.yaml": "stages:\n  '<script>\u202e':\n    cmd: python '<script>alert(1)<'/script>.py\n".encode(),
        "notebook <img>.ipynb": b'{"cells": [{"cell_type": "code", "source": "</script>", "outputs": []}',
        "MODEL_CARD.md": b"# Card\n<script>alert(1)</script>\nTODO\n",
    }
    for file, content in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(content)
    return root

"""Clocks without a library: loops that train, sleep and train again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

SCHEDULED = "retraining/scheduled"
IMAGE = 'FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD ["python", "loop.py"]\n'
HEAD = "import asyncio\nimport os\nimport subprocess\nimport threading\nimport time\n\nfrom train import train\n\n\n"
CALL = "train('a.csv', 'm.joblib')"


def loop(*body: str, test: str = "while True:") -> str:
    """A program with a loop."""
    lines = "".join(f"        {line}\n" for line in body)
    return f"{HEAD}def main():\n    {test}\n{lines}\n\nif __name__ == '__main__':\n    main()\n"


@pytest.mark.parametrize(
    ("program", "met"),
    [
        (loop(CALL, "time.sleep(86_400)"), True),
        (loop("time.sleep(60 * 60 * 24)", "try:", f"    {CALL}", "except OSError:", "    print('later')"), True),
        (loop(CALL, "time.sleep(INTERVAL)", test="while 1:"), True),
        (loop("subprocess.run(['python', 'train.py'], check=True)", "time.sleep(3600)"), True),
        (loop(f"for name in ('a', 'b'):\n            {CALL}", "time.sleep(3600)"), True),
        (loop(CALL, "time.sleep(5)"), False),
        (loop(CALL, "time.sleep(3600)", test="while waiting:"), False),
        (loop(CALL, "if done():", "    break", "time.sleep(3600)"), False),
        (loop("if job():", f"    {CALL}", "time.sleep(INTERVAL)"), False),
        (loop("if not job():", "    time.sleep(INTERVAL)", "    continue", CALL), False),
        (loop("print('train')", "time.sleep(3600)"), False),
        (loop("time.sleep(3600)") + f"    {CALL}\n", False),
    ],
)
def test_loops_of_a_service(tmp_path: Path, program: str, met: bool) -> None:
    report = scan_tree(tmp_path, {**ML, "loop.py": program, "Dockerfile": IMAGE})
    assert practice(report, SCHEDULED).met is met


def test_a_loop_that_nothing_starts(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "loop.py": loop(CALL, "time.sleep(86400)")})
    assert (practice(report, SCHEDULED).met, grade(report, SCHEDULED)) == (False, Grade.IMPLEMENTED)


@pytest.mark.parametrize(
    "program",
    [
        f"{HEAD}def main():\n    while True:\n        time.sleep(3600)\n        {CALL}\n\n\n"
        "threading.Thread(target=main, daemon=True).start()\n",
        f"{HEAD}async def again():\n"
        "    while True:\n        await asyncio.sleep(86400)\n"
        f"        await asyncio.to_thread(train)\n\n\nasync def main():\n    asyncio.create_task(again())\n\n\n"
        "asyncio.run(main())\n",
    ],
    ids=["thread", "task"],
)
def test_loops_beside_a_service(tmp_path: Path, program: str) -> None:
    report = scan_tree(tmp_path, {**ML, "loop.py": program, "Dockerfile": IMAGE})
    assert grade(report, SCHEDULED) is Grade.WIRED


@pytest.mark.parametrize(
    ("command", "met"),
    [
        ("while true; do python train.py; sleep 86400; done", True),
        ("while :; do python train.py && sleep 1d; done", True),
        ("while [ 1 ]; do python train.py; sleep $$PAUSE; done", True),
        ("while true; do python train.py; sleep 10; done", False),
        ("while true; do python data.py; sleep 86400; done; python train.py", False),
        ("until python train.py; do sleep 3600; done", False),
        ("python train.py; sleep 86400", False),
    ],
)
def test_shell_loops_of_a_service(tmp_path: Path, command: str, met: bool) -> None:
    compose = f'services:\n  again:\n    build: .\n    command: sh -c "{command}"\n'
    report = scan_tree(tmp_path, {**ML, "compose.yaml": compose, "Dockerfile": "FROM python:3.12\nCOPY . .\n"})
    assert practice(report, SCHEDULED).met is met


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ("curl -X POST http://api:8000/train", True),
        ("curl -fsS 'https://api.example.org/train?full=1'", True),
        ("curl http://api:8000/health", False),
        ("echo http://api:8000/train", False),
    ],
)
def test_a_crontab_that_asks_a_service(tmp_path: Path, asked: str, met: bool) -> None:
    api = "from fastapi import FastAPI\nfrom train import train\n\napp = FastAPI()\n\n\n"
    api += f"@app.post('/train')\ndef again():\n    {CALL}\n"
    tree = {
        "api.py": api,
        "Dockerfile": "FROM python:3.12\nCOPY . .\nCMD uvicorn api:app\n",
        "clock/Dockerfile": 'FROM alpine\nCOPY clock/table /etc/crontabs/root\nCMD ["crond", "-f"]\n',
        "clock/table": f"0 3 * * * {asked}\n",
    }
    assert practice(scan_tree(tmp_path, {**ML, **tree}), SCHEDULED).met is met

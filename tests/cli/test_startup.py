"""Importing the command line costs next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_scan import __version__

HEAVY = (
    "rich",
    "jinja2",
    "yaml",
    "tree_sitter",
    "pathspec",
    "packaging",
    "mlops_scan.engine",
    "mlops_scan.rulebook",
)


def test_the_entry_point_imports_nothing_heavy() -> None:
    code = f"import sys, mlops_scan.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str) -> None:
    code = (
        "import sys, mlops_scan.cli.main as m; code = m.run([sys.argv[1]]);"
        f"print(code, [name for name in {(*HEAVY, 'mlops_scan.cli.scan')!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [f"mlops-scan {__version__}", "0 []"]


def test_runs_as_a_module() -> None:
    result = subprocess.run([sys.executable, "-m", "mlops_scan", "-V"], capture_output=True, text=True, check=True)
    assert result.stdout == f"mlops-scan {__version__}\n"


_ENDING = (
    "import atexit, sys\n"
    "from mlops_scan.cli import main as m\n"
    "class Late:\n"
    "    def __del__(self): print('taken apart', flush=True)\n"
    "late = Late()\n"
    "atexit.register(print, 'exit handler')\n"
)


def _ended(code: str, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _ENDING + code, *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


def test_the_process_ends_at_once_with_its_output_and_exit_handlers() -> None:
    assert _ended("m.main()", "-V") == (0, [f"mlops-scan {__version__}", "exit handler"])


def test_the_exit_code_stays(tmp_path: Path) -> None:
    assert _ended("m.main()", str(tmp_path / "missing")) == (2, ["exit handler"])
    assert _ended("m.main()", str(tmp_path), "-q", "--fail-below", "1")[0] == 1


@pytest.mark.parametrize(
    "watch",
    [
        "sys.setprofile(lambda *_: None)",
        "sys.settrace(lambda *_: None)",
        "import threading; threading.Thread(target=threading.Event().wait, args=(0.1,)).start()",
    ],
)
def test_who_watches_sees_the_ordinary_end(watch: str) -> None:
    assert _ended("print(m._observed())")[1] == ["False", "exit handler", "taken apart"]
    assert _ended(f"{watch}\nprint(m._observed())")[1][0] == "True"
    assert _ended(f"{watch}\nm.main()", "-V")[1][0] == f"mlops-scan {__version__}"


def test_a_reader_that_has_gone_away_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "mlops_scan", str(tmp_path), "--format", "json"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")

"""Importing the command line costs next to nothing."""

from __future__ import annotations

import subprocess
import sys

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

"""Jobs that install the project itself although nothing makes it a package stop there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, scan_tree

CODE = "ci/code-tests"
TESTS: Tree = {
    **ML,
    "tests/test_data.py": (
        "from data import read\n\n\ndef test_read():\n    x, y = read('sample.csv')\n    assert len(x) == len(y)\n"
    ),
}
CHECKOUT = "      - uses: actions/checkout@v4\n"
PYTEST = "      - run: pytest\n"


def workflow(steps: str, more: str = "") -> Tree:
    text = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}{steps}{PYTEST}{more}"
    return {".github/workflows/ci.yml": text}


@pytest.mark.parametrize(
    "run",
    [
        "pip install -e .",
        "pip install -e '.[test]'",
        "python -m pip install --upgrade pip . pytest",
        "uv pip install .[test] --system",
    ],
)
@pytest.mark.parametrize("there", ["", "pyproject.toml", "setup.py", "setup.cfg"])
def test_an_installation_needs_a_definition(tmp_path: Path, run: str, there: str) -> None:
    files = {there: "[project]\nname = 'churn'\n"} if there else {}
    report = scan_tree(tmp_path, {**TESTS, **files, **workflow(f'      - run: "{run}"\n')})
    assert grade(report, CODE) is (Grade.WIRED if there else Grade.TRACE)
    assert bool(findings(report, "MLS303")) is not bool(there)


@pytest.mark.parametrize(
    "steps",
    [
        "      - run: pip install -r requirements.txt\n",
        "      # - run: pip install -e .\n",
        "      - run: pip install -e . || true\n",
        "      - run: pip install -e .\n        continue-on-error: true\n",
        "      - run: if [ -f setup.py ]; then pip install -e .; fi\n",
        "      - run: cd ../other && pip install -e .\n",
        "      - run: git clone https://x/y.git z\n      - run: pip install -e ./z\n",
        "      - run: python make_project.py\n      - run: pip install -e .\n",
        "      - uses: actions/download-artifact@v4\n      - run: pip install -e .\n",
        "      - run: pip install -e ./plugin\n",  # which may be a submodule
        "      - run: pip install -e git+https://x/y.git#egg=y\n",
        "      - run: pip install https://x/y.zip\n",
        "      - run: pip install -e $PROJECT\n",
    ],
)
def test_what_may_succeed(tmp_path: Path, steps: str) -> None:
    assert grade(scan_tree(tmp_path, {**TESTS, **workflow(steps)}), CODE) is Grade.WIRED


@pytest.mark.parametrize(
    ("key", "expected"),
    [("needs: test", Grade.TRACE), ("needs: test\n    if: always()", Grade.WIRED), ("", Grade.WIRED)],
)
def test_a_job_that_needs_the_failing_one(tmp_path: Path, key: str, expected: Grade) -> None:
    other = f"  late:\n    {key}\n    runs-on: ubuntu-latest\n    steps:\n{CHECKOUT}{PYTEST}"
    tree = {**TESTS, **workflow("      - run: pip install .\n", other)}
    assert grade(scan_tree(tmp_path, tree), CODE) is expected

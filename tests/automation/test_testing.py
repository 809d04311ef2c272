from __future__ import annotations

import pytest

from mlops_scan.automation.testing import TestLayout
from mlops_scan.documents.shell import unwrap
from tests.automation.trees import documents_of, index_of

FILES = (
    "test_root.py",
    "tests/conftest.py",
    "tests/test_a.py",
    "tests/b_test.py",
    "tests/helper.py",
    "tests/slow/test_c.py",
    "tests/model/test_d.py",
    "pkg/__init__.py",
    "pkg/code.py",
    "pkg/tests/__init__.py",
    "pkg/tests/test_e.py",
    "service/tests/test_f.py",
    "checks/check_g.py",
    "tests/model/test_h.ipynb",
)
EVERY = [
    "pkg/tests/test_e.py",
    "service/tests/test_f.py",
    "test_root.py",
    "tests/b_test.py",
    "tests/model/test_d.py",
    "tests/slow/test_c.py",
    "tests/test_a.py",
]
UNDER_TESTS = EVERY[3:]


def collected(command: str, folder: str = "", **extra: str) -> list[str]:
    tree = dict.fromkeys(FILES, "x = 1\n") | {
        name.replace("__", ".").replace("_at_", "/"): text for name, text in extra.items()
    }
    documents = documents_of(tree)
    return list(TestLayout(documents, index_of(documents)).collected(unwrap(tuple(command.split())), folder))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest", EVERY),
        ("python -m pytest -x", EVERY),
        ("coverage run -m pytest", EVERY),
        ("pytest .", EVERY),
        ("pytest tests", UNDER_TESTS),
        ("pytest tests/", UNDER_TESTS),
        ("pytest ./tests/model", ["tests/model/test_d.py"]),
        ("pytest tests/test_a.py", ["tests/test_a.py"]),
        ("pytest tests/test_a.py::TestX::test_y[1]", ["tests/test_a.py"]),
        ("pytest checks/check_g.py", ["checks/check_g.py"]),
        ("pytest checks", []),
        ("pytest tests/model tests/slow", ["tests/model/test_d.py", "tests/slow/test_c.py"]),
        ("pytest tests/*.py", ["tests/b_test.py", "tests/conftest.py", "tests/helper.py", "tests/test_a.py"]),
        ("pytest pkg/tests", ["pkg/tests/test_e.py"]),
        ("pytest --pyargs pkg.tests", ["pkg/tests/test_e.py"]),
        ("pytest -k tests", EVERY),
        ("pytest -k model tests/slow", ["tests/slow/test_c.py"]),
        ("pytest -m slow -n auto --maxfail 1 -p no:cacheprovider tests", UNDER_TESTS),
        ("pytest --cov pkg --cov-report xml tests", UNDER_TESTS),
        ("pytest --cov=pkg -rA -vv --tb short tests", UNDER_TESTS),
        ("pytest --unknown value tests", UNDER_TESTS),
        ("pytest tests --ignore=tests/slow", ["tests/b_test.py", "tests/model/test_d.py", "tests/test_a.py"]),
        ("pytest tests --ignore tests/slow --ignore tests/model", ["tests/b_test.py", "tests/test_a.py"]),
        ("pytest tests --ignore-glob=*_test.py", ["tests/model/test_d.py", "tests/slow/test_c.py", "tests/test_a.py"]),
        ("pytest tests/gone", []),
        ("pytest gone_test.py", []),
        ("pytest $ARGS", EVERY),
        ("pytest --collect-only", []),
        ("pytest --co tests", []),
        ("pytest --version", []),
        ("py.test tests/model", ["tests/model/test_d.py"]),
    ],
)
def test_pytest(command: str, expected: list[str]) -> None:
    assert collected(command) == expected


def test_from_a_folder() -> None:
    assert collected("pytest", "service") == ["service/tests/test_f.py"]
    assert collected("pytest ../tests/model", "service") == ["tests/model/test_d.py"]
    assert collected("pytest tests", "pkg") == ["pkg/tests/test_e.py"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest__ini", "[pytest]\ntestpaths = tests/model checks\npython_files = test_*.py check_*.py\n"),
        (
            "pytest__ini",
            "[pytest]\ntestpaths =\n    tests/model\n    checks\npython_files =\n    test_*.py\n    check_*.py\n",
        ),
        ("tox__ini", "[tox]\n[pytest]\ntestpaths = tests/model checks\npython_files = test_*.py check_*.py\n"),
        ("setup__cfg", "[tool:pytest]\ntestpaths = tests/model checks\npython_files = test_*.py check_*.py\n"),
        (
            "pyproject__toml",
            (
                "[tool.pytest.ini_options]\ntestpaths = ['tests/model', 'checks']\n"
                "python_files = ['test_*.py', 'check_*.py']\n"
            ),
        ),
        (
            "pyproject__toml",
            "[tool.pytest.ini_options]\ntestpaths = 'tests/model checks'\npython_files = 'test_*.py check_*.py'\n",
        ),
    ],
)
def test_configuration(name: str, text: str) -> None:
    assert collected("pytest", **{name: text}) == ["checks/check_g.py", "tests/model/test_d.py"]
    assert collected("pytest tests/slow", **{name: text}) == ["tests/slow/test_c.py"]
    assert collected("pytest checks", **{name: text}) == ["checks/check_g.py"]
    assert collected("pytest", "service", **{name: text}) == ["service/tests/test_f.py"]


def test_which_configuration_counts() -> None:
    ini, toml = "[pytest]\n", "[tool.pytest.ini_options]\ntestpaths = ['tests/slow']\n"
    assert collected("pytest", pytest__ini=ini, pyproject__toml=toml) == EVERY
    assert collected("pytest", tox__ini="[pytest]\ntestpaths = pkg\n", pyproject__toml=toml) == ["tests/slow/test_c.py"]
    assert collected(
        "pytest", tox__ini="[tox]\n", pyproject__toml="[project]\n", setup__cfg="[tool:pytest]\ntestpaths = pkg\n"
    ) == ["pkg/tests/test_e.py"]
    assert collected("pytest checks", checks_at_pytest__ini="[pytest]\npython_files = check_*.py\n") == [
        "checks/check_g.py"
    ]


def test_other_options_of_the_configuration() -> None:
    assert collected(
        "pytest tests", pytest__ini="[pytest]\naddopts = --ignore=tests/slow -q\nnorecursedirs = mod*\n"
    ) == ["tests/b_test.py", "tests/test_a.py"]
    assert collected("pytest", pytest__ini="[pytest]\naddopts = --collect-only\n") == []
    assert collected("pytest", pytest__ini="[pytest]\naddopts = -k 'un\n") == EVERY
    assert collected("pytest", pytest__ini="[pytest]\ntestpaths = tests/m*\n") == ["tests/model/test_d.py"]
    assert collected("pytest tests", pytest__ini="[pytest]\npython_files = tests/model/*.py\n") == [
        "tests/model/test_d.py"
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m unittest", ["pkg/tests/test_e.py", "test_root.py"]),
        ("python -m unittest -v", ["pkg/tests/test_e.py", "test_root.py"]),
        ("python -m unittest discover", ["pkg/tests/test_e.py", "test_root.py"]),
        ("python -m unittest discover -s tests", ["tests/test_a.py"]),
        ("python -m unittest discover --start-directory=tests -p *_test.py", ["tests/b_test.py"]),
        ("python -m unittest discover tests", ["tests/test_a.py"]),
        ("python -m unittest discover tests *_test.py", ["tests/b_test.py"]),
        ("python -m unittest discover -s pkg -t . -k name", ["pkg/tests/test_e.py"]),
        ("python -m unittest pkg.tests.test_e", ["pkg/tests/test_e.py"]),
        ("python -m unittest pkg.tests.test_e.TestX.test_y", ["pkg/tests/test_e.py"]),
        ("python -m unittest tests/test_a.py -v", ["tests/test_a.py"]),
        ("python -m unittest gone.test_x", []),
    ],
)
def test_unittest(command: str, expected: list[str]) -> None:
    assert collected(command) == expected


def test_unittest_in_a_folder() -> None:
    assert collected("python -m unittest discover", "tests") == ["tests/test_a.py"]
    assert collected("python -m unittest test_a", "tests") == ["tests/test_a.py"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest tests", ["tests/test_a.py"]),
        ("pytest tests/", ["tests/test_a.py"]),
        ("pytest tests0 tests/test_a.py tests", ["tests/test_a.py", "tests0/test_d.py"]),
    ],
)
def test_folders_whose_names_begin_alike(command: str, expected: list[str]) -> None:
    paths = ("tests-old/test_b.py", "tests.d/test_c.py", "tests/test_a.py", "tests0/test_d.py", "tests_test.py")
    documents = documents_of(dict.fromkeys(paths, "x = 1\n"))
    layout = TestLayout(documents, index_of(documents))
    assert list(layout.collected(tuple(command.split()), "")) == expected

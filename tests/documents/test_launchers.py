from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents.launchers import inner, unwrap


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest -x", "pytest -x"),
        ("sudo -E -u me X=1 python3.11 -u -m pytest -x", "pytest -x"),
        ("time -p make test", "make test"),
        ("nice -n 5 nohup python a.py", "python a.py"),
        ("env -u A B=1 pytest", "pytest"),
        ("X=1 pytest", "pytest"),
        ("exec python a.py", "python a.py"),
        ("command pytest", "pytest"),
        ("command -v pytest", "command -v pytest"),
        ("timeout -k 5 5m /usr/bin/python a.py", "python a.py"),
        ("xvfb-run -a --server-args=-screen pytest", "pytest"),
        ("poetry run pytest tests", "pytest tests"),
        ("poetry -C app run pytest", "pytest"),
        ("poetry install", "poetry install"),
        ("poetry poe test -x", "poe test -x"),
        ("poetry poetry", "poetry poetry"),
        ("poetry run", "poetry run"),
        ("uv run --with x --frozen python a.py", "python a.py"),
        ("uv run a.py --lr 1", "python a.py --lr 1"),
        ("uv run -m pytest", "pytest"),
        ("uv run -- pytest", "pytest"),
        ("uv --directory x run pytest", "pytest"),
        ("uv sync --frozen", "uv sync --frozen"),
        ("uv tool run ruff check", "ruff check"),
        ("uvx --from build pyproject-build", "pyproject-build"),
        ("uvx ruff@latest check", "ruff check"),
        ("pipx run --spec x==1 cmd a", "cmd a"),
        ("pipenv run python -mpytest", "pytest"),
        ("pdm run a.py", "python a.py"),
        ("hatch run test:pytest -x", "pytest -x"),
        ("hatch -e test run pytest", "pytest"),
        ("hatch run cov", "cov"),
        ("rye run pytest", "pytest"),
        ("pixi run -e cuda train", "train"),
        ("conda run -n env --no-capture-output python a.py", "python a.py"),
        ("micromamba run -p /x pytest", "pytest"),
        ("conda install x", "conda install x"),
        ("coverage run -m pytest tests", "pytest tests"),
        ("coverage run --source src -m unittest", "unittest"),
        ("coverage run b.py", "python b.py"),
        ("coverage report", "coverage report"),
        ("python -m coverage run -m pytest", "pytest"),
        ("python -m mlflow run .", "mlflow run ."),
        ("python -m src.train --x 1", "python -m src.train --x 1"),
        ("python -W ignore -X dev a.py", "python a.py"),
        ("python -c pass", "python -c pass"),
        ("python - x", "python - x"),
        ("python --version", "python --version"),
        ("python", "python"),
        (".venv/bin/pytest x", "pytest x"),
        ("./venv/bin/python3 a.py", "python a.py"),
        ("venv\\Scripts\\python.exe a.py", "python a.py"),
        ("bin/train --x", "bin/train --x"),
        ("/app/bin/train.sh", "/app/bin/train.sh"),
        ("./train.py", "./train.py"),
        ("$PYTHON a.py", "python a.py"),
        ("$(PYTHON) a.py", "python a.py"),
        ("$PYTHONPATH a.py", "$PYTHONPATH a.py"),
        ("$python_interpreter -m pytest x", "pytest x"),
        ("${PYTHON_EXECUTABLE} a.py", "python a.py"),
        ("$PYTHON_ARGS a.py", "$PYTHON_ARGS a.py"),
        ("$CMD_PYTHON a.py", "python a.py"),
        ("${VENV_PYTHON3} -m pytest x", "pytest x"),
        ("$MY_PYTHON_ARGS a.py", "$MY_PYTHON_ARGS a.py"),
        ("$_PYTHONIC a.py", "$_PYTHONIC a.py"),
        ("$TRAIN_PY a.py", "$TRAIN_PY a.py"),
        ("uv run -m invoke train --x 1", "invoke train --x 1"),
        ("python -m invoked train", "python -m invoked train"),
        ("${ci_python} -m pytest x", "pytest x"),
        ("${PYTHON:-python3} a.py", "python a.py"),
        ("$VENV/bin/python -m pytest x", "pytest x"),
        ("${TMP}/ci-venv/bin/python3.11 a.py", "python a.py"),
        ("${HOME}/tools/bin/pytest x", "pytest x"),
        ("$ROOT/bin/train.sh x", "$ROOT/bin/train.sh x"),
        ("$ROOT/bin/build x", "$ROOT/bin/build x"),
        ("$ROOT/pytest/bin x", "$ROOT/pytest/bin x"),
        ("$PYTHON_FILES a.py", "$PYTHON_FILES a.py"),
        ("$python_files a.py", "$python_files a.py"),
        ("$python_interpreters a.py", "$python_interpreters a.py"),
        ("pythonic a", "pythonic a"),
        ("poetry run coverage run -m pytest", "pytest"),
        ("sudo", "sudo"),
        ("bash run.sh -c", "bash run.sh -c"),
    ],
)
def test_unwrap(command: str, expected: str) -> None:
    assert unwrap(tuple(command.split())) == tuple(expected.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("bash", "-c", "a b"), "a b"),
        (("bash", "-lc", "a b"), "a b"),
        (("sudo", "-E", "bash", "-lc", "a b"), "a b"),
        (("/bin/sh", "-ec", "a b"), "a b"),
        (("bash", "-euo", "pipefail", "-c", "a b"), "a b"),
        (("bash", "-o", "pipefail", "-ec", "a b"), "a b"),
        (("sh", "-c", "a b", "name"), "a b"),
        (("bash", "run.sh", "-c", "x"), None),
        (("eval", "python3 -m pytest -x", "tests"), "python3 -m pytest -x tests"),
        (("eval", "--", "a b"), "a b"),
        (("eval", "$command"), None),
        (("eval", "$(ssh-agent)"), None),
        (("eval", "cd x && `pick`"), None),
        (("eval",), None),
        (("bash", "-c"), None),
        (("bash", "-e", "run.sh"), None),
        (("python", "-c", "x"), None),
        ((), None),
    ],
)
def test_inner(words: tuple[str, ...], expected: str | None) -> None:
    assert inner(words) == expected
    if expected is not None:
        assert unwrap(words)[:3] == ("sh", "-c", expected)


_WORDS = [
    "sudo",
    "env",
    "X=1",
    "python",
    "-m",
    "pytest",
    "uv",
    "run",
    "--with",
    "bash",
    "-c",
    "--",
    "-",
    "",
    "coverage",
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_WORDS), st.text(max_size=8)), max_size=8))
def test_never_raises(words: list[str]) -> None:
    once = unwrap(tuple(words))
    assert len(once) <= len(words) + 3
    inner(tuple(words))

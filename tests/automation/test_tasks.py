from __future__ import annotations

import pytest

from mlops_scan.automation.tasks import Task, Tasks
from mlops_scan.automation.tasks.model import ini_values
from tests.automation.trees import documents_of


def tasks(words: str, tree: dict[str, str], folder: str = "") -> list[Task]:
    return list(Tasks(documents_of(tree)).called(tuple(words.split()), folder))


def lines(words: str, tree: dict[str, str], folder: str = "") -> list[tuple[str, int, str]]:
    return [(task.name, line, text) for task in tasks(words, tree, folder) for line, text, _ in task.lines]


def test_makefile_lines() -> None:
    tree = {"Makefile": "V = 1\n\nall: a b\na:\n\t# note\n\techo $(V)\n\tone; \\\n\t  two\nb: ; three\n"}
    assert lines("make", tree) == [("a", 6, "echo 1"), ("a", 7, "one; two"), ("b", 9, "three")]
    assert [task.errexit for task in tasks("make", tree)] == [False, False]


def test_the_makefile_of_the_folder_only() -> None:
    tree = {"Makefile": "a:\n\tx\n", "sub/makefile": "a:\n\ty\n"}
    assert lines("make a", tree, "sub") == [("a", 2, "y")]
    assert lines("make a", tree, "other") == []
    assert lines("make -C .. a", tree, "sub") == [("a", 2, "x")]


def test_several_rules_of_one_target() -> None:
    tree = {"Makefile": "a: b\na: c\n\tx\nb:\n\ty\nc:\n\tz\n"}
    assert [text for _, _, text in lines("make a", tree)] == ["y", "z", "x"]


def test_just_lines() -> None:
    tree = {
        "justfile": (
            "set shell := ['bash', '-c']\n\n# note\n@a x *y: b # why\n    one {{x}}\n    -two\n\n"
            "b:\n    @three\n[private]\nc: (b 'x') && d\n  four\nd:\n  five\n"
        )
    }
    assert lines("just a", tree) == [("b", 9, "three"), ("a", 5, "one {{x}}"), ("a", 6, "two")]
    assert "`-`" in tasks("just a", tree)[1].lines[1][2]
    assert [text for _, _, text in lines("just c", tree)] == ["three", "five", "four"]
    assert lines("just a", tree, "deep/er") == lines("just a", tree)


def test_just_scripts_are_one_text() -> None:
    tree = {
        "justfile": "a:\n    #!/usr/bin/env bash\n    set -e\n\n    one\npy:\n    #!/usr/bin/env python\n    import x\n"
    }
    (task,) = tasks("just a", tree)
    assert task.lines == ((2, "#!/usr/bin/env bash\nset -e\n\none", ""),)
    assert lines("just py", tree) == []


def test_taskfile() -> None:
    tree = {
        "Taskfile.yml": (
            "version: '3'\ntasks:\n  a:\n    dir: app\n    deps: [b, {task: c}]\n    cmds:\n"
            "      - one\n      - cmd: two\n      - task: d\n      - |\n        three\n  b: [x]\n"
            "  c: {cmd: y}\n  d: z\n"
        )
    }
    assert lines("task a", tree) == [
        ("b", 12, "x"),
        ("c", 13, "y"),
        ("d", 14, "z"),
        ("a", 7, "one"),
        ("a", 8, "two"),
        ("a", 11, "three\n"),
    ]
    assert [(task.folder, task.errexit) for task in tasks("task a", tree)][-1] == ("app", True)
    assert lines("task nothing", tree) == []


def test_table_folders_and_words() -> None:
    tree = {
        "sub/pyproject.toml": (
            "[tool.poe.tasks]\na = {shell = 'one; two', cwd = 'x'}\n[tool.pdm.scripts]\n"
            "b = {cmd = ['python', 'a b.py']}\n_.env_file = 'x'\n"
        )
    }
    (task,) = tasks("poe a", tree, "sub/deep")
    assert (task.folder, task.lines) == ("sub/x", ((2, "one; two", ""),))
    assert lines("pdm run b", tree, "sub") == [("b", 4, "python 'a b.py'")]


def test_table_cycles() -> None:
    tree = {"pyproject.toml": "[tool.poe.tasks]\na = ['b', 'x y']\nb = ['a']\nc = {ref = 'c'}\n"}
    assert lines("poe a", tree) == [("b", 3, "a"), ("a", 2, "x y")]
    tasks("poe c", tree)


def test_package_json() -> None:
    tree = {"web/package.json": '{\n "scripts": {\n  "test": "jest",\n  "t:x": "y"\n }\n}'}
    assert lines("npm test", tree, "web") == [("test", 3, "jest")]
    assert lines("npm run t:x", tree, "web") == [("t:x", 4, "y")]
    assert lines("npm install test", tree, "web") == [] and lines("npm test", tree) == []
    assert lines("pnpm test", tree, "web") == lines("yarn run test", tree, "web") == lines("npm test", tree, "web")


def test_mise() -> None:
    tree = {
        ".mise.toml": "[tasks]\na = 'one'\n[tasks.b]\ndepends = ['a']\nrun = ['two', 'three']\ndir = 'x'\n",
        "mise-tasks/c": "#!/bin/sh\nfour\n",
        "mise-tasks/d/e.sh": "five\n",
    }
    assert lines("mise run b", tree) == [("a", 2, "one"), ("b", 5, "two"), ("b", 5, "three")]
    assert lines("mise r c", tree) == [("c", 1, "#!/bin/sh\nfour\n")]
    assert lines("mise run d:e", tree) == [("d:e", 1, "five\n")]
    assert lines("mise install", tree) == []


HOOKS = """\
repos:
  - repo: https://github.com/pre-commit/pre-commit-hooks
    rev: v5.0.0
    hooks: [{id: check-yaml, entry: elsewhere}]
  - repo: local
    hooks:
      - id: tests
        entry: pytest tests
        args: [-q, -m, not slow]
        language: system
      - {id: pushed, entry: make all, language: system, stages: [pre-push]}
      - {id: both, entry: ruff check, language: python, stages: [commit, manual]}
      - {id: never, entry: say no, language: fail}
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pre-commit run --all-files", [("tests", 8, "pytest tests -q -m 'not slow'"), ("both", 12, "ruff check")]),
        ("prek run --hook-stage manual both -a", [("both", 12, "ruff check")]),
        ("pre-commit run other", []),
        ("pre-commit install", []),
        ("pre-commit", []),
    ],
)
def test_local_hooks(words: str, expected: list[tuple[str, int, str]]) -> None:
    assert lines(words, {".pre-commit-config.yaml": HOOKS}, "src") == expected


@pytest.mark.parametrize(
    "text", ["", "repos: x\n", "repos:\n  - repo: local\n", "repos:\n  - {repo: local, hooks: [{id: a}]}\n"]
)
def test_hooks_that_are_not_there(text: str) -> None:
    assert lines("pre-commit run", {".pre-commit-config.yaml": text}) == []


def test_tox_ini() -> None:
    text = """\
        [tox]
        env_list =
            py{310,311}
            lint
        [testenv]
        # note
        commands_pre = pip list
        commands =
            pytest {posargs:tests} \\
                --cov
            - flaky
        [testenv:lint]
        commands = ruff check
            lint: mypy {toxinidir}/src
            py310: other
        """
    tree = {"tox.ini": text}
    assert lines("tox", tree) == [
        ("py310", 7, "pip list"),
        ("py310", 9, "pytest tests --cov"),
        ("py310", 11, "flaky"),
        ("lint", 7, "pip list"),
        ("lint", 13, "ruff check"),
        ("lint", 14, "mypy src"),
    ]
    assert "`-`" in tasks("tox -e py", tree)[0].lines[2][2]
    assert [text for _, _, text in lines("tox -e py -- a b", tree)][1] == "pytest a b --cov"
    assert [name for name, _, _ in lines("tox -e lint,py", tree)][-1] == "py"
    assert lines("tox", {"tox.ini": "[flake8]\nx = 1\n"}) == []


def test_tox_toml() -> None:
    tree = {
        "pyproject.toml": (
            "[tool.tox]\nenv_list = ['a', 'b']\n[tool.tox.env_run_base]\n"
            "commands = [['pytest', 'x y']]\n[tool.tox.env.b]\ncommands = [\n  ['ruff'],\n"
            "  ['mypy'],\n]\n"
        )
    }
    assert lines("tox", tree) == [("a", 4, "pytest 'x y'"), ("b", 7, "ruff"), ("b", 8, "mypy")]


def test_nox() -> None:
    tree = {
        "noxfile.py": """\
            import nox

            def helper(session):
                session.run("no")

            @nox.session(name="other")
            def tests(session):
                session.install(".")
                session.run("pytest", *session.posargs)
                session.run("python", "-c", "a b", external=True)

            @nox.session
            def lint(session):
                session.run("ruff")
            """
    }
    assert lines("nox", tree) == [("tests", 9, "pytest"), ("tests", 10, "python -c 'a b'"), ("lint", 14, "ruff")]
    assert lines("nox -s lint tests -- -s x", tree) == lines("nox", tree)
    assert [name for name, _, _ in lines("nox --sessions lint", tree)] == ["lint"]


INVOKE = """\
    from invoke import Collection, task
    from src.models import fit

    def helper(c):
        fit()

    @task
    def train(c, data="a.csv"):
        fit(data)

    @task(help={"x": "y"})
    def check_data(c):
        c.run("python check.py")
    """


def test_invoke() -> None:
    tree = {"tasks.py": INVOKE}
    assert lines("inv check-data", tree) == [("check_data", 13, "python check.py")]
    assert [(task.entry, task.lines) for task in tasks("invoke train --data b.csv", tree)] == [(("train", 8), ())]
    assert tasks("inv helper", tree) == tasks("inv nothing", tree) == tasks("inv --list", tree) == []


def test_invoke_package_and_collections() -> None:
    tree = {"app/tasks/__init__.py": INVOKE, "app/tasks/model.py": INVOKE}
    (plain,) = tasks("inv train", tree, "app/src")
    (named,) = tasks("inv model.train", tree, "app/src")
    assert (plain.path, plain.folder, plain.entry) == ("app/tasks/__init__.py", "app", ("train", 8))
    assert (named.path, named.folder, named.entry) == ("app/tasks/model.py", "app", ("train", 8))
    assert tasks("inv other.train", tree, "app") == tasks("inv model", tree, "app") == []
    (beside,) = tasks("inv model.check-data", {"tasks.py": "", "tasks/model.py": INVOKE})
    assert (beside.folder, beside.lines) == ("", ((13, "python check.py", ""),))


def test_invoke_runs_what_a_task_names_and_the_default_of_a_collection() -> None:
    checks = """\
        from invoke import task
        from tasks import other

        @task
        def lint(c):
            c.run("ruff check")

        @task
        def test(c):
            c.run("pytest")

        @task(lint, pre=[test, other.build], default=True)
        def all(c):
            "Everything."

        @task(pre=[round], post=[round])
        def round(c):
            c.run("echo")

        @task
        def alone(c):
            c.run("true")
        """
    tree = {"tasks/__init__.py": "", "tasks/checks.py": checks}
    ran = [("lint", 6, "ruff check"), ("test", 10, "pytest")]
    assert lines("inv checks", tree) == lines("inv checks.all", tree) == ran
    assert lines("inv checks.alone", tree) == [("alone", 22, "true")]
    assert lines("inv checks.round", tree) == [("round", 18, "echo")]
    assert lines("inv checks", {**tree, "tasks/checks.py": checks.replace(", default=True", "")}) == []


def test_console_scripts() -> None:
    tree = {
        "pyproject.toml": (
            "[project.scripts]\na = 'x.y:main'\n[tool.poetry.scripts]\nb = 'x:run'\n"
            "c = {callable = 'x:c', extras = []}\n"
        ),
        "pkg/setup.py": "setup(entry_points={'console_scripts': [\n  'd-e=x.z:go',\n]})\n",
        "other/setup.cfg": "[options.entry_points]\nconsole_scripts =\n    f = m:f\n",
    }
    expected = {"a": "x.y:main", "b": "x:run", "c": "x:c", "d-e": "x.z:go", "f": "m:f"}
    found = Tasks(documents_of(tree)).console_scripts()
    assert {name: found.get(name) for name in expected} == expected


def test_named() -> None:
    tree = {"Makefile": "a:\n\tx\n", "mise.toml": "[tasks.b]\nrun = 'y'\n", "justfile": "c:\n  z\n"}
    assert list(Tasks(documents_of(tree)).named()) == [("Makefile", "a", 1), ("mise.toml", "b", 1)]


@pytest.mark.parametrize(
    ("section", "option", "expected"),
    [
        ("a", "x", ((2, "1"), (4, "2"))),
        ("b", "x", ((8, "y = z"),)),
        ("b", "empty", ()),
        ("b", "nothing", None),
        ("c", "x", None),
    ],
)
def test_ini_values(section: str, option: str, expected: tuple[tuple[int, str], ...] | None) -> None:
    text = "[a]\nx = 1\n# note\n  2\ny: 3\n[b] ; note\nempty =\nx = y = z\n"
    assert ini_values(text, section, option) == expected


@pytest.mark.parametrize(
    "words",
    ["make", "tox", "nox", "just", "task", "inv x", "npm test", "poe a", "mise run a", "pixi run a", "hatch run a"],
)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{",
        "tasks: [a]\n",
        "[tool]\ntasks = 3\n",
        "def x(:\n",
        "a: a\n\tmake a\n",
        "[tool.poe]\ntasks = []\n[tasks]\na = [[['b']]]\n",
    ],
)
def test_broken_files_do_not_raise(words: str, text: str) -> None:
    names = [
        "Makefile",
        "tox.ini",
        "noxfile.py",
        "justfile",
        "Taskfile.yml",
        "tasks.py",
        "package.json",
        "pyproject.toml",
        "mise.toml",
        "pixi.toml",
    ]
    tasks(words, dict.fromkeys(names, text))

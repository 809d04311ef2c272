"""Hostile files, each scanned beside a good one: bounded time, the breach listed, the good file counted as ever."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_scan.engine.scan import scan
from tests.trees import ML, Tree, context_of, grade, practice, write_tree

SECONDS = 20  # of CPU; on an idle machine the slowest takes two or three
IMPORT = "import mlflow\n"
LAST = "mlflow.log_metric('a', 1)\n"
WORKFLOW = (
    "on: push\njobs:\n  a:\n    steps:\n"
    "      - run: bash a.sh\n      - run: make all\n      - run: just t1\n      - run: docker build .\n      - run: tox\n"  # noqa: E501
    "      - run: pip install -r requirements.txt\n      - run: dvc repro\n"
)

Files = Callable[[], Tree]


def _notebook(count: int, source: str) -> str:
    cell = json.dumps({"cell_type": "code", "source": source})
    return '{"nbformat":4,"cells":[' + ",".join([cell] * count) + "]}"


def _bomb(item: str, sequence: bool, depth: int = 30) -> str:
    lines = [f"x0: &a0 {item}\n"]
    for n in range(1, depth):
        body = ",".join(f"*a{n - 1}" if sequence else f"k{k}: *a{n - 1}" for k in range(10))
        lines.append(f"x{n}: &a{n} " + (f"[{body}]\n" if sequence else f"{{{body}}}\n"))
    return "".join(lines)


def _nested(opening: str, closing: str = "", count: int = 50_000, between: str = "") -> str:
    return opening * count + between + closing * count


# name -> (files, {path: part of the reason that it is listed with}); nothing else may be listed
CASES: dict[str, tuple[Files, dict[str, str]]] = {
    # bytes
    "python of 6 MB": (lambda: {"a.py": IMPORT + "x = '" + "a" * 6_000_000 + "'\n"}, {"a.py": "larger than 2 MB"}),
    "broken bicep": (lambda: {"main.bicep": "[" * 200_000}, {"main.bicep": "so broken"}),
    "notebook of 9 MB": (lambda: {"a.ipynb": " " * 9_000_000}, {"a.ipynb": "larger than 8 MB"}),
    "makefile of one line": (lambda: {"Makefile": "a" * 6_000_000}, {"Makefile": "larger than 2 MB"}),
    "shell of one line": (lambda: {"a.sh": "a" * 6_000_000}, {"a.sh": "larger than 2 MB"}),
    "dockerfile of one line": (lambda: {"Dockerfile": "RUN " + "a" * 6_000_000}, {"Dockerfile": "larger than 2 MB"}),
    "requirements of one line": (
        lambda: {"requirements.txt": "a" * 6_000_000},
        {"requirements.txt": "larger than 2 MB"},
    ),
    # nesting
    "json nested": (lambda: {"a.json": _nested("[", "]")}, {"a.json": "nested deeper"}),
    "yaml nested": (lambda: {"dvc.yaml": _nested("[", "]")}, {"dvc.yaml": "nested deeper"}),
    "yaml nested blocks": (lambda: {"dvc.yaml": _nested("- ") + "a\n"}, {"dvc.yaml": "nested deeper"}),
    "toml nested": (lambda: {"pyproject.toml": "a = " + _nested("[", "]")}, {"pyproject.toml": "nested deeper"}),
    "toml nested tables": (
        lambda: {"pyproject.toml": "a = " + _nested("{a=", "}", between="1")},
        {"pyproject.toml": "nested deeper"},
    ),
    "python nested": (lambda: {"a.py": IMPORT + "x = " + _nested("[", "]") + "\n" + LAST}, {"a.py": "line 2: this"}),
    "python 2 nested": (
        lambda: {"a.py": IMPORT + "print 'a'\nx = " + _nested("(", ")") + "\n" + LAST},
        {"a.py": "line 3: this"},
    ),
    "python never closed": (lambda: {"a.py": IMPORT + "x = " + "[" * 50_000}, {"a.py": "line 2: this"}),
    "shell nested": (lambda: {"a.sh": _nested("$(", ")")}, {"a.sh": "nested deeper"}),
    "shell nested, open": (lambda: {"a.sh": 'echo "$(' * 50_000}, {}),
    "shell conditions": (lambda: {"a.sh": "if a; then\n" * 20_000}, {"a.sh": "more than 2000 commands"}),
    "shell lists": (lambda: {"a.sh": "a && " * 20_000 + "b"}, {"a.sh": "nested deeper"}),
    "makefile nested": (lambda: {"Makefile": "all: " + _nested("$(", ")") + "\n"}, {}),
    "dockerfile nested": (lambda: {"Dockerfile": "FROM a\nCMD " + "[" * 50_000 + "\n"}, {}),
    "notebook nested": (lambda: {"a.ipynb": _notebook(10, "x = " + "[" * 20_000)}, {}),
    # nodes
    "python of many words": (lambda: {"a.py": IMPORT + "a;" * 500_000 + "\n"}, {"a.py": "more than"}),
    "notebook of many cells": (lambda: {"a.ipynb": _notebook(100_000, "x = 1")}, {"a.ipynb": "more than 10000 cells"}),
    "yaml of many documents": (lambda: {"a.yaml": "--- a\n" * 160_000}, {"a.yaml": "more than 2000 documents"}),
    "targets": (
        lambda: {"Makefile": "".join(f"t{n}:\n\techo a\n" for n in range(30_000))},
        {"Makefile": "more than 2000 targets"},
    ),
    "instructions": (
        lambda: {"Dockerfile": "".join(f"FROM s{n} AS s{n + 1}\nRUN true\n" for n in range(10_000))},
        {"Dockerfile": "more than 2000 instructions"},
    ),
    "requirements": (
        lambda: {"requirements.txt": "".join(f"pkg{n}==1.{n}\n" for n in range(30_000))},
        {"requirements.txt": "more than 10000 requirements"},
    ),
    "commands": (lambda: {"a.sh": "echo a\n" * 50_000}, {"a.sh": "more than 2000 commands"}),
    "recipe lines": (
        lambda: {"Makefile": f"A = {'x ' * 9000}\n$(A):\n" + "\techo a\n" * 3000},
        {"Makefile": "more than 20000 recipe lines"},
    ),
    "elif": (
        lambda: {"a.py": IMPORT + "if a:\n  b()\n" + "elif a:\n  b()\n" * 80_000},
        {"a.py": "Python"},
    ),
    # expansion
    "laughs": (lambda: {"params.yaml": _bomb("[x, x]", True)}, {}),
    "laughs in stages": (lambda: {"dvc.yaml": _bomb("{cmd: python a.py, deps: [a]}", False) + "stages: *a29\n"}, {}),
    "laughs in steps": (
        lambda: {".github/workflows/a.yml": _bomb("{run: a}", True) + "on: push\njobs: {a: {steps: *a29}}\n"},
        {},
    ),
    "laughs in jobs": (lambda: {".github/workflows/a.yml": _bomb("{run: a}", False) + "on: push\njobs: *a29\n"}, {}),
    "laughs in scripts": (lambda: {".gitlab-ci.yml": _bomb("[a]", True, 12) + "train: {script: *a11}\n"}, {}),
    "merge keys": (
        lambda: {
            "dvc.yaml": "x0: &a0 {x: 1}\n"
            + "".join(
                f"x{n}: &a{n}\n  <<: [{','.join([f'*a{n - 1}'] * 500)}]\n  k{n}: 1\n" for n in range(1, 60)
            )
        },
        {"dvc.yaml": "merge keys expand"},
    ),
    "make variables": (
        lambda: {
            "Makefile": "A0 = x\n" + "".join(f"A{n} = {f'$(A{n - 1})' * 10}\n" for n in range(1, 40)) + "all: $(A39)\n"
        },
        {"Makefile": "variables"},
    ),
    "make names": (
        lambda: {"Makefile": f"A = {'x ' * 9000}\n" + "$(A): $(A)\n\techo $@\n" * 100},
        {"Makefile": "variables expand"},
    ),
    "includes": (
        lambda: {
            "requirements.txt": "-r requirements.txt\n-r requirements-b.txt\n" * 500,
            "requirements-b.txt": "-r requirements.txt\n" * 500,
            "Makefile": "include Makefile\ninclude x.mk\nall:\n\tmake all\n",
            "x.mk": "include Makefile\n",
        },
        {},
    ),
    "matrix": (
        lambda: {
            ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    strategy: {matrix: {"
            + ",".join(f"a{n}: {list(range(100))}" for n in range(20))
            + "}}\n    steps: [{run: 'python ${{ matrix.a1 }}${{ matrix.a2 }}${{ matrix.a3 }}.py'}]\n"
        },
        {},
    ),
    # time
    "dockerfile continued": (lambda: {"Dockerfile": "FROM a\nRUN " + "a \\\n" * 200_000}, {}),
    "here-documents never closed": (
        lambda: {"Dockerfile": "FROM a\n" + "RUN <<EOF\n" * 1500 + "a\n" * 200_000},
        {"Dockerfile": "more than 2000 instructions"},
    ),
    "here-documents in one line": (
        lambda: {"Dockerfile": "FROM a\nRUN " + "<<EOF " * 1500 + "\n" + "# a\n" * 200_000},
        {},
    ),
    "shell here-documents": (lambda: {"a.sh": "cat <<EOF\n" * 20_000}, {}),
    "pipes": (lambda: {"a.sh": "a | " * 20_000}, {"a.sh": "more than 5000 pipes"}),
    "python 2 of many errors": (lambda: {"a.py": IMPORT + "print 'a' b c\nimport os\n" * 10_000}, {"a.py": "line"}),
    "magics": (lambda: {"a.py": IMPORT + "%time" + " -a" * 100_000 + "\na" + " ,a" * 100_000 + "\n!ls\n"}, {}),
    "template tags": (lambda: {"params.yaml": "{{ " * 200_000, "a.toml": "{{ " * 200_000}, {"params.yaml": "", "a.toml": ""}),  # noqa: E501
    "dotted names": (
        lambda: {"a.py": "import " + ".".join(["a"] * 100_000) + "\n" + IMPORT + "x = mlflow\n" + ("x = x" + ".a" * 90 + "\n") * 2000},  # noqa: E501
        {},
    ),
    "blanks": (
        lambda: {
            "setup.py": "\n" * 1_000_000,
            "setup.cfg": "[a" + " " * 200_000 + "\nb" + " " * 200_000 + "c\n",
            "requirements.txt": "a" + " " * 200_000 + "b\n",
            "main.tf": "\n" * 500_000 + "resource" + " " * 500_000,
            ".gitattributes": "a " * 200_000 + "filter=lf\n",
        },
        {"main.tf": "not valid HCL"},
    ),
}  # fmt: skip

# valid Python: every one must be read to its last line, without a word in `incomplete`
READ: dict[str, str] = {
    "elif": "if a:\n    b()\n" + "elif a:\n    b()\n" * 5000 + "else:\n    b()\n",
    "elif, 300": "if a:\n    b()\n" + "elif a:\n    b()\n" * 300,
    "else if": "".join(f"{' ' * n}if a:\n{' ' * n} b()\n{' ' * n}else:\n" for n in range(95)) + " " * 95 + "b()\n",
    "sum": "x = " + " + ".join(["a()"] * 10_000) + "\n",
    "sum of lines": "x = (" + " +\n".join(["'a'"] * 10_000) + ")\n",
    "sum in a header": "while " + " + ".join(["a()"] * 10_000) + ":\n    b()\n",
    "and": "x = " + " and ".join(["a"] * 20_000) + "\n",
    "comparison": "if " + " < ".join(["a"] * 20_000) + ":\n    b()\n",
    "calls": "x = a" + ".b()" * 300 + "\n",
    "union": "x: " + " | ".join(["a"] * 3000) + " = 1\n",
    "f-string": "x = f'" + "{a}" * 20_000 + "'\n",
    "f-strings": "x = (" + "f'{a!r:>{b}}'\n" * 20_000 + ")\n",
    "literal": "x = {" + "'a': [1, 2]," * 30_000 + "}\n",
    "classes": "".join(f"{' ' * n}class A:\n" for n in range(95)) + " " * 95 + "x = 1\n",
    "decorators": "@a\n" * 20_000 + "def f():\n    b()\n",
}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_costs_only_itself(name: str, tmp_path: Path) -> None:
    files, reasons = CASES[name]
    write_tree(tmp_path, {f"good/{path}": text for path, text in ML.items()})
    write_tree(tmp_path, {".github/workflows/zz.yml": WORKFLOW, **files()})
    start = time.process_time()
    report = scan(tmp_path)
    assert time.process_time() - start < SECONDS
    assert any(item.location.path == "good/train.py" for item in practice(report, "code/modular-training").evidence)
    listed = {item.path: item.reason for item in report.incomplete}
    assert listed.keys() == reasons.keys()
    for path, reason in reasons.items():
        assert reason in listed[path]


@pytest.mark.parametrize("name", READ)
def test_valid_python_is_read_to_its_end(name: str, tmp_path: Path) -> None:
    text = IMPORT + READ[name] + LAST
    start = time.process_time()
    context = context_of(tmp_path, {"a.py": text, **ML})
    assert time.process_time() - start < SECONDS
    assert not context.documents.incomplete
    calls = {call.name: call.line for call in context.index.modules["a.py"].calls}
    assert calls["mlflow.log_metric"] == text.count("\n")


def test_a_huge_data_file_is_not_opened(tmp_path: Path) -> None:
    write_tree(tmp_path, ML)
    with (tmp_path / "big.json").open("wb") as file:
        file.write(b"[")
        file.truncate(300_000_000)
    report = scan(tmp_path)
    assert report.statistics.bytes_read < 1_000_000
    assert grade(report, "code/modular-training").value == "implemented"


WIDE = ["é", "日本", "😀", "e\u0301\u0301", "\U0010ffff", "\u200b", "\x80", "ﷺ", "\u2028", "\ufffe"]


def test_wide_characters_do_not_crash_the_process(tmp_path: Path) -> None:
    """The scanner of tree-sitter-bash looks wide characters up in a table of 256; a crash ends the whole process."""
    shell = [
        "cat <<W\na\nW\n", "W=1 a W\n", "a=${W:-W}\n", "[[ a =~ W ]]\n", "case W in W) a;; esac\n", "$'W' W*(W)\n",
        "for W in W; do a; done\n", "W() { W; }\n", "a | W && W\n", '"$(W "W")"\n', "((W + 1))\n", "${W[W]}${W//W/W}\n",
        "# W",
    ]  # fmt: skip
    lines = "".join(line.replace("W", wide * times) for wide in WIDE for times in (1, 300) for line in shell)
    python = "".join(f"print 'a{wide}'\nx{wide} = `{wide}`\n!ls {wide}\nf(\n" for wide in WIDE)
    make = "".join(f"{wide}:\n\techo {wide} $({wide}) <<{wide}\n" for wide in WIDE)
    write_tree(
        tmp_path,
        {
            "a.sh": lines, "a.py": IMPORT + python, "Makefile": "all:\n\t[[ é =~ 😀 ]]\n" + make,
            "Dockerfile": "FROM a\n" + "".join(f"RUN a {wide} <<{wide}\nb\n{wide}\n" for wide in WIDE),
            "a.ipynb": json.dumps({"nbformat": 4, "cells": [
                {"cell_type": "code", "source": "%%bash\n" + lines}, {"cell_type": "code", "source": python},
            ]}),
            ".github/workflows/a.yml": WORKFLOW + "".join(f"      - run: '[[ a =~ {wide} ]]'\n" for wide in WIDE[:6]),
            **ML,
        },
    )  # fmt: skip
    command = [sys.executable, "-m", "mlops_scan", str(tmp_path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["level"] is not None

"""What a look at the text of a Python file shows."""

from __future__ import annotations

import pytest

from mlops_scan.code.look import look


@pytest.mark.parametrize(
    ("text", "imports", "packages"),
    [
        ("import a.b as c, d\n", ["a.b", "d"], []),
        ("from a import b, c as d\n", ["a.b", "a.c"], ["a"]),
        ("from a import *\n", ["a"], []),
        ("from a import (  # x, y\n    b,\n    c,  # z\n)\nimport d\n", ["a.b", "a.c", "d"], ["a"]),
        ("from . import b\nfrom .c import d\nfrom ... import e\n", ["p.q.b", "p.q.c.d", "e"], ["p.q", "p.q.c", ""]),
        ("if x:\n\timport a; import b\nimport c", ["a", "c"], []),
        ("x = 'import a'  # import b\nreimport c\nfrom importlib import d\n", ["importlib.d"], ["importlib"]),
        ("from a import (b,\nimport c\n", ["a.b", "a.import"], ["a"]),  # no statement begins within the parentheses
        ("important = 1\nimporta\nfrom a imports b\n", [], []),
        ("import a\r\nimport b\n", ["a", "b"], []),
    ],
)
def test_imports(text: str, imports: list[str], packages: list[str]) -> None:
    seen = look("p/q/r.py", text)
    assert (list(seen.imports), list(seen.packages)) == (imports, packages)


def test_a_text_of_one_long_line_is_gone_through_once() -> None:
    assert look("a.py", "import b; " + "import " * 300_000).imports == ("b",)


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("run('python -m a.b')", ["a.b"]),
        ("""run(["python", "-m", "a.b"])""", ["a.b"]),
        ("import_module('a.b', \"c.d\")", ["a.b", "c.d"]),
        ("import_module('a'.b'c.d', 'e f.g', 'h')", ["c.d"]),
        ("import_module('a.b'c.d'e.f')", ["a.b", "e.f"]),  # a quote ends one name or begins one
        ("import_module(a.b, 'c.d", []),
        ("x = 'a.b'", []),
        ("x = ['-m'] + a.b", []),
    ],
)
def test_modules_that_something_is_told_to_run(text: str, modules: list[str]) -> None:
    assert list(look("a.py", text).modules) == modules


def test_a_package_that_extends_its_path_is_spread() -> None:
    text = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
    assert look("src/org/__init__.py", text).spread
    assert not look("src/org/walk.py", "for item in walk_packages(org.__path__):\n    pass\n").spread
    assert not look("src/org/__init__.py", "from .fit import fit\n").spread

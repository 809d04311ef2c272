from __future__ import annotations

import ast
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_scan.code.build import Source, build
from mlops_scan.documents import notebook
from mlops_scan.documents.cells import cells
from mlops_scan.documents.node import DocumentError
from tests.documents.hostile import mutations


def code_cell(source: str | list[str], **more: object) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "outputs": [], "source": source, **more}


def dump(*cells: object, **more: object) -> str:
    return json.dumps({"cells": cells, "nbformat": 4, **more}, indent=1)


SAMPLE = dump(
    {"cell_type": "markdown", "source": "# hi"},
    code_cell(
        ["import x\n", "%matplotlib inline\n", "!pip install a \\\n", "  b\n", "x = 1"], execution_count=3, outputs=[{}]
    ),
    code_cell("%%bash\nls\n\npytest"),
    code_cell(["%%time\n", "model.fit()\n"]),
    code_cell(["def f(:\n", "  pass\n"]),
    code_cell(["foo?\n", "y = 2"]),
)


def test_cells() -> None:
    found = notebook.parse(SAMPLE).cells
    assert [cell.kind for cell in found] == ["markdown", "code", "code", "code", "code", "code"]
    raw = SAMPLE.split("\n")
    for number, text in found[1].lines:
        assert json.dumps(text)[1:-1] in raw[number - 1]
    assert [text for _, text in found[2].lines] == ["%%bash", "ls", "", "pytest"]
    assert len({number for number, _ in found[2].lines}) == 1


def test_code_parses_and_keeps_lines() -> None:
    text, lines = notebook.code(notebook.parse(SAMPLE))
    assert len(text.split("\n")) == len(lines)
    tree = ast.parse(text)
    fit = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert ast.unparse(fit) == "model.fit()"
    assert "model.fit()" in SAMPLE.split("\n")[lines[fit.lineno - 1] - 1]
    assert "pytest" not in text
    assert "y = 2" in text


def test_shell_lines() -> None:
    texts = [text for _, text in notebook.shell_lines(notebook.parse(SAMPLE))]
    assert texts == ["pip install a \\", "  b", "ls", "pytest"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!ls", ["ls"]),
        ("x = !ls", ["ls"]),
        ("%pip install x", ["pip install x"]),
        ("%%sh\na", ["a"]),
        ("if a != b:\n  pass", []),
        ("%%writefile a.py\n!ls", []),
        ("# c\n%%bash\na", ["a"]),
        ("%sh ls", ["ls"]),
    ],
)
def test_shell_lines_of_one_cell(source: str, expected: list[str]) -> None:
    assert [text for _, text in notebook.shell_lines(notebook.parse(dump(code_cell(source))))] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%time fit(x)", "fit(x)"),
        ("%%timeit -n 3\nfit(x)", "fit(x)"),
        ("%%capture out\nfit(x)", "fit(x)"),
        ("x = (a\n % b)", "x = a % b"),
        ("if a:\n    !ls", "if a:\n    None"),
        ("! ls -l", ""),  # IPython allows blanks
        ("x = ! ls\ny = x[0]", "x = None\ny = x[0]"),
        ("x = (a\n  != b)", "x = a != b"),
        ("%sql\nselect 1", ""),
        ("%md # Title", ""),
        ("%%html\n<b>", ""),
        ("??foo", ""),
        ("s = '''\n!not shell\n'''", "s = '\\n!not shell\\n'"),
    ],
)
def test_magics(source: str, expected: str) -> None:
    assert ast.unparse(ast.parse(notebook.code(notebook.parse(dump(code_cell(source))))[0])) == expected


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("first", [True, False])
def test_lines_stand_behind_outputs_that_hold_the_same_keys(indent: int | None, first: bool) -> None:
    outputs = [{"data": {"source": ["fit()\n"], "text": 'a "source": ["fit()"]\n', "deep": [[{"x": [1.5, None]}]]}}]
    cell = (
        {"outputs": outputs, "source": ["fit()\n", "b"]} if first else {"source": ["fit()\n", "b"], "outputs": outputs}
    )
    text = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", **cell}], "metadata": {"a": {}}}, indent=indent)
    assert notebook.code(notebook.parse(text))[0] == "fit()\nb"
    for number, line in notebook.parse(text).cells[0].lines:
        assert f'"{line}' in text.split("\n")[number - 1]


def test_outputs_that_are_no_plain_json_are_read_as_before() -> None:
    text = '{"nbformat": 4, "cells": [{"outputs": [1, /* x */ 2,], "cell_type": "code", "source": "fit()"}]}'
    assert notebook.code(notebook.parse(text))[0] == "fit()"
    with pytest.raises(DocumentError, match="deeper than"):
        notebook.parse(text.replace("1,", "[" * 5_000 + "]" * 5_000 + ","))


def test_code_cells_by_themselves() -> None:
    data = dump(
        {"cell_type": "markdown", "source": ["# hi\n"]}, code_cell(["a\n"]), {"cell_type": "code", "input": "b"}
    )
    whole = notebook.parse(data)
    assert notebook.read_code(data.encode()).cells == whole.cells[1:]
    assert whole.cells[2].lines == ((data[: data.index('"b"')].count("\n") + 1, "b"),)
    assert notebook.read_code(data.replace("hi", "\xe9").encode("latin-1")).cells == whole.cells[1:]
    assert notebook.read_code(data.replace("\n", "\r\n").encode()).cells == whole.cells[1:]
    assert notebook.code(notebook.read_code(data.encode("utf-16"))) == notebook.code(whole)


def test_format_3() -> None:
    cell = {"cell_type": "code", "input": ["fit()\n"], "prompt_number": 2, "outputs": []}
    text = json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell, {"cell_type": "heading", "source": "x"}]}]})
    found = notebook.parse(text).cells
    assert [c.kind for c in found] == ["code", "markdown"]
    assert notebook.code(notebook.parse(text)) == ("fit()", (1,))


@pytest.mark.parametrize("text", ["{}", "[]", '{"cells": []}', "", "x", '"nbformat"'])
def test_no_notebook(text: str) -> None:
    with pytest.raises(DocumentError):
        notebook.parse(text)


@settings(max_examples=100, deadline=None)
@given(st.one_of(mutations(SAMPLE), st.lists(st.text(max_size=60), max_size=4).map(lambda s: dump(*map(code_cell, s)))))
def test_only_document_errors_escape(text: str) -> None:
    try:
        parsed = notebook.parse(text)
    except DocumentError:
        return
    code, lines = notebook.code(parsed)
    assert len(lines) in (0, len(code.split("\n")))
    ast.parse(code)
    notebook.shell_lines(parsed)


def _read(text: str) -> object:
    try:
        return notebook.parse(text)
    except DocumentError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(mutations(SAMPLE))
def test_an_ordinary_notebook_is_read_as_its_tree_is(text: str) -> None:
    expected = _read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebook, "cells", lambda *_: None)
        assert _read(text) == expected


@pytest.mark.parametrize("indent", [None, 0, 1])
@pytest.mark.parametrize("source", [[], ["a\n", "b"], ["a", "b\n", "\r\n", ""], ["a\nb\n", 'say "x",\n'], "a\nb"])
def test_lines_of_every_layout(source: object, indent: int | None) -> None:
    for ends in ("\n", "\r\n", "\n\n"):
        cell = {"cell_type": "code", "metadata": {}, "source": source}
        text = json.dumps({"cells": [cell, cell], "nbformat": 4}, indent=indent).replace("\n", ends)
        assert cells(text.encode()) is not None
        expected = _read(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(notebook, "cells", lambda *_: None)
            assert _read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"nbformat": 4, "cells": [{"source": "a", "source": "b"}]}',
        '{"nbformat": 4, "cells": [{"source": [1]}]}',
        '{"nbformat": 4, "cells": [{"source": null}]}',
        '{"nbformat": 4, "cells": [{"id": [[1]], "source": "a"}]}',
        '{"nbformat": 4, "cells": [{"source": "a",}]}',
        '{"nbformat": 4, "cells": [3]}',
        '{"nbformat": 4, "cells": []} x',
        '{"nbformat": 4, "cells": [{"source": "a"}',
        '{"nbformat": 4, "cells": {}}',
        '{"cells": []}',
        '[{"nbformat": 4}]',
        "",
    ],
)
def test_what_is_not_plain_is_left_to_the_tree(text: str) -> None:
    assert cells(text.encode()) is None


_PIECES = (
    *(
        "fit(x)",
        "x = 1",
        "# why",
        "",
        "@task",
        "def f():",
        "    return 1",
        "if x:",
        "else:",
        "class A:",
        "import os; x",
    ),
    *(
        "%time fit(x)",
        "    %time fit(x)",
        "!pip install x",
        "  !ls",
        "x = !ls",
        "foo?",
        "%%time",
        "%%bash",
        "%sql",
        "!r})",
    ),
    *("!pip install x \\", "%pip install y", "s = ')'", 's = "("', "x = f(')'", "% y", "!= y)"),
    *("s = '''", "'''", "x = (a", " % b)", "x = (", ")", "@(", "task)", "x = 1 \\", "print 'a'", "\ufeffx = 1"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("\n".join), max_size=5))
@example(["x = f(')'\n%sql\n!= y)"])  # a bracket in a string closes nothing: the `%` goes on with the expression
@example(["x = f(  # )\n')'\n%sql\n)"])
def test_cells_parsed_at_once_are_those_parsed_one_by_one(sources: list[str]) -> None:
    parsed = notebook.parse(dump(*map(code_cell, sources)))
    found = notebook.joined(parsed)
    one_by_one = [notebook._python(cell) for cell in parsed.cells if cell.lines]
    assert found.text == "\n".join(map("\n".join, one_by_one))
    if found.tree is not None:
        assert ast.dump(found.tree, include_attributes=True) == ast.dump(ast.parse(found.text), include_attributes=True)


def test_the_cells_of_a_sound_notebook_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = ast.parse
    texts: list[str] = []

    def counted(text: str) -> ast.Module:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(ast, "parse", counted)
    source = dump(*map(code_cell, ["import x", "%matplotlib inline\nx.fit()", "!ls", "def f():\n    pass"]))
    module = build(Source("a.ipynb", source, notebook=True)).module
    assert module is not None
    assert [call.name for call in module.calls] == ["x.fit"]
    assert len(texts) == 1

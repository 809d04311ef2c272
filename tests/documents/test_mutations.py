"""Every parser on arbitrary bytes and on real files torn apart: only DocumentError escapes, lines stay in the file."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_scan.code.build import Source, build
from mlops_scan.documents import (
    dockerfile,
    json,
    makefile,
    notebook,
    python,
    requirements,
    shell,
    templates,
    toml,
    yaml,
)
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.store import language_of
from mlops_scan.documents.text import decode
from tests.documents.hostile import chunked, mutations

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def _nodes(documents: Iterable[Node]) -> Iterator[int]:
    for document in documents:
        for _, node in document.walk():
            yield from (node.line, node.end_line, node.key_line or 1)


def _notebook(text: str) -> Iterator[int]:
    parsed = notebook.parse(text)
    yield from (number for cell in parsed.cells for number, _ in cell.lines)
    notebook.code(parsed)
    notebook.shell_lines(parsed)


def _shell(text: str) -> Iterator[int]:
    for command in shell.parse(text).commands:
        yield from (command.line, command.end_line)
        shell.unwrap(command.words)
        shell.inner(command.words)


def _makefile(text: str) -> Iterator[int]:
    parsed = makefile.parse(text)
    yield from (target.line for target in parsed.targets)
    yield from (line for target in parsed.targets for line, _ in target.recipe)


def _dockerfile(text: str) -> Iterator[int]:
    for instruction in dockerfile.parse(text).instructions:
        yield from (instruction.line, instruction.end_line)
        dockerfile.commands(instruction)


def _python(text: str) -> Iterator[int]:
    yield from (getattr(node, "lineno", 1) for node in ast.walk(python.parse(text).tree))


def _templates(text: str) -> list[int]:
    assert templates.replaced(text).count("\n") == text.count("\n")
    return []


PARSERS: dict[str, Callable[[str], Iterable[int]]] = {
    "python": _python,
    "notebook": _notebook,
    "yaml": lambda text: _nodes(yaml.parse(text)),
    "json": lambda text: _nodes([json.parse(text)]),
    "toml": lambda text: _nodes([toml.parse(text)]),
    "shell": _shell,
    "makefile": _makefile,
    "dockerfile": _dockerfile,
    "requirements": lambda text: [item.line for item in requirements.parse(text)],
}


def _seeds() -> dict[str, list[str]]:
    """The texts of the fixtures by language, a few of each, shortest first."""
    found: dict[str, list[str]] = {}
    for path in sorted(FIXTURES.glob("*/repo/**/*")):
        language = language_of(path.name)
        if path.is_file() and language in PARSERS:
            found.setdefault(language, []).append(path.read_text(encoding="utf-8", errors="replace"))
    return {language: sorted(set(texts), key=len)[-8:] for language, texts in found.items()}


SEEDS = _seeds()


def check(language: str, text: str) -> None:
    try:
        lines = list(PARSERS[language](text))
    except DocumentError as error:
        assert error.line <= text.count("\n") + 2, error
        return
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


@pytest.mark.parametrize("language", PARSERS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_files_torn_apart(language: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS.get(language) or ["a: b\n[x]\nc = 1\n"]))
    check(language, data.draw(st.one_of(chunked(seed), mutations(seed))).replace("\r\n", "\n").replace("\r", "\n"))


@pytest.mark.parametrize("language", PARSERS)
@settings(max_examples=40, deadline=None)
@given(raw=st.binary(max_size=400))
def test_arbitrary_bytes(language: str, raw: bytes) -> None:
    check(language, decode(raw))


@settings(max_examples=80, deadline=None)
@given(raw=st.one_of(st.binary(max_size=200).map(decode), st.text(max_size=200), st.text("{}%#-/ \na$", max_size=80)))
def test_templates(raw: str) -> None:
    _templates(raw)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_facts_of_files_torn_apart(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(["python", "notebook"]))
    text = data.draw(chunked(data.draw(st.sampled_from(SEEDS[language]))))
    built = build(Source("a.py", text, language == "notebook"))
    assert built.module is not None or built.problem

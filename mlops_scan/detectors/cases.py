"""Cases of evaluations: files of the repository that evaluation code names, and those of promptfoo configurations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from mlops_scan.code.facts import MAIN, Module
from mlops_scan.detectors.base import Context
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Evidence, Location, Role

_ASKS = frozenset({"llm-call"})
_HOPS = 8
FEW = 4  # fewer cases than that are a smoke test
_ROWS = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"})
_TREES = frozenset({".json", ".yaml", ".yml"})
_CASES = regex(r"eval|golden|case|question|q_?and_?a|qa[_-]|ground_?truth|test[_-]?set|benchmark|dataset", re.I)
_EVALUATES = regex(r"(^|[/_.-])eval(s|uate|uation|uations|uator|uators)?($|[/_.-])", re.I)
_SKIPPED = frozenset({Role.DOCS, Role.VENDORED, Role.GENERATED, Role.EXAMPLE})


def case_files(context: Context) -> Iterator[tuple[str, int, Location, str]]:
    """Files of cases that evaluation code names: (module, line, the file, why they are few or empty)."""
    by_name: dict[str, list[File]] = defaultdict(list)
    if not any(True for _ in context.doing("llm-call", aside=True)):
        return
    for file in context.ending(_ROWS | _TREES, aside=True):
        if file.role not in _SKIPPED and (file.suffix in _ROWS or (file.folder and _CASES.search(file.path))):
            by_name[file.name].append(file)
    if not by_name:
        return
    suites = {use.location.path for use in context.uses if "genai/eval-suite" in use.serves}
    for path, module in sorted(context.index.modules.items()):
        if context.role(path) in _SKIPPED or not (path in suites or _EVALUATES.search(path)):
            continue
        for line, text in module.strings:
            name = text.replace("\\", "/").rpartition("/")[2]
            tail = re.sub(r"^(\.{1,2}/)+", "", text.replace("\\", "/"))
            found = next((f for f in by_name.get(name, ()) if f"/{f.path}".endswith(f"/{tail}")), None)
            if found is not None:
                if path in suites or _asks(context, module):
                    yield path, line, Location(found.path, 1), _few(context, found)
                break


def _asks(context: Context, module: Module) -> bool:
    """Whether evaluation code leads to a language model; the evaluation of another kind of model has no such cases."""
    scopes = ((module.path, scope) for scope in ("", MAIN, *module.functions))
    return context.reaches(tuple(scopes), _ASKS, _HOPS) is not None


def _few(context: Context, file: File) -> str:
    if file.suffix not in (".jsonl", ".ndjson", ".csv", ".tsv") or file.lfs:
        return ""
    rows = sum(1 for line in context.documents.text(file.path).split("\n") if line.strip())
    return told(max(0, rows - (file.suffix in (".csv", ".tsv"))))  # without the head of a table


def told(rows: int) -> str:
    """Why so few cases are no data set, or empty."""
    return f"only {rows} cases" if rows < FEW else ""


def promptfoo_cases(context: Context) -> Iterator[tuple[Evidence, str]]:
    """The cases of promptfoo configurations: a file that is there, or the list itself."""
    paths = sorted({u.location.path for u in context.uses if u.tool == "promptfoo" and "genai/eval-suite" in u.serves})
    for path in paths:
        for document in context.documents.nodes(path):
            tests = document.get("tests")
            if tests is None:
                continue
            folder = path.rpartition("/")[0]
            files = [n for n in (tests, *tests.items) if (n.string() or "").startswith("file://")]
            known = [node for node in files if _exists(context, folder, node)]
            if known:
                yield context.evidence(path, known[0].at), ""
            elif tests.items and not files:
                yield context.evidence(path, tests.at, end_line=tests.end_line), told(len(tests.items))


def _exists(context: Context, folder: str, node: Node) -> bool:
    name = (node.string() or "").removeprefix("file://").removeprefix("./")
    return (f"{folder}/{name}" if folder else name) in context.documents.files

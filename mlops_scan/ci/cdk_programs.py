"""The programs that may declare pipelines with the AWS CDK, in each of the languages that are read."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from mlops_scan.ci.shape import text
from mlops_scan.documents.programs import own_programs
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above
from mlops_scan.words import FOREIGN

MARKS = {"python": "aws_cdk", "typescript": "ipeline"}
"""What every such program has in its text, by language; of those in TypeScript only `own_programs` are asked."""

_PACKAGES = regex(r"\b(aws[-_]codepipeline|pipelines)\b")
_NODE = regex(r"\b(ts-node|tsx|node|bun|deno|npx|npm|yarn|pnpm)\b|\.[cm]?[jt]s\b")
_COMMENTS = ("#", "//", "*", "/*")
_LONG = 300  # characters of a line that are looked at


def declares(path: str, documents: Documents) -> bool:
    """Whether a program may declare a pipeline, told by its text."""
    mark = MARKS.get(language_of(path), "")
    if not mark or not _is_read(path, documents) or not documents.swept_holds(path, mark):
        return False
    return _PACKAGES.search(documents.swept(path)) is not None


def tree_of(path: str, documents: Documents) -> ast.Module | None:
    """The syntax tree of a program."""
    if language_of(path) == "typescript":
        return documents.program(path).tree
    document = documents.python(path)
    return document.tree if document is not None else None


def naming(owners: Collection[str], documents: Documents) -> dict[str, list[str]]:
    """The programs that have the names of classes or functions in their text, by name."""
    found: dict[str, list[str]] = {owner: [] for owner in owners}
    for path, file in documents.files.items() if owners else ():
        mark = MARKS.get(language_of(path))
        if mark is None or file.role in FOREIGN or not _is_read(path, documents):
            continue
        # most of those in TypeScript are called a pipeline, so that texts without the mark need not be read again
        possible = [owner for owner in owners if mark not in owner or documents.swept_holds(path, mark)]
        swept = documents.swept(path) if possible else ""
        for owner in possible:
            if owner in swept:
                found[owner].append(path)
    return found


def called(owner: str, swept: str) -> bool:
    """Whether a text calls a class or function by its name, its definition and comments apart."""
    call = re.compile(rf"(?<!class )(?<!def )(?<!function )\b{re.escape(owner)}\b\s*(<[^<>()]{{0,80}}>)?\(")
    for match in call.finditer(swept):
        begin = match.start()
        line = swept[swept.rfind("\n", max(0, begin - _LONG), begin) + 1 : begin]
        if not line.lstrip().startswith(_COMMENTS):
            return True
    return False


def not_run(path: str, documents: Documents) -> str:
    """Why a TypeScript program is no part of a CDK app, or empty: the nearest `cdk.json` starts another program."""
    if language_of(path) != "typescript":
        return ""
    for folder in above(path.rpartition("/")[0]):
        place = f"{folder}/cdk.json" if folder else "cdk.json"
        if place in documents.files:
            app = next((text(node.get("app")) for node in documents.nodes(place)), "")
            return "" if not app or _NODE.search(app) else f"the app of {place} is another program"
    return ""


def _is_read(path: str, documents: Documents) -> bool:
    return language_of(path) != "typescript" or path in documents.once(own_programs)
